"""``vmh-sync audit kalender …``: is the calendar sync telling the truth, and mending it where asked.

Exit codes: 0 nothing found (or all mended); 3 something found; 1 the audit itself failed; 2 wrong usage.
"""

import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vmh_sync.commands.screens.options import AsJson
from vmh_sync.commands.screens.output import RECORDS_FAILED, fail, firm_time, print_json
from vmh_sync.commands.screens.screen import sentences
from vmh_sync.sync.reporting.words_de import CALENDAR_ACTIONS, PAIR_STATES, SIDES, word

if TYPE_CHECKING:
    from vmh_sync.kalender.audits.audit import Trouble
    from vmh_sync.kalender.audits.deadline_list import DeadlineReport
    from vmh_sync.kalender.context import CalendarContext
    from vmh_sync.store.calendars.calendar import CalendarPair

PENDING = "pending:"
"""Before the kind of a finding: the next pass will do it."""

kalender_app = typer.Typer(help="Prüft Paare, Advoware und Google-Kalender.", no_args_is_help=True)

Kuerzel = Annotated[list[str] | None, typer.Option("--kuerzel", help="Kürzel; mehrfach möglich. Ohne: alle.")]
Fix = Annotated[bool, typer.Option("--fix", help="Gefundenes auch in Ordnung bringen.")]


@kalender_app.command("verify")
def verify(kuerzel: Kuerzel = None, as_json: AsJson = False) -> None:
    """Vergleicht in beiden Richtungen; ändert nichts."""
    from vmh_sync.kalender.audits import audit

    _report(look_at(lambda context: audit.verify(context, kuerzel or ())), as_json=as_json)


@kalender_app.command("duplicates")
def duplicates(kuerzel: Kuerzel = None, fix: Fix = False, as_json: AsJson = False) -> None:
    """Sucht Termine, die doppelt in einem Kalender stehen."""
    from vmh_sync.kalender.audits import audit

    _report(look_at(lambda context: audit.duplicates(context, kuerzel or (), fix=fix)), as_json=as_json)


@kalender_app.command("orphans")
def orphans(kuerzel: Kuerzel = None, fix: Fix = False, as_json: AsJson = False) -> None:
    """Sucht Ereignisse, deren Termin es in Advoware nicht mehr gibt."""
    from vmh_sync.kalender.audits import audit

    _report(look_at(lambda context: audit.orphans(context, kuerzel or (), fix=fix)), as_json=as_json)


@kalender_app.command("rebuild-pairs")
def rebuild_pairs(kuerzel: Kuerzel = None, fix: Fix = False, as_json: AsJson = False) -> None:
    """Baut die Paartabelle aus den Kennzeichnungen der Ereignisse wieder auf."""
    from vmh_sync.kalender.audits import audit

    _report(look_at(lambda context: audit.rebuild_pairs(context, kuerzel or (), fix=fix)), as_json=as_json)


@kalender_app.command("deadlines")
def deadlines(
    kuerzel: Kuerzel = None,
    send: Annotated[bool, typer.Option("--send", help="Jedem Mitarbeiter das Ergebnis als Aufgabe schreiben.")] = False,
    as_json: AsJson = False,
) -> None:
    """Vergleicht Fristen und Gerichtstermine ab heute in beiden Kalendern; nennt Titel (personenbezogene Daten)."""
    from vmh_sync.kalender.audits import deadline_list

    reports = look_at(lambda context: deadline_list.deadline_reports(context, kuerzel or (), send=send))
    rows = [report.to_json() for report in reports]
    lines = [line for report in reports for line in _told_deadlines(report)]
    _print(rows, "deadlines", lines, as_json=as_json)
    sys.exit(RECORDS_FAILED if any(report.differences for report in reports) else 0)


