"""Pair rows of our database ↔ what the pure core and the executor work with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from vmh_sync.kalender.decision.reads import PendingCreate
from vmh_sync.kalender.form.content_hash import base_hash
from vmh_sync.kalender.model import Appointment, BaseForm, CalendarRules, PairState, Source, Strategy
from vmh_sync.store.calendars.calendar import CalendarPair, CalendarState
from vmh_sync.store.database.columns import JsonObject
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.store.store import Store, Transaction

ENTITY = "kalender"
LEAVING = "leaving"
"""Status of a pair whose event we are about to delete, because its Termin has gone to a colleague."""
KEPT = "kept"
"""Status of a pair whose Termin Advoware kept although it answered our deletion as done."""


@dataclass(frozen=True, slots=True, repr=False)
class Stored:
    """What our database knows about one employee. ``version`` moves with every write to it.

    ``unsettled``: ids of events whose sync failed; the next pass reads them although its list does not name them.
    ``rules_hash``: which access rules the calendar was given last. ``waiting``: ids of events that are new in Google
    and wait for Advoware to be writable. ``doubtful``: Termine and events that may be the same, for a person to say.
    ``decided``: what a person has said (true: the same appointment). ``deadlines_hash``: under which rules for
    deadlines all was read last. ``copied``: numbers of which an equal copy stands in the calendar beside the event.
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
        rows = tuple((pair.id, pair.revision) for pair in self.pairs)
        return (rows, tuple(intent.id for intent in self.intents), self.state.calendar_id, self.state.sync_token)


def read_stored(store: Store, kuerzel: str) -> Stored:
    """Read everything about one employee in one transaction."""
    with store.reading() as tx:
        said = tx.cursors.several([name(kuerzel) for name in _CURSORS])
        full = said.get(full_read_cursor(kuerzel))
        return Stored(
            state=tx.calendar_states.get(kuerzel) or CalendarState(kuerzel=kuerzel),
            pairs=tuple(tx.calendar_pairs.of(kuerzel)),
            intents=tuple(tx.intents.open_for(ENTITY, kuerzel)),
            full_read_at=datetime.fromisoformat(full) if full else None,
            unsettled=tuple(said.get(unsettled_cursor(kuerzel)) or ()),
            rules_hash=said.get(rules_cursor(kuerzel)),
            waiting=tuple(said.get(waiting_cursor(kuerzel)) or ()),
            doubtful=_edges(said.get(doubtful_cursor(kuerzel))),
            decided=dict.fromkeys(_edges(said.get(same_cursor(kuerzel))), True)
            | dict.fromkeys(_edges(said.get(different_cursor(kuerzel))), False),
            deadlines_hash=said.get(deadlines_cursor(kuerzel)),
            copied=frozenset(said.get(copied_cursor(kuerzel)) or ()),
        )


def read_doubtful(tx: Transaction, kuerzel: str) -> tuple[tuple[int, str], ...]:
    """Return the Termine and events of an employee that may be the same."""
    return _edges(tx.cursors.get(doubtful_cursor(kuerzel)))


def full_read_cursor(kuerzel: str) -> str:
    """Return the cursor name that holds when a calendar was last read as a whole."""
    return f"kalender:full:{kuerzel}"


def unsettled_cursor(kuerzel: str) -> str:
    """Return the cursor name that holds the ids of events whose sync failed."""
    return f"kalender:unsettled:{kuerzel}"


def waiting_cursor(kuerzel: str) -> str:
    """Return the cursor name that holds the ids of events that wait for Advoware to be writable."""
    return f"kalender:waiting:{kuerzel}"


def doubtful_cursor(kuerzel: str) -> str:
    """Return the cursor name that holds the Termine and events that may be the same."""
    return f"kalender:doubtful:{kuerzel}"


def same_cursor(kuerzel: str) -> str:
    """Return the cursor name that holds the Termine and events of which a person says that they are the same."""
    return f"kalender:same:{kuerzel}"


def different_cursor(kuerzel: str) -> str:
    """Return the cursor name that holds the Termine and events of which a person says that they are not the same."""
    return f"kalender:different:{kuerzel}"


def _edges(stored: list[list[int | str]] | None) -> tuple[tuple[int, str], ...]:
    return tuple((int(fr_nr), str(event_id)) for fr_nr, event_id in stored or ())


def rules_cursor(kuerzel: str) -> str:
    """Return the cursor name that holds which access rules a calendar was given last."""
    return f"kalender:rules:{kuerzel}"


def deadlines_cursor(kuerzel: str) -> str:
    """Return the cursor name that holds under which rules for deadlines a calendar was last read as a whole."""
    return f"kalender:deadlines:{kuerzel}"


def copied_cursor(kuerzel: str) -> str:
    """Return the cursor name that holds the numbers of which an equal copy stands in the calendar."""
    return f"kalender:copied:{kuerzel}"


_CURSORS = (
    full_read_cursor,
    unsettled_cursor,
    waiting_cursor,
    doubtful_cursor,
    same_cursor,
    different_cursor,
    rules_cursor,
    deadlines_cursor,
    copied_cursor,
)


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
