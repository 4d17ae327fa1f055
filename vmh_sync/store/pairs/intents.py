"""Intents: a create is written down before it is sent, so that a crash makes no duplicate (sync-semantics.md 3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import NAMESPACE_OID, uuid4, uuid5

from sqlalchemy import and_, bindparam, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from vmh_sync.store.database.columns import JsonObject
from vmh_sync.store.database.prepared import Prepared
from vmh_sync.store.errors import StaleRow
from vmh_sync.store.models import IntentRow, LinkRow
from vmh_sync.store.repository import ByKeys, Repository, among, chunks, columns_of, spelt, table_of

IntentState = Literal["open", "sent", "done", "abandoned"]

_TABLE = table_of(IntentRow)
_COLUMNS = columns_of(IntentRow)
UNSETTLED = ("open", "sent")
REFUSED = "refused"
"""Stands in place of the foreign id of an abandoned create that the other side has refused."""
_IS_UNSETTLED = or_(*(_TABLE.c.state == spelt(state) for state in UNSETTLED))
# Built once: to build a statement costs more than to carry it out.
_INSERT = Prepared(insert(_TABLE))
_BY_ID = Prepared(select(*_COLUMNS).where(_TABLE.c.id == bindparam("of_id")))
_OPEN = select(*_COLUMNS).where(_IS_UNSETTLED).order_by(_TABLE.c.created_at, _TABLE.c.id)
_OPEN_OF = ByKeys(_OPEN.where(_TABLE.c.entity == bindparam("entity")), _TABLE.c.espo_id)
_OPEN_OF_ANY = _OPEN.where(among(_TABLE.c.entity, "entities"), among(_TABLE.c.espo_id))
_UNSETTLED_ONE = update(_TABLE).where(_TABLE.c.id == bindparam("of_id"), _IS_UNSETTLED)
_MOVE = Prepared(_UNSETTLED_ONE)
_MOVE_UNSENT = Prepared(_UNSETTLED_ONE.where(_TABLE.c.sent_at.is_(None)))
_MOVE_SENT = Prepared(_UNSETTLED_ONE.where(_TABLE.c.sent_at == bindparam("of_sent_at")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One announced create.

    ``open``: written down, perhaps not sent; ``sent``: about to be sent or on its way, the outcome is unknown;
    ``done``: the record exists over there as ``foreign_id``; ``abandoned``: it will not be created (``refused``: the
    other side did not want it).
    ``natural_key`` is what the next run searches by. Moments are aware, in UTC.
    """

    id: str
    system: str
    entity: str
    espo_id: str
    betnr: int | None
    natural_key: JsonObject = field(repr=False)
    payload_hash: str
    state: IntentState
    foreign_id: str | None
    created_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None
    run_id: str | None

    @property
    def refused(self) -> bool:
        """Whether it is abandoned because the other side took nothing of it."""
        return self.state == "abandoned" and self.foreign_id == REFUSED


_NAMES = tuple(one.name for one in fields(Intent))


class Creates(NamedTuple):
    """What is known of creates with one claim: the unsettled one, if any, the last settled one, and the next id."""

    next_id: str
    unsettled: Intent | None
    last: Intent | None


