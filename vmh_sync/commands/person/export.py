"""``vmh-sync person export``: all that is stored about one person, on both sides and with us (Art. 15 DSGVO)."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vmh_sync.clock import SystemClock
from vmh_sync.commands.looking.record import the_record
from vmh_sync.commands.passes.sync import prepare
from vmh_sync.commands.person.erase import open_stores, records_in_espocrm
from vmh_sync.commands.person.records_of_party import kinds, records_of_party
from vmh_sync.commands.screens.output import fail
from vmh_sync.commands.screens.unreachable import explained
from vmh_sync.engine.passes.opening import PassSettings, open_context
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.entities import BETEILIGTE
from vmh_sync.erasure.run import ErasurePlan, plan_erasure
from vmh_sync.erasure.scope import Scope
from vmh_sync.store.store import Store
from vmh_sync.systems.errors import ForeignSystemError

OWNER_ONLY = 0o600
_ELSEWHERE = (
    "Nicht im Wortlaut in dieser Auskunft: Läufe in Dagster, Schlüssel in Redis und Dateien (Protokolle, Kopien), die "
    "die Person nennen, hier mit ihren Namen; Termine, in deren Text sie vorkommt, hier als Zahl; Sicherungen "
    "(vmh-sync db backup); in EspoCRM der Verlauf, E-Mails und Dokumente; in Advoware Akten und Dokumente."
)


def export(text: str, file: Path | None) -> None:
    """Write all about one person as JSON to ``file`` (readable by its owner only) or stdout; ends the process.

    Exit code 0, 1 (unknown, or a system did not answer: an incomplete export is none) or 2 (ambiguous).
    """
    settings = PassSettings.read()
    prepare(settings)
    with open_stores(settings) as stores:
        found = the_record(stores.store, text, values=True)
        if found.entity != BETEILIGTE.name:
            fail(f"„{text}“ ist kein Beteiligter; die Auskunft gilt einer Person.", code=2)
        plan = plan_erasure(stores, found.espo_id, found.betnr, records_in_espocrm(settings, found.espo_id))
        own = own_data(stores.store, plan)
    try:
        sides = asyncio.run(_both_sides(settings, found.espo_id, found.betnr, plan.espo_tasks))
    except ForeignSystemError as error:
        fail(f"Die Auskunft wäre unvollständig: {explained(error)}")
    at = SystemClock().now().isoformat(timespec="seconds")
    told = {"created_at": at, **sides, "vmh_sync": own, "elsewhere": elsewhere_of(plan)}
    shown = json.dumps(told, ensure_ascii=False, indent=2, default=_plain) + "\n"
    if file is None:
        sys.stdout.write(shown)
    else:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "w", encoding="utf-8") as out:
            out.write(shown)
        sys.stderr.write(f"Geschrieben: {file} (nur für Sie lesbar; personenbezogene Daten).\n")


async def _both_sides(
    settings: PassSettings, espo_id: str, betnr: int | None, task_ids: Sequence[str]
) -> dict[str, Any]:
    async with open_context("export", settings) as context:
        party = await context.espo.read(str(BETEILIGTE.espocrm), espo_id)
        advoware = await _advoware(context, betnr) if betnr is not None else None
        children = {
            entity.name: [record.attributes async for record in records_of_party(context, entity, espo_id)]
            for entity in kinds()
        }
        tasks = [
            record.attributes
            for task_id in task_ids
            if (record := await context.espo.read("Task", task_id)) is not None
        ]
    return {
        "espocrm": {"beteiligter": party.attributes if party is not None else None, "tasks": tasks, **children},
        "advoware": advoware,
    }


async def _advoware(context: PassContext, betnr: int) -> dict[str, Any] | None:
    """Return the party as Advoware tells it, also what we have no name for, and lists that it does not embed."""
    answer = await context.advoware.ask_beteiligter(betnr)
    if answer is None:
        return None
    party = answer.party()
    told: dict[str, Any] = {"beteiligter": answer.response.json()}
    if party.adressen is None:
        told["adressen"] = [one.model_dump(mode="json") for one in await context.advoware.list_adressen(betnr)]
    if party.bankverbindungen is None:
        accounts = await context.advoware.list_bankverbindungen(betnr)
        told["bankverbindungen"] = [one.model_dump(mode="json") for one in accounts]
    return told


def own_data(store: Store, plan: ErasurePlan) -> dict[str, Any]:
    """Return all rows of our database about a person, by table, and what stored plans and notes say of them.

    They are the rows that an erasure would delete, so that neither forgets a table.
    """
    with store.reading() as tx:
        notes = tx.person_rows.cursors_naming(plan.scope.marks)
        return {**tx.person_rows.rows(plan.scope.ids), "notes": _about(notes, plan.scope)}


def _about(value: Any, scope: Scope) -> Any:
    """Return what a JSON value says of the person, without what stands beside it of others."""
    if isinstance(value, list):
        return [_about(inner, scope) for inner in value if _names(inner, scope)]
    if not isinstance(value, dict) or any(
        _names(one, scope) for one in value.values() if not isinstance(one, dict | list)
    ):
        return value
    return {
        name: inner if scope.is_named_in(name) else _about(inner, scope)
        for name, inner in value.items()
        if scope.is_named_in(name) or _names(inner, scope)
    }


def _names(value: Any, scope: Scope) -> bool:
    return scope.is_named_in(json.dumps(value, ensure_ascii=False))


def elsewhere_of(plan: ErasurePlan) -> dict[str, Any]:
    """Return where else the person is named: places, not their contents."""
    return {
        "says": _ELSEWHERE,
        "dagster_runs": [*plan.runs, *plan.running],
        "dagster_rows": plan.dagster_rows,
        "redis_keys": plan.keys,
        "files": [str(path) for path in (*plan.files, *plan.copies)],
        "appointments": plan.appointments,
    }


def _plain(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
