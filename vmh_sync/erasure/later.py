"""Erasures that wait for the end of a duty to keep; the nightly cleaning carries them out."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from vmh_sync.coordination.leases import Leases
from vmh_sync.erasure.run import Stores, carry_out, plan_erasure, turn_of
from vmh_sync.store.store import Transaction

_log = logging.getLogger(__name__)

_PREFIX = "erase-later:"


@dataclass(frozen=True, slots=True)
class Order:
    """Whom to erase after which day, and the sentence for the audit log."""

    espo_id: str
    betnr: int | None
    after: date
    reason: str


def put_off(tx: Transaction, order: Order) -> None:
    """Remember an order; a second one about the same person replaces it."""
    value = {"betnr": order.betnr, "after": order.after.isoformat(), "reason": order.reason}
    tx.cursors.set(_PREFIX + order.espo_id, value)


def waiting(tx: Transaction) -> list[Order]:
    """Return all orders, the earliest first."""
    found = [
        Order(name.removeprefix(_PREFIX), value["betnr"], date.fromisoformat(value["after"]), value["reason"])
        for name, value in tx.cursors.under(_PREFIX).items()
    ]
    return sorted(found, key=lambda order: (order.after, order.espo_id))


@dataclass(slots=True)
class Night:
    """What became of the orders that were due: how many were carried out, wait for the next night, or failed."""

    erased: int = 0
    waiting: int = 0
    failed: int = 0


async def erase_due(stores: Stores, leases: Leases, today: date) -> Night:
    """Carry out every order whose day is over, each under the lease of its party; none holds back another.

    The order itself goes with the person's rows. One that failed, or whose party is being synced, comes again.
    """
    with stores.store.reading() as tx:
        due = [order for order in waiting(tx) if order.after < today]
    night = Night()
    for order in due:
        try:
            async with turn_of(leases, order.espo_id) as lease:
                if lease is None:
                    night.waiting += 1
                    continue
                await asyncio.to_thread(_erase, stores, order)
        except Exception as problem:  # noqa: BLE001 - the others must not wait for it; its run fails and is told
            _log.error("an erasure that was due failed and comes again: %s", type(problem).__name__)
            night.failed += 1
        else:
            night.erased += 1
    return night


def _erase(stores: Stores, order: Order) -> None:
    plan = plan_erasure(stores, order.espo_id, order.betnr)
    busy = carry_out(stores, plan, order.reason)
    if busy or plan.running:
        with stores.store.transaction() as tx:
            # The rows are gone; what they left in the files, and a run that was under way, goes in the next night.
            put_off(tx, order)


def kept_until(years: int, ended: date | datetime | None, zone: ZoneInfo) -> date | None:
    """Return the last day on which a person must not be erased; ``None`` without a duty.

    A duty of so many years begins with the end of the calendar year in which the matter ended (as in § 50 BRAO);
    ``ended`` is that day, or the last change that we know of.
    """
    if not years or ended is None:
        return None
    day = ended.astimezone(zone).date() if isinstance(ended, datetime) else ended
    return date(day.year + years, 12, 31)
