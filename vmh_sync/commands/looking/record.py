"""``vmh-sync record``: all that is known of one record, and how it stands on both sides at this moment.

Values are personal data and shown only with ``--values``.
"""

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from vmh_sync.commands.audits.telling_changes import change_row, told_in_one_line
from vmh_sync.commands.passes.sync import prepare
from vmh_sync.commands.passes.targets import target
from vmh_sync.commands.screens.output import fail, firm_time, print_json
from vmh_sync.commands.screens.screen import print_rows, screen
from vmh_sync.commands.screens.unreachable import explained
from vmh_sync.coordination.errors import CoordinationUnavailable
from vmh_sync.engine.passes.opening import PassSettings, open_context, open_database
from vmh_sync.entities import BETEILIGTE
from vmh_sync.overview.record import RecordView, read_record
from vmh_sync.overview.search import MOST_FOUND, Found, find_records
from vmh_sync.store import Store
from vmh_sync.sync.base import Side
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync.sync.reporting.plan_in_words import in_words, shown
from vmh_sync.sync.reporting.plan_rows import plan_rows
from vmh_sync.sync.reporting.words_de import ACTIONS, SIDES, STATUSES, TASKS, word
from vmh_sync.sync.values import alike, same
from vmh_sync.systems.errors import ForeignSystemError

UNKNOWN = 1


@dataclass(frozen=True, slots=True)
class FieldNow:
    """One field of a party on both sides and in the base; the values are personal."""

    label: str
    espocrm: object
    advoware: object
    base: object
    equal: bool
    moved: tuple[str, ...]  # the sides that differ from their own base


@dataclass(frozen=True, slots=True)
class BothSides:
    """How a record stands on both sides at this moment: what a pass would do, and a party's fields."""

    outcome: RecordOutcome | None
    fields: tuple[FieldNow, ...] = ()
    problem: str | None = None


def the_record(store: Store, text: str, *, values: bool) -> Found:
    """Return the one record that a person means; ends the process with the choices when there are several or none."""
    with store.reading() as tx:
        found = find_records(tx, text)
    if len(found) > 1:
        fail(_choices(text, found, values=values), code=2)
    if not found:
        fail(
            f"„{text}“ ist nicht bekannt: keine EspoCRM-ID, keine betnr und kein Name eines verknüpften Beteiligten. "
            "Noch nicht Verknüpftes findet nur seine EspoCRM-ID, wenn es schon einmal an der Reihe war.",
            code=UNKNOWN,
        )
    return found[0]


def _choices(text: str, found: Sequence[Found], *, values: bool) -> str:
    lines = [f"„{text}“ passt auf mehrere; bitte mit der ID oder betnr aufrufen:"]
    lines += [f"  {one.espo_id} (betnr {one.betnr}){f' {one.name}' if values else ''}" for one in found]
    if len(found) >= MOST_FOUND:
        lines.append("  … und vielleicht weitere; bitte genauer angeben.")
    if not values:
        lines.append("Mit --values stehen die Namen dabei.")
    return "\n".join(lines)


def command(text: str, *, values: bool, as_json: bool, look: bool) -> None:
    """Print a record; ends the process with 0, 1 (unknown) or 2 (ambiguous)."""
    settings = PassSettings.read()
    prepare(settings)
    with open_database(settings.house) as store:
        found = the_record(store, text, values=values)
        view = read_record(store, found.entity, found.espo_id)
    now = both_sides(settings, view) if look else None
    if as_json:
        print_json(to_json(view, now, values=values))
    else:
        show(screen(), view, now, values=values)
    sys.exit(0)


def both_sides(settings: PassSettings, view: RecordView) -> BothSides:
    """Read both sides as a dry run does; what cannot be read is told, not raised."""

    async def looked() -> BothSides:
        async with open_context("record", settings) as context:
            context.by_person = True
            pipeline = target(view.entity).pipeline
            batch = await pipeline.fetch(context, [view.espo_id], dry_run=True)
            pipeline.map_fields(batch)
            pipeline.diff(batch)
            fields = _party_fields(batch, view.espo_id) if view.entity == BETEILIGTE.name else ()
            return BothSides(next(iter(pipeline.dry_run(batch)), None), tuple(fields))

    try:
        return asyncio.run(looked())
    except ForeignSystemError as error:
        return BothSides(None, problem=explained(error))
    except CoordinationUnavailable:
        return BothSides(None, problem="Redis ist nicht erreichbar; beide Seiten wurden nicht gelesen.")


