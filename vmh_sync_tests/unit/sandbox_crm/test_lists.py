"""Lists of the simulated EspoCRM (specification, espocrm.md B6), beyond what the recordings show."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vmh_sync.sandbox.crm.fields.table import Table
from vmh_sync.sandbox.crm.records.listing import Order, find
from vmh_sync.sandbox.crm.records.where import Condition, Span
from vmh_sync_tests.unit.sandbox_crm.conftest import Bench


def condition(attribute: str, kind: str, value: Any = None) -> dict[str, Any]:
    return {"type": kind, "attribute": attribute, "value": value}


async def test_paging_by_id_sees_every_record_once(bench: Bench) -> None:
    made = {(await bench.create(lastName=f"P{number}"))["id"] for number in range(25)}

    seen: list[str] = []
    for _ in range(3):
        after = [condition("id", "greaterThan", seen[-1])] if seen else []
        seen += await bench.ids(*after, orderBy="id", order="asc", maxSize=10)

    assert seen == sorted(made)


async def test_null_is_never_equal_and_never_unequal(bench: Bench) -> None:
    empty = (await bench.create())["id"]
    filled = (await bench.create(betnr=7))["id"]

    assert await bench.ids(condition("betnr", "notEquals", 8)) == [filled]
    assert await bench.ids(condition("betnr", "notIn", [8])) == [filled]
    assert await bench.ids({"type": "equals", "attribute": "betnr"}) == [empty]
    assert await bench.ids(condition("betnr", "lessThan", 100)) == [filled]


async def test_moments_are_strict_with_after_and_not_with_greater_or_equal(bench: Bench) -> None:
    first = await bench.create()
    bench.later(seconds=1)
    second = await bench.create()

    assert await bench.ids(condition("modifiedAt", "after", first["modifiedAt"])) == [second["id"]]
    wanted = condition("modifiedAt", "greaterThanOrEquals", first["modifiedAt"])
    assert await bench.ids(wanted, orderBy="modifiedAt", order="asc") == [first["id"], second["id"]]
    berlin = {**condition("modifiedAt", "after", "2026-01-05 11:00:00"), "dateTime": True, "timeZone": "Europe/Berlin"}
    assert await bench.ids(berlin) == [second["id"]]


async def test_an_address_is_found_as_secondary_and_in_any_case(bench: Bench) -> None:
    listed = [{"emailAddress": "eins@example.org", "primary": True}, {"emailAddress": "Zwei@example.org"}]
    made = await bench.create(emailAddressData=listed)

    assert await bench.ids(condition("emailAddress", "equals", "ZWEI@EXAMPLE.ORG")) == [made["id"]]


async def test_no_total_says_whether_there_is_more(bench: Bench) -> None:
    for number in range(3):
        await bench.create(lastName=f"P{number}")

    for size, total in ((2, -1), (3, -2)):
        response = await bench.client.get("CBeteiligte", params={"maxSize": size}, headers={"X-No-Total": "true"})
        assert response.json()["total"] == total


async def test_a_list_never_has_the_arrays(bench: Bench) -> None:
    await bench.create(emailAddress="a@example.org")

    queries: list[dict[str, Any]] = [{}, {"select": ["id", "emailAddressData", "phoneNumberData", "teamsIds"]}]
    for query in queries:
        row = (await bench.find(**query))["list"][0]
        assert not {"emailAddressData", "phoneNumberData", "teamsIds"} & row.keys()


@pytest.mark.parametrize(
    ("query", "status", "reason"),
    [
        ({"where": [{"type": "not", "value": []}]}, 400, "Sub-queries are forbidden"),
        ({"where": [condition("unbekannt", "equals", 1)]}, 400, "Not existing attribute"),
        ({"where": [condition("betnr", "in", [])]}, 400, "Bad where item 'in'."),
        ({"maxSize": 201}, 403, "Max size should not exceed 200"),
        ({"orderBy": "unbekannt"}, 400, "Order by non-existing field"),
    ],
)
async def test_bad_queries_are_named(bench: Bench, query: dict[str, Any], status: int, reason: str) -> None:
    response = await bench.client.get("CBeteiligte", params={"searchParams": json.dumps(query)})

    assert response.status_code == status
    assert response.headers["X-Status-Reason"].startswith(reason)


async def test_a_long_url_is_refused_by_the_web_server(bench: Bench) -> None:
    def parameters(count: int) -> dict[str, str]:
        start = {"where[0][type]": "in", "where[0][attribute]": "id"}
        return start | {f"where[0][value][{number}]": f"{number:017x}" for number in range(count)}

    assert (await bench.client.get("CBeteiligte", params=parameters(100))).status_code == 200
    assert (await bench.client.get("CBeteiligte", params=parameters(200))).status_code == 414


rows = st.lists(
    st.fixed_dictionaries(
        {
            "number": st.one_of(st.none(), st.integers(0, 5)),
            "status": st.sampled_from(["clean", "dirty", "failed"]),
            "day": st.integers(1, 9),
        }
    ),
    max_size=30,
)


@given(
    rows=rows,
    wanted=st.sets(st.sampled_from(["clean", "dirty", "failed", "syncing"]), min_size=1),
    low=st.integers(0, 31),
    order_by=st.sampled_from(["id", "createdAt", "modifiedAt", "number"]),
    descending=st.booleans(),
    offset=st.integers(0, 5),
    limit=st.integers(0, 10),
    day=st.one_of(st.none(), st.integers(1, 9)),
)
@settings(max_examples=300, deadline=None)
def test_indexes_find_what_a_full_scan_finds(
    rows: list[dict[str, Any]],
    wanted: set[str],
    low: int,
    order_by: str,
    descending: bool,
    offset: int,
    limit: int,
    day: int | None,
) -> None:
    table = Table(["status", "number"])
    for place, row in enumerate(rows):
        stamp = f"2026-01-0{row['day']} 00:00:00"
        made = {"id": f"{place * 7 % 31:017x}", "createdAt": stamp, "modifiedAt": stamp, **row}
        table.insert({**made, "status": "clean", "modifiedAt": "2026-01-01 00:00:00"})
        table.update(table.rows[made["id"]], {"status": row["status"], "modifiedAt": stamp})
    bound, since = f"{low:017x}", f"2026-01-0{day} 00:00:00"
    ids = [record_id for value in wanted for record_id in table.by_value["status"].get(value, ())]
    conditions = [
        Condition(lambda row: row["status"] in wanted, ids=ids),
        Condition(lambda row: row["id"] > bound, span=Span("id", low=bound, low_open=True)),
    ]
    if day is not None:
        conditions.append(Condition(lambda row: row["modifiedAt"] >= since, span=Span("modifiedAt", low=since)))
    order = Order(order_by, descending, lambda row: row[order_by])

    page = find(table, conditions, order, offset=offset, limit=limit)

    matching = [row for row in table.rows.values() if all(c.test(row) for c in conditions)]
    matching.sort(key=lambda row: (row[order_by] is not None, row[order_by] or 0, row["id"]), reverse=descending)
    assert page.total == len(matching)
    assert page.rows == matching[offset : offset + limit]
