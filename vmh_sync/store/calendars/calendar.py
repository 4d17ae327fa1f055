"""Calendars: how each employee's stands, and which appointment is which event (kalender.md 1 and 5)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, bindparam, case, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from vmh_sync.store.database.columns import JsonObject
from vmh_sync.store.database.prepared import Prepared
from vmh_sync.store.errors import PairTaken, StaleRow
from vmh_sync.store.models import CalendarPairRow, CalendarStateRow
from vmh_sync.store.repository import Repository, chunks, columns_of, replacing, storable_text, table_of, values_of

PairStatus = Literal["pending", "synced", "failed", "leaving", "kept", "not_representable", "deleted"]

_PAIRS = table_of(CalendarPairRow)
_SAVE_STATE = replacing(table_of(CalendarStateRow), "kuerzel", kept=("created_at",))
_LIVING = CalendarPairRow.deleted_at.is_(None)
# Built once: to build a statement costs more than to carry it out.
_STATE_OF = Prepared(select(*columns_of(CalendarStateRow)).where(CalendarStateRow.kuerzel == bindparam("kuerzel")))
_KNOWN = case((CalendarStateRow.last_success_at <= bindparam("now"), CalendarStateRow.last_success_at))
_STATES = Prepared(select(*columns_of(CalendarStateRow)).order_by(_KNOWN.asc().nulls_first(), CalendarStateRow.kuerzel))
_PAIRS_OF_ANYBODY = select(*columns_of(CalendarPairRow)).order_by(CalendarPairRow.id)
_LIVING_OF = (CalendarPairRow.kuerzel == bindparam("kuerzel"), _LIVING)
_PAIRS_OF = Prepared(_PAIRS_OF_ANYBODY.where(*_LIVING_OF))
_REVISIONS_OF = Prepared(select(_PAIRS.c.id, _PAIRS.c.revision).where(*_LIVING_OF).order_by(_PAIRS.c.id))
_BY_FRNR = _PAIRS_OF_ANYBODY.where(CalendarPairRow.frnr == bindparam("frnr"), _LIVING)
_OF_FRNR = Prepared(_BY_FRNR)
_OF_FRNR_AND_KUERZEL = Prepared(_BY_FRNR.where(CalendarPairRow.kuerzel == bindparam("kuerzel")))
_EVER_WITH_EVENT = Prepared(_PAIRS_OF_ANYBODY.where(CalendarPairRow.event_id == bindparam("event_id")))
_LAST_GENERATION = Prepared(
    select(func.max(_PAIRS.c.generation).label("last")).where(
        _PAIRS.c.kuerzel == bindparam("kuerzel"), _PAIRS.c.frnr == bindparam("frnr")
    )
)
_CREATE = Prepared(insert(_PAIRS).returning(_PAIRS.c.id))
_REPLACE = Prepared(
    update(_PAIRS)
    .where(_PAIRS.c.id == bindparam("pair"), _PAIRS.c.revision == bindparam("known"))
    .values({one.name: bindparam(one.name) for one in _PAIRS.c if one.name not in ("id", "created_at")})
    .returning(_PAIRS.c.created_at)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarPair:
    """One appointment in both calendars.

    ``base`` is the last agreed normal form, ``base_hash`` its hash, ``generation`` counts the deterministic event ids
    used for this appointment, ``etag`` is Google's. ``starts_at`` and ``ends_at`` (aware; an open series has no end)
    decide whether the pair lies inside the window. ``status`` is for example ``synced``, ``failed``,
    ``not_representable``, ``obstacle`` why it is the latter. ``guarded`` is all that the event of a deadline said when
    we last wrote it. ``deleted_at`` is None among the living.
    """

    kuerzel: str
    frnr: int | None
    event_id: str | None
    source_system: Literal["advoware", "google"]
    strategy: Literal["source_system_wins", "last_change_wins"] = "source_system_wins"
    write_allowed: bool = False
    generation: int = 0
    base_hash: str | None = None
    base: JsonObject = field(default_factory=dict, repr=False)
    obstacle: str | None = None
    guarded: JsonObject | None = field(default=None, repr=False)
    etag: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    status: PairStatus = "pending"
    error_text: str | None = field(default=None, repr=False)
    last_sync_at: datetime | None = None
    deleted_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    revision: int = 0
    id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarState:
    """How one employee's calendar stands. ``sync_token`` is Google's, valid for one set of parameters."""

    kuerzel: str
    calendar_id: str | None = None
    sync_token: str | None = field(default=None, repr=False)
    sync_parameters_hash: str | None = None
    last_success_at: datetime | None = None
    last_error: str | None = field(default=None, repr=False)
    anonymised: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None


class CalendarStates(Repository):
    """Reads and writes one row per employee."""

    def get(self, kuerzel: str) -> CalendarState | None:
        """Return how an employee's calendar stands, None if it was never synced."""
        rows = _STATE_OF.rows(self._connection, {"kuerzel": kuerzel})
        return CalendarState(**rows[0]._asdict()) if rows else None

    def all(self) -> list[CalendarState]:
        """Return all employees in the order of their last success, never first, then the oldest.

        A success in the future was noted while the clock was wrong, and counts as none.
        """
        rows = _STATES.rows(self._connection, {"now": self._now()})
        return [CalendarState(**row._asdict()) for row in rows]

    def upsert(self, state: CalendarState) -> None:
        """Store a state, replacing what stood there; the time of creation stays."""
        now = self._now()
        state = replace(state, created_at=now, updated_at=now, last_error=storable_text(state.last_error))
        _SAVE_STATE.changed(self._connection, values_of(state))


