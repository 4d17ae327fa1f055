"""``vmh-sync person erase``: removes what we hold of one person (Art. 17 DSGVO), after a plan and a confirmation."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from vmh_sync.clock import SystemClock
from vmh_sync.commands.looking.record import the_record
from vmh_sync.commands.passes.instance import dagster_home, open_instance
from vmh_sync.commands.passes.sync import prepare
from vmh_sync.commands.person.records_of_party import kinds, records_of_party
from vmh_sync.commands.screens.output import fail, print_json
from vmh_sync.commands.screens.screen import sentences
from vmh_sync.coordination.connection import connect_sync
from vmh_sync.engine.passes.opening import PassSettings, open_context, open_database
from vmh_sync.engine.selecting.erased import read_erased, readmit
from vmh_sync.entities import BETEILIGTE
from vmh_sync.erasure.later import Order, kept_until, put_off
from vmh_sync.erasure.run import ErasurePlan, Stores, carry_out, plan_erasure, turn_of
from vmh_sync.services.valkey import ensure_redis
from vmh_sync.settings import HousekeepingSettings, load
from vmh_sync.store.store import Store
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm.record_id import record_id

LEFT = 3


@dataclass(frozen=True, slots=True)
class ErasureOrder:
    """What a person asked for. ``ended``: when the matter ended, from which a duty to keep runs."""

    who: str
    reason: str
    plan_only: bool = False
    confirmed: bool = False
    defer: bool = False
    ended: date | None = None


def erase(order: ErasureOrder, *, as_json: bool) -> None:
    """Plan, ask, erase; ends the process.

    Exit code 0 (erased, or planned), 1 (unknown, a duty to keep, not confirmed), 2 (ambiguous), 3 (something is left).
    """
    settings = PassSettings.read()
    prepare(settings)
    with open_stores(settings) as stores:
        espo_id, betnr = _whom(stores.store, order.who)
        plan = plan_erasure(stores, espo_id, betnr, records_in_espocrm(settings, espo_id))
        until = kept_until(
            load(HousekeepingSettings).erasure_duty_years, order.ended or plan.last_change, settings.advoware.timezone
        )
        kept = until if until is not None and until >= _today(settings) else None
        if not as_json:
            _show(plan, kept)
        if kept is not None and not order.plan_only:
            _refuse(stores, order, plan, kept)
        busy: list[str] = []
        if not order.plan_only:
            _confirm(order)
            busy = asyncio.run(_carry_out(settings, stores, plan, order.reason))
    if as_json:
        done = {"erased": not order.plan_only, "kept_until": kept.isoformat() if kept is not None else None}
        print_json(plan.to_json() | done | {"files_busy": busy})
    elif not order.plan_only:
        sys.stdout.write("Gelöscht. In EspoCRM und Advoware wurde nichts geändert.\n")
        if busy:
            sys.stdout.write(
                f"In {', '.join(busy)} stehen noch Reste gelöschter Zeilen, weil ein anderer Prozess die Datei las: "
                "bitte denselben Befehl noch einmal aufrufen.\n"
            )
    sys.exit(LEFT if (plan.running or busy) and not order.plan_only else 0)


def take_back(who: str) -> None:
    """Let an erased person be synced again, as one never seen; ends the process with 0 or 1."""
    settings = PassSettings.read()
    prepare(settings)
    store = open_database(settings.house)
    try:
        with store.transaction() as tx:
            known = readmit(tx, record_id(who))
    finally:
        store.close()
    if not known:
        fail(f"„{who}“ ist nicht die EspoCRM-ID einer gelöschten Person.")
    sys.stdout.write("Die Person wird wieder abgeglichen.\n")
    sys.exit(0)


@contextmanager
def open_stores(settings: PassSettings) -> Iterator[Stores]:
    """Open everything of ours in which a person may stand."""
    house = settings.house
    with (
        open_database(house) as store,
        closing(connect_sync(ensure_redis(house.home, house.redis_url))) as redis,
        open_instance(house) as instance,
    ):
        yield Stores(store, redis, instance, house.home, Path(dagster_home(house)), SystemClock())


def _whom(store: Store, who: str) -> tuple[str, int | None]:
    """Return id and number, also of somebody whose erasure was begun: then nothing but the mark is known."""
    with store.reading() as tx:
        erased = read_erased(tx)
    if record_id(who) in erased.espo_ids:
        return record_id(who), None
    found = the_record(store, who, values=False)
    if found.entity != BETEILIGTE.name:
        fail(f"„{who}“ ist kein Beteiligter; gelöscht wird eine Person mit allem, was zu ihr gehört.", code=2)
    return found.espo_id, found.betnr


def records_in_espocrm(settings: PassSettings, party_id: str) -> list[str]:
    """Return the ids of the party's records there; what EspoCRM does not list must do as we know it."""

    async def listed() -> list[str]:
        found: list[str] = []
        async with open_context("erasure", settings) as context:
            for entity in kinds():
                with suppress(ForeignSystemError):  # what it does not list of one entity hides nothing of the others
                    found += [one.id async for one in records_of_party(context, entity, party_id, select=("id",))]
        return found

    try:
        return asyncio.run(listed())
    except ForeignSystemError:
        return []


