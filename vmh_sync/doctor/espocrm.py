"""Checks of EspoCRM: login and rights, clock, versions, webhooks, fields (specification, espocrm.md B2 to B12)."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from vmh_sync.adressen.part import KIND as ADRESSEN
from vmh_sync.bankverbindungen.part import KIND as BANKVERBINDUNGEN
from vmh_sync.beteiligte import fields as beteiligte
from vmh_sync.beteiligte.party import ENTITY as BETEILIGTE
from vmh_sync.children.kind import ACTIVE, ChildKind
from vmh_sync.clock import Clock
from vmh_sync.crm_setup.rights import lacking_rights
from vmh_sync.doctor.clocks import clock_line
from vmh_sync.doctor.crm_installation import check_installation
from vmh_sync.doctor.crm_tasks import check_tasks
from vmh_sync.doctor.line import Line, held_back_text, hint, ok, problem
from vmh_sync.doctor.open_api import Described, as_described, described, left_out_lines
from vmh_sync.doctor.reach import Address, bad_address, why_unreachable
from vmh_sync.doctor.schema import Expected, compare
from vmh_sync.engine.installation.field_tables import FieldChanges
from vmh_sync.entities import with_records
from vmh_sync.orchestration.entity_room import EntityRoom, room_of
from vmh_sync.overview.webhook_addresses import second_gateway
from vmh_sync.settings import EspoCrmSettings
from vmh_sync.sync.fields import override
from vmh_sync.sync.reporting.status import SyncStatus
from vmh_sync.sync.reporting.status_values import STATUS_ATTRIBUTES
from vmh_sync.systems.circuit import CircuitStore
from vmh_sync.systems.errors import LoginRefused
from vmh_sync.systems.espocrm.client import EspoClient, open_espocrm
from vmh_sync.systems.espocrm.errors import EspoError, Forbidden
from vmh_sync.systems.retry import RetryPolicy
from vmh_sync.systems.transport import http_date

LOGIN = "EspoCRM-Anmeldung"
SET_UP = "EspoCRM-Einrichtung"
RIGHTS = "EspoCRM-Rechte"
VERSIONS = "Versionsprüfung"
WEBHOOKS = "Webhooks"
FIELD_TABLES = "Feldtabellen"

_LOGIN_REMEDY = "ESPOCRM_API_BASE_URL und ESPOCRM_API_KEY prüfen; `vmh-sync crm setup` legt einen API-Benutzer an."
_PARTY_NEEDED = ("betnr", "syncStatus")
# Only set by people, or not written at all.
_NEVER_WRITTEN = frozenset({SyncStatus.SYNCING})


async def check_espocrm(
    settings: EspoCrmSettings, changes: FieldChanges, clock: Clock, circuits: CircuitStore | None = None
) -> list[Line]:
    """Log in once and look at the live system; reads only. ``changes`` are the operator's field table changes.

    ``circuits`` holds the login's state that all processes share: a login that was refused moments ago is not tried.
    """
    address = Address("ESPOCRM_API_BASE_URL", settings.api_base_url)
    unwritten = bad_address(LOGIN, address)
    if unwritten is not None:
        return [unwritten]
    async with open_espocrm(
        settings, clock=clock, retry=RetryPolicy(attempts=1), circuits=circuits, person=True
    ) as espo:
        try:
            # First and alone: a second call with a bad key would bring the lock-out nearer (B1.8).
            user = await espo.app_user()
        except EspoError as error:
            if not isinstance(error, LoginRefused):
                way = await asyncio.to_thread(why_unreachable, LOGIN, address, clock)
                if way is not None:
                    return [way]
            host = urlsplit(settings.api_base_url).hostname
            return [problem(LOGIN, f"{held_back_text(error, clock)} ({host})", _LOGIN_REMEDY)]
        lines = [_who(user), *_rights(user)]
        try:
            lines += [await _clock(espo, clock), await _versions(espo)]
            lines += await _schema(espo, changes, await described(espo, settings, clock))
            lines += await check_tasks(espo, settings)
            lines += await check_installation(espo, settings, clock)
        except EspoError as error:
            remedy = "Das Protokoll von EspoCRM ansehen (Verwaltung → Protokoll) und `vmh-sync doctor` wiederholen."
            lines.append(
                problem(SET_UP, f"Nicht alles war anzusehen: EspoCRM antwortet falsch ({error.detail}).", remedy)
            )
        return [*lines, await _webhooks(espo, settings)]


def _who(user: Mapping[str, Any]) -> Line:
    kind = (user.get("user") or {}).get("type")
    if kind != "api":
        return hint(
            LOGIN,
            "Anmeldung gelungen, aber nicht mit einem API-Benutzer.",
            "In EspoCRM einen eigenen API-Benutzer anlegen, damit seine Änderungen erkennbar sind.",
        )
    return ok(LOGIN, "Anmeldung gelungen.")


def _rights(user: Mapping[str, Any]) -> list[Line]:
    table = (user.get("acl") or {}).get("table")
    if not isinstance(table, Mapping):
        return [hint(RIGHTS, "EspoCRM nennt die Rechte des API-Benutzers nicht.", "Rolle von Hand prüfen.")]
    lacking = lacking_rights(table)
    if lacking:
        remedy = "In EspoCRM die Rolle des API-Benutzers ergänzen."
        return [problem(RIGHTS, f"Dem API-Benutzer fehlen Rechte an {one}.", remedy) for one in lacking]
    return [ok(RIGHTS, "Der API-Benutzer darf alles, was der Abgleich braucht.")]


async def _clock(espo: EspoClient, clock: Clock) -> Line:
    answer = await espo.request("GET", "App/user")
    return clock_line("EspoCRM", http_date(answer.headers.get("Date")), clock)


async def _versions(espo: EspoClient) -> Line:
    if await _counts_versions(espo):
        return ok(VERSIONS, "EspoCRM erkennt gleichzeitige Änderungen (optimistic locking).")
    return hint(
        VERSIONS,
        "Optimistic locking ist für CBeteiligte aus: Ändern Mensch und Abgleich im selben Augenblick dasselbe Feld, "
        "kann eine Änderung verloren gehen.",
        "In EspoCRM im Entity Manager bei CBeteiligte „Optimistic concurrency control“ einschalten.",
    )


async def _counts_versions(espo: EspoClient) -> bool:
    if await espo.metadata("entityDefs.CBeteiligte.optimisticConcurrencyControl") is True:
        return True
    try:
        page = await espo.list_page("CBeteiligte", page_size=1)
    except Forbidden:
        return False
    return any(record.version is not None for record in page.records)


async def _schema(espo: EspoClient, changes: FieldChanges, told: Described | None) -> list[Line]:
    """Compare with the metadata and, where EspoCRM has one, with its description of its own interface."""
    lines, also = [], "" if told is None else ", auch nach der Beschreibung der Schnittstelle (OpenAPI)"
    for expected in expectations(changes):
        fields = await espo.metadata(f"entityDefs.{expected.espo_entity}.fields")
        if told is None:
            found = compare(expected, fields)
        else:
            properties = told.get(expected.espo_entity)
            found = [
                *compare(expected, as_described(fields, properties or {})),
                *left_out_lines(expected, fields, properties),
            ]
        lines += found or [ok(f"Felder {expected.espo_entity}", f"Alle Felder und Auswahlwerte passen{also}.")]
    return lines


def expectations(changes: FieldChanges) -> list[Expected]:
    """Return what the product needs in EspoCRM, an operator's changes applied; raises ``BadFieldTable``."""
    party = Expected(
        entity=BETEILIGTE,
        espo_entity=beteiligte.ESPO_ENTITY,
        table=override(beteiligte.FIELDS, changes.get(BETEILIGTE, {})),
        needed=_PARTY_NEEDED,
        wanted=tuple(name for name in beteiligte.BOOKKEEPING if name not in {*_PARTY_NEEDED, "kommunikationHash"}),
        statuses=tuple(status for status in SyncStatus if status not in _NEVER_WRITTEN),
    )
    own = (_of_room(room, changes) for entity in with_records() if entity.room for room in [room_of(entity)])
    return [party, *(_of_child(kind, changes) for kind in (ADRESSEN, BANKVERBINDUNGEN)), *filter(None, own)]


