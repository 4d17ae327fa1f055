"""What people say about Termine and events that may be the same: checked as a whole, stored whole or not at all."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from vmh_sync.kalender.state.pair_rows import CalendarCursor, Stored, read_stored
from vmh_sync.store.store import Store

NOTHING_OPEN = (
    "Zu diesem Termin und diesem Ereignis ist nichts offen; vmh-sync audit kalender doubtful zeigt, was offen ist."
)

Edge = tuple[int, str]
"""A Termin and an event: frNr and event id."""


@dataclass(frozen=True, slots=True)
class Said:
    """A person's word on a Termin and an event of one calendar; ``where`` it stands, such as the row of a list."""

    kuerzel: str
    edge: Edge
    same: bool
    where: str = ""


def store_said(store: Store, said: Sequence[Said], asked: Collection[tuple[str, Edge]] = ()) -> list[str]:
    """Store what was said, for the next pass to carry out. Returns what is wrong, in German: then nothing is kept.

    Allowed is an answer to what a pass has left to a person, or what was ``asked`` (Kürzel, edge) just now; one that
    says what is so already changes nothing. Call it under the leases of the employees.
    """
    problems: list[str] = []
    decided: dict[str, dict[Edge, bool]] = {}
    for kuerzel in dict.fromkeys(one.kuerzel for one in said):
        with store.reading() as tx:
            stored = read_stored(tx, kuerzel)
        open_ones = {*stored.doubtful, *(edge for whose, edge in asked if whose == kuerzel)}
        words = [one for one in said if one.kuerzel == kuerzel]
        told: dict[Edge, bool] = {}
        for one in words:
            problem = _unfit(one, stored, open_ones)
            if problem is None and told.setdefault(one.edge, one.same) is not one.same:
                problem = "Ein Ereignis ist mit gleich und mit verschieden beantwortet."
            if problem is not None:
                problems.append(f"{one.where}: {problem}" if one.where else problem)
        decided[kuerzel] = {**stored.decided, **{edge: same for edge, same in told.items() if edge in open_ones}}
        problems += _claimed_twice(kuerzel, [edge for edge in open_ones if decided[kuerzel].get(edge)])
    if not problems:
        with store.transaction() as tx:
            for kuerzel, edges in decided.items():
                for cursor, meant in (
                    (CalendarCursor.SAME.of(kuerzel), True),
                    (CalendarCursor.DIFFERENT.of(kuerzel), False),
                ):
                    tx.cursors.set(cursor, sorted(edge for edge, same in edges.items() if same is meant))
    return problems


def _unfit(one: Said, stored: Stored, open_ones: Collection[Edge]) -> str | None:
    if one.edge in open_ones or stored.decided.get(one.edge) is one.same:
        return None
    pairs = {(row.frnr, row.event_id) for row in stored.pairs}
    if one.edge in pairs:
        return None if one.same else "Termin und Ereignis sind schon verknüpft."
    apart = any(one.edge[0] == fr_nr or one.edge[1] == event_id for fr_nr, event_id in pairs)
    return None if apart and not one.same else NOTHING_OPEN


def _claimed_twice(kuerzel: str, same: Iterable[Edge]) -> list[str]:
    problems: list[str] = []
    numbers: dict[int, str] = {}
    events: dict[str, int] = {}
    for fr_nr, event_id in sorted(same):
        if numbers.setdefault(fr_nr, event_id) != event_id:
            problems.append(f"Kalender {kuerzel}: frNr {fr_nr} soll mit zwei Ereignissen verknüpft werden.")
        if events.setdefault(event_id, fr_nr) != fr_nr:
            problems.append(f"Kalender {kuerzel}: Ereignis {event_id} soll mit zwei Terminen verknüpft werden.")
    return problems
