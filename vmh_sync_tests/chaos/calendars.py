"""People who work in the calendars of two employees, and what must be true of them when everything has come to rest.

Each appointment has a word of its own (``T7``) that begins its text and never changes; every edit types a new text.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import select

from vmh_sync.kalender.audits import doubts
from vmh_sync.kalender.state.pair_rows import CalendarCursor
from vmh_sync.store.models import ChangeRow
from vmh_sync_tests.fixtures.chancery import Chancery, Json, marked, tasks

KUERZEL = ("AH", "SB")
MOST = 8


@dataclass
class Appointment:
    """What people did with one: the texts and places they typed, in order, and whether somebody deleted it.

    ``discarded``: what stood on one side only when a person deleted it there. Nobody else can know it any more: a
    deleted event is named by its id alone, and the other side is entered again (kalender.md 1 and 5).
    """

    texts: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    deleted: bool = False
    discarded: set[str] = field(default_factory=set)

    def drop(self, here: set[str], there: set[str]) -> None:
        """Note a deletion on a side that says ``here`` while the other one says ``there``."""
        self.deleted = True
        self.discarded |= here - there


class CalendarPeople:
    """Seeded edits of Termine in Advoware and of events in Google."""

    def __init__(self, chancery: Chancery, rng: random.Random) -> None:
        self._chancery = chancery
        self.rng = rng
        self._number = 0
        self._dropped: set[int] = set()
        self.appointments: dict[str, Appointment] = defaultdict(Appointment)
        for kuerzel in KUERZEL:
            chancery.employee(kuerzel)

    def act(self) -> bool:
        """Make one edit; returns whether it was possible."""
        new: list[Callable[[], bool]] = [self._new_termin, self._new_event]
        acts = [self._edit_termin, self._edit_event, self._move_termin, self._move_event, self._to_colleague]
        acts += [self._copy, self._drop_termin, self._drop_event, *new]
        try:
            return self.rng.choice(new * 4 if len(self.appointments) < 3 else acts)()
        except AssertionError:
            return False  # it was deleted or moved at this very moment

    def _text(self, word: str) -> str:
        self._number += 1
        text = f"{word} Fassung {self._number}"
        self.appointments[word].texts.append(text)
        return text

    def _place(self, word: str) -> str:
        self._number += 1
        place = f"Saal {self._number}"
        self.appointments[word].places.append(place)
        return place

    def _word(self) -> str:
        return f"T{len(self.appointments) + 1}"

    def _termin(self) -> tuple[int, Json] | None:
        rows = sorted(self._chancery.termine().items())
        return self.rng.choice(rows) if rows else None

    def _event(self) -> tuple[str, str, Json] | None:
        kuerzel = self.rng.choice(KUERZEL)
        events = sorted(self._chancery.events(kuerzel).items(), key=lambda item: str(item[1].get("summary")))
        return (kuerzel, *self.rng.choice(events)) if events else None

    def _new_termin(self) -> bool:
        if len(self.appointments) >= MOST:
            return False
        self._chancery.termin(self.rng.choice(KUERZEL), self._text(self._word()), offset=self.rng.randrange(1, 40))
        return True

    def _new_event(self) -> bool:
        kuerzel = self.rng.choice(KUERZEL)
        if len(self.appointments) >= MOST or self._chancery.calendar(kuerzel) is None:
            return False
        self._chancery.event(kuerzel, self._text(self._word()), offset=self.rng.randrange(1, 40))
        return True

    def _edit_termin(self) -> bool:
        if (found := self._termin()) is None:
            return False
        fr_nr, row = found
        word = word_of(row["text"])
        values = {"text": self._text(word)} if self.rng.random() < 0.6 else {"ort": self._place(word)}
        self._chancery.edit_termin(fr_nr, **values)
        return True

    def _edit_event(self) -> bool:
        if (found := self._event()) is None:
            return False
        kuerzel, event_id, event = found
        word = word_of(event["summary"])
        values = {"summary": self._text(word)} if self.rng.random() < 0.6 else {"location": self._place(word)}
        self._chancery.edit_event(kuerzel, event_id, **values)
        return True

    def _move_termin(self) -> bool:
        if (found := self._termin()) is None:
            return False
        hour = self.rng.randrange(7, 18)
        self._chancery.edit_termin(found[0], uhrzeitVon=f"{hour:02d}:10:00", uhrzeitBis=f"{hour + 1:02d}:10:00")
        return True

    def _move_event(self) -> bool:
        if (found := self._event()) is None:
            return False
        kuerzel, event_id, event = found
        day = self._chancery.day(self.rng.randrange(1, 40)).isoformat()
        times = {
            name: {**event[name], "date": None, "dateTime": f"{day}T{hour:02d}:00:00", "timeZone": "Europe/Berlin"}
            for name, hour in (("start", 9), ("end", 11))
        }
        self._chancery.edit_event(kuerzel, event_id, **times)
        return True

    def _to_colleague(self) -> bool:
        if (found := self._event()) is None:
            return False
        kuerzel, event_id, _ = found
        other = KUERZEL[1 - KUERZEL.index(kuerzel)]
        if self._chancery.calendar(other) is None:
            return False
        self._chancery.move_event(kuerzel, event_id, other)
        return True

    def _copy(self) -> bool:
        if len(self.appointments) >= MOST or (found := self._event()) is None:
            return False
        kuerzel, event_id, _ = found
        self._chancery.copy_event(kuerzel, event_id, summary=self._text(self._word()))
        return True

    def _drop_termin(self) -> bool:
        if (found := self._termin()) is None:
            return False
        fr_nr, row = found
        self._chancery.drop_termin(fr_nr)
        self._dropped.add(fr_nr)
        shown = [event for kuerzel in KUERZEL for event in self._chancery.events(kuerzel).values()]
        there = {said for event in shown if marked(event) == str(fr_nr) for said in _said(event, "summary", "location")}
        self.appointments[word_of(row["text"])].drop(_said(row, "text", "ort"), there)
        return True

    def _drop_event(self) -> bool:
        if (found := self._event()) is None:
            return False
        kuerzel, event_id, event = found
        self._chancery.drop_event(kuerzel, event_id)
        termine = {str(fr_nr): row for fr_nr, row in self._chancery.termine().items()}
        there = _said(termine.get(str(marked(event)), {}), "text", "ort")
        self.appointments[word_of(event["summary"])].drop(_said(event, "summary", "location"), there)
        return True


def _said(row: Json, *names: str) -> set[str]:
    return {str(row[name]) for name in names if row.get(name)}


def word_of(text: str) -> str:
    """The word of the appointment that a text belongs to."""
    return text.partition(" ")[0]


def answer_questions(chancery: Chancery) -> int:
    """Answer what a task asks: whether a Termin and an event are the same appointment; returns how many were asked."""
    termine, asked = chancery.termine(), 0
    for kuerzel in KUERZEL:
        events = chancery.events(kuerzel)
        with chancery.store.reading() as tx:
            edges = tx.cursors.get(CalendarCursor.DOUBTFUL.of(kuerzel)) or []
        for fr_nr, event_id in edges:
            event, termin = events.get(event_id, {}), termine.get(fr_nr, {})
            same = bool(event and termin) and word_of(termin["text"]) == word_of(event["summary"])
            chancery.run(partial(doubts.decide, kuerzel=kuerzel, fr_nr=fr_nr, event_id=event_id, same=same))
            asked += 1
    told = sum(f"(frNr {fr_nr}, " in task["description"] for fr_nr in termine for task in tasks(chancery))
    assert told or not asked, "what only a person can judge was told to nobody"
    return asked


def calendar_violations(
    chancery: Chancery, people: CalendarPeople, *, apart: Collection[str] = frozenset()
) -> list[str]:
    """Compare both calendars with what was typed; returns what is lost, doubled or apart (design.md, section 3).

    ``apart``: words of appointments whose sides may differ, because one of them cannot say what the other one says.
    """
    termine = chancery.termine()
    found = []
    for kuerzel in KUERZEL:
        own = {str(n): row for n, row in termine.items() if row["sb"] == kuerzel and word_of(row["text"]) not in apart}
        events = [one for one in chancery.events(kuerzel).values() if word_of(one["summary"]) not in apart]
        if sorted(str(marked(event)) for event in events) != sorted(own):
            found.append(f"{kuerzel}: events of {sorted(str(marked(event)) for event in events)} for {sorted(own)}")
            continue
        found += [difference for event in events if (difference := _apart(own[str(marked(event))], event))]
    losers = audited_losers(chancery)
    count = Counter(word_of(row["text"]) for row in termine.values())
    for word, appointment in people.appointments.items():
        least = 0 if appointment.deleted else 1
        if word not in apart and not least <= count[word] <= 1:
            found.append(f"{word}: {count[word]} appointments ({appointment})")
    shown: dict[str, set[str]] = defaultdict(set)  # a copy carries the mark too
    for event in [one for kuerzel in KUERZEL for one in chancery.events(kuerzel).values()]:
        shown[str(marked(event))] |= _said(event, "summary", "location")
    for fr_nr, row in termine.items():
        word = word_of(row["text"])
        also = shown[str(fr_nr)] if word in apart else set()
        found += _lost(row, people.appointments[word], losers | also)
    return found


def _apart(row: Json, event: Json) -> str | None:
    here = (row["text"], row["ort"] or "", row["uhrzeitVon"][:5])
    there = (event["summary"], event.get("location", ""), event["start"].get("dateTime", "0000-00-00T00:00")[11:16])
    return None if here == there else f"sides differ: {here} | {there}"


def _lost(row: Json, appointment: Appointment, losers: set[str]) -> Iterator[str]:
    for stands, typed in ((row["text"], appointment.texts), (row["ort"] or "", appointment.places)):
        if typed and stands != typed[-1] and typed[-1] not in losers | appointment.discarded:
            yield f"the last edit {typed[-1]} is lost, {stands} stands ({typed})"


def audited_losers(chancery: Chancery) -> set[str]:
    """Return every value that the audit log names as one that did not prevail."""
    with chancery.store.reading() as tx:
        rows = tx.audit._connection.scalars(select(ChangeRow.losing_value))
        return {str(value) for value in rows if value is not None}
