"""``vmh-sync probe``: tries on the firm's own Advoware what is only assumed, and stores what the passes then obey."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from vmh_sync.clock import SystemClock
from vmh_sync.commands.output import RECORDS_FAILED, fail_pass, print_json
from vmh_sync.engine.known_installation import KnownInstallation, keep_known
from vmh_sync.engine.opening import open_database
from vmh_sync.probe.assumptions import ASSUMPTIONS, Verdict
from vmh_sync.probe.effects import known_from
from vmh_sync.probe.recording import write_recording
from vmh_sync.probe.restore import Restore
from vmh_sync.probe.run import Probed, Scratch, probe
from vmh_sync.probe.texts import OWN_WORDS
from vmh_sync.settings import AdvowareSettings, SettingsError, SyncSettings, VmhSettings, load
from vmh_sync.store.store import Transaction
from vmh_sync.systems.advoware.client import open_advoware
from vmh_sync.systems.advoware.errors import AdvowareError
from vmh_sync.systems.advoware.token import MemoryTokenCache
from vmh_sync.systems.retry import RetryPolicy

PLAN = (
    "Am Beteiligten {betnr} werden Name, Vorname, Rechtsform, Anrede, Titel, Briefanrede, Zusatz, Geburtsdatum und die "
    "Registerdaten einmal geändert und danach zurückgesetzt.",
    "Ein Eintrag der Kommunikation, eine Adresse und eine Bankverbindung werden angelegt; was Advoware nicht löschen "
    "lässt, bleibt an diesem Beteiligten stehen und heißt „vmh-sync Probe“.",
    "Gesucht wird nach dem Namen dieses Beteiligten, nach einem Text, den niemand trägt, und nach häufigen Buchstaben.",
    "Die Antwort einer Änderung wird absichtlich nicht abgewartet, um zu messen, wie spät sie noch ankommt: das kann "
    "einige Minuten dauern.",
)
PLAN_TERMIN = "Im Kalender {kuerzel} wird in etwa zehn Monaten ein Termin angelegt, geändert und gelöscht."

LATE_BEYOND = 30.0
"""How many seconds longer than ``VMH_CREATE_SETTLE_SECONDS`` a change without answer is looked for."""


@dataclass(frozen=True, slots=True)
class ProbeOrder:
    """What a person asked for. ``recording`` is where the recording goes, ``None`` for none."""

    betnr: int
    kuerzel: str | None
    recording: Path | None

    def plan(self) -> list[str]:
        """Return what will be written, in German."""
        lines = [line.format(betnr=self.betnr) for line in PLAN]
        return lines if self.kuerzel is None else [*lines, PLAN_TERMIN.format(kuerzel=self.kuerzel)]


def show_plan(order: ProbeOrder, *, as_json: bool) -> None:
    """Print what a probe would write."""
    if as_json:
        print_json({"plan": order.plan()})
        return
    console = Console(soft_wrap=True, highlight=False)
    console.print("Probe (Plan):")
    for line in order.plan():
        console.print(f"  - {line}", markup=False)


def command(order: ProbeOrder, *, as_json: bool) -> None:
    """Run the probe; ends the process with 0, 1 (it could not be carried out) or 3 (passes are stopped)."""
    try:
        known, done = asyncio.run(_probe(order))
    except (SettingsError, OSError) as problem:
        fail_pass(str(problem), as_json=as_json)
    except AdvowareError as error:
        fail_pass(
            f"{error.message_for_people} Die Probe ist abgebrochen; derselbe Aufruf setzt den Beteiligten zurück und "
            "beginnt von vorn.",
            as_json=as_json,
        )
    if as_json:
        print_json(_json(known, done))
    else:
        _show(known, done, order)
    sys.exit(RECORDS_FAILED if known.stops or done.not_put_back else 0)


async def _probe(order: ProbeOrder) -> tuple[KnownInstallation, Probed]:
    house, settings, clock = load(VmhSettings), load(AdvowareSettings), SystemClock()
    settle = load(SyncSettings).create_settle_seconds
    store = open_database(house, clock)
    try:
        await store.read(_require_scratch, order.betnr)
        # A write that was not answered is not repeated: the probe says so instead.
        async with open_advoware(
            settings, token_cache=MemoryTokenCache(), clock=clock, retry=RetryPolicy(attempts=2), person=True
        ) as client:
            scratch = Scratch(
                order.betnr, order.kuerzel, termine_writable=not settings.write_protection, settle_seconds=settle
            )
            done = await probe(client, scratch, Restore(house.home), clock, settings.timezone)
        known = known_from(done.findings, clock.now())
        await asyncio.to_thread(keep_known, store, known)
    finally:
        store.close()
    if order.recording is not None:
        write_recording(order.recording, done.exchanges, OWN_WORDS)
    return known, done


def _require_scratch(tx: Transaction, betnr: int) -> None:
    if tx.links.get_by_betnr(betnr):
        raise SettingsError(
            f"Beteiligter {betnr} ist mit EspoCRM verknüpft: Die Probe ginge dorthin. Bitte in Advoware einen "
            "eigenen Beteiligten zum Ausprobieren anlegen und dessen Nummer angeben."
        )


def _json(known: KnownInstallation, done: Probed) -> dict[str, Any]:
    findings = [
        {"key": one.key, "verdict": one.verdict.name.lower(), "detail": one.detail, "fields": list(one.fields)}
        for one in done.findings
    ]
    return {
        "findings": findings,
        "search": known.search,
        "fields": known.fields,
        "stops": list(known.stops),
        "left": done.left,
        "not_put_back": list(done.not_put_back),
    }


def _show(known: KnownInstallation, done: Probed, order: ProbeOrder) -> None:
    console = Console(highlight=False)
    table = Table(title="Probe", title_justify="left")
    for heading in ("Annahme", "Ergebnis", "Was daraus folgt"):
        table.add_column(heading)
    by_key = {finding.key: finding for finding in done.findings}
    for assumption in ASSUMPTIONS:
        finding = by_key[assumption.key]
        result = f"{finding.verdict}" + (f" ({finding.detail})" if finding.detail else "")
        follows = assumption.follows if finding.verdict is Verdict.REFUTED else ""
        table.add_row(assumption.says, result, follows)
    console.print(table)
    if done.left:
        console.print(f"Am Beteiligten {order.betnr} bleibt stehen: {', '.join(done.left)}.", soft_wrap=True)
    if done.not_put_back:
        console.print(f"Nicht zurückgesetzt: {', '.join(done.not_put_back)}. Bitte von Hand.", soft_wrap=True)
    if order.recording is not None:
        console.print(f"Aufzeichnung ohne Werte der Kanzlei: {order.recording}", markup=False, soft_wrap=True)
    end = "Der Abgleich hält sich ab jetzt daran."
    console.print(f"Angehalten: {len(known.stops)} Punkte zuerst klären." if known.stops else end, soft_wrap=True)
