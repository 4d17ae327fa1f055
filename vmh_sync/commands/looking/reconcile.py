"""``vmh-sync reconcile``: compares both sides and says where they differ."""

import asyncio
import sys
from collections import Counter

from rich.console import Console

from vmh_sync.commands.passes.sync import prepare
from vmh_sync.commands.screens.output import RECORDS_FAILED, fail, print_json
from vmh_sync.commands.screens.screen import print_some, sentences
from vmh_sync.commands.screens.unreachable import explained
from vmh_sync.engine.passes.opening import PassSettings, open_context
from vmh_sync.orchestration.entity_room import rooms
from vmh_sync.reconcile.read import Report, reconcile
from vmh_sync.reconcile.reasons import Reason
from vmh_sync.systems.errors import ForeignSystemError

SHOWN = 30


def run_reconcile() -> Report:
    """Compare both sides as the settings name them. Raises ``ForeignSystemError`` or ``SettingsError``."""
    settings = PassSettings.read()
    prepare(settings)

    async def compare() -> Report:
        async with open_context("reconcile", settings) as context:
            report = await reconcile(context)
            for room in rooms(settings.house.entities):
                if room.compare is not None:
                    report.entities[room.entity.name] = await room.compare(context)
            return report

    return asyncio.run(compare())


def command(*, as_json: bool) -> None:
    """Print the comparison; ends the process with 0 (equal or explained), 3 (differences) or 1 (not possible)."""
    try:
        report = run_reconcile()
    except ForeignSystemError as error:
        fail(explained(error))
    if as_json:
        print_json(report.to_json())
    else:
        print_report(report)
    sys.exit(0 if report.agrees else RECORDS_FAILED)


def print_report(report: Report) -> None:
    """Print counts, and the differences by field."""
    console = sentences()
    numbers = report.to_json()
    console.print(
        f"Vergleich beider Seiten: {numbers['compared']} Beteiligte auf beiden Seiten: {numbers['equal']} gleich, "
        f"{numbers['different']} verschieden, {numbers['explained']} verschieden mit Aufgabe; "
        f"{len(report.only_espocrm)} nur in EspoCRM, {len(report.only_advoware)} nur in Advoware, "
        f"{len(report.doubled)} doppelt, {len(report.unreadable)} nicht lesbar."
    )
    with_task = len(report.only_espocrm_explained) + len(report.only_advoware_explained)
    if with_task:
        console.print(f"Außerdem nur auf einer Seite, mit Aufgabe: {with_task}.")
    for note in report.notes:
        console.print(f"Hinweis: {note}")
    for name, ids in (
        ("nur in EspoCRM", report.only_espocrm),
        ("nur in Advoware, betnr", report.only_advoware),
        ("doppelt", report.doubled),
        ("nicht lesbar", report.unreadable),
    ):
        for one in ids[:SHOWN]:
            console.print(f"  {name}: {one}")
    for field, count in Counter(item.field for item in report.unexplained).most_common():
        console.print(f"  {field}: {count} verschieden")
    for item in report.unexplained[:SHOWN]:
        console.print(f"  {item.id} (betnr {item.betnr}) {item.label}: {item.why}")
    for name, found in report.entities.items():
        console.print(
            f"{name}: {found.compared} auf beiden Seiten, {len({one.id for one in found.differences})} verschieden; "
            f"{len(found.only_espocrm)} nur in EspoCRM, {len(found.only_advoware)} nur in Advoware."
        )
        for other in list(found.differences)[:SHOWN]:
            console.print(f"  {other.id} ({other.key}) {other.field}: {other.why}")
    print_explained(console, report)


def print_explained(console: Console, report: Report) -> None:
    """Print what differs and has a task: why, and what a person does next."""
    lines = [
        *(_told(f"nur in EspoCRM, Aufgabe offen: {id_}", why) for id_, why in report.only_espocrm_explained.items()),
        *(
            _told(f"nur in Advoware, Aufgabe offen: betnr {betnr}", why)
            for betnr, why in report.only_advoware_explained.items()
        ),
        *(
            _told(f"{item.id} (betnr {item.betnr}) verschieden, Aufgabe offen: {item.label}", item.reason)
            for item in report.differences
            if item.reason is not None
        ),
    ]
    print_some(console, lines, SHOWN, " mit Aufgabe; alle mit --json.")


def _told(what: str, reason: Reason) -> str:
    return f"{what} – {reason.why}; nächster Schritt: {reason.next_step}."
