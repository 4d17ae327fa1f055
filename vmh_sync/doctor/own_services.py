"""Checks of our own house: settings, database, Redis."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from vmh_sync.alerts.ways import MessageNotSent, mail_server, refused_recipients
from vmh_sync.clock import Clock
from vmh_sync.coordination.connection import AsyncRedis, connect, prove_writable
from vmh_sync.coordination.errors import CoordinationUnavailable
from vmh_sync.coordination.tls import looked_into
from vmh_sync.coordination.watch_sign import read_sign
from vmh_sync.doctor.line import Line, hint, ok, problem
from vmh_sync.engine.installation.redis_identity import ForeignRedis, foreign, place_of
from vmh_sync.engine.passes.opening import open_database
from vmh_sync.entities import BETEILIGTE
from vmh_sync.services.valkey import EmbeddedServiceError, ensure_redis
from vmh_sync.setting_names import unknown_settings
from vmh_sync.settings import (
    AdvowareSettings,
    AlertSettings,
    CalendarSyncSettings,
    ErstgespraechSettings,
    EspoCrmSettings,
    GoogleCalendarSettings,
    SettingsError,
    SyncSettings,
    VmhSettings,
    load,
)
from vmh_sync.store.database.file_health import file_fault
from vmh_sync.store.database_fault import at_host, database_fault
from vmh_sync.store.errors import StoreError

S = TypeVar("S", bound=BaseModel)

SETTINGS = "Einstellungen"
DATABASE = "Datenbank"
REDIS = "Redis"
WATCH = "Beobachter"
FIRST_DAY = "Erster Tag"
_FILL_IN = "In der Datei .env oder in der Umgebung eintragen; .env.example erklärt jede Einstellung."

_SET_UP = "`vmh-sync crm setup --plan` ansehen: crm setup legt den API-Benutzer an und merkt sich seinen Schlüssel."


@dataclass(slots=True)
class Known:
    """The settings that could be read; ``None`` where something is missing or unusable."""

    house: VmhSettings | None
    sync: SyncSettings | None
    advoware: AdvowareSettings | None
    espocrm: EspoCrmSettings | None
    google: GoogleCalendarSettings | None


def read_settings() -> tuple[Known, list[Line]]:
    """Read every settings class; each missing or bad variable becomes a line of its own."""
    lines: list[Line] = []
    known = Known(
        house=_loaded(VmhSettings, lines),
        sync=_loaded(SyncSettings, lines),
        advoware=_loaded(AdvowareSettings, lines),
        espocrm=_loaded(EspoCrmSettings, lines),
        google=_loaded(GoogleCalendarSettings, lines),
    )
    for other in (AlertSettings, CalendarSyncSettings, ErstgespraechSettings):
        _loaded(other, lines)
    lines += [
        hint(SETTINGS, str(unknown), "Den Namen berichtigen oder die Zeile entfernen; .env.example nennt alle.")
        for unknown in unknown_settings()
    ]
    return known, lines or [ok(SETTINGS, "Alle benötigten Einstellungen sind da und brauchbar.")]


def _loaded(kind: Callable[[], S], lines: list[Line]) -> S | None:
    try:
        return load(kind)
    except SettingsError as error:
        lines += [problem(SETTINGS, text, _remedy(text)) for text in str(error).splitlines()]
        return None


def _remedy(text: str) -> str:
    return f"{_FILL_IN} {_SET_UP}" if text.startswith("ESPOCRM_API_KEY fehlt") else _FILL_IN


def check_database(settings: VmhSettings) -> Line:
    """Tell whether our database can be reached and has the schema of this version."""
    url = settings.database
    fault = file_fault(url)  # first: opening a store makes its folder
    if fault is not None:
        return problem(DATABASE, fault.text, fault.remedy)
    try:
        with open_database(settings) as store:
            fault = database_fault(store, url, look_inside=False)
    except ValueError as error:
        return problem(DATABASE, f"VMH_DATABASE_URL ist unbrauchbar: {error}", "VMH_DATABASE_URL berichtigen.")
    if fault is not None:
        return problem(DATABASE, fault.text, fault.remedy)
    return ok(DATABASE, f"Erreichbar ({store.dialect}), auf dem Stand dieser Version.")


async def check_redis(settings: VmhSettings, *, database_works: bool = False) -> Line:
    """Tell whether Redis answers and is the one of our database.

    Without ``REDIS_URL`` the embedded one is started if need be. Whose it is can be told only while the database works.
    """
    try:
        client = connect(ensure_redis(settings.home, settings.redis_url))
    except EmbeddedServiceError as error:
        return problem(
            REDIS, f"Der mitgelieferte Valkey startet nicht: {error}", "REDIS_URL setzen oder VMH_HOME ändern."
        )
    except ValueError as error:
        return problem(REDIS, f"REDIS_URL ist unbrauchbar: {error}", "REDIS_URL berichtigen.")
    try:
        await prove_writable(client)
        stranger = await _stranger(client, settings) if database_works else None
    except CoordinationUnavailable as away:
        trouble = await asyncio.to_thread(looked_into, away, settings.redis_url)
        where = f" ({at_host(settings.redis_url).strip()})" if settings.redis_url else ""
        return problem(REDIS, f"{trouble.people}{where}.", trouble.remedy)
    finally:
        await client.aclose()
    if stranger is not None:
        return problem(REDIS, str(stranger), "Solange das so ist, wird nichts abgeglichen.")
    reached = "Erreichbar" if settings.redis_url else "Erreichbar (mitgelieferter Valkey)"
    return ok(REDIS, f"{reached}, gehört zu dieser Datenbank." if database_works else f"{reached}.")


async def check_watch(settings: VmhSettings) -> Line:
    """Tell whether the watch over EspoCRM works; nothing depends on it, so whatever is wrong is a hint."""
    if settings.watch_seconds == 0:
        return ok(
            WATCH, "Abgeschaltet (VMH_WATCH_SECONDS=0); ohne Webhooks dauert eine Änderung einige Sekunden länger."
        )
    try:
        client = connect(ensure_redis(settings.home, settings.redis_url))
    except (EmbeddedServiceError, ValueError):
        return hint(WATCH, "Ohne Redis ist nicht zu sagen, ob er läuft.", "Siehe die Zeile über Redis.")
    try:
        sign = await read_sign(client)
    except CoordinationUnavailable:
        return hint(WATCH, "Ohne Redis ist nicht zu sagen, ob er läuft.", "Siehe die Zeile über Redis.")
    finally:
        await client.aclose()
    if sign is None:
        text = "Läuft nicht: Ohne Webhooks werden Änderungen in EspoCRM erst nach einigen Sekunden bemerkt."
        return hint(WATCH, text, "`vmh-sync up` starten, oder den Dienst `vmh-sync watch`.")
    if sign.paused is not None:
        return hint(WATCH, f"Pausiert: {sign.paused}", "Sobald EspoCRM wieder antwortet, geht es von selbst weiter.")
    return ok(WATCH, f"Läuft und fragt EspoCRM alle {settings.watch_seconds:g} s nach Änderungen.")


async def _stranger(redis: AsyncRedis, settings: VmhSettings) -> ForeignRedis | None:
    with open_database(settings) as store:
        try:
            return await foreign(redis, store, place_of(settings.redis_url, settings.home))
        except StoreError:
            return None  # the line about the database says so


def check_first_day(settings: VmhSettings, clock: Clock) -> list[Line]:
    """Say what comes first where nobody is linked yet: what stands on both sides already would be created twice."""
    with open_database(settings, clock) as store, store.reading() as tx:
        linked = tx.links.count(BETEILIGTE.name)
    if linked:
        return []
    text = "Noch ist kein Beteiligter verknüpft. Wer auf beiden Seiten steht, wird zuerst zugeordnet."
    return [
        hint(
            FIRST_DAY, text, "`vmh-sync first-contact --plan` zeigt die Paare; der Ablauf steht in docs/erster-tag.md."
        )
    ]


MAIL = "Meldungen per E-Mail"


def check_mail(settings: AlertSettings) -> list[Line]:
    """Log in to the mail server; no line when nobody is to be told by e-mail. Blocking."""
    if not settings.email_to:
        return []
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        with mail_server(settings) as server:
            refused = refused_recipients(server, settings)
    except MessageNotSent as trouble:
        remedy = "VMH_ALERT_SMTP_HOST, …_PORT, …_SECURITY, …_USER und …_PASSWORD prüfen."
        return [problem(MAIL, f"Störungen könnten nicht gemeldet werden ({where}): {trouble}.", remedy)]
    if refused:
        text = f"Der Mailserver {where} nimmt keine Mail für {', '.join(refused)}."
        return [problem(MAIL, text, "VMH_ALERT_EMAIL_TO berichtigen, oder den Empfänger dort einrichten.")]
    return [ok(MAIL, f"Der Mailserver {where} nimmt Anmeldung, Absender und Empfänger.")]
