"""``vmh-sync probe``: tries on the firm's own systems what is only assumed, and stores what the passes then obey."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vmh_sync.clock import Clock, SystemClock
from vmh_sync.commands.screens.output import RECORDS_FAILED, fail_pass, print_json
from vmh_sync.commands.screens.screen import print_rows, screen, sentences
from vmh_sync.commands.screens.unreachable import explained
from vmh_sync.engine.installation.known_installation import Known, KnownInstallation, keep_known, read_known
from vmh_sync.engine.passes.opening import open_database
from vmh_sync.kalender.reading.push import PATH as PUSH_PATH
from vmh_sync.probe.advoware.run import Scratch, probe
from vmh_sync.probe.effects import CATALOGUE, known_espocrm_from, known_from, known_google_from
from vmh_sync.probe.espocrm.calls import PARTY
from vmh_sync.probe.espocrm.run import RESTORE, probe_espocrm
from vmh_sync.probe.findings import Probed, Verdict
from vmh_sync.probe.google.run import probe_google
from vmh_sync.probe.recording import write_recording
from vmh_sync.probe.restore import Restore
from vmh_sync.probe.texts import OWN_WORDS
from vmh_sync.services.sole_process import HomeTaken, sole_holder
from vmh_sync.settings import (
    AdvowareSettings,
    CalendarSyncSettings,
    EspoCrmSettings,
    GoogleCalendarSettings,
    SettingsError,
    SyncSettings,
    VmhSettings,
    load,
)
from vmh_sync.store import Store, upgrade
from vmh_sync.store.store import Transaction
from vmh_sync.systems.advoware.client import open_advoware
from vmh_sync.systems.advoware.token import MemoryTokenCache
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm.client import open_espocrm
from vmh_sync.systems.google_calendar.client import GoogleCalendarClient
from vmh_sync.systems.google_calendar.quota import unlimited
from vmh_sync.systems.google_calendar.service import ServiceFactory
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
PLAN_ESPOCRM = (
    "Am Datensatz {record} in EspoCRM werden Vorname, Nachname, Geburtsdatum, E-Mails und Telefonnummern geändert und "
    "danach zurückgesetzt.",
    "In EspoCRM werden bis zu drei Beteiligte „vmh-sync Probe“ und an {record} eine Bankverbindung angelegt und wieder "
    "gelöscht, ebenso ein abgeschalteter Webhook, der nie etwas verschickt.",
)
PLAN_GOOGLE = (
    "Im Google-Kalender {calendar} werden in etwa zehn Monaten ein Ereignis und eine Serie von drei Wochen angelegt, "
    "geändert und gelöscht, ebenso ein Ereignis mit einem Gast, den es nicht gibt (niemand wird eingeladen)."
)
LATE_BEYOND = 30.0
"""How many seconds longer than ``VMH_CREATE_SETTLE_SECONDS`` a change without answer is looked for."""


@dataclass(frozen=True, slots=True)
class ProbeOrder:
    """What a person asked for: a scratch party, a scratch record of EspoCRM, a scratch calendar of Google.

    ``recording`` is where the recording goes, ``None`` for none.
    """

    betnr: int | None
    kuerzel: str | None
    recording: Path | None
    record: str | None = None
    calendar: str | None = None

    def plan(self) -> list[str]:
        """Return what will be written, in German."""
        lines = [] if self.betnr is None else [line.format(betnr=self.betnr) for line in PLAN]
        lines += [] if self.betnr is None or self.kuerzel is None else [PLAN_TERMIN.format(kuerzel=self.kuerzel)]
        lines += [] if self.calendar is None else [PLAN_GOOGLE.format(calendar=self.calendar)]
        return lines + ([] if self.record is None else [line.format(record=self.record) for line in PLAN_ESPOCRM])


@dataclass(slots=True)
class _Done:
    """What was found out of all systems."""

    known: KnownInstallation = field(default_factory=KnownInstallation)
    stops: list[str] = field(default_factory=list)
    parts: list[Probed] = field(default_factory=list)

    @property
    def not_put_back(self) -> list[str]:
        return [name for part in self.parts for name in part.not_put_back]

    @property
    def left(self) -> list[str]:
        return [what for part in self.parts for what in part.left]


def show_plan(order: ProbeOrder, *, as_json: bool) -> None:
    """Print what a probe would write."""
    if as_json:
        print_json({"plan": order.plan()})
        return
    console = sentences()
    console.print("Probe (Plan):")
    for line in order.plan():
        console.print(f"  - {line}")


def command(order: ProbeOrder, *, as_json: bool) -> None:
    """Run the probe; ends the process with 0, 1 (it could not be carried out) or 3 (passes are stopped)."""
    try:
        with _beside_no_passes(order):
            done = asyncio.run(_probe(order))
    except HomeTaken:
        fail_pass(_BESIDE_PASSES, as_json=as_json)
    except (SettingsError, OSError) as problem:
        fail_pass(str(problem), as_json=as_json)
    except ForeignSystemError as error:
        fail_pass(
            f"{explained(error)} Die Probe ist abgebrochen; derselbe Aufruf setzt alles zurück und beginnt von vorn.",
            as_json=as_json,
        )
    if as_json:
        print_json(_json(done))
    else:
        _show(done, order)
    sys.exit(RECORDS_FAILED if done.stops or done.not_put_back else 0)


_BESIDE_PASSES = (
    "Mit einem Beteiligten von EspoCRM gibt es keine Probe, solange `vmh-sync up` läuft: Der Abgleich hielte ihn für "
    "einen neuen und legte ihn in Advoware an. Bitte `vmh-sync up` beenden und noch einmal aufrufen. Es wurde nichts "
    "geschrieben."
)


@contextmanager
def _beside_no_passes(order: ProbeOrder) -> Iterator[None]:
    """Keep ``up`` away while a record of EspoCRM is tried on; raises ``HomeTaken`` while it runs."""
    with nullcontext() if order.record is None else sole_holder(load(VmhSettings).home / "up.lock"):
        yield


async def _probe(order: ProbeOrder) -> _Done:
    house, clock, done = load(VmhSettings), SystemClock(), _Done()
    upgrade(house.database)
    store = open_database(house, clock)
    try:
        if order.betnr is not None:
            await _advoware(order.betnr, order.kuerzel, store, house, clock, done)
        if order.record is not None:
            await _espocrm(order.record, store, house, clock, done)
        if order.calendar is not None:
            await _google(order.calendar, store, clock, done)
        done.known = await asyncio.to_thread(read_known, store, KnownInstallation)
    finally:
        store.close()
        if order.recording is not None:
            own = OWN_WORDS.union(*(part.own_words for part in done.parts))
            write_recording(order.recording, (one for part in done.parts for one in part.exchanges), own)
    return done


async def _advoware(
    betnr: int, kuerzel: str | None, store: Store, house: VmhSettings, clock: Clock, done: _Done
) -> None:
    settings, settle = load(AdvowareSettings), load(SyncSettings).create_settle_seconds
    await store.read(_require_scratch, betnr)
    # A write that was not answered is not repeated: the probe says so instead.
    async with open_advoware(
        settings, token_cache=MemoryTokenCache(), clock=clock, retry=RetryPolicy(attempts=2), person=True
    ) as client:
        scratch = Scratch(betnr, kuerzel, not settings.write_protection, settle, settle + LATE_BEYOND)
        done.parts.append(await probe(client, scratch, Restore(house.home), clock, settings.timezone))
    await _keep(known_from(done.parts[-1].findings, clock.now()), store, done)


async def _espocrm(record: str, store: Store, house: VmhSettings, clock: Clock, done: _Done) -> None:
    await store.read(_require_scratch_record, record)
    async with open_espocrm(load(EspoCrmSettings), clock=clock, retry=RetryPolicy(attempts=1), person=True) as client:
        found = await client.read(PARTY, record)
        if found is None:
            raise SettingsError(f"In EspoCRM gibt es keinen Beteiligten {record}; die ID steht am Ende seiner Adresse.")
        if found.attributes.get("betnr"):
            raise SettingsError(_LINKED_RECORD.format(record=record))
        done.parts.append(await probe_espocrm(client, record, Restore(house.home, *RESTORE), clock))
    await _keep(known_espocrm_from(done.parts[-1].findings, clock.now()), store, done)


async def _google(calendar: str, store: Store, clock: Clock, done: _Done) -> None:
    employees = await store.read(lambda tx: {state.calendar_id for state in tx.calendar_states.all()})
    if calendar in employees:
        raise SettingsError("Das ist der Kalender eines Mitarbeiters. Bitte einen eigenen zum Ausprobieren angeben.")
    services, push = ServiceFactory(load(GoogleCalendarSettings)), load(CalendarSyncSettings).push_url
    client = GoogleCalendarClient(services, unlimited, person=True)
    address = push.rstrip("/") + PUSH_PATH if push else None
    done.parts.append(await asyncio.to_thread(probe_google, client, calendar, address, clock.now()))
    await _keep(known_google_from(done.parts[-1].findings, clock.now()), store, done)


async def _keep(known: Known, store: Store, done: _Done) -> None:
    await asyncio.to_thread(keep_known, store, known)
    done.stops += known.stops


_LINKED_RECORD = (
    "Beteiligter {record} ist mit Advoware verknüpft: Die Probe ginge dorthin. Bitte in EspoCRM einen eigenen "
    "Beteiligten zum Ausprobieren anlegen, solange `vmh-sync up` nicht läuft, und dessen ID angeben."
)


def _require_scratch(tx: Transaction, betnr: int) -> None:
    if tx.links.get_by_betnr(betnr):
        raise SettingsError(
            f"Beteiligter {betnr} ist mit EspoCRM verknüpft: Die Probe ginge dorthin. Bitte in Advoware einen "
            "eigenen Beteiligten zum Ausprobieren anlegen und dessen Nummer angeben."
        )


def _require_scratch_record(tx: Transaction, record: str) -> None:
    if tx.links.get_by_espo("beteiligte", record):
        raise SettingsError(_LINKED_RECORD.format(record=record))


def _json(done: _Done) -> dict[str, Any]:
    findings = [
        {"key": one.key, "verdict": one.verdict.name.lower(), "detail": one.detail, "fields": list(one.fields)}
        for part in done.parts
        for one in part.findings
    ]
    return {
        "findings": findings,
        "search": done.known.search,
        "fields": done.known.fields,
        "stops": done.stops,
        "left": done.left,
        "not_put_back": done.not_put_back,
    }


def _show(done: _Done, order: ProbeOrder) -> None:
    rows = []
    by_key = {finding.key: finding for part in done.parts for finding in part.findings}
    for assumption in CATALOGUE:
        finding = by_key.get(assumption.key)
        if finding is None:
            continue
        result = f"{finding.verdict}" + (f" ({finding.detail})" if finding.detail else "")
        follows = assumption.follows if finding.verdict is Verdict.REFUTED else ""
        rows.append((assumption.says, result, follows))
    print_rows(screen(), "Probe", ("Annahme", "Ergebnis", "Was daraus folgt"), rows)
    console = sentences()
    if done.left:
        console.print(f"Am Beteiligten {order.betnr} bleibt stehen: {', '.join(done.left)}.")
    if done.not_put_back:
        console.print(f"Nicht zurückgesetzt: {', '.join(done.not_put_back)}. Bitte von Hand.")
    if order.record is not None:
        console.print(
            f"Den Datensatz {order.record} jetzt in EspoCRM löschen: Der Abgleich legte ihn sonst in Advoware an."
        )
    if order.recording is not None:
        console.print(f"Aufzeichnung ohne Werte der Kanzlei: {order.recording}")
    end = "Der Abgleich hält sich ab jetzt daran."
    console.print(f"Angehalten; zuerst zu klären: {len(done.stops)}." if done.stops else end)
