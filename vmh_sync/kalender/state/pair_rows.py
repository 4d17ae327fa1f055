"""Pair rows of our database ↔ what the pure core and the executor work with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from vmh_sync.kalender.decision.reads import PendingCreate
from vmh_sync.kalender.form.content_hash import base_hash
from vmh_sync.kalender.model import Appointment, BaseForm, CalendarRules, PairState, Source, Strategy
from vmh_sync.store.calendars.calendar import CalendarPair, CalendarState
from vmh_sync.store.database.columns import JsonObject
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.store.store import Transaction

ENTITY = "kalender"
LEAVING: Final = "leaving"
"""Status of a pair whose event we are about to delete, because its Termin has gone to a colleague."""
KEPT: Final = "kept"
"""Status of a pair whose Termin Advoware kept although it answered our deletion as done."""
FAILED: Final = "failed"
"""Status of a pair about which something could not be done."""


class CalendarCursor(StrEnum):
    """What a cursor keeps of one employee's calendar."""

    FULL_READ = "full"
    """When it was last read as a whole."""
    UNSETTLED = "unsettled"
    """Ids of events whose sync failed: the next pass reads them although its list does not name them."""
    WAITING = "waiting"
    """Ids of events that are new in Google and wait for Advoware to be writable."""
    DOUBTFUL = "doubtful"
    """Termine and events that may be the same, for a person to say."""
    SAME = "same"
    """Of which a person says that they are the same appointment."""
    DIFFERENT = "different"
    """Of which a person says that they are not."""
    RULES = "rules"
    """Which access rules it was given last."""
    DEADLINES = "deadlines"
    """Under which rules for deadlines it was last read as a whole."""
    COPIED = "copied"
    """Numbers of which an equal copy stands in it beside the event."""

    def of(self, kuerzel: str) -> str:
        """Return the cursor's name."""
        return f"kalender:{self}:{kuerzel}"


@dataclass(frozen=True, slots=True, repr=False)
class Stored:
    """What our database knows about one employee. ``version`` moves with every write to it.

    :class:`CalendarCursor` says what the rest is; ``decided``: what a person has said, true for the same appointment.
    """

    state: CalendarState
    pairs: tuple[CalendarPair, ...]
    intents: tuple[Intent, ...]
    full_read_at: datetime | None
    unsettled: tuple[str, ...] = ()
    rules_hash: str | None = None
    waiting: tuple[str, ...] = ()
    doubtful: tuple[tuple[int, str], ...] = ()
    decided: Mapping[tuple[int, str], bool] = field(default_factory=dict)
    deadlines_hash: str | None = None
    copied: frozenset[int] = frozenset()

    @property
    def first_contact(self) -> bool:
        """Whether nobody can know yet what in the calendar belongs to which Termin."""
        return self.full_read_at is None or not self.pairs or bool(self.doubtful)

    @property
    def version(self) -> tuple[object, ...]:
        """Return a value that is equal as long as nobody has synced this employee meanwhile."""
        return _version(((pair.id, pair.revision) for pair in self.pairs), self.intents, self.state)


def read_stored(tx: Transaction, kuerzel: str) -> Stored:
    """Read everything about one employee."""
    kept = tx.cursors.several([one.of(kuerzel) for one in CalendarCursor])
    cursors = {one: kept.get(one.of(kuerzel)) for one in CalendarCursor}
    full = cursors[CalendarCursor.FULL_READ]
    return Stored(
        state=tx.calendar_states.get(kuerzel) or CalendarState(kuerzel=kuerzel),
        pairs=tuple(tx.calendar_pairs.of(kuerzel)),
        intents=tuple(tx.intents.open_for(ENTITY, kuerzel)),
        full_read_at=datetime.fromisoformat(full) if full else None,
        unsettled=tuple(cursors[CalendarCursor.UNSETTLED] or ()),
        rules_hash=cursors[CalendarCursor.RULES],
        waiting=tuple(cursors[CalendarCursor.WAITING] or ()),
        doubtful=_edges(cursors[CalendarCursor.DOUBTFUL]),
        decided=dict.fromkeys(_edges(cursors[CalendarCursor.SAME]), True)
        | dict.fromkeys(_edges(cursors[CalendarCursor.DIFFERENT]), False),
        deadlines_hash=cursors[CalendarCursor.DEADLINES],
        copied=frozenset(cursors[CalendarCursor.COPIED] or ()),
    )


