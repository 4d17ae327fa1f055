"""Calls per employee and situation of a calendar pass: ``python -m vmh_sync_tests.bench calendar_calls``."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from vmh_sync.services.valkey import ensure_redis
from vmh_sync.settings import VmhSettings, load
from vmh_sync.store import upgrade
from vmh_sync.stored_settings import default_url
from vmh_sync_tests.bench.bench_calendar import Offices, home, one_pass, running

Json = dict[str, Any]
NAMES = [f"C{number}" for number in range(4)]
MOST_PASSES = 6


@dataclass(frozen=True)
class Situation:
    """What happens to one appointment of every employee before the pass that is counted."""

    title: str
    act: Callable[[Offices, str], None]


def main() -> None:
    """Print the table."""
    with running() as systems, home() as path:
        os.environ.update(VMH_HOME=path, GOOGLE_CALENDAR_QUOTA_PER_MINUTE="600000")
        systems.google.do("set", user_quota=None, project_quota=None)
        upgrade(default_url(load(VmhSettings).home))
        ensure_redis(load(VmhSettings).home, None)
        systems.office.seed(mitarbeiter=[{"kuerzel": name, "name": name, "aktiv": True} for name in NAMES])
        systems.google.seed(calendars=[{"summary": f"AW-{name}"} for name in NAMES])
        print("command: python -m vmh_sync_tests.bench calendar_calls\n")
        print("| situation, one appointment per employee | Advoware | Google | writes Advoware + Google |")
        print("|---|---|---|---|")
        for situation in SITUATIONS:
            for name in NAMES:
                situation.act(systems, name)
            print(_row(systems, situation.title))
            _until_quiet()


def _row(systems: Offices, title: str) -> str:
    for system in (systems.office, systems.google):
        system.clear_calls()
    summary = one_pass()
    if summary.failures:
        raise RuntimeError(f"{title}: {summary.failures}")
    cells = [_calls(system.calls(1)["by_route"]) for system in (systems.office, systems.google)]
    writes = summary.writes
    return f"| {title} | {cells[0]} | {cells[1]} | {_each(writes['advoware'])} + {_each(writes['google'])} |"


def _calls(by_route: dict[str, int]) -> str:
    """Return what one employee costs: one list, single reads, and writes by method."""
    counted: dict[str, int] = {}
    for route, count in by_route.items():
        if count < len(NAMES) or "oken" in route:
            continue  # once for everybody: the login, the employees
        method = route.split(" ", 1)[0]
        lists = len(NAMES) if method == "GET" and route.rstrip("/").lower().endswith(("events", "termine")) else 0
        for name, number in (("list", lists), ("read" if method == "GET" else method, count - lists)):
            counted[name] = counted.get(name, 0) + number
    return ", ".join(f"{_each(count)} {name}" for name, count in sorted(counted.items()) if count) or "–"


def _each(count: int) -> str:
    return f"{count / len(NAMES):g}"


def _until_quiet() -> None:
    for _ in range(MOST_PASSES):
        summary = one_pass()
        if not any(summary.writes.values()) and not summary.failures:
            one_pass()  # the echoes of our own writes have been read by now
            return
    raise RuntimeError("both sides do not come to rest")


# What happens

_DAY = datetime.now(UTC).date() + timedelta(days=7)


def _termin(systems: Offices, name: str, text: str, hour: int) -> None:
    day = f"{_DAY.isoformat()}T00:00:00"
    times = {"datum": day, "datumBis": day, "uhrzeitVon": f"{hour:02d}:00:00", "uhrzeitBis": f"{hour:02d}:45:00"}
    systems.office.edit("Termine", "create", values={"sb": name, "text": text, **times})


def _event(systems: Offices, name: str, summary: str, hour: int, **more: Any) -> None:
    times = {
        edge: {"dateTime": f"{_DAY.isoformat()}T{hour:02d}:{minute:02d}:00", "timeZone": "Europe/Berlin"}
        for edge, minute in (("start", 0), ("end", 45))
    }
    values = {"summary": summary, **times, **more}
    systems.google.edit("-", "create", calendar=f"AW-{name}", values=values)


def _same(systems: Offices, name: str) -> None:
    _termin(systems, name, "Steht auf beiden Seiten", 8)
    _event(systems, name, "Steht auf beiden Seiten", 8)


def _number(systems: Offices, name: str, text: str) -> int:
    return int(
        next(row["frNr"] for row in systems.office.state()["termine"] if (row["sb"], row["text"]) == (name, text))
    )


def _id(systems: Offices, name: str, summary: str) -> str:
    calendar = next(one for one in systems.google.state()["calendars"] if one["summary"] == f"AW-{name}")
    living = [event for event in calendar["events"].values() if event["status"] != "cancelled"]
    return str(next(event["id"] for event in living if event.get("summary") == summary))


def _edit_termin(text: str, **values: Any) -> Callable[[Offices, str], None]:
    def act(systems: Offices, name: str) -> None:
        systems.office.edit("Termine", "update", frNr=_number(systems, name, text), values=values)

    return act


def _edit_event(summary: str, **values: Any) -> Callable[[Offices, str], None]:
    def act(systems: Offices, name: str) -> None:
        where = {"calendar": f"AW-{name}", "id": _id(systems, name, summary)}
        systems.google.edit("-", "update", **where, values=values)

    return act


def _drop_termin(systems: Offices, name: str) -> None:
    systems.office.edit("Termine", "delete", frNr=_number(systems, name, "Aus Advoware"))


def _drop_event(systems: Offices, name: str) -> None:
    systems.google.edit("-", "delete", calendar=f"AW-{name}", id=_id(systems, name, "Aus Google"))


GUESTS = {"attendees": [{"email": "gast@example.org"}]}

SITUATIONS = [
    Situation("first contact: it stands on both sides, is linked", _same),
    Situation("nothing changed", lambda systems, name: None),
    Situation("new in Advoware", lambda systems, name: _termin(systems, name, "Aus Advoware", 9)),
    Situation("new in Google, taken over", lambda systems, name: _event(systems, name, "Aus Google", 10)),
    Situation("new in Google with guests", lambda systems, name: _event(systems, name, "Mit Gästen", 11, **GUESTS)),
    Situation("edited in Advoware", _edit_termin("Aus Advoware", ort="Saal 3")),
    Situation("edited in Advoware, the event has guests", _edit_termin("Mit Gästen", ort="Saal 3")),
    Situation("edited in Google", _edit_event("Aus Google", location="Saal 4")),
    Situation("the same field edited on both sides", lambda systems, name: _both(systems, name)),
    Situation("deleted in Advoware", _drop_termin),
    Situation("deleted in Google", _drop_event),
]


def _both(systems: Offices, name: str) -> None:
    _edit_termin("Steht auf beiden Seiten", ort="A")(systems, name)
    _edit_event("Steht auf beiden Seiten", location="B")(systems, name)


if __name__ == "__main__":
    main()
