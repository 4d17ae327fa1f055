"""The classes of errors of Advoware and which answer means which (specification, advoware-wire.md 4).

Decisions about writes, on the safe side: a write is repeated by the client only when it was certainly not processed,
that is when no connection came about, or on 425 and 429, by which a server says that it refused to begin. 408, 500,
502, 503 and 504 can come from a relay behind which the write went through, also with a Retry-After: they are
:class:`OutcomeUnknown`, like a broken connection, and the caller looks before it writes again.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

import httpx

from vmh_sync.systems import errors
from vmh_sync.systems.advoware import wire
from vmh_sync.systems.transport import retry_after_seconds

_BLANK = b"\xef\xbb\xbf \t\r\n"
NOT_BEGUN = frozenset({425, 429})
TRANSIENT = frozenset({408, 500, 502, 503, 504}) | NOT_BEGUN


class AdvowareError(errors.ForeignSystemError):
    """A call to Advoware failed."""

    system: ClassVar[str] = "advoware"
    people: ClassVar[str] = "Beim Zugriff auf Advoware ist ein Fehler aufgetreten."


class Transient(AdvowareError, errors.Transient):
    """Nothing happened over there; the same call may be made again."""

    people = "Advoware antwortet gerade nicht; der Abgleich wird automatisch wiederholt."


class OutcomeUnknown(AdvowareError, errors.OutcomeUnknown):
    """A write was sent and nobody knows whether it was processed: look before writing again."""

    people = (
        "Advoware hat eine Änderung nicht bestätigt; beim nächsten Abgleich wird nachgesehen, ob sie angekommen ist."
    )


class Rejected(AdvowareError, errors.Rejected):
    """400, 409, 422: the request is wrong and stays wrong."""

    people = "Advoware nimmt die Angaben so nicht an; bitte die Felder des Datensatzes prüfen."
    said = ""
    """The office's own reason, bounded. It may name values: for tasks and the audit only, never for logs."""


class NotOffered(AdvowareError, errors.Forbidden):
    """403: Advoware's interface does not offer this to us."""

    people = "Advoware bietet diese Änderung über die Schnittstelle nicht an; bitte in Advoware von Hand ändern."


class NotFound(AdvowareError, errors.NotFound):
    """404: there is no such record (any more). A state rather than an error."""

    people = "Den Datensatz gibt es in Advoware nicht (mehr)."


class ConnectorOffline(AdvowareError, errors.Unavailable):
    """The office's connector is offline or unknown; the client holds back its calls for a while."""

    people = (
        "Der Advoware-Server der Kanzlei ist nicht erreichbar; bitte prüfen, ob der Advoware-Dienst dort läuft. "
        "Der Abgleich wird automatisch wiederholt."
    )


class BadConfiguration(AdvowareError, errors.BadConfiguration):
    """A setting is wrong (App-ID not enabled, unusable key or address); never retried by itself."""

    people = (
        "Die Zugangsdaten der Schnittstelle zu Advoware stimmen nicht (App-ID, API-Schlüssel oder Adresse); "
        "bitte die Einstellungen prüfen."
    )


class LoginFailed(AdvowareError, errors.LoginRefused):
    """Advoware refuses user and password, or every token: never hammered."""

    people = (
        "Advoware lehnt die Anmeldung ab; bitte Benutzer, Kennwort und API-Schlüssel in den Einstellungen "
        "und die Uhrzeit dieses Rechners prüfen."
    )


class UnexpectedAnswer(AdvowareError, errors.UnexpectedAnswer):
    """Broken or unexpected JSON."""

    people = "Advoware hat unlesbar geantwortet; der Datensatz wurde nicht verändert."


class SpoiltRecord(UnexpectedAnswer, errors.SpoiltRecord):
    """One record in an answer cannot be used."""

    people = (
        "Advoware meldet für diesen Datensatz unbrauchbare Angaben; es wurde nichts verändert. "
        "Bitte den Datensatz in Advoware prüfen."
    )