def read_version(tx: Transaction, kuerzel: str) -> tuple[object, ...]:
    """Return the version of what :func:`read_stored` would read, without what the pairs hold."""
    state = tx.calendar_states.get(kuerzel) or CalendarState(kuerzel=kuerzel)
    return _version(tx.calendar_pairs.revisions(kuerzel), tx.intents.open_for(ENTITY, kuerzel), state)


def _version(
    pairs: Iterable[tuple[int | None, int]], intents: Iterable[Intent], state: CalendarState
) -> tuple[object, ...]:
    return (tuple(pairs), tuple(intent.id for intent in intents), state.calendar_id, state.sync_token)


def read_doubtful(tx: Transaction, kuerzel: str) -> tuple[tuple[int, str], ...]:
    """Return the Termine and events of an employee that may be the same."""
    return _edges(tx.cursors.get(CalendarCursor.DOUBTFUL.of(kuerzel)))


def _edges(stored: list[list[int | str]] | None) -> tuple[tuple[int, str], ...]:
    return tuple((int(fr_nr), str(event_id)) for fr_nr, event_id in stored or ())


def pair_state(row: CalendarPair, rules: CalendarRules) -> PairState | None:
    """Return a row as the decision needs it; ``None`` for a row without number or event. A bad base counts as none."""
    if row.frnr is None or row.event_id is None:
        return None
    base: BaseForm | None = None
    if row.base:
        try:
            base = BaseForm.from_json(row.base, rules.zone)
        except (KeyError, ValueError, TypeError):
            base = None
    return PairState(
        fr_nr=row.frnr,
        event_id=row.event_id,
        source=Source(row.source_system),
        strategy=Strategy(row.strategy),
        write_allowed=row.write_allowed,
        base=base,
        generation=row.generation,
        obstacle=row.obstacle,
        guarded=row.guarded,
        leaving=row.status == LEAVING,
        kept=row.status == KEPT,
        unsettled=row.status in (LEAVING, KEPT, FAILED),
    )


def intent_key(wanted: PendingCreate) -> JsonObject:
    """Return what is kept with an intent; :func:`pending` reads it."""
    key: JsonObject = {"event_id": wanted.event_id, "form": wanted.form.to_json()}
    return key if wanted.known is None else key | {"known": sorted(wanted.known), "newest": wanted.newest}


def pending(intents: Iterable[Intent], rules: CalendarRules) -> tuple[PendingCreate, ...]:
    """Return the stored intents as the decision needs them."""
    return tuple(_pending(intent.natural_key, rules) for intent in intents)


def _pending(key: JsonObject, rules: CalendarRules) -> PendingCreate:
    wanted = PendingCreate(str(key["event_id"]), Appointment.from_json(key["form"], rules.zone))
    if "known" not in key:
        return wanted
    return replace(wanted, known=frozenset(key["known"]), newest=int(key["newest"]))


def with_base(row: CalendarPair, base: BaseForm, etag: str, now: datetime) -> CalendarPair:
    """Return the row with a new agreed state."""
    series = base.advoware.recurrence
    return replace(
        row,
        base=base.to_json(),
        base_hash=base_hash(base),
        etag=etag or row.etag,
        starts_at=base.advoware.start.astimezone(UTC),
        ends_at=None if series is not None else base.advoware.end.astimezone(UTC),
        status="synced",
        error_text=None,
        obstacle=None,
        last_sync_at=now,
    )


def record_id(kuerzel: str, fr_nr: int | None, event_id: str | None) -> str:
    """Return how an appointment is named in outcomes and in the audit log: ``SB/1234`` (at most 64 characters)."""
    return f"{kuerzel}/{fr_nr if fr_nr is not None else event_id or '?'}"[:64]
