"""Pairs Termine and unmarked events by content before anything is created (specification, kalender.md 5).

Pure. What is certain is linked; what may be the same is for a person to say, and until then neither side of it is
created on the other.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from vmh_sync.kalender.decision.sides import DecisionContext
from vmh_sync.kalender.form.advoware_form import decoration_of
from vmh_sync.kalender.form.anonymise import must_anonymise
from vmh_sync.kalender.form.google_form import ReadEvent
from vmh_sync.kalender.model import Appointment, TerminFields
from vmh_sync.kalender.pairing.likeness import Key, keys, may_be_moved, plain_title, similar_titles

_Id = TypeVar("_Id", int, str)

Edge = tuple[int, str]
"""A Termin and an event that may be the same: frNr and event id."""

SEVERAL = "mehrere Termine oder Ereignisse mit gleicher Zeit und gleichem Titel"
OTHER_TITLE = "gleiche Zeit, Titel ähnlich"
MOVED = "gleicher Titel, Zeit oder Serie verschieden"


@dataclass(frozen=True, slots=True)
class Doubt:
    """One Termin and one event that may be the same appointment. ``why`` is German, without content."""

    fr_nr: int
    event_id: str
    why: str

    @property
    def text(self) -> str:
        """What a person is told."""
        return f"Vielleicht derselbe Termin wie Ereignis {self.event_id} ({self.why}); auf keiner Seite angelegt"


@dataclass(frozen=True, slots=True)
class Matches:
    """``certain``: to be linked. ``doubtful``: for a person; nothing of them is created."""

    certain: tuple[Edge, ...] = ()
    doubtful: tuple[Doubt, ...] = ()


@dataclass(frozen=True, slots=True)
class Unpaired:
    """What has no partner yet: Termine by frNr, and unmarked events by id.

    ``decided``: what a person has said about a Termin and an event (true: the same appointment). ``near``: near misses
    count as doubtful.
    """

    termine: Mapping[int, tuple[TerminFields, Appointment]]
    events: Mapping[str, ReadEvent]
    decided: Mapping[Edge, bool] = field(default_factory=dict)
    near: bool = False


def match(unpaired: Unpaired, ctx: DecisionContext) -> Matches:
    """Return which Termine and events are the same for certain, and which may be."""
    if not unpaired.termine or not unpaired.events:
        return Matches()
    certain = _said_by_person(unpaired)
    taken = _Taken(certain)
    doubtful: list[Doubt] = []
    for group in _groups(_equal(unpaired, ctx, taken)):
        pairs = _paired(group, unpaired)
        certain += pairs or []
        doubtful += [] if pairs else [Doubt(fr_nr, event_id, SEVERAL) for fr_nr, event_id in sorted(group)]
        taken.add(group)
    if unpaired.near:
        doubtful += _near(unpaired, taken)
    return Matches(tuple(certain), tuple(doubtful))


class _Taken:
    """Termine and events that a decision was made about."""

    def __init__(self, edges: Iterable[Edge]) -> None:
        self._numbers: set[int] = set()
        self._events: set[str] = set()
        self.add(edges)

    def add(self, edges: Iterable[Edge]) -> None:
        for fr_nr, event_id in edges:
            self._numbers.add(fr_nr)
            self._events.add(event_id)

    def free(self, edge: Edge) -> bool:
        return edge[0] not in self._numbers and edge[1] not in self._events


def _said_by_person(unpaired: Unpaired) -> list[Edge]:
    found: list[Edge] = []
    taken = _Taken(())
    for edge, same in sorted(unpaired.decided.items()):
        if same and edge[0] in unpaired.termine and edge[1] in unpaired.events and taken.free(edge):
            found.append(edge)
            taken.add([edge])
    return found


def _equal(unpaired: Unpaired, ctx: DecisionContext, taken: _Taken) -> list[Edge]:
    by_key: dict[Key, list[str]] = defaultdict(list)
    for event_id, event in unpaired.events.items():
        if event.obstacle is not None and event.form.recurrence is None:
            continue  # what its series says cannot be compared
        for key in keys(event.form, [event.form.text]):
            by_key[key].append(event_id)
    edges = {
        (fr_nr, event_id)
        for fr_nr, (termin, form) in unpaired.termine.items()
        for key in keys(form, shown_titles(termin, form, ctx))
        for event_id in by_key.get(key, ())
    }
    return [edge for edge in sorted(edges) if taken.free(edge) and unpaired.decided.get(edge) is not False]


def shown_titles(termin: TerminFields, form: Appointment, ctx: DecisionContext) -> list[str]:
    """Return the titles under which a Termin may stand in this calendar."""
    suffix = decoration_of(termin, anonymised=False, rules=ctx.rules).title_suffix
    anonymised = must_anonymise(termin, ctx.kuerzel, full_content=ctx.full_content)
    return [form.text, form.text + suffix, *([ctx.rules.neutral_title] if anonymised else [])]


def _groups(edges: Collection[Edge]) -> Iterator[list[Edge]]:
    """Yield the edges that hang together, group by group."""
    by_number: dict[int, list[Edge]] = defaultdict(list)
    by_event: dict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        by_number[edge[0]].append(edge)
        by_event[edge[1]].append(edge)
    seen: set[Edge] = set()
    for first in edges:
        if first in seen:
            continue
        group, waiting = [], [first]
        seen.add(first)
        while waiting:
            edge = waiting.pop()
            group.append(edge)
            beside = {*by_number.pop(edge[0], ()), *by_event.pop(edge[1], ())} - seen
            seen |= beside
            waiting += sorted(beside)
        yield group


def _paired(group: Collection[Edge], unpaired: Unpaired) -> list[Edge] | None:
    """Return who belongs to whom, ``None`` if it cannot be told.

    As many Termine as events that are all equal in time and title are told apart by notes and place; where these are
    equal, too, it makes no difference which is which.
    """
    numbers, events = sorted({edge[0] for edge in group}), sorted({edge[1] for edge in group})
    if len(numbers) != len(events) or len(group) != len(numbers) * len(events):
        return None
    pairs: list[Edge] = []
    of_termine = _by_details(numbers, lambda number: unpaired.termine[number][1])
    of_events = _by_details(events, lambda event_id: unpaired.events[event_id].form)
    for details in [one for one in of_termine if len(of_termine[one]) == len(of_events.get(one, ()))]:
        pairs += zip(of_termine.pop(details), of_events.pop(details), strict=True)
    if len(of_termine) > 1 and len(of_events) > 1:
        return None
    rest_numbers = sorted(number for some in of_termine.values() for number in some)
    rest_events = sorted(event_id for some in of_events.values() for event_id in some)
    return pairs + list(zip(rest_numbers, rest_events, strict=True))


def _by_details(ids: Iterable[_Id], form_of: Callable[[_Id], Appointment]) -> dict[tuple[str, str], list[_Id]]:
    found: dict[tuple[str, str], list[_Id]] = defaultdict(list)
    for one in ids:
        form = form_of(one)
        found[form.notiz, form.ort].append(one)
    return found


def _near(unpaired: Unpaired, taken: _Taken) -> list[Doubt]:
    """Return what misses being equal by little, among what is left over."""
    events = {event_id: event.form for event_id, event in unpaired.events.items() if taken.free((0, event_id))}
    by_time: dict[tuple[object, ...], list[str]] = defaultdict(list)
    by_title: dict[str, list[str]] = defaultdict(list)
    for event_id, form in events.items():
        by_time[form.start, form.end, form.all_day].append(event_id)
        by_title[plain_title(form.text)].append(event_id)
    doubts: dict[Edge, str] = {}
    for fr_nr, (_, form) in sorted(unpaired.termine.items()):
        if not taken.free((fr_nr, "")):
            continue
        title = plain_title(form.text)
        for event_id in by_time.get((form.start, form.end, form.all_day), ()):
            if similar_titles(form.text, events[event_id].text):
                doubts[fr_nr, event_id] = MOVED if plain_title(events[event_id].text) == title else OTHER_TITLE
        for event_id in by_title.get(title, ()) if title else ():
            if may_be_moved(form, events[event_id]):
                doubts.setdefault((fr_nr, event_id), MOVED)
    return [Doubt(*edge, why) for edge, why in sorted(doubts.items()) if unpaired.decided.get(edge) is not False]
