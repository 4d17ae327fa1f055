"""A day that goes to a field which is a date-time at this firm (specification, espocrm.md B4)."""

import json
from typing import Any

import httpx
import pytest
import respx

from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync.systems.espocrm.errors import ValidationRejected
from vmh_sync_tests.unit.espocrm.conftest import Crm

ID = "6b04673aae3a592b3"
MOMENTS = {"gueltigVon", "gueltigBis"}


def crm_with_moments(request: httpx.Request) -> httpx.Response:
    """Like EspoCRM: the first date-time field whose value is no date-time is named."""
    for name, value in json.loads(request.content).items():
        if name in MOMENTS and len(value or "") == len("2026-01-01"):
            reason = f"Field validation failure; entityType: CAdressen, field: {name}, type: valid."
            return httpx.Response(400, headers={"X-Status-Reason": reason})
    return httpx.Response(200, json={"id": ID})


def sent(route: respx.Route) -> list[dict[str, Any]]:
    return [json.loads(call.request.content) for call in route.calls]


async def test_it_is_written_as_its_midnight_and_from_then_on_at_once(client: EspoClient, crm: Crm) -> None:
    created = crm.on("POST", "CAdressen").mock(side_effect=crm_with_moments)
    updated = crm.on("PUT", f"CAdressen/{ID}").mock(side_effect=crm_with_moments)
    await client.create("CAdressen", {"name": "A", "gueltigVon": "2026-01-01", "gueltigBis": "2026-12-31"})
    assert sent(created)[-1] == {"name": "A", "gueltigVon": "2026-01-01 00:00:00", "gueltigBis": "2026-12-31 00:00:00"}
    await client.update("CAdressen", ID, {"gueltigVon": "2026-02-01", "gueltigBis": None})
    assert sent(updated) == [{"gueltigVon": "2026-02-01 00:00:00", "gueltigBis": None}]


async def test_a_day_that_is_refused_in_both_notations_is_refused(client: EspoClient, crm: Crm) -> None:
    reason = "Field validation failure; entityType: CAdressen, field: gueltigVon, type: valid."
    route = crm.on("PUT", f"CAdressen/{ID}").respond(400, headers={"X-Status-Reason": reason})
    for _ in range(2):
        with pytest.raises(ValidationRejected):
            await client.update("CAdressen", ID, {"gueltigVon": "2026-02-01"})
    assert sent(route)[:2] == [{"gueltigVon": "2026-02-01"}, {"gueltigVon": "2026-02-01 00:00:00"}]
    assert sent(route)[2:] == sent(route)[:2], "nothing was learned from it"


async def test_a_text_that_is_refused_is_sent_once(client: EspoClient, crm: Crm) -> None:
    reason = "Field validation failure; entityType: CAdressen, field: name, type: valid."
    route = crm.on("PUT", f"CAdressen/{ID}").respond(400, headers={"X-Status-Reason": reason})
    with pytest.raises(ValidationRejected):
        await client.update("CAdressen", ID, {"name": "vom 2026-02-01"})
    assert route.call_count == 1
