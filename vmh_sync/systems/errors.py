"""One tree of errors for all foreign systems; callers catch by what an error *means*, whichever system it came from.

::

    ForeignSystemError
    ├── NotDone                     certainly nothing was carried out
    │   ├── Transient               not sent, held back, 425, 429, or a read: the same call may be made again
    │   ├── Rejected                400, 409, 422: the request is wrong and stays wrong
    │   ├── Forbidden               403: this is not allowed to us, or not offered
    │   ├── CapabilityMissing       405 or known not to exist: this installation cannot do it at all
    │   ├── NotFound                404, 410: there is no such record (any more); a state rather than an error
    │   ├── AlreadyExists           409 on a create: it is there, or something that looks the same
    │   ├── Conflict                409, 412 on an update: somebody changed the record meanwhile
    │   ├── LoginRefused            the credential is refused; never repeated by itself (``systems.circuit``)
    │   ├── BadConfiguration        a setting is wrong: address, key, App-ID
    │   └── WriteProtected          writing is switched off by a setting
    ├── Unavailable                 the system says of itself that it is away (offline, maintenance, lock-out)
    ├── OutcomeUnknown              a write was sent and nobody knows whether it was carried out: look before writing
    └── UnexpectedAnswer            an answer that cannot be read, or not the whole one

Each system derives its own classes from its base (``AdvowareError``, ``EspoError``, ``GoogleCalendarError``) *and* from
the meaning here: ``except errors.OutcomeUnknown`` catches all three. Whether a create may be given up and begun afresh
is one question with one answer, :attr:`ForeignSystemError.certainly_not_done`. No message carries a value of a record:
ids, field names and classes of errors only.
"""

from typing import ClassVar

_CLIENT_ERRORS = range(400, 500)
_REQUEST_TIMEOUT = 408
"""A relay says so too, after it had passed the request on."""


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
        self.held_back = False
        """True: the client did not send the call at all, because of what an earlier one met."""

    @property
    def certainly_not_done(self) -> bool:
        """True when the call certainly changed nothing over there, so that a write may be made afresh.

        True for a call that was not sent or was held back, for 425 and 429, for a refused login and for every other
        4xx. False for 408, 5xx, time-outs, broken connections and answers that cannot be read.
        """
        return self.held_back or (self.status in _CLIENT_ERRORS and self.status != _REQUEST_TIMEOUT)

    @property
    def message_for_people(self) -> str:
        """One German sentence: what is wrong and what the user can do. No personal data."""
        return self.people


class NotDone(ForeignSystemError):
    """Certainly nothing was carried out."""

    @property
    def certainly_not_done(self) -> bool:
        """Always true."""
        return True


class Transient(NotDone):
    """The same call may be made again, now or a little later."""

    retryable = True


class Rejected(NotDone):
    """The request is wrong and stays wrong."""


class Forbidden(NotDone):
    """We are not allowed to do this, or it is not offered to us."""


class CapabilityMissing(NotDone):
    """This installation cannot do it at all."""


class NotFound(NotDone):
    """There is no such record (any more). A state rather than an error."""


class AlreadyExists(NotDone):
    """What was to be created is there already, or something that looks the same."""


class Conflict(NotDone):
    """Somebody changed the record since it was read: read again, plan again."""


class LoginRefused(NotDone):
    """The system refuses our credential. Never repeated by itself: too many refusals lock out the good one as well."""

    concerns_all = True

    @property
    def message_for_people(self) -> str:
        """What is wrong, when it is tried again, and what tries it before."""
        if self.retry_after is None:
            return self.people
        minutes = max(1, round(self.retry_after / 60))
        when = "in etwa einer Minute" if minutes == 1 else f"in etwa {minutes} Minuten"
        return (
            f"{self.people} Bis dahin wartet der Abgleich; der nächste Versuch folgt von selbst {when}. "
            "Ist das berichtigt, prüft `vmh-sync doctor` die Anmeldung sofort und gibt sie frei."
        )


class BadConfiguration(NotDone):
    """A setting is wrong; nothing gets better by trying again."""

    concerns_all = True


class WriteProtected(NotDone):
    """Writing is switched off by a setting."""


class ShadowOperation(WriteProtected):
    """Nothing may be written beside the system before this one (``VMH_SHADOW``)."""

    concerns_all = True
    people = "Schattenbetrieb (VMH_SHADOW): Es wird nur gelesen und geplant, nichts geschrieben."


class Unavailable(ForeignSystemError):
    """The system itself says that it is away for a while."""

    retryable = True
    concerns_all = True


class OutcomeUnknown(ForeignSystemError):
    """A write was sent and nobody knows whether it was carried out: look before writing again."""

    retryable = True

    @property
    def certainly_not_done(self) -> bool:
        """Never true, whatever the status says."""
        return False


class UnexpectedAnswer(ForeignSystemError):
    """An answer that cannot be read, is not what was asked for, or is not the whole.

    ``problems`` names fields and classes of errors, never values.
    """

    retryable = True
    of_one_record = False
    """True: the answer was JSON, and one record in it holds what nobody can use. It is that record's own fault."""

    def __init__(
        self,
        detail: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        problems: tuple[str, ...] = (),
    ) -> None:
        named = f"{detail}: {', '.join(problems)}" if problems else detail
        super().__init__(named, status=status, retry_after=retry_after)
        self.problems = problems


class SpoiltRecord(UnexpectedAnswer):
    """A record with a field of a wrong kind, or with a value that nobody can hold. ``problems`` names the fields."""

    of_one_record = True

    @property
    def message_for_people(self) -> str:
        """Names the fields, not the values."""
        named = ", ".join(self.problems[:5])
        return f"{self.people} Betroffen: {named}." if named else self.people


class NotSentError(Exception):
    """Below the clients: no connection, so nothing was sent. ``str`` is the class of the cause."""


class NoAnswerError(Exception):
    """Below the clients: the request was (perhaps partly) sent and no whole answer came back."""