class CalendarPairs(Repository):
    """Reads and writes pairs. Only living ones are returned unless a method says otherwise."""

    def get(self, pair_id: int) -> CalendarPair | None:
        """Return one pair, dead or alive."""
        return next(iter(self._select(CalendarPairRow.id == pair_id)), None)

    def of(self, kuerzel: str) -> list[CalendarPair]:
        """Return all living pairs of an employee."""
        return _pairs(_PAIRS_OF.rows(self._connection, {"kuerzel": kuerzel}))

    def revisions(self, kuerzel: str) -> list[tuple[int, int]]:
        """Return id and revision of all living pairs of an employee, in the order of :meth:`of`."""
        return [(row.id, row.revision) for row in _REVISIONS_OF.rows(self._connection, {"kuerzel": kuerzel})]

    def by_frnr(self, frnr: int, kuerzel: str | None = None) -> list[CalendarPair]:
        """Return the pairs of an appointment: one per calendar it stands in, or the one of an employee."""
        if kuerzel:
            return _pairs(_OF_FRNR_AND_KUERZEL.rows(self._connection, {"frnr": frnr, "kuerzel": kuerzel}))
        return _pairs(_OF_FRNR.rows(self._connection, {"frnr": frnr}))

    def by_event(self, event_id: str, kuerzel: str | None = None) -> list[CalendarPair]:
        """Return the pairs of a Google event, in all calendars or in that of an employee."""
        conditions = [CalendarPairRow.event_id == event_id, _LIVING]
        return self._select(*conditions, *([CalendarPairRow.kuerzel == kuerzel] if kuerzel else []))

    def starting_at(self, moments: Collection[datetime]) -> list[CalendarPair]:
        """Return the pairs of everybody whose appointment begins at one of these moments."""
        found = (self._select(CalendarPairRow.starts_at.in_(chunk), _LIVING) for chunk in chunks(moments))
        return [pair for some in found for pair in some]

    def all(self) -> list[CalendarPair]:
        """Return all living pairs of all employees."""
        return self._select(_LIVING)

    def ever(self) -> list[CalendarPair]:
        """Return all pairs, dead ones too."""
        return self._select()

    def ever_with_event(self, event_id: str) -> list[CalendarPair]:
        """Return the pairs that had this Google event, dead ones too."""
        return _pairs(_EVER_WITH_EVENT.rows(self._connection, {"event_id": event_id}))

    def counts(self) -> dict[str, int]:
        """Return the number of living pairs per employee."""
        statement = select(CalendarPairRow.kuerzel, func.count()).where(_LIVING).group_by(CalendarPairRow.kuerzel)
        return {row[0]: row[1] for row in self._connection.execute(statement)}

    def counts_by_status(self) -> dict[str, int]:
        """Return the number of living pairs per status."""
        statement = select(CalendarPairRow.status, func.count()).where(_LIVING).group_by(CalendarPairRow.status)
        return {row[0]: row[1] for row in self._connection.execute(statement)}

    def last_generation(self, kuerzel: str, frnr: int) -> int | None:
        """Return the highest generation ever used for an appointment in a calendar, dead pairs included."""
        found = _LAST_GENERATION.rows(self._connection, {"kuerzel": kuerzel, "frnr": frnr})
        last: int | None = found[0].last
        return last

    def save(self, pair: CalendarPair) -> CalendarPair:
        """Store a pair and return it as it now stands (with id, revision and times).

        A pair without id is created, any other is replaced if its revision is still the one that was read. Raises
        StaleRow when it moved, PairTaken when another living pair of the employee has the same frNr or event.
        """
        now = self._now()
        pair = replace(pair, updated_at=now, error_text=storable_text(pair.error_text))
        try:
            with self._savepoint():
                if pair.id is None:
                    return self._create(replace(pair, created_at=now, revision=1))
                return self._replace(pair)
        except IntegrityError:
            raise PairTaken(
                f"{pair.kuerzel}: another pair stands for frNr {pair.frnr} or event {pair.event_id}"
            ) from None

    def save_many(self, pairs: Iterable[CalendarPair]) -> list[CalendarPair]:
        """Store pairs one after the other (see :meth:`save`) and return them as they now stand."""
        return [self.save(pair) for pair in pairs]

    def mark_deleted(self, pair_ids: Iterable[int], at: datetime) -> int:
        """Take pairs out of the living. Returns how many were among them."""
        deleted = 0
        for chunk in chunks(pair_ids):
            statement = (
                update(_PAIRS)
                .where(_PAIRS.c.id.in_(chunk), _PAIRS.c.deleted_at.is_(None))
                .values(deleted_at=at, updated_at=self._now(), status="deleted", revision=_PAIRS.c.revision + 1)
            )
            deleted += self._connection.execute(statement).rowcount
        return deleted

    def purge(self, before: datetime, limit: int | None = None) -> int:
        """Delete at most ``limit`` dead pairs that ended before ``before`` (retention). Returns how many.

        The last pair of an appointment stays (see :meth:`empty`): Google never forgets an event id, so nobody may
        forget which generations of it were used (:meth:`last_generation`).
        """
        later = _PAIRS.alias("later")
        followed = exists().where(
            later.c.kuerzel == _PAIRS.c.kuerzel,
            later.c.frnr == _PAIRS.c.frnr,
            or_(
                later.c.generation > _PAIRS.c.generation,
                and_(later.c.generation == _PAIRS.c.generation, later.c.id > _PAIRS.c.id),
            ),
        )
        return self._delete(_PAIRS, and_(_PAIRS.c.deleted_at < before, or_(_PAIRS.c.frnr.is_(None), followed)), limit)

    def empty(self, before: datetime, limit: int | None = None) -> int:
        """Forget what stood in at most ``limit`` dead pairs that ended before ``before``. Returns how many."""
        chosen = (
            select(_PAIRS.c.id)
            .where(_PAIRS.c.deleted_at < before, _PAIRS.c.status != "emptied")
            .order_by(_PAIRS.c.id)
            .limit(limit)
        )
        nothing: dict[str, Any] = {"base": {}, **dict.fromkeys(("guarded", "obstacle", "base_hash", "error_text"))}
        nothing |= {"status": "emptied", "updated_at": self._now()}
        statement = update(_PAIRS).where(_PAIRS.c.id.in_(chosen)).values(nothing)
        return self._connection.execute(statement).rowcount

    def _create(self, pair: CalendarPair) -> CalendarPair:
        values = values_of(pair)
        del values["id"]
        return replace(pair, id=_CREATE.rows(self._connection, values)[0].id)

    def _replace(self, pair: CalendarPair) -> CalendarPair:
        values: dict[str, Any] = values_of(pair) | {"revision": pair.revision + 1}
        del values["id"], values["created_at"]
        rows = _REPLACE.rows(self._connection, {**values, "pair": pair.id, "known": pair.revision})
        if not rows:
            raise StaleRow(f"calendar pair {pair.id} is no longer at revision {pair.revision}")
        return replace(pair, created_at=rows[0].created_at, revision=pair.revision + 1)

    def _select(self, *conditions: ColumnElement[bool]) -> list[CalendarPair]:
        return _pairs(self._connection.execute(_PAIRS_OF_ANYBODY.where(*conditions)).all())


def _pairs(rows: Iterable[Any]) -> list[CalendarPair]:
    return [CalendarPair(**row._asdict()) for row in rows]