class Intents(Repository):
    """Reads and writes intents. What is not settled (open or sent) has to be looked for before a POST."""

    def get(self, intent_id: str) -> Intent | None:
        """Return one intent in any state."""
        rows = _BY_ID.rows(self._connection, {"of_id": intent_id})
        return Intent(**rows[0]._asdict()) if rows else None

    def open_for(self, entity: str, espo_id: str) -> list[Intent]:
        """Return the intents of a record that are not settled, the oldest first."""
        return self.open_for_many(entity, [espo_id]).get(espo_id, [])

    def open_for_many(self, entity: str, espo_ids: Iterable[str]) -> dict[str, list[Intent]]:
        """Return the intents that are not settled per record; records without any are left out."""
        found: dict[str, list[Intent]] = {}
        for chunk in chunks(dict.fromkeys(espo_ids)):
            for row in _OPEN_OF.rows(self._connection, chunk, {"entity": entity}):
                found.setdefault(row.espo_id, []).append(Intent(**row._asdict()))
        return found

    def having_open(self, entities: Sequence[str], espo_ids: Iterable[str]) -> set[str]:
        """Return the records of which an intent of any of the entities is not settled."""
        return {
            row.espo_id
            for chunk in chunks(dict.fromkeys(espo_ids))
            for row in self._connection.execute(_OPEN_OF_ANY, {"keys": chunk, "entities": entities})
        }

    def unanswered(self, system: str, entity: str, before: datetime) -> list[str]:
        """Return the records of which a create was sent before a moment and is not settled."""
        statement = select(_TABLE.c.espo_id).where(
            _TABLE.c.entity == entity, _TABLE.c.system == system, _TABLE.c.state == "sent", _TABLE.c.sent_at < before
        )
        return list(self._connection.execute(statement).scalars())

    def start(
        self,
        *,
        system: str,
        entity: str,
        espo_id: str,
        natural_key: JsonObject,
        payload_hash: str,
        betnr: int | None = None,
        run_id: str | None = None,
        claim: str | None = None,
        sent: bool = False,
        key: str | None = None,
    ) -> Intent:
        """Write a create down. Commit the transaction before the POST is sent. Returns the intent.

        With a ``claim`` (what tells several creates of one record apart, perhaps empty) there is one unsettled intent
        per system, record and claim: the id follows from them, so that the database refuses a second one (StaleRow).
        ``sent``: the POST is about to leave. ``key``: the id, as :meth:`history` names it in this transaction.
        """
        if claim is not None and key is None:
            key = self._chain(f"{system}/{entity}/{espo_id}/{claim}").next_id
        now = self._now()
        intent = Intent(
            id=key or str(uuid4()),
            system=system,
            entity=entity,
            espo_id=espo_id,
            betnr=betnr,
            natural_key=natural_key,
            payload_hash=payload_hash,
            state="sent" if sent else "open",
            foreign_id=None,
            created_at=now,
            sent_at=now if sent else None,
            settled_at=None,
            run_id=run_id,
        )
        try:
            with self._savepoint():
                # Not copied deeply: the database only reads it.
                _INSERT.changed(self._connection, {name: getattr(intent, name) for name in _NAMES})
        except IntegrityError:
            raise StaleRow(f"{entity} {espo_id}: another process is creating it") from None
        return intent

    def history(self, system: str, entity: str, espo_id: str, claim: str) -> "Creates":
        """Return what is known of the creates that were started with this claim."""
        return self._chain(f"{system}/{entity}/{espo_id}/{claim}")

    def _chain(self, name: str) -> "Creates":
        """Follow the intents of this name, each id of which follows from the one before."""
        key, last = str(uuid5(NAMESPACE_OID, name)), None
        while (known := self.get(key)) is not None and known.state not in UNSETTLED:
            key, last = str(uuid5(NAMESPACE_OID, key)), known
        return Creates(key, known, last)

    def claim(self, intent: Intent) -> Intent:
        """Note that the POST is about to leave, unless another process did since ``intent`` was read (StaleRow)."""
        sent = replace(intent, state="sent", sent_at=self._now())
        self._move_unmoved(intent, {"state": sent.state, "sent_at": sent.sent_at})
        return sent

    def give_up(self, intent: Intent, *, refused: bool = False) -> None:
        """Note that nothing was created, unless another process sent it since ``intent`` was read (StaleRow)."""
        why = REFUSED if refused else None
        self._move_unmoved(intent, {"state": "abandoned", "settled_at": self._now(), "foreign_id": why})

    def complete(self, intent_id: str, foreign_id: str) -> None:
        """Note that the record exists over there. Raises StaleRow if the intent is settled already."""
        self._move(intent_id, {"state": "done", "foreign_id": foreign_id, "settled_at": self._now()})

    def abandon(self, intent_id: str) -> None:
        """Note that nothing will be created. Raises StaleRow if the intent is settled already."""
        self._move(intent_id, {"state": "abandoned", "settled_at": self._now()})

    def settle_linked(self, before: datetime, wrong_after: datetime) -> int:
        """Settle what was announced before a moment for records that have been linked since; returns how many.

        The entries of a party have no record of their own: theirs are settled where they are read. What was announced
        after ``wrong_after`` was so while the clock was wrong: nobody knows when, but a party is created only once.
        """
        wrong = func.coalesce(_TABLE.c.sent_at, _TABLE.c.created_at) > wrong_after
        created = and_(wrong, LinkRow.entity == "beteiligte", LinkRow.state == "active", LinkRow.betnr.is_not(None))
        linked = (
            select(LinkRow.advoware_id)
            .where(
                LinkRow.entity == _TABLE.c.entity,
                LinkRow.entity != "kommunikation",
                LinkRow.espo_id == _TABLE.c.espo_id,
                LinkRow.state != "tombstone",
                or_(LinkRow.created_at >= _TABLE.c.created_at, created),
            )
            .correlate(_TABLE)
        )
        old = and_(_TABLE.c.created_at < before, or_(_TABLE.c.sent_at.is_(None), _TABLE.c.sent_at < before))
        old = or_(old, wrong)
        values = {"state": "done", "foreign_id": linked.scalar_subquery(), "settled_at": self._now()}
        return self._connection.execute(
            update(_TABLE).where(_IS_UNSETTLED, old, linked.exists()).values(values)
        ).rowcount

    def purge(self, before: datetime, limit: int | None = None) -> int:
        """Delete at most ``limit`` intents settled before ``before`` (retention); open ones stay. Returns how many."""
        return self._delete(_TABLE, _TABLE.c.settled_at < before, limit)

    def _move_unmoved(self, intent: Intent, values: dict[str, Any]) -> None:
        statement = _MOVE_UNSENT if intent.sent_at is None else _MOVE_SENT
        unmoved = {"of_id": intent.id} if intent.sent_at is None else {"of_id": intent.id, "of_sent_at": intent.sent_at}
        if statement.changed(self._connection, unmoved | values) == 0:
            raise StaleRow(f"intent {intent.id} was settled or sent by another process")

    def _move(self, intent_id: str, values: dict[str, Any]) -> None:
        if _MOVE.changed(self._connection, {"of_id": intent_id} | values) == 0:
            raise StaleRow(f"intent {intent_id} is settled already or does not exist")