def _party_fields(batch: Any, espo_id: str) -> Iterator[FieldNow]:
    state = batch.states.get(espo_id)
    if state is None:
        return
    advoware: Mapping[str, object] = state.advoware or {}
    for rule in batch.table.rules:
        if rule.name not in state.espocrm and rule.name not in advoware:
            continue
        sides = {Side.ESPOCRM: state.espocrm.get(rule.name), Side.ADVOWARE: advoware.get(rule.name)}
        moved = [] if state.base is None else _moved(rule, sides, state.base)
        base = state.base.espocrm.get(rule.name) if state.base is not None else None
        equal = alike(rule.kind, *sides.values())
        yield FieldNow(rule.label, sides[Side.ESPOCRM], sides[Side.ADVOWARE], base, equal, tuple(moved))


def _moved(rule: Any, sides: Mapping[Side, Any], base: Any) -> list[str]:
    return [
        "EspoCRM" if side is Side.ESPOCRM else "Advoware"
        for side, value in sides.items()
        if rule.name in base.of(side) and not same(rule.kind, value, base.of(side)[rule.name])
    ]


# As plain data


def to_json(view: RecordView, now: BothSides | None, *, values: bool) -> dict[str, Any]:
    """Return a record as plain data; values only when asked for."""
    link, ledger = view.link, view.ledger
    shown: dict[str, Any] = {
        "entity": view.entity,
        "id": view.espo_id,
        "betnr": view.betnr,
        "status": view.status,
        "error": ledger.error_text if ledger else None,
        "attempts": ledger.attempts if ledger else 0,
        "next_retry_at": _iso(ledger.next_retry_at) if ledger else None,
        "waiting": view.waiting,
        "agreed_at": _iso(link.verified_at) if link else None,
        "advoware_row_id": link.advoware_row_id if link else None,
        "espo_version": link.espo_version if link else None,
        "base": _base(view, values=values),
        "children": {
            name: [{"id": one.espo_id, "advoware_id": one.advoware_id, "state": one.state} for one in links]
            for name, links in view.children.items()
        },
        "tasks": [_task(task, values=values) for task in view.tasks],
        "unsettled_creates": [{"system": one.system, "since": _iso(one.created_at)} for one in view.intents],
        "changes": [change_row(change, values=values) for change in view.changes],
        "runs": list(view.runs),
    }
    return shown | ({"sides": _sides(now, _gone(view), values=values)} if now is not None else {})


def _iso(moment: Any) -> str | None:
    return moment.isoformat(timespec="seconds") if moment is not None else None


def _base(view: RecordView, *, values: bool) -> object:
    base = view.link.base if view.link is not None else {}
    return base if values else sorted({name for side in base.values() if isinstance(side, dict) for name in side})


def _task(task: Any, *, values: bool) -> dict[str, Any]:
    row = {"kind": task.kind, "fields": list(task.fields), "espo_task_id": task.espo_task_id}
    row |= {"since": _iso(task.created_at), "state": task.state}
    return row | ({"details": task.situation} if values else {})


def _gone(view: RecordView) -> str | None:
    """The state of a link whose record a side has no longer: nothing to do is not the same as equal."""
    return view.link.state if view.link is not None and view.link.state != "active" else None


