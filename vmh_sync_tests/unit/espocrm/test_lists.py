"""Lists: paged by key, complete or an error, short enough for a URL (espocrm.md B6)."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from vmh_sync.systems.espocrm import query
from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync.systems.espocrm.errors import PageTooLong, UnexpectedAnswer
from vmh_sync_tests.unit.espocrm.conftest import Crm


def search_of(request: httpx.Request) -> dict[str, Any]:
    return json.loads(request.url.params["searchParams"])


def serve(ids: list[str]) -> Callable[[httpx.Request], httpx.Response]:
    """A list that obeys where id > x, maxSize and X-No-Total as EspoCRM does."""

    def answer(request: httpx.Request) -> httpx.Response:
        search = search_of(request)
        found = sorted(ids)
        for item in search.get("where", []):
            if item["type"] == "greaterThan":
                found = [key for key in found if key > item["value"]]
            if item["type"] == "in":
                found = [key for key in found if key in item["value"]]
        page = found[: search["maxSize"]]
        unsaid = -1 if len(found) > len(page) else -2
        total = unsaid if request.headers.get("X-No-Total") == "true" else len(found)
        return httpx.Response(200, json={"total": total, "list": [{"id": key} for key in page]})

    return answer


@pytest.mark.parametrize("number", [0, 1, 4, 5, 6, 10, 11])
async def test_all_records_come_once(client: EspoClient, crm: Crm, number: int) -> None:
    ids = [f"{index:017x}" for index in range(number)]
    route = crm.on("GET", "CBeteiligte").mock(side_effect=serve(ids))
    assert [record.id async for record in client.list_all("CBeteiligte", page_size=5)] == ids
    for call in route.calls:
        search = search_of(call.request)
        assert "offset" not in search
        assert (search["orderBy"], search["order"], search["maxSize"]) == ("id", "asc", 5)
        assert call.request.headers["X-No-Total"] == "true"


async def test_records_deleted_while_paging_hide_no_others(client: EspoClient, crm: Crm) -> None:
    ids = [f"{index:017x}" for index in range(10)]
    crm.on("GET", "CBeteiligte").mock(side_effect=lambda request: serve(ids)(request))
    seen = []
    async for record in client.list_all("CBeteiligte", page_size=3):
        seen.append(record.id)
        if len(seen) == 3:
            ids.remove(seen[0])
            ids.remove(seen[1])
    assert seen == [f"{index:017x}" for index in range(10)]


async def test_conditions_stay_on_every_page(client: EspoClient, crm: Crm) -> None:
    route = crm.on("GET", "CBeteiligte").mock(side_effect=serve([f"{index:017x}" for index in range(7)]))
    conditions = [query.equals("syncStatus", "dirty")]
    assert len([r async for r in client.list_all("CBeteiligte", where=conditions, page_size=3)]) == 7
    for call in route.calls:
        assert search_of(call.request)["where"][0] == {
            "type": "equals",
            "attribute": "syncStatus",
            "value": "dirty",
        }


async def test_select_is_an_array_and_always_holds_what_records_need(client: EspoClient, crm: Crm) -> None:
    route = crm.on("GET", "CBeteiligte").mock(side_effect=serve([]))
    await client.list_page("CBeteiligte", select=["betnr", "id"])
    assert search_of(route.calls.last.request)["select"] == [
        "id",
        "modifiedAt",
        "modifiedById",
        "versionNumber",
        "betnr",
    ]
    await client.list_page("CBeteiligte")
    assert "select" not in search_of(route.calls.last.request)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"total": 1}',
        b'{"list": []}',
        b'{"total": -2, "list": null}',
        b'{"total": -2, "list": [{}]}',
        b'{"total": -2, "list": [7]}',
        b'{"total": -2, "li',
    ],
)
async def test_a_broken_list_is_never_an_empty_list(client: EspoClient, crm: Crm, body: bytes) -> None:
    crm.on("GET", "CBeteiligte").respond(200, content=body)
    with pytest.raises(UnexpectedAnswer):
        _ = [record async for record in client.list_all("CBeteiligte")]


@pytest.mark.parametrize("rows", [[], [{"id": "a"}]])
async def test_a_page_that_leads_no_further_ends_in_an_error(client: EspoClient, crm: Crm, rows: list[Any]) -> None:
    crm.on("GET", "CBeteiligte").respond(json={"total": -1, "list": rows})
    with pytest.raises(UnexpectedAnswer):
        _ = [record async for record in client.list_all("CBeteiligte")]


async def test_page_with_exact_total(client: EspoClient, crm: Crm) -> None:
    route = crm.on("GET", "CBeteiligte").mock(side_effect=serve(["a", "b", "c"]))
    page = await client.list_page("CBeteiligte", page_size=2, count=True, order_by="modifiedAt", descending=True)
    assert (page.total, page.more, len(page.records)) == (3, True, 2)
    assert "X-No-Total" not in route.calls.last.request.headers
    search = search_of(route.calls.last.request)
    assert (search["orderBy"], search["order"]) == ("modifiedAt", "desc")
    page = await client.list_page("CBeteiligte", page_size=3, count=True)
    assert (page.total, page.more) == (3, False)


async def test_ids_are_asked_for_in_pieces_that_fit_a_url(client: EspoClient, crm: Crm) -> None:
    ids = [f"{index:017x}" for index in range(250)]
    route = crm.on("GET", "CBeteiligte").mock(side_effect=serve(ids))
    found = [record.id async for record in client.list_ids_in("CBeteiligte", "id", [*ids, *ids])]
    assert found == ids
    pieces = [search_of(call.request)["where"][0]["value"] for call in route.calls]
    assert [len(piece) for piece in pieces] == [100, 100, 50]
    assert max(len(str(call.request.url)) for call in route.calls) < 8000


async def test_long_values_make_smaller_pieces(client: EspoClient, crm: Crm) -> None:
    values = [f"{'ä' * 60}{index}@example.org" for index in range(60)]
    route = crm.on("GET", "CBeteiligte").mock(side_effect=serve([]))
    assert [r async for r in client.list_ids_in("CBeteiligte", "emailAddress", values, select=["betnr"])] == []
    asked = [value for call in route.calls for value in search_of(call.request)["where"][0]["value"]]
    assert asked == values
    assert max(len(str(call.request.url)) for call in route.calls) < 8000


async def test_no_values_no_request(client: EspoClient, crm: Crm) -> None:
    assert [r async for r in client.list_ids_in("CBeteiligte", "id", [])] == []
    assert not crm.router.calls


def test_where_builder() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    built = query.any_of(
        query.all_of(query.in_("syncStatus", ["dirty", "failed"]), query.is_not_null("syncNextRetry")),
        query.greater_or_equals("modifiedAt", moment),
        query.equals("istAktiv", False),
        query.equals("betnr", 0),
    )
    assert built.to_json() == {
        "type": "or",
        "value": [
            {
                "type": "and",
                "value": [
                    {"type": "in", "attribute": "syncStatus", "value": ["dirty", "failed"]},
                    {"type": "isNotNull", "attribute": "syncNextRetry"},
                ],
            },
            {"type": "greaterThanOrEquals", "attribute": "modifiedAt", "value": "2026-01-02 03:04:05"},
            {"type": "equals", "attribute": "istAktiv", "value": False},
            {"type": "equals", "attribute": "betnr", "value": 0},
        ],
    }


@pytest.mark.parametrize(
    "build",
    [
        lambda: query.equals("betnr", None),
        lambda: query.in_("id", []),
        lambda: query.in_("id", ["a", None]),
        lambda: query.any_of(),
    ],
)
def test_conditions_that_espocrm_would_read_otherwise_are_refused(build: Any) -> None:
    with pytest.raises(ValueError, match=r"needs"):
        build()


def limited(
    ids: list[str], limit: int, *, status: int = 403, in_body: bool = False
) -> Callable[[httpx.Request], httpx.Response]:
    """The same where pages may not be longer than ``limit`` (recording c22)."""
    unlimited = serve(ids)

    def answer(request: httpx.Request) -> httpx.Response:
        if search_of(request)["maxSize"] > limit:
            reason = f"Max size should not exceed {limit}. Use offset and limit."
            where = {"text": reason} if in_body else {"headers": {"X-Status-Reason": reason}}
            return httpx.Response(status, **where)
        return unlimited(request)

    return answer


@pytest.mark.parametrize("limit", [1, 20, 50, 199, 200])
async def test_pages_adapt_to_the_limit_of_the_installation(client: EspoClient, crm: Crm, limit: int) -> None:
    ids = [f"{index:017x}" for index in range(60)]
    route = crm.on("GET", "CBeteiligte").mock(side_effect=limited(ids, limit))
    assert [record.id async for record in client.list_all("CBeteiligte")] == ids
    refused = [call for call in route.calls if call.response.status_code == 403]
    assert len(refused) == (1 if limit < 200 else 0), "learned once"
    assert [record.id async for record in client.list_ids_in("CBeteiligte", "id", ids)] == ids
    assert len([call for call in route.calls if call.response.status_code == 403]) == len(refused)


@pytest.mark.parametrize(("status", "in_body"), [(400, False), (400, True), (403, True)])
async def test_pages_adapt_however_the_limit_is_told(client: EspoClient, crm: Crm, status: int, in_body: bool) -> None:
    ids = [f"{index:017x}" for index in range(60)]
    crm.on("GET", "CBeteiligte").mock(side_effect=limited(ids, 50, status=status, in_body=in_body))
    assert [record.id async for record in client.list_all("CBeteiligte")] == ids


async def test_a_limit_that_helps_nothing_is_told_as_what_it_is(client: EspoClient, crm: Crm) -> None:
    reason = "Max size should not exceed 200. Use offset and limit."
    crm.on("GET", "CBeteiligte").respond(403, headers={"X-Status-Reason": reason})
    with pytest.raises(PageTooLong) as failure:
        await client.list_page("CBeteiligte")
    assert "recordListMaxSizeLimit" in failure.value.message_for_people
    assert "Recht" not in failure.value.message_for_people


async def test_a_server_that_gives_shorter_pages_than_asked_hides_nothing(client: EspoClient, crm: Crm) -> None:
    """It says how many there are in all, and stops at its own limit without a word."""
    ids = [f"{index:017x}" for index in range(23)]

    def answer(request: httpx.Request) -> httpx.Response:
        after = [key for key in ids if all(key > item["value"] for item in search_of(request).get("where", []))]
        return httpx.Response(200, json={"total": len(after), "list": [{"id": key} for key in after[:10]]})

    crm.on("GET", "CBeteiligte").mock(side_effect=answer)
    assert [record.id async for record in client.list_all("CBeteiligte")] == ids


@pytest.mark.parametrize("status", [414, 431])
async def test_many_values_are_asked_for_in_shorter_lists_where_the_url_is_too_long(
    client: EspoClient, crm: Crm, status: int
) -> None:
    ids = [f"{index:017x}" for index in range(90)]
    whole = serve(ids)

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status) if len(str(request.url)) > 900 else whole(request)

    route = crm.on("GET", "CBeteiligte").mock(side_effect=answer)
    found = [record.id async for record in client.list_ids_in("CBeteiligte", "id", ids)]
    assert found == ids
    before = route.call_count
    assert [record.id async for record in client.list_ids_in("CBeteiligte", "id", ids)] == ids
    refused = [call for call in list(route.calls)[before:] if call.response.status_code == status]
    assert refused == [], "the length that passes is remembered"