def _of_room(room: EntityRoom, changes: FieldChanges) -> Expected | None:
    """Return what a firm's own entity needs in EspoCRM, ``None`` when it does not say."""
    if room.table is None or room.entity.espocrm is None:
        return None
    return Expected(
        entity=room.entity.name,
        espo_entity=room.entity.espocrm,
        table=override(room.table, changes.get(room.entity.name, {})),
        needed=room.status_fields,
        wanted=(),
        statuses=("clean", "failed"),
    )


def _of_child(kind: ChildKind, changes: FieldChanges) -> Expected:
    needed = ("syncStatus", kind.key_attribute, "beteiligte")
    return Expected(
        entity=kind.entity,
        espo_entity=kind.espo_entity,
        table=override(kind.table, changes.get(kind.entity, {})),
        needed=needed,
        wanted=(ACTIVE, *(name for name in STATUS_ATTRIBUTES if name not in needed)),
        statuses=tuple(dict.fromkeys(("clean", "failed", kind.waiting_status, kind.different_status))),
    )


async def _webhooks(espo: EspoClient, settings: EspoCrmSettings) -> Line:
    try:
        hooks = espo.list_all("Webhook", select=("url", "isActive"))
        second = second_gateway([hook.attributes async for hook in hooks])
    except EspoError:
        second = None  # the API user may not see them; nothing depends on it
    if second is not None:
        text, _, remedy = second.partition(": ")
        return hint(WEBHOOKS, f"{text}.", f"{remedy}.")
    if settings.webhook_secrets or settings.webhook_path_token is not None:
        return ok(WEBHOOKS, "Prüfung der Absender ist eingerichtet.")
    return hint(
        WEBHOOKS,
        "Keine Webhooks eingerichtet: Änderungen in EspoCRM werden nur durch regelmäßiges Nachsehen bemerkt.",
        "`vmh-sync crm setup --webhook-url ADRESSE` ausführen; die Geheimnisse merkt es sich.",
    )
