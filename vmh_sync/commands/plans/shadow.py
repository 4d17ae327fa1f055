"""``vmh-sync shadow``: looks at both sides, plans, writes nothing, and says what would have been done otherwise."""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from rich.console import Console

from vmh_sync.clock import SystemClock
from vmh_sync.commands.passes.sync import run_sync
from vmh_sync.commands.passes.sync_kalender import run_calendars
from vmh_sync.commands.passes.sync_order import PassFailed, SyncOrder
from vmh_sync.commands.passes.targets import target
from vmh_sync.commands.screens.output import RECORDS_FAILED, fail_pass, print_json
from vmh_sync.commands.screens.screen import print_some, sentences
from vmh_sync.engine.passes.opening import PassSettings
from vmh_sync.entities import BETEILIGTE, KALENDER
from vmh_sync.gateway.pages.field_names import field_name
from vmh_sync.kalender.calendars import Calendars
from vmh_sync.kalender.telling.notice_texts import label
from vmh_sync.settings import GoogleCalendarSettings, load
from vmh_sync.shadow.days import Day, DayFiles, Difference, ShadowReport, compare
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import Action
from vmh_sync.sync.reporting.outcome import PassSummary
from vmh_sync.sync.reporting.plan_rows import plan_rows
from vmh_sync.sync.reporting.words_de import ACTIONS, CALENDAR_ACTIONS, CALENDAR_FINDINGS, SIDES, TASKS, word

SHOWN = 30
_CREATE = str(Action.CREATE)
_RECORDS = {
    "CBeteiligte": "Beteiligter",
    "Beteiligte": "Beteiligter",
    "CAdressen": "Adresse",
    "Adressen": "Adresse",
    "CBankverbindungen": "Bankverbindung",
    "Bankverbindungen": "Bankverbindung",
}
_COUNTED = {BETEILIGTE.name: "Beteiligte", KALENDER.name: "Termine"}


def command(*, as_json: bool) -> None:
    """Look once; ends the process with 0, 1 (could not look) or 3 (records that could not be planned)."""
    os.environ["VMH_SHADOW"] = "true"  # whatever the settings say: nothing below may write
    settings = PassSettings.read()
    clock = SystemClock()
    try:
        today = look(clock.now().astimezone(settings.advoware.timezone).date(), as_json=as_json)
    except PassFailed as problem:
        fail_pass(str(problem), as_json=as_json)
    files = DayFiles(settings.house.home)
    report = compare(today, files.read())
    path = files.write(today)
    if as_json:
        print_json(report.to_json())
    else:
        _show(report)
        sentences().print(f"Gemerkt in {path} (ohne Werte).")
    sys.exit(RECORDS_FAILED if today.failures else 0)


def look(day: date, *, as_json: bool) -> Day:
    """Plan parties with all that belongs to them, and the calendars if they are switched on."""
    summary, outcomes = run_sync(target(BETEILIGTE.name), SyncOrder((), "all", dry_run=True))
    found = {Difference.of(BETEILIGTE.name, row) for row in plan_rows(outcomes, show_values=False)}
    looked_at, failures = {BETEILIGTE.name: summary.records}, _failures(summary)
    google = load(GoogleCalendarSettings)
    if google.service_account_path or google.service_account_json:
        batch = run_calendars(Calendars(dry_run=True), as_json=as_json)
        found |= {Difference.of("kalender", row) for row in batch.rows()}
        calendars = PassSummary().add(batch.outcomes)
        looked_at["kalender"] = calendars.records
        failures |= _failures(calendars)
    return Day(day, looked_at, frozenset(found), failures)


def _failures(summary: PassSummary) -> dict[str, str]:
    return {str(failure["id"]): str(failure["error"]) for failure in summary.failures}


def _show(report: ShadowReport) -> None:
    console = sentences()
    looked_at = ", ".join(f"{count} {_COUNTED.get(name, name)}" for name, count in report.today.looked_at.items())
    console.print(f"Schattenbetrieb {report.today.day:%d.%m.%Y}: {looked_at} angesehen, nichts geschrieben.")
    console.print(
        f"  {len(report.new)} neue Unterschiede, {len(report.standing)} stehen seit dem letzten Blick, "
        f"{len(report.settled)} sind erledigt; {len(report.today.failures)} Datensätze nicht lesbar."
    )
    _lines(console, "Neu, nach Art:", by_kind(report.new))
    if any(one.what == _CREATE and one.target.startswith(Side.ADVOWARE) for one in report.new):
        console.print(
            "  Vor dem Anlegen in Advoware wird dort gesucht; `vmh-sync first-contact --plan` nennt die Paare."
        )
    oldest = sorted(report.standing.items(), key=lambda each: (-each[1], each[0]))
    _lines(console, "Das alte System gleicht nicht aus:", [f"{line(one)} – seit {days} Tagen" for one, days in oldest])
    _lines(console, "Neu:", [line(one) for one in report.new])
    _lines(console, "Nicht lesbar:", [f"{record}: {why}" for record, why in report.today.failures.items()])


def by_kind(differences: Iterable[Difference]) -> list[str]:
    """Return how often each kind of difference is there, the most frequent first: what a long list is made of."""
    counts = Counter(f"{_COUNTED.get(one.entity, one.entity)}: {_what(_without_record(one))}" for one in differences)
    return [f"{count} × {what}" for what, count in counts.most_common()]


def _without_record(one: Difference) -> Difference:
    created = one.what == _CREATE
    return replace(one, target=" ".join(one.target.split()[:2]), fields=() if created else one.fields)


def _lines(console: Console, title: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    console.print(title)
    print_some(console, lines, SHOWN, "; alle mit --json.")


def line(one: Difference) -> str:
    """Return what would have been done, as a person reads it; no values."""
    return f"{_record(one)}: {_what(one)}"


def _what(one: Difference) -> str:
    side, _, rest = one.target.partition(" ")
    what = word(TASKS | ACTIONS | CALENDAR_ACTIONS | CALENDAR_FINDINGS, one.what)
    what = f"in {word(SIDES, side)} {what}" if side else what
    fields = [label(name) if one.entity == KALENDER.name else _field(name) for name in one.fields]
    entity, _, key = rest.partition(" ")
    of = f" ({word(_RECORDS, entity)}{key and f' {key}'})" if rest else ""
    told = f": {', '.join(sorted(fields))}" if fields else ""
    return f"{what}{of}{told}"


def _field(name: str) -> str:
    return f"{field_name(name)} (neu)" if name.endswith("/new") else field_name(name)


def _record(one: Difference) -> str:
    if one.entity != KALENDER.name:
        return f"Beteiligter {one.record}"
    kuerzel, _, name = one.record.partition(" ")
    if name.startswith("-"):
        return f"Kalender {kuerzel}, Eintrag {name} (Vortermin, Fahrt oder Urlaub, von Advoware berechnet)"
    if name and not name.isdecimal():
        return f"Kalender {kuerzel}, Ereignis {name} in Google"
    return f"Kalender {kuerzel}, Termin frNr {name}" if name else f"Kalender {kuerzel}"
