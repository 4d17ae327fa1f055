"""``vmh-sync person export``: all that is stored about one person, on both sides and with us (Art. 15 DSGVO)."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vmh_sync.clock import SystemClock
from vmh_sync.commands.looking.record import the_record
from vmh_sync.commands.passes.sync import prepare
from vmh_sync.commands.screens.output import fail
from vmh_sync.commands.screens.unreachable import explained
from vmh_sync.engine.passes.opening import PassSettings, open_context, open_database
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.entities import BETEILIGTE, with_records
from vmh_sync.overview.record import RecordView, read_record
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm.query import equals

OWNER_ONLY = 0o600
MOST_CHANGES = 100_000
_PARTY_LINK = "beteiligteId"


def export(text: str, file: Path | None) -> None:
    """Write all about one person as JSON to ``file`` (readable by its owner only) or stdout; ends the process.

    Exit code 0, 1 (unknown, or a system did not answer: an incomplete export is none) or 2 (ambiguous).
    """
    settings = PassSettings.read()
    prepare(settings)
    with open_database(settings.house) as store:
        found = the_record(store, text, values=True)
        if found.entity != BETEILIGTE.name:
            fail(f"„{text}“ ist kein Beteiligter; die Auskunft gilt einer Person.", code=2)
        view = read_record(store, found.entity, found.espo_id, changes=MOST_CHANGES)
    try:
        sides = asyncio.run(_both_sides(settings, view))
    except ForeignSystemError as error:
        fail(f"Die Auskunft wäre unvollständig: {explained(error)}")
    told = {"created_at": SystemClock().now().isoformat(timespec="seconds"), **sides, "vmh_sync": own_data(view)}
    shown = json.dumps(told, ensure_ascii=False, indent=2, default=_plain) + "\n"
    if file is None:
        sys.stdout.write(shown)
    else:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "w", encoding="utf-8") as out:
            out.write(shown)
        sys.stderr.write(f"Geschrieben: {file} (nur für Sie lesbar; personenbezogene Daten).\n")


async def _both_sides(settings: PassSettings, view: RecordView) -> dict[str, Any]:
    async with open_context("export", settings) as context:
        party = await context.espo.read(str(BETEILIGTE.espocrm), view.espo_id)
        advoware = await _advoware(context, view.betnr) if view.betnr is not None else None
        children = {
            entity.name: await _children(context, str(entity.espocrm), view.espo_id)
            for entity in with_records()
            if entity.name != BETEILIGTE.name
        }
        tasks = [
            record.attributes
            for task in view.tasks
            if task.espo_task_id and (record := await context.espo.read("Task", task.espo_task_id)) is not None
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


async def _children(context: PassContext, entity: str, party_id: str) -> list[Mapping[str, object]]:
    found = context.espo.list_all(entity, where=(equals(_PARTY_LINK, party_id),))
    return [record.attributes async for record in found]


def own_data(view: RecordView) -> dict[str, Any]:
    """Return what stands in our own database about a person: base, ledger, tasks, changes with values, creates."""
    links = [view.link, *(link for links in view.children.values() for link in links)]
    return {
        "links": [asdict(link) for link in links if link is not None],
        "ledger": asdict(view.ledger) if view.ledger is not None else None,
        "tasks": [asdict(task) for task in view.tasks],
        "unsettled_creates": [asdict(intent) for intent in view.intents],
        "changes": [asdict(change) for change in view.changes],
    }


def _plain(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
