"""Why a party could not be synced, apart from the foreign systems' own errors."""


class StillMoving(Exception):
    """The record was edited again and again while we tried to write; the next pass goes on."""


class Refused(Exception):
    """The record must not be synced as it stands; ``str`` is the German sentence for its owner."""


class PartFailed(Exception):
    """A part could not be synced; the rest was. Carries the part's German name and the error."""

    def __init__(self, label: str, cause: Exception) -> None:
        super().__init__(f"{label}: {type(cause).__name__}")
        self.label = label
        self.cause = cause


class EmptierThanAParty(Exception):
    """An answer without any name: no party is like that, so nothing of it is believed (invariant 5)."""
