"""One line of the doctor's report."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from vmh_sync.clock import FIRM_ZONE, Clock
from vmh_sync.systems.circuit import PERSON_GAP_SECONDS
from vmh_sync.systems.errors import ForeignSystemError


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


_NOT_TRIED = (
    f"Das ist der Stand von eben: So kurz nach einer Ablehnung wurde nicht noch einmal geprüft. Wer inzwischen etwas "
    f"berichtigt hat, ruft `vmh-sync doctor` in {PERSON_GAP_SECONDS:.0f} Sekunden noch einmal auf."
)


def held_back_text(error: ForeignSystemError, clock: Clock) -> str:
    """Return what a failed login is about, and until when nobody tries it again."""
    if error.retry_after is None:
        return error.message_for_people
    until = (clock.now() + timedelta(seconds=error.retry_after)).astimezone(FIRM_ZONE)
    told = f"{error.people} Bis {until:%H:%M:%S} Uhr versucht es niemand wieder; danach geht es von selbst weiter."
    return f"{told} {_NOT_TRIED}" if error.held_back else told


def ok(name: str, text: str) -> Line:
    """Return a line about something that is as it should be."""
    return Line(name, Level.OK, text)


def hint(name: str, text: str, remedy: str) -> Line:
    """Return a line about something that works with a restriction."""
    return Line(name, Level.HINT, text, remedy)


def problem(name: str, text: str, remedy: str) -> Line:
    """Return a line about something that a person must mend."""
    return Line(name, Level.PROBLEM, text, remedy)
