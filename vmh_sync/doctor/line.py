"""One line of the doctor's report."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    HINT = "hint"  # works, but a person may want to know
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Line:
    """What a check found: German ``text``, and in ``remedy`` what to do (empty when there is nothing to do)."""

    name: str
    level: Level
    text: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the line as plain data."""
        return {"name": self.name, "level": str(self.level), "text": self.text, "remedy": self.remedy}


def ok(name: str, text: str) -> Line:
    """Return a line about something that is as it should be."""
    return Line(name, Level.OK, text)


def hint(name: str, text: str, remedy: str) -> Line:
    """Return a line about something that works with a restriction."""
    return Line(name, Level.HINT, text, remedy)


def problem(name: str, text: str, remedy: str) -> Line:
    """Return a line about something that a person must mend."""
    return Line(name, Level.PROBLEM, text, remedy)