def _sides(now: BothSides, gone: str | None, *, values: bool) -> dict[str, Any]:
    outcome = now.outcome
    fields: list[dict[str, Any]] = []
    for one in now.fields:
        row: dict[str, Any] = {"field": one.label, "equal": one.equal, "changed_in": list(one.moved)}
        if values:
            row |= {"espocrm": one.espocrm, "advoware": one.advoware, "base": one.base}
        fields.append(row)
    return {
        "problem": now.problem or (outcome.error if outcome is not None else None),
        "equal": outcome is not None and outcome.result is Result.UNCHANGED and not outcome.different and gone is None,
        "gone": gone,
        "different": list(outcome.different) if outcome is not None else [],
        "plan": plan_rows([outcome], show_values=values) if outcome is not None else [],
        "fields": fields,
    }


# For people


def show(console: Console, view: RecordView, now: BothSides | None, *, values: bool) -> None:
    """Print a record."""
    number = f", betnr {view.betnr}" if view.betnr is not None else ""
    console.print(f"{view.entity} {view.espo_id}{number}: {word(STATUSES, view.status)}")
    for line in _state_lines(view):
        console.print(f"  {line}")
    if now is not None:
        _show_sides(console, now, _gone(view), values=values)
    if view.tasks:
        rows = [
            (firm_time(task.created_at), word(TASKS, task.kind), ", ".join(task.fields), task.espo_task_id or "")
            for task in view.tasks
        ]
        print_rows(console, "Offene Aufgaben", ("seit", "Art", "Felder", "Aufgabe in EspoCRM"), rows)
    for name, links in view.children.items():
        console.print(f"{name}: {len(links)} verknüpft")
    console.print("Letzte Änderungen:" if view.changes else "Zu diesem Datensatz steht nichts im Protokoll.")
    for change in view.changes:
        for line in told_in_one_line(change_row(change, values=values), run=True):
            console.print(f"  {line}")


def _state_lines(view: RecordView) -> Iterator[str]:
    link, ledger = view.link, view.ledger
    if link is None:
        yield "Noch nicht verknüpft: Advoware kennt den Datensatz nicht, oder er wurde nie abgeglichen."
    elif link.verified_at is not None:
        yield f"Zuletzt auf beiden Seiten gelesen und gleich: {firm_time(link.verified_at)}"
    if ledger is not None and ledger.error_text:
        yield f"Grund: {ledger.error_text}"
    if ledger is not None and ledger.next_retry_at is not None:
        yield f"Nächster Versuch: ab {firm_time(ledger.next_retry_at)} (bisher {ledger.attempts})"
    if view.waiting:
        yield "Wartet in der Warteschlange."
    for intent in view.intents:
        yield f"Eine Anlage in {intent.system} vom {firm_time(intent.created_at)} ist noch nicht bestätigt."


def _show_sides(console: Console, now: BothSides, gone: str | None, *, values: bool) -> None:
    outcome = now.outcome
    reason = now.problem or (outcome.error if outcome is not None else None)
    if reason is not None:
        console.print(f"Beide Seiten jetzt: nicht zu vergleichen. {reason}")
    elif outcome is not None and outcome.different:
        console.print(f"Beide Seiten jetzt: verschieden, Aufgabe offen ({', '.join(outcome.different)})")
    elif outcome is not None and plan_rows([outcome], show_values=False):
        console.print("Beide Seiten jetzt: verschieden; der nächste Abgleich würde")
        for row in plan_rows([outcome], show_values=values):
            change = f"in {word(SIDES, row.get('side'))} {word(ACTIONS, row['action'])}"
            what = word(TASKS, row.get("kind")) or change
            console.print(f"  {what}: {in_words(row).fields}")
    elif gone is not None:
        console.print(f"Beide Seiten jetzt: nicht zu vergleichen, {word(STATUSES, gone)}.")
    else:
        console.print("Beide Seiten jetzt: gleich")
    if now.fields and values:
        filled = [one for one in now.fields if one.espocrm or one.advoware or one.base]
        rows = [(one.label, *(shown(v) for v in (one.espocrm, one.advoware, one.base))) for one in filled]
        print_rows(console, "Felder", ("Feld", "EspoCRM", "Advoware", "zuletzt gleich"), rows)
    else:
        apart = [one.label for one in now.fields if not one.equal]
        if apart:
            console.print(f"Verschiedene Felder: {', '.join(apart)} (Werte mit --values)")
