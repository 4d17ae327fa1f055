"""What Google's calendar lets people do beyond that: occurrences, whole days, invitations, deadlines."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from vmh_sync.sandbox.control import ControlError
from vmh_sync_tests.chaos.calendars import KUERZEL, MOST, calendar_violations, word_of
from vmh_sync_tests.fixtures.chancery import ZONE, Chancery, Json, marked
from vmh_sync_tests.inmemory.world import ZONE as BERLIN
from vmh_sync_tests.property.kalender import people
from vmh_sync_tests.property.kalender.people import PeopleAtWork

DEADLINE_RULES = '[{"name": "Fristen", "notiz": "Notfrist"}]'
_DEADLINE = "Notfrist"
_MORE: Mapping[str, Json] = {
    "open": {"visibility": "public"},
    "closed": {"visibility": "private"},
    "reminders": {"reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]}},
    "attachments": {"attachments": [{"fileUrl": "https://drive.example/1", "title": "Akte"}]},
    "conference": {"conferenceData": {"conferenceId": "abc-defg", "notes": "PIN 1"}},
    "source": {"source": {"url": "https://mandant.example", "title": "Anfrage"}},
    "foreign": {"extendedProperties": {"private": {"zoomId": "1"}, "shared": {"crm": "2"}}},
}
_ODD = ("RRULE:FREQ=WEEKLY;BYDAY=MO,TH;COUNT=9", "RRULE:FREQ=MONTHLY;BYDAY=2TU;COUNT=5")


class PeopleInGoogle(PeopleAtWork):
    """All that people do, and what must be true of it.

    ``hindered``: words of series that Advoware cannot hold; nothing is written to either side of them.
    ``deadlines``: numbers of Termine whose events are put back, however they are changed.
    """

    def __init__(self, chancery: Chancery) -> None:
        super().__init__(chancery)
        self.hindered: set[str] = set()
        self.deadlines: set[int] = set()
        self._in_pieces: set[str] = set()
        self._of_office: set[str] = set()

    def do(self, act: str, seed: int) -> bool:
        """Do one of :data:`ACTS`; what Google refuses to the person is not possible."""
        try:
            return super().do(act, seed)
        except ControlError:
            return False

    # Acts

    def _format_event(self) -> bool:
        if (found := self._event()) is None:
            return False
        values = self.rng.choice([*people.FORMATTED.values(), *_MORE.values()])
        kuerzel, event_id, _ = found
        self._chancery.edit_event(kuerzel, event_id, **values)
        self._given.setdefault(event_id, {}).update(values)
        return True

    def _change_occurrence(self) -> bool:
        """One of a series is moved, renamed, cancelled, or coloured (which counts once the series is renamed)."""
        found = self._series()
        if found is None:
            return False
        kuerzel, event_id, event = found
        begin = datetime.fromisoformat(event["start"]["dateTime"]).astimezone(BERLIN) + timedelta(days=7)
        occurrence = f"{event_id}_{begin.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        later = {
            "start": {"dateTime": (begin + timedelta(hours=2)).isoformat(), "timeZone": ZONE},
            "end": {"dateTime": (begin + timedelta(hours=3)).isoformat(), "timeZone": ZONE},
        }
        values = self.rng.choice([later, {"summary": f"{event['summary']}, anders"}, {"colorId": "3"}, None])
        if values is None:
            self._chancery.drop_event(kuerzel, occurrence)
        else:
            self._chancery.edit_event(kuerzel, occurrence, **values)
        self.hindered.add(word_of(event["summary"]))
        self._in_pieces.add(word_of(event["summary"]))
        return True

    def _odd_series(self) -> bool:
        """A series gets a rule that Advoware does not know, or comes with one."""
        rule = [self.rng.choice(_ODD)]
        if (found := self._series()) is not None and self.rng.random() < 0.5:
            kuerzel, event_id, event = found
            self._chancery.edit_event(kuerzel, event_id, recurrence=rule)
            self.hindered.add(word_of(event["summary"]))
            return True
        if len(self.appointments) >= MOST:
            return False
        word = self._word()
        self._chancery.event(self.rng.choice(KUERZEL), self._text(word), offset=7, recurrence=rule)
        self.hindered.add(word)
        return True

    def _series(self) -> tuple[str, str, Json] | None:
        """A series that stands on both sides and is no deadline: those are entered anew."""
        termine = self._chancery.termine()
        found = [
            (kuerzel, event_id, event)
            for kuerzel in KUERZEL
            for event_id, event in sorted(self._chancery.events(kuerzel).items())
            if "recurrence" in event and "dateTime" in event["start"] and marked(event) in {*map(str, termine)}
            if word_of(event["summary"]) not in self.hindered
        ]
        return self.rng.choice(found) if found else None

    def _whole_day(self) -> bool:
        if self.rng.random() < 0.3 and (termin := self._termin()) is not None and not termin[1]["dauertermin"]:
            self._chancery.edit_termin(termin[0], uhrzeitVon="00:00:00", uhrzeitBis="23:59:00")
            return True
        found = self._event()
        if found is None or "recurrence" in found[2]:
            return False
        day = self.rng.randrange(1, 40)
        clear = {"dateTime": None, "timeZone": None}
        start, end = ({"date": self._chancery.day(day + more).isoformat(), **clear} for more in (0, 2))
        self._chancery.edit_event(found[0], found[1], start=start, end=end)
        return True

    def _invitation(self) -> bool:
        """Somebody else's event: only its organiser changes it, which arrives as any other change does."""
        if len(self.appointments) >= MOST:
            return False
        word = self._word()
        more: Json = {"organizer": {"email": "gericht@justiz.example"}, "iCalUID": f"{word}@justiz.example"}
        self._chancery.event(self.rng.choice(KUERZEL), self._text(word), offset=self.rng.randrange(1, 40), **more)
        return True

    def _imported(self) -> bool:
        if len(self.appointments) >= MOST:
            return False
        word = self._word()
        self._chancery.event(self.rng.choice(KUERZEL), self._text(word), iCalUID=f"{word}@outlook.example")
        return True

    def _new_deadline(self) -> bool:
        if len(self.appointments) >= MOST:
            return False
        text = self._text(self._word())
        offset = self.rng.randrange(1, 40)
        self.deadlines.add(self._chancery.termin(self.rng.choice(KUERZEL), text, offset=offset, notiz=_DEADLINE))
        self._of_office.add(text)
        return True

    def _hand_over(self) -> bool:
        """Moved to a colleague and renamed at once."""
        if (found := self._event()) is None or word_of(found[2]["summary"]) in self._in_pieces:
            return False
        kuerzel, event_id, event = found
        other = KUERZEL[1 - KUERZEL.index(kuerzel)]
        self._chancery.move_event(kuerzel, event_id, other)
        self._chancery.edit_event(other, event_id, summary=self._text(word_of(event["summary"])))
        return True

    def _to_colleague(self) -> bool:
        """A series in pieces stays: Google takes the pieces along, the simulated one does not."""
        state = self.rng.getstate()
        found = self._event()
        self.rng.setstate(state)
        return found is not None and word_of(found[2]["summary"]) not in self._in_pieces and super()._to_colleague()

    def _split_series(self) -> bool:
        return not self.hindered and super()._split_series()

    def _copy(self) -> bool:
        before = set(self.appointments)
        state = self.rng.getstate()
        found = self._event()
        self.rng.setstate(state)
        done = super()._copy()
        rules = "".join(found[2].get("recurrence", ())) if found is not None else ""
        if done and any(part in rules for part in ("MO,TH", "2TU")):  # Google spells rules in an order of its own
            self.hindered |= set(self.appointments) - before
        return done

    def _edit_termin(self) -> bool:
        before = {text for one in self.appointments.values() for text in one.texts}
        done = super()._edit_termin()
        self._of_office |= {text for one in self.appointments.values() for text in one.texts} - before
        return done

    def both_sides(self, seed: int) -> tuple[Callable[[], None], Callable[[], None]] | None:
        """As for others; what the first one types is the office's word."""
        edits = super().both_sides(seed)
        if edits is None:
            return None
        first, second = edits

        def in_advoware() -> None:
            before = {text for one in self.appointments.values() for text in one.texts}
            first()
            self._of_office |= {text for one in self.appointments.values() for text in one.texts} - before

        return in_advoware, second

    # What must be true

    def violations(self) -> list[str]:
        """Return everything that is wrong when all has come to rest."""
        wrong = calendar_violations(self._chancery, self, apart=self.hindered) + self.losses()
        return wrong + self._doubled_series() + self._carried_deadlines()

    def losses(self) -> list[str]:
        """Of a deadline everything is put back."""
        rows = self._chancery.termine()
        held = {str(fr_nr) for fr_nr, row in rows.items() if _DEADLINE in (row.get("notiz") or "")}
        events = {key: event for kuerzel in KUERZEL for key, event in self._chancery.events(kuerzel).items()}
        free = {key: given for key, given in self._given.items() if key in events and marked(events[key]) not in held}
        return [
            f"{key}: {name} is {events[key].get(name)!r}, a person said {value!r}"
            for key, given in free.items()
            for name, value in given.items()
            if not _holds(events[key].get(name), value)
        ]

    def _doubled_series(self) -> list[str]:
        """Advoware cannot hold what they say, so they stand apart, but each of them once."""
        shown = [event for kuerzel in KUERZEL for event in self._chancery.events(kuerzel).values()]
        in_google = Counter(word_of(event["summary"]) for event in shown if "recurringEventId" not in event)
        in_office = Counter(word_of(row["text"]) for row in self._chancery.termine().values())
        return [
            f"{word}: {in_google[word]} events, {in_office[word]} Termine"
            for word in self.hindered
            if in_google[word] > 1
            or in_office[word] > 1
            or not (in_google[word] or in_office[word] or self.appointments[word].deleted)
        ]

    def _carried_deadlines(self) -> list[str]:
        rows = self._chancery.termine()
        kept = {fr_nr: rows[fr_nr] for fr_nr in self.deadlines if fr_nr in rows}
        wrong = [f"deadline {n} says {row['text']}" for n, row in kept.items() if row["text"] not in self._of_office]
        gone = self.deadlines - kept.keys() - self.dropped
        return wrong + [f"deadline {fr_nr} is gone from Advoware" for fr_nr in gone]

    @property
    def dropped(self) -> set[int]:
        """Numbers of Termine that somebody deleted in Advoware."""
        return self._dropped


def _holds(now: Any, said: Any) -> bool:
    """Whether what a person said is still there, whatever else has come to it."""
    if isinstance(said, Mapping):
        return isinstance(now, Mapping) and all(_holds(now.get(name), value) for name, value in said.items())
    if isinstance(said, list) and said and "email" in said[0]:
        return [one["email"] for one in now or []] == [one["email"] for one in said]
    return bool(now == said)


ACTS = (
    *people.ACTS,
    *("change_occurrence", "odd_series", "whole_day", "invitation", "imported", "new_deadline", "hand_over"),
    *("format_event", "to_colleague", "reassign_termin"),
)
