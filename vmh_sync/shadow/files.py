"""The days of shadow operation on disk: ``VMH_HOME/shadow/YYYY-MM-DD.json``, without a value of the firm."""

import json
from datetime import date
from pathlib import Path

from vmh_sync.shadow.days import Day, Difference
from vmh_sync.whole_file import write_whole


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
