"""What all errors of the foreign systems have in common.

Each system has its own hierarchy (``advoware.errors``, ``espocrm.errors``) under :class:`ForeignSystemError`, so a
caller can treat both alike. No message carries a value of a record: ids, field names and classes of errors only.
"""

from typing import ClassVar


class ForeignSystemError(Exception):
    """A call to a foreign system did not do what it was made for.

    ``str(error)`` is one English line for developers and logs; ``message_for_people`` one German sentence for
    ``syncErrorMessage`` and the command line.
    """

    system: ClassVar[str] = "?"
    retryable: ClassVar[bool] = False
    """True: the same call may succeed later without anybody changing anything."""
    concerns_all: ClassVar[bool] = False
    """True: the fault lies with the system or the settings, so no single record is to be blamed for it."""
    people: ClassVar[str] = "Beim Zugriff auf ein anderes System ist ein Fehler aufgetreten."

    def __init__(self, detail: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(f"{self.system}: {detail}")
        self.detail = detail
        self.status = status
        """HTTP status of the answer, None when there was none."""
        self.retry_after = retry_after
        """Seconds that the system asked us to wait, or that the client itself will still hold back."""

    @property
    def message_for_people(self) -> str:
        """One German sentence: what is wrong and what the user can do. No personal data."""
        return self.people


class NotSentError(Exception):
    """Below the clients: no connection, so nothing was sent. ``str`` is the class of the cause."""


class NoAnswerError(Exception):
    """Below the clients: the request was (perhaps partly) sent and no whole answer came back."""
