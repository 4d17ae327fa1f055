"""What people do in both calendars beyond plain edits: they format, invite, split, restore and hand over."""

import random
from collections.abc import Callable, Mapping
from datetime import timedelta

from vmh_sync_tests.chaos.calendars import KUERZEL, MOST, CalendarPeople, word_of
from vmh_sync_tests.fixtures.chancery import Chancery, Json, marked

FORMATTED: Mapping[str, Json] = {
    "html": {"description": "<b>Akte</b> mitbringen<br>Saal <i>offen</i>"},
    "tentative": {"status": "tentative"},
    "guest": {"attendees": [{"email": "gast@mandant.example", "responseStatus": "needsAction"}]},
    "colour": {"colorId": "7", "transparency": "transparent"},
}
"""What only Google knows; Advoware has no word for it, so it stays as the person left it."""


class PeopleAtWork(CalendarPeople):
    """People of the random histories, one act at a time, who also do what only Google's calendar lets them do."""

    def __init__(self, chancery: Chancery) -> None:
        super().__init__(chancery, random.Random(0))
        self._given: dict[str, Json] = {}
        """What only Google knows, by the id of the event."""
        self._binned: list[tuple[str, str, str]] = []

    def do(self, act: str, seed: int) -> bool:
        """Do one of :data:`ACTS` to something that ``seed`` chooses; returns whether it was possible."""
        self.rng = random.Random(seed)
        return bool(getattr(self, f"_{act}")())

    def losses(self) -> list[str]:
        """Return what a person gave to an event that lives and that it does not have any more."""
        events = {key: event for kuerzel in KUERZEL for key, event in self._chancery.events(kuerzel).items()}
        return [
            f"{event_id}: {name} is {events[event_id].get(name)!r}, a person said {value!r}"
            for event_id, given in self._given.items()
            if event_id in events
            for name, value in given.items()
            if not _still(events[event_id].get(name), value)
        ]

    def _format_event(self) -> bool:
        if (found := self._event()) is None:
            return False
        kuerzel, event_id, _ = found
        values = FORMATTED[self.rng.choice(list(FORMATTED))]
        self._chancery.edit_event(kuerzel, event_id, **values)
        self._given.setdefault(event_id, {}).update(values)
        return True

    def both_sides(self, seed: int) -> tuple[Callable[[], None], Callable[[], None]] | None:
        """Choose an appointment that stands on both sides; return an edit of its Termin and one of its event."""
        self.rng = random.Random(seed)
        if (found := self._termin()) is None:
            return None
        (fr_nr, row), named = found, self.rng.random() < 0.7
        word, kuerzel = word_of(row["text"]), row["sb"]
        event_id = next((key for key, one in self._chancery.events(kuerzel).items() if marked(one) == str(fr_nr)), None)
        if event_id is None:
            return None

        def in_advoware() -> None:
            if fr_nr in self._chancery.termine():
                values = {"text": self._text(word)} if named else {"ort": self._place(word)}
                self._chancery.edit_termin(fr_nr, **values)

        def in_google() -> None:
            if event_id in self._chancery.events(kuerzel):
                self._chancery.edit_event(kuerzel, event_id, summary=self._text(word))

        return in_advoware, in_google

    def _edit_both(self) -> bool:
        if (edits := self.both_sides(self.rng.randrange(1000))) is None:
            return False
        for edit in edits:
            edit()
        return True

    def _edit_event_twice(self) -> bool:
        return self._edit_event() and self._edit_event()

    def _move_event(self) -> bool:
        """A series that is moved to another weekday asks a person first."""
        state = self.rng.getstate()
        found = self._event()
        self.rng.setstate(state)
        return found is not None and "recurrence" not in found[2] and super()._move_event()

    def _new_series(self) -> bool:
        kuerzel = self.rng.choice(KUERZEL)
        if len(self.appointments) >= MOST:
            return False
        text = self._text(self._word())
        self._chancery.event(kuerzel, text, offset=7, recurrence=["RRULE:FREQ=WEEKLY;COUNT=8"])
        return True

    def _split_series(self) -> bool:
        """This and all following: the series ends, a copy with our marks goes on under another text."""
        if len(self.appointments) >= MOST or (found := self._event()) is None or "recurrence" not in found[2]:
            return False
        kuerzel, event_id, event = found
        if "COUNT=4" in event["recurrence"][0] or "UNTIL" in event["recurrence"][0]:
            return False
        first = self._chancery.day(7)
        until = f"{first + timedelta(days=27):%Y%m%d}T225959Z"
        self._chancery.edit_event(kuerzel, event_id, recurrence=[f"RRULE:FREQ=WEEKLY;UNTIL={until}"])
        day = (first + timedelta(days=28)).isoformat()
        later: Json = {
            name: {**event[name], "dateTime": f"{day}{event[name]['dateTime'][10:19]}"} for name in ("start", "end")
        }
        later |= {"summary": self._text(self._word()), "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=4"]}
        self._chancery.copy_event(kuerzel, event_id, **later)
        return True

    def _reassign_termin(self) -> bool:
        if (found := self._termin()) is None:
            return False
        fr_nr, row = found
        other = KUERZEL[1 - KUERZEL.index(row["sb"])]
        owners = {name: other for name in ("sb", "anwalt") if row[name] == row["sb"]}
        self._chancery.edit_termin(fr_nr, **owners)
        return True

    def _drop_event(self) -> bool:
        before = {kuerzel: self._chancery.events(kuerzel) for kuerzel in KUERZEL}
        done = super()._drop_event()
        for kuerzel, events in before.items():
            gone = events.keys() - self._chancery.events(kuerzel).keys()
            self._binned += [(kuerzel, event_id, events[event_id]["summary"]) for event_id in gone]
        return done

    def _restore_event(self) -> bool:
        """Somebody takes an event out of the bin, as long as nothing else stands in its place."""
        texts = [event["summary"] for kuerzel in KUERZEL for event in self._chancery.events(kuerzel).values()]
        texts += [row["text"] for row in self._chancery.termine().values()]
        there = {word_of(text) for text in texts}
        left = [one for one in self._binned if word_of(one[2]) not in there]
        if not left:
            return False
        kuerzel, event_id, _ = self.rng.choice(left)
        self._chancery.edit_event(kuerzel, event_id, status="confirmed")
        self._given.get(event_id, {}).pop("status", None)
        return True


def _still(now: object, said: object) -> bool:
    if isinstance(now, list) and isinstance(said, list):
        return [one["email"] for one in now] == [one["email"] for one in said]
    return now == said


NEW = ("new_termin", "new_event", "new_series")
ACTS = (
    *NEW,
    *("edit_termin", "edit_event", "edit_both", "edit_event_twice", "move_termin", "move_event", "to_colleague"),
    *("copy", "split_series", "format_event", "reassign_termin", "drop_termin", "drop_event", "restore_event"),
)