def _told_deadlines(report: "DeadlineReport") -> list[str]:
    from vmh_sync.kalender.telling.notice_texts import amount

    whose = f"{report.employee.kuerzel}: {amount(report.deadlines, 'Frist', 'Fristen')}"
    apart = amount(len(report.differences), "Abweichung", "Abweichungen")
    lines = [f"{whose}, {apart if report.differences else 'alle gleich'}"]
    lines += [f"  {line}" for line in report.differences]
    return lines + ([f"  {report.delivery.reason}"] if report.delivery.reason else [])


@kalender_app.command("lookup")
def lookup(
    frnr: Annotated[int | None, typer.Option("--frnr", help="Nummer des Termins in Advoware.")] = None,
    event: Annotated[str | None, typer.Option("--event", help="ID des Ereignisses in Google.")] = None,
    as_json: AsJson = False,
) -> None:
    """Zeigt, welcher Termin zu welchem Ereignis gehört."""
    if (frnr is None) == (event is None):
        raise typer.BadParameter("Bitte genau eines angeben: --frnr oder --event.")
    from vmh_sync.kalender.audits import audit

    pairs = look_at(lambda context: audit.lookup(context, frnr=frnr, event=event))
    rows = [
        {
            "kuerzel": pair.kuerzel,
            "frNr": pair.frnr,
            "event": pair.event_id,
            "source": pair.source_system,
            "status": pair.status,
            "last_sync": pair.last_sync_at.isoformat() if pair.last_sync_at else None,
        }
        for pair in pairs
    ]
    _print(rows, "pairs", [_told_pair(pair) for pair in pairs], as_json=as_json)


def look_at(look: "Callable[[CalendarContext], Awaitable[Any]]") -> Any:
    """Run ``look`` with an open calendar context; ends the process when a system cannot be reached."""
    import asyncio

    from vmh_sync.kalender.context import CalendarSettings, open_calendar
    from vmh_sync.services.valkey import ensure_redis
    from vmh_sync.store import upgrade
    from vmh_sync.systems.errors import ForeignSystemError

    settings = CalendarSettings.read()
    upgrade(settings.house.database)
    ensure_redis(settings.house.home, settings.house.redis_url)

    async def opened() -> Any:
        async with open_calendar("audit", settings) as context:
            return await look(context)

    try:
        return asyncio.run(opened())
    except ForeignSystemError as error:
        from vmh_sync.commands.screens.unreachable import explained

        fail(explained(error))


def _report(troubles: "list[Trouble]", *, as_json: bool) -> None:
    rows = [trouble.to_json() for trouble in troubles]
    _print(rows, "found", [_told(trouble) for trouble in troubles], as_json=as_json)
    sys.exit(RECORDS_FAILED if any(not trouble.mended for trouble in troubles) else 0)


def _told(trouble: "Trouble") -> str:
    waiting = trouble.kind.removeprefix(PENDING) if trouble.kind.startswith(PENDING) else None
    text = trouble.text if waiting is None else f"Steht noch aus: {word(CALENDAR_ACTIONS, waiting)} ({trouble.text})"
    where = [f"frNr {trouble.fr_nr}"] if trouble.fr_nr is not None else []
    where += [f"Ereignis {trouble.event}"] if trouble.event else []
    return f"{trouble.kuerzel}: {text}" + (f" – {', '.join(where)}" if where else "") + ("; behoben" * trouble.mended)


def _told_pair(pair: "CalendarPair") -> str:
    last = f"zuletzt abgeglichen {firm_time(pair.last_sync_at)}" if pair.last_sync_at else "noch nie abgeglichen"
    return (
        f"{pair.kuerzel}: frNr {pair.frnr} ↔ Ereignis {pair.event_id}; "
        f"Quelle {word(SIDES, pair.source_system)}, {word(PAIR_STATES, pair.status)}, {last}"
    )


def _print(rows: list[dict[str, object]], name: str, lines: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        print_json({name: rows})
        return
    # Lines, not a table: an event's id is long, and whoever wants to look it up needs all of it.
    console = sentences()
    for line in lines or ["Nichts gefunden."]:
        console.print(line)