async def _carry_out(settings: PassSettings, stores: Stores, plan: ErasurePlan, reason: str) -> list[str]:
    """Erase under the party's lease: no pass may write about it meanwhile."""
    async with (
        open_context("erasure", settings) as context,
        turn_of(context.leases, plan.scope.espo_id) as lease,
    ):
        if lease is None:
            fail("Die Person wird gerade abgeglichen; bitte in einer Minute noch einmal.")
        return await asyncio.to_thread(carry_out, stores, plan, reason)


def _today(settings: PassSettings) -> date:
    return SystemClock().now().astimezone(settings.advoware.timezone).date()


def _refuse(stores: Stores, order: ErasureOrder, plan: ErasurePlan, until: date) -> None:
    day = f"{until:%d.%m.%Y}"
    if not order.defer:
        fail(
            f"Nicht gelöscht: Bis {day} besteht eine Aufbewahrungspflicht (VMH_ERASURE_DUTY_YEARS). Mit --defer wird "
            "die Löschung vorgemerkt; endete die Sache früher, nennt --ended den Tag."
        )
    with stores.store.transaction() as tx:
        put_off(tx, Order(plan.scope.espo_id, plan.scope.ids.betnr, until, order.reason))
    sys.stdout.write(f"Vorgemerkt: Nach dem {day} löscht das nächtliche Aufräumen.\n")
    sys.exit(0)


def _confirm(order: ErasureOrder) -> None:
    if order.confirmed:
        return
    if not sys.stdin.isatty():
        fail("Nicht gelöscht: Ohne Terminal bitte mit --yes bestätigen.")
    sys.stdout.write("Das lässt sich nicht zurücknehmen. Löschen? [j/N] ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().casefold() not in ("j", "ja"):
        fail("Nicht gelöscht.")


_TABLES = {
    "links": "Verknüpfungen mit dem zuletzt abgeglichenen Stand",
    "kommunikation_states": "Merkzettel über Telefon und E-Mail",
    "value_losses": "Vermerke über geleerte Felder",
    "changes": "Einträge im Änderungsprotokoll",
    "manual_tasks": "Aufgaben (unser Vermerk)",
    "intents": "vorgemerkte Anlagen",
    "sync_records": "Zustände",
    "inbox": "wartende Meldungen",
}


def _show(plan: ErasurePlan, kept: date | None) -> None:
    console = sentences()
    number = f", betnr {plan.scope.ids.betnr}" if plan.scope.ids.betnr is not None else ""
    console.print(f"Was bei uns über {plan.scope.espo_id}{number} steht und gelöscht wird:")
    for table, count in plan.rows.items():
        console.print(f"  {_TABLES.get(table, table)}: {count}")
    for count, what in (
        (len(plan.cursors), "gespeicherte Pläne und Merkzettel"),
        (len(plan.runs), "Läufe in Dagster mit ihren Protokollen"),
        (plan.dagster_rows, "Vermerke in Dagster (Schlüssel von Wiederholungen, Prüfungen, Sensoren)"),
        (len(plan.keys), "Schlüssel in Redis"),
        (len(plan.files), "Protokolldateien (die Stellen werden überschrieben)"),
    ):
        if count:
            console.print(f"  {what}: {count}")
    if plan.is_empty:
        console.print("  nichts")
    console.print("Was bleibt:")
    console.print("  die Datensätze in EspoCRM, Advoware und Google: bitte dort löschen")
    if plan.espo_tasks:
        ids = ", ".join(plan.espo_tasks)
        console.print(f"  {len(plan.espo_tasks)} Aufgaben in EspoCRM (ID {ids}): bitte dort löschen")
    if plan.appointments:
        console.print(f"  {plan.appointments} Termine, in denen die Person vorkommt; sie vergehen mit dem Termin")
    for run_id in plan.running:
        console.print(f"  Lauf {run_id} ist noch nicht zu Ende: danach diesen Befehl wiederholen")
    for path in plan.copies:
        console.print(f"  {path}: Kopie aus einer Wiederherstellung, bitte löschen")
    console.print(
        "  Sicherungen (`vmh-sync db backup`) von vorher: nach einer Wiederherstellung hier noch einmal löschen"
    )
    console.print("  ein Merkmal aus ID und betnr ohne Werte, damit die Person nicht wieder angelegt wird")
    if kept is not None:
        console.print(f"Aufbewahrungspflicht bis {kept:%d.%m.%Y}.")
