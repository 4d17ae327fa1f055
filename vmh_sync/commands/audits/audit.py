"""``vmh-sync audit show``: what it does, and which changes a person means."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vmh_sync.clock import SystemClock
from vmh_sync.commands.audits.telling_changes import changes_table, told_in_one_line
from vmh_sync.commands.passes.sync_order import PassFailed
from vmh_sync.commands.screens.moments import moment
from vmh_sync.commands.screens.screen import NARROW, screen
from vmh_sync.engine.passes.opening import open_database, open_migrated
from vmh_sync.entities import BETEILIGTE
from vmh_sync.kalender.state.history import appointments_meant
from vmh_sync.overview.search import find_records, number_in
from vmh_sync.settings import VmhSettings, load
from vmh_sync.store.history.audit import AuditQuery, Change
from vmh_sync.store.store import Transaction


@dataclass(frozen=True, slots=True)
class AuditOrder:
    """What a person wants to see of the audit log, as typed."""

    record: str | None = None
    since: str | None = None
    until: str | None = None
    field: str | None = None
    run: str | None = None
    limit: int | None = None

    @property
    def restricted(self) -> bool:
        """Whether anything but the number of rows is asked for: nobody wants to read the whole log."""
        return any((self.record, self.since, self.until, self.field, self.run))


def query_of(order: AuditOrder) -> AuditQuery:
    """Return the query that an order means. Raises ``typer.BadParameter`` for what is no moment."""
    now = SystemClock().now()
    return AuditQuery(
        espo_ids=(order.record,) if order.record else (),
        betnr=None,
        field=order.field,
        run_id=order.run,
        since=moment(order.since, now) if order.since else None,
        until=moment(order.until, now) if order.until else None,
        limit=order.limit,
    )


def the_changes(query: AuditQuery) -> list[Change]:
    """Return what the audit log says, newest first.

    What stands for the record is an EspoCRM id, a betnr, a party's name, or an appointment's Kürzel, frNr, event id or
    title; of several of that name all are meant.
    """
    with open_migrated(load(VmhSettings)) as store, store.reading() as tx:
        return tx.audit.find(_resolved(tx, query))


def is_known(text: str) -> bool:
    """Whether a person named something that there is: in the log, at any time, or among what is linked."""
    with open_migrated(load(VmhSettings)) as store, store.reading() as tx:
        meant = _resolved(tx, AuditQuery(espo_ids=(text,), limit=1))
        return bool(meant.under or find_records(tx, text) or tx.audit.find(meant))


def whole_records(query: AuditQuery) -> AuditQuery:
    """Return the query for all of the record that a person named: a party with what belongs to it.

    Raises ``PassFailed`` for one that the log does not know and for a name of several: what is taken back is chosen.
    """
    if not query.espo_ids:
        return query
    (text,) = query.espo_ids
    with open_database(load(VmhSettings)) as store, store.reading() as tx:
        named = _resolved(tx, query)
        if not tx.audit.find(AuditQuery(espo_ids=named.espo_ids, betnr=named.betnr, under=named.under, limit=1)):
            raise PassFailed(f"Zu „{text}“ steht nichts im Protokoll.")
        if named.betnr is None and len(named.espo_ids) > 1:
            several = ", ".join(named.espo_ids)
            raise PassFailed(f"„{text}“ passt auf mehrere; bitte die ID oder Nummer angeben: {several}.")
        links = [tx.links.get_by_espo(BETEILIGTE.name, espo_id) for espo_id in named.espo_ids]
    numbers = [link.betnr for link in links if link is not None]
    return replace(named, betnr=numbers[0]) if len(numbers) == 1 and named.betnr is None else named


def _resolved(tx: Transaction, query: AuditQuery) -> AuditQuery:
    if not query.espo_ids:
        return query
    (text,) = query.espo_ids
    meant = appointments_meant(tx, text)
    query = replace(query, under=meant.kuerzel)
    if betnr := number_in(text):
        return replace(query, betnr=betnr, espo_ids=(text, *meant.names))
    if tx.audit.find(AuditQuery(espo_ids=(text,), limit=1)):
        return query  # also what is deleted and linked no more
    found = [*(one.espo_id for one in find_records(tx, text)), *meant.names]
    return replace(query, espo_ids=tuple(found)) if found else query


def print_changes(order: AuditOrder, rows: Sequence[dict[str, object]]) -> None:
    """Print rows of the audit log: a table on a wide terminal, otherwise a line each."""
    console = screen()
    if not rows:
        what = f"Zu {order.record} steht" if order.record else "Dazu steht"
        console.print(f"{what} nichts im Protokoll.")
        return
    if console.is_terminal and console.width >= NARROW:
        console.print(changes_table(rows))
        return
    several = len({row["espo_id"] for row in rows}) > 1
    for row in rows:
        for line in told_in_one_line(row, record=several):
            console.print(line)
