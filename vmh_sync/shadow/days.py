"""What a day of shadow operation found, and how it compares with the days before. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from vmh_sync.whole_file import write_whole


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One thing that we would have done: on which record, where, what and to which fields. No values."""

    entity: str
    record: str
    """EspoCRM id of the record; of an appointment its Kürzel and number, or the event's id if it has none yet."""
    target: str
    what: str
    fields: tuple[str, ...] = ()

    @classmethod
    def of(cls, entity: str, row: Mapping[str, Any]) -> "Difference":
        """Read a row of a dry run's plan."""
        if "kuerzel" in row:
            record, target, what = f"{row['kuerzel']} {row['frNr'] or row['event'] or ''}".strip(), "", str(row["what"])
        else:
            record, what = str(row["id"]), str(row.get("kind") or row["action"])
            target = " ".join(str(row[key]) for key in ("side", "entity", "key") if row.get(key))
        return cls(entity, record, target, what, tuple(sorted(map(str, row["fields"]))))

    def to_json(self) -> list[Any]:
        """Return the difference as it is stored."""
        return [self.entity, self.record, self.target, self.what, list(self.fields)]

    @classmethod
    def from_json(cls, stored: Sequence[Any]) -> "Difference":
        """Read what was stored."""
        entity, record, target, what, fields = stored
        return cls(entity, record, target, what, tuple(fields))


@dataclass(frozen=True, slots=True)
class Day:
    """The differences of one day, and the failures by entity and record (German sentences without values)."""

    day: date
    looked_at: Mapping[str, int] = field(default_factory=dict)
    """Records looked at, by entity."""
    differences: frozenset[Difference] = frozenset()
    failures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShadowReport:
    """A day compared with the days before it."""

    today: Day
    new: tuple[Difference, ...]
    standing: Mapping[Difference, int]
    """Differences that stood at the last look, too, and for how many days: the old system does not settle them."""
    settled: tuple[Difference, ...]
    """Differences of the last look that are gone: the old system, or a person, has settled them."""

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "day": self.today.day.isoformat(),
            "looked_at": dict(self.today.looked_at),
            "new": [one.to_json() for one in self.new],
            "standing": [[*one.to_json(), days] for one, days in sorted(self.standing.items())],
            "settled": [one.to_json() for one in self.settled],
            "failures": dict(self.today.failures),
        }


def compare(today: Day, earlier: Iterable[Day]) -> ShadowReport:
    """Compare a day with the days before it, in any order; a day that was not looked at neither adds nor ends."""
    before = sorted((day for day in earlier if day.day < today.day), key=lambda day: day.day, reverse=True)
    last = before[0].differences if before else frozenset()
    standing = {one: (today.day - _since(one, before)).days for one in today.differences & last}
    return ShadowReport(
        today,
        tuple(sorted(today.differences - last)),
        standing,
        tuple(sorted(last - today.differences)),
    )


def _since(one: Difference, before: Sequence[Day]) -> date:
    """Return the first day of the unbroken row in which a difference stood; ``before`` is newest first."""
    first = before[0].day
    for day in before:
        if one not in day.differences:
            break
        first = day.day
    return first


class DayFiles:
    """Reads and writes days; a day that is looked at again is replaced."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "shadow"

    def read(self) -> list[Day]:
        """Return every day, oldest first."""
        return [self._day(path) for path in sorted(self._folder.glob("*.json"))]

    def write(self, day: Day) -> Path:
        """Keep a day, whole or not at all; returns its file. Raises ``OSError``."""
        path = self._folder / f"{day.day.isoformat()}.json"
        stored = {
            "looked_at": dict(day.looked_at),
            "differences": [one.to_json() for one in sorted(day.differences)],
            "failures": dict(day.failures),
        }
        write_whole(path, json.dumps(stored, ensure_ascii=False))
        return path

    @staticmethod
    def _day(path: Path) -> Day:
        stored = json.loads(path.read_text(encoding="utf-8"))
        found = frozenset(Difference.from_json(one) for one in stored["differences"])
        return Day(date.fromisoformat(path.stem), stored["looked_at"], found, stored["failures"])
