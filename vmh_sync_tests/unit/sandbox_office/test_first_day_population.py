"""The first day to practise: both sides are full, most of it stands on both, and nothing knows of the other."""

from collections import Counter
from typing import Any

import httpx

from vmh_sync.sandbox.installation import Installation, OfficeInstallation
from vmh_sync.sandbox.run import SandboxOptions, running
from vmh_sync.sandbox.systems import SystemsConfig


async def state(stamped_in: str = "Europe/Berlin") -> dict[str, Any]:
    firm = Installation(office=OfficeInstallation(zone=stamped_in))
    options = SandboxOptions(SystemsConfig(seed=14, parties=80, first_day=True, installation=firm))
    async with running(options) as told, httpx.AsyncClient(trust_env=False) as client:
        return {name: (await client.get(f"{url}/_sandbox/state")).json() for name, url in told["control"].items()}


async def test_most_parties_stand_on_both_sides_without_a_link_and_some_as_an_earlier_system_left_them() -> None:
    systems = await state()
    records = systems["espocrm"]["records"]["CBeteiligte"]
    linked = [record for record in records if record["betnr"]]
    assert (len(records), len(linked), len(systems["advoware"]["beteiligte"])) == (83, 6, 60)
    assert {record["syncStatus"] for record in linked} == {"clean", "syncing", "failed", "permanently_failed"}
    assert {record["syncStatus"] for record in records if not record["betnr"]} == {"pending_sync"}
    marks = [child["bemerkung"] for party in systems["advoware"]["beteiligte"] for child in party["adressen"]]
    assert sum("EspoCRM-ID" in mark for mark in marks) < len(linked) * 2


async def test_the_calendars_are_full_of_the_same_appointments_without_a_mark() -> None:
    calendars = [one for one in (await state("UTC"))["google"]["calendars"] if one["summary"].startswith("AW-")]
    events = [event for calendar in calendars for event in calendar["events"].values()]
    titles = Counter(event["summary"] for event in events)
    assert len(calendars) == 6 and len(events) == 48
    assert sum(count for title, count in titles.items() if title.endswith(" Mustermann")) == 6
    assert not any("extendedProperties" in event for event in events)
    assert {event["start"]["timeZone"] for event in events} == {"Europe/Berlin"}
