"""What one pass knows about each side of a pair, and the circumstances under which it decides."""

from dataclasses import dataclass
from enum import StrEnum

from vmh_sync.kalender.form.event_identity import event_id
from vmh_sync.kalender.form.google_form import ReadEvent
from vmh_sync.kalender.form.window import Window
from vmh_sync.kalender.model import Appointment, CalendarRules, PairState, TerminFields


class Presence(StrEnum):
    """What a read says about one appointment on one side."""

    PRESENT = "present"
    UNCHANGED = "unchanged"  # a delta list did not name it: it is as the base says
    DELETED = "deleted"  # the list says so expressly
    MISSING = "missing"  # a complete list does not name it
    UNKNOWN = "unknown"  # the read was incomplete, or the item could not be read


@dataclass(frozen=True, slots=True)
class AdvowareView:
    """Advoware's side. ``termin`` and ``form`` are there exactly when ``presence`` is ``PRESENT``."""

    presence: Presence
    termin: TerminFields | None = None
    form: Appointment | None = None


@dataclass(frozen=True, slots=True)
class GoogleView:
    """Google's side. ``event`` is there exactly when ``presence`` is ``PRESENT``."""

    presence: Presence
    event: ReadEvent | None = None


@dataclass(frozen=True, slots=True)
class DecisionContext:
    """Whose calendar, which window, which settings.

    ``google_deletions_trusted`` is false when a whole calendar came back empty: then nothing is deleted in Advoware.
    """

    kuerzel: str
    window: Window
    rules: CalendarRules
    kanzlei: str = ""
    full_content: bool = True
    google_deletions_trusted: bool = True

    def new_event_id(self, fr_nr: int, generation: int) -> str:
        """Return the deterministic event id of a Termin in this calendar."""
        return event_id(self.kanzlei, self.kuerzel, fr_nr, generation)

    @property
    def may_create(self) -> bool:
        """Tell whether new Termine may be created in Advoware."""
        return not self.rules.write_protection and self.rules.write_allowed_default

    def may_write(self, pair: PairState) -> bool:
        """Tell whether Advoware may be written for this pair."""
        return not self.rules.write_protection and pair.write_allowed and pair.fr_nr >= 0
