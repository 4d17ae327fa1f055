"""Google Calendar's answers as a readable hierarchy of exceptions.

Messages carry the operation, the HTTP status and Google's ``reason`` only: Google's own text may quote what was
sent, and what was sent is personal. The classes follow specification, kalender.md 1 ("Errors").
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vmh_sync.systems import errors

RATE_REASONS = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What Google answered, without its free text.

    HTTP status (None: no answer), error reason, seconds of the ``Retry-After`` header.
    """

    status: int | None
    reason: str
    retry_after: float | None = None


class GoogleCalendarError(errors.ForeignSystemError):
    """A call to Google Calendar failed.

    ``operation`` is the API method (``events.insert``), ``reason`` Google's reason word.
    ``after_lost_answer`` says that an earlier attempt of the same call may have been carried out.
    """

    system: ClassVar[str] = "google"
    people: ClassVar[str] = "Google Kalender hat die Anfrage abgelehnt."

    def __init__(self, operation: str, answer: Answer) -> None:
        self.operation = operation
        self.reason = answer.reason
        self.after_lost_answer = False
        detail = f"{operation} failed: status {answer.status}, reason {answer.reason}"
        super().__init__(detail, status=answer.status, retry_after=answer.retry_after)


class TransientError(GoogleCalendarError):
    """Worth another attempt after a pause."""

    retryable: ClassVar[bool] = True
    people: ClassVar[str] = "Google Kalender ist gerade nicht erreichbar; es wird später erneut versucht."


class RateLimitedError(TransientError, errors.Transient):
    """403 rateLimitExceeded, userRateLimitExceeded, quotaExceeded, or 429: too fast; nothing was carried out."""

    concerns_all: ClassVar[bool] = True
    people: ClassVar[str] = "Google lässt im Moment keine weiteren Anfragen zu; es geht automatisch weiter."


class ConnectError(TransientError, errors.Transient):
    """The request never left this machine (refused, no such host, token service not reachable)."""

    concerns_all: ClassVar[bool] = True


class ServerError(TransientError, errors.OutcomeUnknown):
    """5xx, 408 or 409 conflict inside a batch: a write may or may not have been carried out."""


class UnknownOutcomeError(TransientError, errors.OutcomeUnknown):
    """The request was sent and no answer came: a write may or may not have been carried out."""


class InvalidRequestError(GoogleCalendarError, errors.Rejected):
    """400: the request itself is wrong; sending it again changes nothing."""


class InvalidCredentialsError(GoogleCalendarError, errors.LoginRefused):
    """401 after one refresh, or the token service refused the service account (key, subject or scopes)."""

    concerns_all: ClassVar[bool] = True
    people: ClassVar[str] = "Die Anmeldung bei Google ist fehlgeschlagen; bitte den Schlüssel des Dienstkontos prüfen."


class DelegationRefusedError(InvalidCredentialsError):
    """The token service does not let the service account act as the delegation subject; by itself it may go on."""

    concerns_all: ClassVar[bool] = False
    people: ClassVar[str] = (
        "Google lässt das Dienstkonto nicht als die Person aus GOOGLE_CALENDAR_SUBJECT handeln; bitte die Adresse und "
        "die domänenweite Delegierung in der Google-Verwaltung prüfen."
    )


class ForbiddenError(GoogleCalendarError, errors.Forbidden):
    """403 that is no rate limit: no access, or not enough of it (``forbidden…``, ``requiredAccessLevel``)."""

    people: ClassVar[str] = (
        "Für diesen Google-Kalender fehlt die Berechtigung; bitte die Freigabe für das Dienstkonto prüfen."
    )


class MayNotInviteError(ForbiddenError):
    """403 forbiddenForServiceAccounts: without delegation we invite nobody."""

    people: ClassVar[str] = "Gäste einladen kann in diesem Google-Kalender nur ein Mensch, nicht das Dienstkonto."


class AccessTooLowError(ForbiddenError):
    """403 requiredAccessLevel: our role on this calendar is too low, so no write to any of its events can succeed."""

    people: ClassVar[str] = (
        "Der Google-Kalender ist für das Dienstkonto nur zum Lesen freigegeben; bitte Schreibrecht erteilen."
    )


