"""The classes of errors of EspoCRM and which answer means which (specification, espocrm.md B1-B3, B8).

Decisions about writes, on the safe side: 500, 502, 504 and 408 after a write are :class:`OutcomeUnknown`, like a
broken connection. Not begun, and so repeated by the client, is a write only when no connection came about or on 425
and 429. Maintenance mode answers before anything is done, but lasts: it is not repeated at once.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

import httpx

from vmh_sync.systems import errors
from vmh_sync.systems.transport import retry_after_seconds

NOT_BEGUN = frozenset({425, 429})
REASON = "X-Status-Reason"

_VALIDATION = re.compile(r"Field validation failure; entityType: (\w+), field: (\w+), type: (\w+)")
_RECORD_GONE = re.compile(r"^Record .+ (does not exist|not found)\.?$")
_CANNOT_RELATE = "Can't relate with non-existing record"
_LINK = re.compile(r"link: (\w+)")
_MAINTENANCE = "maintenance"
_PAGE_LIMIT = re.compile(r"Max size should not exceed (\d+)")

_RULES = {
    "required": "es muss ausgefüllt sein",
    "maxLength": "der Wert ist zu lang",
    "maxCount": "es sind zu viele Einträge",
    "rangeInternal": "die Zahl liegt außerhalb des erlaubten Bereichs",
    "pattern": "der Wert enthält nicht erlaubte Zeichen",
    "emailAddress": "die E-Mail-Adresse ist ungültig",
    "valid": "der Wert ist ungültig",
    "notInternal": "die Adresse liegt im eigenen Netz und steht nicht in webhookAllowedAddressList "
    "(Datei data/config.php von EspoCRM)",
}


class EspoError(errors.ForeignSystemError):
    """A call to EspoCRM failed."""

    system: ClassVar[str] = "espocrm"
    people: ClassVar[str] = "Beim Zugriff auf EspoCRM ist ein Fehler aufgetreten."


class Transient(EspoError, errors.Transient):
    """Nothing happened over there; the same call may be made again."""

    people = "EspoCRM antwortet gerade nicht; der Abgleich wird automatisch wiederholt."


class OutcomeUnknown(EspoError, errors.OutcomeUnknown):
    """A write was sent and nobody knows whether it was processed: read before writing again."""

    people = (
        "EspoCRM hat eine Änderung nicht bestätigt; beim nächsten Abgleich wird nachgesehen, ob sie angekommen ist."
    )


class LoginRejected(EspoError, errors.LoginRefused):
    """401. Never retried: eleven bad logins a minute would lock out the good key as well (B1.8)."""

    people = "EspoCRM lehnt die Anmeldung ab; bitte den API-Schlüssel in den Einstellungen prüfen."


class LockedOut(EspoError, errors.NotDone, errors.Unavailable):
    """403 without any reason: too many bad logins from this address; over after a minute."""

    people = (
        "EspoCRM hat den Zugriff nach zu vielen Fehlanmeldungen für eine Minute gesperrt; "
        "der Abgleich wird automatisch wiederholt."
    )


class Maintenance(EspoError, errors.NotDone, errors.Unavailable):
    """503 in maintenance mode: nothing was done."""

    people = "EspoCRM ist im Wartungsmodus; der Abgleich wird automatisch wiederholt."


class BadConfiguration(EspoError, errors.BadConfiguration):
    """The address is wrong, or the entity or action does not exist in this installation."""

    people = (
        "Die Adresse von EspoCRM stimmt nicht, oder eine benötigte Entität fehlt dort; bitte die Einstellungen prüfen."
    )


class Rejected(EspoError, errors.Rejected):
    """A 4xx that stays: the request is wrong."""

    people = "EspoCRM nimmt die Anfrage so nicht an; bitte die Einrichtung der Felder prüfen."


class ValidationRejected(Rejected):
    """EspoCRM refuses the value of one field; it names only the first bad one."""

    def __init__(self, detail: str, *, entity: str, field: str, rule: str, status: int | None = None) -> None:
        super().__init__(detail, status=status)
        self.entity = entity
        self.field = field
        self.rule = rule

    @property
    def message_for_people(self) -> str:
        """Names field and rule, not the value."""
        return f"EspoCRM nimmt das Feld „{self.field}“ nicht an: {_RULES.get(self.rule, 'der Wert ist ungültig')}."


class PageTooLong(Rejected):
    """400 or 403 that is no missing right: this installation gives at most ``limit`` records a page (recording c22)."""

    def __init__(self, detail: str, *, limit: int, status: int | None = None) -> None:
        super().__init__(detail, status=status)
        self.limit = limit

    @property
    def message_for_people(self) -> str:
        """Names the setting of EspoCRM."""
        return (
            f"EspoCRM gibt höchstens {self.limit} Datensätze je Abfrage heraus (Einstellung recordListMaxSizeLimit); "
            "bitte dort 200 eintragen."
        )


class QueryTooLong(Rejected):
    """414 or 431: the address of the request is longer than the web server takes."""

    people = "Der Webserver vor EspoCRM nimmt so lange Abfragen nicht an; bitte seine Grenze für Adressen erhöhen."


class Forbidden(EspoError, errors.Forbidden):
    """403 with a reason: the API user lacks a right."""

    people = "Dem API-Benutzer fehlt in EspoCRM ein Recht für diese Änderung; bitte seine Rolle prüfen."


class LinkTargetMissing(Forbidden):
    """403: the record to be linked does not exist or is deleted, or may not be read. ``link`` names the link."""

    people = "Der Datensatz, mit dem verknüpft werden soll, existiert in EspoCRM nicht (mehr)."

    def __init__(self, detail: str, *, link: str | None = None, status: int | None = None) -> None:
        super().__init__(detail, status=status)
        self.link = link


class NotFound(EspoError, errors.NotFound):
    """404 on a record: it was deleted or never existed. A state rather than an error."""

    people = "Den Datensatz gibt es in EspoCRM nicht (mehr)."


class DuplicateFound(EspoError, errors.AlreadyExists):
    """409 on a create: EspoCRM found records that look the same and created nothing. ``ids`` are theirs."""

    people = "In EspoCRM gibt es schon einen Datensatz mit demselben Namen oder derselben E-Mail-Adresse."

    def __init__(self, detail: str, *, ids: list[str], status: int | None = None) -> None:
        super().__init__(detail, status=status)
        self.ids = ids


class VersionConflict(EspoError, errors.Conflict):
    """409 on an update: somebody changed the record meanwhile and nothing was written.

    ``values`` are the stored values of the attributes that were to be written, ``version`` is the current one.
    """

    retryable = True
    people = "Der Datensatz wurde in EspoCRM gerade geändert; er wird neu abgeglichen."

    def __init__(self, detail: str, *, values: dict[str, Any], version: int | None, status: int | None = None) -> None:
        super().__init__(detail, status=status)
        self.values = values
        self.version = version


class NameTaken(EspoError, errors.AlreadyExists):
    """409 of the entity or field manager: the entity type, field or link is there already."""

    people = "In EspoCRM gibt es schon etwas mit diesem Namen."


class RecordLocked(EspoError, errors.NotDone):
    """409: somebody locked the record (EspoCRM 10); nothing was written, and nothing will be until it is unlocked.

    ``field`` is the first refused field as people see it, None for a delete.
    """

    people = "Der Datensatz ist in EspoCRM gesperrt; der Abgleich wartet, bis ihn jemand entsperrt."

    def __init__(self, detail: str, *, field: str | None = None, status: int | None = None) -> None:
        super().__init__(detail, status=status)
        self.field = field


class UnexpectedAnswer(EspoError, errors.UnexpectedAnswer):
    """Broken or unexpected JSON."""

    people = "EspoCRM hat unlesbar geantwortet; der Datensatz wurde nicht verändert."


class SpoiltRecord(UnexpectedAnswer, errors.SpoiltRecord):
    """One record in an answer cannot be used."""

    people = (
        "EspoCRM meldet für diesen Datensatz unbrauchbare Angaben; es wurde nichts verändert. "
        "Bitte den Datensatz in EspoCRM prüfen."
    )


def by_answer(response: httpx.Response, *, where: str, write: bool, now: datetime) -> EspoError | None:
    """The error that an answer stands for; None for a success, and for a 409, which the caller reads.

    ``where`` names the call (method and route template).
    """
    status = response.status_code
    if response.is_success or status == 409:
        return None
    if status in (400, 403) and (too_long := _PAGE_LIMIT.search(response.headers.get(REASON, "") or response.text)):
        limit = int(too_long.group(1))
        return PageTooLong(f"{where}: status {status} (a page has at most {limit})", limit=limit, status=status)
    if status == 400:
        return _bad_request(response, where)
    if status == 403:
        return _forbidden(response, where)
    if status == 404:
        return _not_found(response, where)
    detail = f"{where}: status {status}{reason_for_log(response.headers)}"
    if status == 503 and _MAINTENANCE in response.headers.get(REASON, "").lower():
        return Maintenance(detail, status=status)
    if status >= 500 or status in NOT_BEGUN or status == 408:
        unsure = write and status not in NOT_BEGUN
        kind: type[EspoError] = OutcomeUnknown if unsure else Transient
        return kind(detail, status=status, retry_after=retry_after_seconds(response.headers.get("Retry-After"), now))
    by_code: dict[int, type[EspoError]] = {
        401: LoginRejected,
        405: Rejected,
        413: Rejected,
        414: QueryTooLong,
        415: Rejected,
        422: Rejected,
        431: QueryTooLong,
    }
    return by_code.get(status, UnexpectedAnswer)(detail, status=status)


def is_lock_out(response: httpx.Response) -> bool:
    """Whether a 403 is the lock-out after bad logins: it has neither body nor reason (a missing right has one)."""
    return response.status_code == 403 and REASON not in response.headers and not response.content.strip()


def _bad_request(response: httpx.Response, where: str) -> EspoError:
    match = _VALIDATION.search(response.headers.get(REASON, ""))
    if match:
        entity, field, rule = match.groups()
    else:
        entity, (field, rule) = "?", _validation_of_body(response)
    if not field:
        return Rejected(f"{where}: status 400{reason_for_log(response.headers)}", status=400)
    return ValidationRejected(
        f"{where}: field {field} refused ({rule})", entity=entity, field=field, rule=rule, status=400
    )


def _validation_of_body(response: httpx.Response) -> tuple[str, str]:
    try:
        data = response.json()["messageTranslation"]["data"]
        return str(data["field"]), str(data["type"])
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        return "", ""


def _forbidden(response: httpx.Response, where: str) -> EspoError:
    if is_lock_out(response):
        return LockedOut(f"{where}: 403 without reason (too many bad logins)", status=403)
    detail, reason = f"{where}: status 403{reason_for_log(response.headers)}", response.headers.get(REASON, "")
    if _CANNOT_RELATE in reason:
        named = _LINK.search(reason)
        return LinkTargetMissing(detail, link=named.group(1) if named else None, status=403)
    return Forbidden(detail, status=403)


def _not_found(response: httpx.Response, where: str) -> EspoError:
    """Only EspoCRM's own words say that a record is gone; everything else is a wrong address or entity."""
    reason = response.headers.get(REASON)
    detail = f"{where}: status 404{reason_for_log(response.headers)}"
    if reason is not None and (reason == "" or _RECORD_GONE.match(reason)):
        return NotFound(detail, status=404)
    return BadConfiguration(detail, status=404)


def reason_for_log(headers: Mapping[str, str]) -> str:
    """The reason that EspoCRM gives, unless it might carry a value of a record."""
    reason = headers.get(REASON, "")
    harmless = reason and len(reason) <= 160 and "@" not in reason and not re.search(r"\+?\d{6,}\b", reason)
    return f" ({reason})" if harmless else ""