class CapabilityMissing(AdvowareError, errors.CapabilityMissing):
    """This installation does not offer the call at all (wire contract 5)."""

    people = "Diese Advoware-Version bietet die benötigte Abfrage nicht an."


class WriteProtected(AdvowareError, errors.WriteProtected):
    """Calendar and proxy writes are switched off (``ADVOWARE_WRITE_PROTECTION``)."""

    people = "Schreiben nach Advoware ist ausgeschaltet (ADVOWARE_WRITE_PROTECTION)."


class NotDeleted(AdvowareError, errors.CapabilityMissing):
    """A deletion was answered as done, and the record stands there still."""

    people = (
        "Advoware hat das Löschen eines Termins bestätigt, ihn aber behalten. Bitte den Termin dort von Hand löschen "
        "und mit `vmh-sync probe` prüfen, ob Advoware dieses Löschen überhaupt zulässt."
    )


_REASONS = ("message", "detail", "error", "title")
_REASON_LIMIT = 200
_MARKUP = re.compile(r"<\s*[a-zA-Z!/]")


def by_text(text: str, where: str, status: int | None) -> AdvowareError | None:
    """The error that a known German text in an answer stands for, or None."""
    if any(marker in text for marker in wire.TEXT_BAD_LOGIN):
        return LoginFailed(f"{where}: bad login", status=status)
    if wire.TEXT_NOT_ENABLED in text:
        return BadConfiguration(f"{where}: App-ID not enabled for this Kanzlei", status=status)
    if any(marker in text for marker in wire.TEXT_OFFLINE):
        return ConnectorOffline(f"{where}: the office's connector is offline", status=status)
    return None


def by_answer(response: httpx.Response, *, where: str, write: bool, now: datetime) -> AdvowareError | None:
    """The error that an answer stands for; None for a success whose body is still to be read.

    ``where`` names the call (method and route template). The known texts count in every error body, and in a 2xx
    whose body is bare text: inside a record they could be somebody's remark.
    """
    status = response.status_code
    if response.is_success and response.content.lstrip(_BLANK)[:1] in (b"{", b"["):
        return None
    known = by_text(response.text, where, status)
    if known is not None:
        known.retry_after = retry_after_seconds(response.headers.get("Retry-After"), now)
        return known
    if response.is_success:
        return None
    error = by_status(status, response.headers, where=where, write=write, now=now)
    if isinstance(error, Rejected):
        error.said = reason_given(response.text)
    return error


def reason_given(body: str) -> str:
    """Return the reason that the body of a refusal gives, on one line and bounded; empty when it gives none."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = body
    if isinstance(told, dict):
        told = next((told[name] for name in _REASONS if isinstance(told.get(name), str)), "")
    if not isinstance(told, str) or _MARKUP.search(told):
        return ""
    plain = "".join(char if char.isprintable() else " " for char in told)
    return " ".join(plain.split())[:_REASON_LIMIT]


def by_status(status: int, headers: Mapping[str, str], *, where: str, write: bool, now: datetime) -> AdvowareError:
    """The error for a status that is no success, when no known text decides."""
    detail = f"{where}: status {status}"
    if status in TRANSIENT or status > 504:
        unsure = write and status not in NOT_BEGUN
        kind: type[AdvowareError] = OutcomeUnknown if unsure else Transient
        return kind(detail, status=status, retry_after=retry_after_seconds(headers.get("Retry-After"), now))
    if status == 404 and "html" in headers.get("Content-Type", ""):
        # A web server's own page: the address is wrong or a relay answers; no statement about the record.
        return UnexpectedAnswer(detail + " as HTML page", status=status)
    by_code: dict[int, type[AdvowareError]] = {
        400: Rejected,
        401: LoginFailed,
        403: NotOffered,
        404: NotFound,
        405: CapabilityMissing,
        409: Rejected,
        422: Rejected,
    }
    return by_code.get(status, UnexpectedAnswer)(detail, status=status)
