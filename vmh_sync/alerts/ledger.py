"""Which troubles people have been told of, by which way. Pure; kept as JSON by whoever calls."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that a person has to know. German, without values of records.

    ``key`` stands for the same trouble in every look; before its colon stands who found it (``source``).
    """

    key: str
    title: str
    text: str
    link: str | None = None

    @property
    def source(self) -> str:
        """Who found it."""
        return self.key.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one moment. ``certain``: sources of which is known that nothing else is wrong, but for
    ``doubtful`` keys.

    What could not be looked at is not over: such a trouble stays as it is. One whose check or job is gone is over.
    """

    at: datetime
    troubles: Sequence[Trouble]
    certain: frozenset[str]
    doubtful: frozenset[str] = frozenset()

    def says_over(self, key: str) -> bool:
        """Whether a trouble that is not seen is known to be gone."""
        return key not in self.doubtful and key.partition(":")[0] in self.certain


@dataclass(frozen=True, slots=True)
class Known:
    """A trouble that was seen. ``sent`` says by which ways it was told, ``ended`` by which its end was."""

    trouble: Trouble
    since: datetime
    last_seen: datetime
    over: bool = False
    sent: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    marks: dict[str, str] = field(default_factory=dict)
    """What a way wants to remember of it, the id of its task for example."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message that has to leave by one way."""

    key: str
    way: str
    trouble: Trouble
    since: datetime
    over: bool
    mark: str | None = None


class AlertLedger:
    """The troubles that people were told of."""

    def __init__(self, known: Iterable[Known] = ()) -> None:
        self._known = {one.trouble.key: one for one in known}

    @classmethod
    def parse(cls, text: str | None) -> "AlertLedger":
        """Read what :meth:`to_json` wrote; nothing, or something else, is an empty book."""
        try:
            rows = json.loads(text or "[]")
            return cls([_known(row) for row in rows])
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()

    def to_json(self) -> str:
        """Return the book as text."""
        rows = [asdict(one) | {"since": one.since.isoformat(), "last_seen": one.last_seen.isoformat()} for one in self]
        return json.dumps(rows)

    def __iter__(self) -> Iterator[Known]:
        """Iterate over the troubles."""
        return iter(self._known.values())

    def note(self, look: Look, quiet: timedelta) -> None:
        """Enter what was seen: what is new begins, what was not seen for ``quiet`` is over."""
        seen = {trouble.key: trouble for trouble in look.troubles}
        for key, trouble in seen.items():
            before = self._known.get(key)
            if before is None:
                self._known[key] = Known(trouble, look.at, look.at)
            elif before.over:
                # For whoever was not told the end it never was over; for all others it is a new trouble.
                still = tuple(way for way in before.sent if way not in before.ended)
                self._known[key] = replace(before, trouble=trouble, last_seen=look.at, over=False, sent=still, ended=())
            else:
                self._known[key] = replace(before, last_seen=look.at)
        for key, one in list(self._known.items()):
            if key in seen or one.over or not look.says_over(key):
                continue
            # A clock that was set back says nothing; then it is over at once.
            if not timedelta(0) <= look.at - one.last_seen < quiet:
                self._known[key] = replace(one, over=True)
        self._forget()

    def messages(self, ways: Sequence[str]) -> list[Message]:
        """Return what has to be told by these ways: each trouble once, and its end to whoever was told of it."""
        found = []
        for key, one in self._known.items():
            for way in ways:
                due = way in one.sent and way not in one.ended if one.over else way not in one.sent
                if due:
                    found.append(Message(key, way, one.trouble, one.since, one.over, one.marks.get(way)))
        return found

    def told(self, message: Message, mark: str | None = None) -> None:
        """Note that a message has left; ``mark`` is given back with the message of its end."""
        one = self._known.get(message.key)
        if one is None:
            return
        if message.over:
            self._known[message.key] = replace(one, ended=(*one.ended, message.way))
        else:
            marks = one.marks | ({message.way: mark} if mark else {})
            self._known[message.key] = replace(one, sent=(*one.sent, message.way), marks=marks)
        self._forget()

    def _forget(self) -> None:
        self._known = {
            key: one for key, one in self._known.items() if not (one.over and set(one.sent) <= set(one.ended))
        }


def _known(row: dict[str, Any]) -> Known:
    moment: Callable[[str], datetime] = datetime.fromisoformat
    return Known(
        Trouble(**row["trouble"]),
        moment(row["since"]),
        moment(row["last_seen"]),
        bool(row["over"]),
        tuple(row["sent"]),
        tuple(row["ended"]),
        dict(row["marks"]),
    )