class InsufficientPermissionsError(ForbiddenError):
    """403 insufficientPermissions: the token lacks the scope."""

    concerns_all: ClassVar[bool] = True
    people: ClassVar[str] = "Dem Dienstkonto fehlt bei Google die Freigabe für Kalender."


class NotFoundError(GoogleCalendarError, errors.NotFound):
    """404: no such calendar or event, or no access to it (Google does not say which)."""

    people: ClassVar[str] = "Kalender oder Termin ist bei Google nicht (mehr) vorhanden oder nicht freigegeben."


class DuplicateError(GoogleCalendarError, errors.AlreadyExists):
    """409 duplicate: the event id is taken, also by a deleted event (then use a new generation)."""

    people: ClassVar[str] = "Der Termin ist im Google-Kalender schon vorhanden."


class GoneError(GoogleCalendarError, errors.NotFound):
    """410 in one of its three kinds, see the subclasses."""

    people: ClassVar[str] = "Der Termin wurde im Google-Kalender bereits gelöscht."


class FullSyncRequiredError(GoneError):
    """410 fullSyncRequired: the sync token is dead; forget it and read everything."""

    people: ClassVar[str] = "Google verlangt, den Kalender vollständig neu zu lesen."


class UpdatedMinTooLongAgoError(GoneError):
    """410 updatedMinTooLongAgo: ``updatedMin`` lies further back than Google remembers."""

    people: ClassVar[str] = "Google verlangt, den Kalender vollständig neu zu lesen."


class AlreadyDeletedError(GoneError):
    """410 deleted: the event was deleted before; for a delete this is success."""


class PreconditionFailedError(GoogleCalendarError, errors.Conflict):
    """412: the event changed since it was read; read again, plan again."""

    people: ClassVar[str] = "Der Termin wurde inzwischen in Google geändert; er wird neu abgeglichen."


class IncompleteReadError(GoogleCalendarError, errors.UnexpectedAnswer):
    """A list ended without a sync token or without end: its content must not be taken for the whole."""

    retryable: ClassVar[bool] = True
    people: ClassVar[str] = "Google hat den Kalender nicht vollständig geliefert; es wurde nichts geändert."


class UnreadableEventError(GoogleCalendarError, errors.UnexpectedAnswer):
    """An answer about one event that nobody can use; a write may have been carried out."""

    retryable: ClassVar[bool] = True
    of_one_record = True
    people: ClassVar[str] = "Google hat ein Ereignis unlesbar geliefert; es wird später wieder versucht."


_FORBIDDEN: Mapping[str, type[ForbiddenError]] = {
    "forbiddenForServiceAccounts": MayNotInviteError,
    "insufficientPermissions": InsufficientPermissionsError,
    "insufficientAuthenticationScopes": InsufficientPermissionsError,
    "requiredAccessLevel": AccessTooLowError,
}

_GONE: Mapping[str, type[GoneError]] = {
    "fullSyncRequired": FullSyncRequiredError,
    "updatedMinTooLongAgo": UpdatedMinTooLongAgoError,
    "deleted": AlreadyDeletedError,
}


def reason_of(body: bytes | str) -> str:
    """Return Google's error reason from a response body, or ``unknown`` when the body holds none."""
    try:
        error = json.loads(body)["error"]
        if isinstance(error, str):  # the token service answers in OAuth's form
            return error
        return str(error["errors"][0]["reason"])
    except (ValueError, KeyError, IndexError, TypeError):
        return "unknown"


def from_answer(operation: str, answer: Answer) -> GoogleCalendarError:
    """Turn a failed answer into the exception that says what may be done about it."""
    return _class_for(answer)(operation, answer)


def _class_for(answer: Answer) -> type[GoogleCalendarError]:
    status = answer.status or 0
    if status == 429 or (status == 403 and answer.reason in RATE_REASONS):
        return RateLimitedError
    if status == 403:
        return _FORBIDDEN.get(answer.reason, ForbiddenError)
    if status == 409:
        return ServerError if answer.reason == "conflict" else DuplicateError
    if status == 410:
        return _GONE.get(answer.reason, GoneError)
    if status >= 500 or status == 408:
        return ServerError
    return {401: InvalidCredentialsError, 404: NotFoundError, 412: PreconditionFailedError}.get(
        status, InvalidRequestError
    )
