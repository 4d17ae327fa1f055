"""``vmh-sync rehearse``: the first day on a copy of both sides, in simulated systems, with a report."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from vmh_sync.commands.joining.first_contact import progress_lines
from vmh_sync.commands.passes.sync import prepare
from vmh_sync.commands.rehearsal.calendars import CalendarCopy, copy_calendars
from vmh_sync.commands.rehearsal.copied import Copy, copy_sides, simulated_sides
from vmh_sync.commands.screens.output import RECORDS_FAILED, fail_pass, print_json
from vmh_sync.commands.screens.screen import sentences
from vmh_sync.commands.screens.unreachable import explained
from vmh_sync.engine.passes.opening import PassSettings, open_context
from vmh_sync.first_contact.advoware_list import NoList, PartyScope
from vmh_sync.services.processes import program
from vmh_sync.setting_names import in_env_file
from vmh_sync.systems.errors import ForeignSystemError

Json = dict[str, Any]
_Step = tuple[str, str, tuple[str, ...]]
_STEPS: tuple[_Step, ...] = (
    ("first_contact", "Zuordnen", ("first-contact", "--json")),
    ("sync", "Erster Abgleich", ("sync", "beteiligte", "--all", "--json")),
    ("again", "Zweiter Abgleich", ("sync", "beteiligte", "--all", "--json")),
    ("reconcile", "Vergleichen", ("reconcile", "--json")),
)
_CALENDAR_STEPS: tuple[_Step, ...] = (
    ("kalender", "Kalender", ("sync", "kalender", "--all", "--json")),
    ("kalender_again", "Kalender noch einmal", ("sync", "kalender", "--all", "--json")),
    ("doubtful", "Offene Fragen zu Terminen", ("audit", "kalender", "doubtful", "--json")),
)
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
_LIKE_THE_FIRM = ("CALENDAR_SYNC_", "GOOGLE_CALENDAR_NAME_TEMPLATE", "GOOGLE_CALENDAR_TIME_ZONE")
"""The firm's settings that decide what happens to a calendar; those of connections and parties are the simulation's."""


class StepFailed(Exception):
    """A step of the rehearsal did not end as it should; ``str`` is German."""


def command(where: PartyScope, *, as_json: bool) -> None:
    """Rehearse; ends the process with 0 (all came to rest and is equal), 3 (something is left) or 1."""
    os.environ["VMH_SHADOW"] = "true"  # the real systems are only read
    try:
        report = asyncio.run(rehearse(where, quiet=as_json))
    except (NoList, StepFailed) as problem:
        fail_pass(str(problem), as_json=as_json)
    except ForeignSystemError as error:
        fail_pass(explained(error), as_json=as_json)
    if as_json:
        print_json(report)
    else:
        _show(report)
    sys.exit(0 if report["quiet"] else RECORDS_FAILED)


async def rehearse(where: PartyScope, *, quiet: bool = False) -> Json:
    """Copy both sides, run the first day's commands on the copy, and return what they did, without values.

    Says on stderr what it is at, unless ``quiet``: with many parties each step takes minutes.
    """
    settings = PassSettings.read()
    prepare(settings)
    with progress_lines(quiet=quiet) as progress:
        async with open_context("rehearsal", settings) as context:
            copied = await copy_sides(context, where, progress)
    copied.calendars = await copy_calendars()
    with TemporaryDirectory(prefix="vmh-rehearsal-") as folder:
        home = Path(folder)
        async with simulated_sides(copied) as variables:
            steps = _STEPS + (_CALENDAR_STEPS if copied.calendars else ())
            variables |= _like_the_firm(settings)
            done: dict[str, Json] = {}
            for number, (name, title, words) in enumerate(steps, 1):
                if not quiet:
                    sys.stderr.write(f"[{number}/{len(steps)}] {title}\n")
                done[name] = await _step(words, home, variables)
    return _report(copied, done)


def _like_the_firm(settings: PassSettings) -> dict[str, str]:
    chosen = {name: value for name, value in {**in_env_file(), **os.environ}.items() if name.startswith(_LIKE_THE_FIRM)}
    protected = str(settings.advoware.write_protection).lower()
    return {**{name: value or "" for name, value in chosen.items()}, "ADVOWARE_WRITE_PROTECTION": protected}


async def _step(words: tuple[str, ...], home: Path, variables: Mapping[str, str]) -> Json:
    """Run a command of the product on the copy, in a folder of its own where no ``.env`` of the firm is read."""
    inherited = {name: os.environ[name] for name in _KEPT if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        program("python"),
        "-c",
        "from vmh_sync.cli import main; main()",
        *words,
        cwd=home,
        env={**inherited, **variables, "VMH_HOME": str(home)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    if process.returncode not in (0, RECORDS_FAILED):
        name = f"vmh-sync {' '.join(words)}"
        raise StepFailed(f"Die Generalprobe ist bei `{name}` stehengeblieben (Code {process.returncode}).")
    answer: Json = json.loads(said)
    return answer


def _report(copied: Copy, done: Mapping[str, Json]) -> Json:
    first, again = done["sync"], done["again"]
    differences = done["reconcile"].get("differences", [])
    return {
        "copied": {"espocrm": len(copied.espocrm["CBeteiligte"]), "advoware": len(copied.advoware)},
        "unreadable": copied.unreadable,
        "linked": len(done["first_contact"].get("linked", [])),
        "questions": len(done["first_contact"].get("asked", [])),
        "sync": {name: first[name] for name in ("records", "synced", "failed", "conflicts", "writes") if name in first},
        "again": {name: again[name] for name in ("failed", "writes") if name in again},
        "failures": [*first.get("failures", [])],
        "differences": len(differences),
        "calendars": _calendar_report(copied.calendars, done) if copied.calendars else None,
        "quiet": all(_at_rest(done[name]) for name in ("again", "kalender_again") if name in done) and not differences,
    }


def _calendar_report(copied: CalendarCopy, done: Mapping[str, Json]) -> Json:
    first, again = done["kalender"], done["kalender_again"]
    return {
        "copied": {"employees": len(copied.mitarbeiter), "termine": len(copied.termine), "events": copied.count()},
        "sync": {name: first[name] for name in ("records", "synced", "failed", "conflicts", "writes")},
        "again": {name: again[name] for name in ("failed", "writes")},
        "failures": [*first["failures"]],
        "doubtful": len(done["doubtful"]["doubtful"]),
    }


def _at_rest(again: Json) -> bool:
    return not any(again["writes"].values()) and not again["failed"]


def _show(report: Json) -> None:
    console = sentences()
    copied, first = report["copied"], report["sync"]
    console.print(
        f"Generalprobe mit einer Kopie ({copied['espocrm']} Beteiligte aus EspoCRM, {copied['advoware']} aus Advoware; "
        f"{len(report['unreadable'])} nicht lesbar). Die echten Systeme wurden nur gelesen."
    )
    console.print(f"  sicher zugeordnet: {report['linked']}, Fragen an Menschen: {report['questions']}")
    writes = ", ".join(f"{side} {count}" for side, count in first["writes"].items())
    console.print(
        f"  erster Abgleich: {first['records']} Beteiligte, {first['failed']} fehlerhaft, {first['conflicts']} "
        f"Konflikte; geschrieben: {writes}"
    )
    _show_failures(console, report["failures"])
    again = sum(report["again"]["writes"].values())
    console.print(f"  zweiter Abgleich: {again} Schreibvorgänge; danach verschieden: {report['differences']}")
    if report["calendars"] is None:
        console.print("  Kalender: keine, Google ist nicht eingerichtet.")
    else:
        _show_calendars(console, report["calendars"])
    console.print("Alles kommt zur Ruhe." if report["quiet"] else "Es bleibt etwas übrig: siehe oben.")


def _show_calendars(console: Console, report: Json) -> None:
    copied, first = report["copied"], report["sync"]
    writes = ", ".join(f"{side} {count}" for side, count in first["writes"].items())
    console.print(
        f"  Kalender von {copied['employees']} Mitarbeitern ({copied['termine']} Termine, "
        f"{copied['events']} Ereignisse): {first['failed']} fehlerhaft, {first['conflicts']} Konflikte; "
        f"geschrieben: {writes}"
    )
    _show_failures(console, report["failures"])
    again = sum(report["again"]["writes"].values())
    console.print(f"    zweiter Abgleich: {again} Schreibvorgänge; vielleicht dasselbe: {report['doubtful']} Fragen")


def _show_failures(console: Console, failures: list[Json]) -> None:
    for failure in failures[:20]:
        console.print(f"    {failure['id']}: {failure['error']}")
