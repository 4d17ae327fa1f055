"""Every setting of the product; nothing else reads the environment.

One class per system. Values come from the environment (and from a ``.env`` file in the working directory);
``.env.example`` explains each. A missing or bad value becomes a :class:`SettingsError` that names the variable
and what it is for.
"""

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from vmh_sync.deadline_rules import DeadlineRuleSetting
from vmh_sync.env_file import EnvSettings
from vmh_sync.people_settings import AlertSettings as AlertSettings
from vmh_sync.people_settings import PeopleSettings as PeopleSettings
from vmh_sync.setting_types import CalendarIds, CommaNames, JsonList, JsonObject
from vmh_sync.settings_loading import SettingsError as SettingsError
from vmh_sync.settings_loading import load as load
from vmh_sync.settings_loading import load_or_note as load_or_note
from vmh_sync.stored_settings import StoredBesides, default_url


class AdvowareSettings(EnvSettings):
    """How to reach the firm's Advoware (wire contract 1 and 2)."""

    model_config = SettingsConfigDict(env_prefix="ADVOWARE_")

    kanzlei: str = Field(description="Kanzleikennung, wie sie bei Advoware hinterlegt ist", min_length=1)
    database: str = Field(description="Name der Advoware-Datenbank", min_length=1)
    user: str = Field(description="Advoware-Benutzer, mit dem sich das Programm anmeldet", min_length=1)
    password: SecretStr = Field(description="Kennwort dieses Advoware-Benutzers")
    app_id: str = Field(description="App-ID, die Advoware für die Kanzlei freigeschaltet hat", min_length=1)
    api_key: SecretStr = Field(description="API-Schlüssel von Advoware (base64)")
    product_id: int = Field(64, description="Produktnummer der Anmeldung; 64 für Fremdprogramme")
    role: int = Field(2, description="Rollennummer der Anmeldung")
    configurator_url: str = Field(
        "https://www2.advo-net.net/AdvonetConfigurator/api",
        description="wo nach den Adressen der Kanzlei gefragt wird",
    )
    api_base_url: str | None = Field(None, description="feste Adresse der Advoware-API")
    security_gateway_url: str | None = Field(None, description="feste Adresse des Anmeldedienstes")
    api_timeout_seconds: float = Field(30.0, gt=0, description="so viele Sekunden wird auf eine Antwort gewartet")
    timezone: ZoneInfo = Field(ZoneInfo("Europe/Berlin"), description="Zeitzone der Zeiten in Advoware")
    write_protection: bool = Field(True, description="an: Kalender und Proxy schreiben nichts nach Advoware")
    concurrency: int = Field(8, ge=1, le=64, description="gleichzeitige Aufrufe von Advoware je Prozess")


class EspoCrmSettings(StoredBesides):
    """How to reach the firm's EspoCRM."""

    model_config = SettingsConfigDict(env_prefix="ESPOCRM_")

    api_base_url: str = Field(description="Adresse der EspoCRM-API, endet auf /api/v1", min_length=1)
    api_key: SecretStr = Field(description="API-Schlüssel des API-Benutzers in EspoCRM")
    secret_key: SecretStr | None = Field(None, description="geheimer Schlüssel des API-Benutzers (HMAC)")
    api_timeout_seconds: float = Field(30.0, gt=0, description="so viele Sekunden wird auf eine Antwort gewartet")
    webhook_secrets: Annotated[dict[str, SecretStr], NoDecode, JsonObject] = Field(
        default_factory=dict, description="JSON-Objekt: ID des Webhooks -> geheimer Schlüssel"
    )
    webhook_path_token: SecretStr | None = Field(
        None, min_length=16, description="Token in der Adresse des Webhooks statt einer Signatur"
    )
    concurrency: int = Field(8, ge=1, le=64, description="gleichzeitige Aufrufe von EspoCRM je Prozess")
    default_assignee_id: str | None = Field(
        None, description="ID des EspoCRM-Benutzers für Aufgaben an Datensätzen ohne zugewiesenen Benutzer"
    )
    default_team_id: str | None = Field(None, description="ID des EspoCRM-Teams, das alle Aufgaben sehen soll")
    admin_user: str | None = Field(None, description="Administrator von EspoCRM, nur für crm setup")
    admin_password: SecretStr | None = Field(None, description="Kennwort dieses Administrators")


class GoogleCalendarSettings(EnvSettings):
    """How to reach Google Calendar (kalender.md 1)."""

    model_config = SettingsConfigDict(env_prefix="GOOGLE_CALENDAR_")

    service_account_path: Path | None = Field(None, description="Datei mit dem JSON-Schlüssel des Dienstkontos")
    service_account_json: SecretStr | None = Field(None, description="der JSON-Schlüssel des Dienstkontos selbst")
    subject: str | None = Field(None, description="Person, in deren Namen Kalender angelegt und freigegeben werden")
    api_endpoint: str | None = Field(None, description="andere Adresse der Google-Kalender-API (Tests)")
    api_timeout_seconds: float = Field(60.0, gt=0, description="so viele Sekunden wird auf eine Antwort gewartet")
    name_template: str = Field("AW-{kuerzel}", description="Name der Kalender; muss {kuerzel} enthalten")
    ids: CalendarIds = Field(default_factory=dict, description="JSON-Objekt: Kürzel -> ID nur freigegebener Kalender")
    time_zone: ZoneInfo = Field(ZoneInfo("Europe/Berlin"), description="Zeitzone neuer Kalender")
    acl_rules: Annotated[list[dict[str, str]], NoDecode, JsonList] = Field(
        default_factory=list,
        description='JSON-Liste von Freigaben: {"role", "type", "value"}; {kuerzel} und {email} werden ersetzt',
    )
    quota_per_minute: int = Field(
        600, ge=1, description="Anfragen je Minute für die ganze Kanzlei (Grenze von Google: 600)"
    )
    new_calendars_per_hour: int = Field(20, ge=1, description="höchstens so viele neue Kalender je Stunde")

    @field_validator("name_template")
    @classmethod
    def _names_the_employee(cls, value: str) -> str:
        if "{kuerzel}" not in value:
            raise ValueError("{kuerzel} fehlt, alle hätten denselben Kalender")
        return value

    @field_validator("acl_rules")
    @classmethod
    def _known_roles(cls, rules: list[dict[str, str]]) -> list[dict[str, str]]:
        for rule in rules:
            if rule.get("role") not in {"freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner"}:
                raise ValueError("role ist freeBusyReader, reader, writer oder owner")
            if rule.get("type") not in {"user", "group", "domain", "default"}:
                raise ValueError("type ist user, group, domain oder default")
            if rule["type"] != "default" and not rule.get("value"):
                raise ValueError("value (eine Adresse oder Domäne) fehlt")
        return rules


class CalendarSyncSettings(EnvSettings):
    """How the calendar sync behaves where firms differ (kalender.md 3 to 6)."""

    model_config = SettingsConfigDict(env_prefix="CALENDAR_SYNC_")

    debug_kuerzel: CommaNames = Field((), description="nur diese Kürzel, durch Komma getrennt (leer: alle)")
    window_years_back: int = Field(1, ge=0, le=10, description="Zeitraum: so viele Jahre zurück, ab Jahresbeginn")
    window_years_ahead: int = Field(2, ge=1, le=10, description="Zeitraum: so viele Jahre voraus")
    neutral_title: str = Field("Termin", min_length=1, description="Titel von Terminen ohne Inhalt")
    full_content: bool = Field(True, description="false: für alle nur Termine ohne Inhalt")
    anonymised_kuerzel: CommaNames = Field(
        (), description="Kürzel, durch Komma getrennt, deren Termine nie Inhalt haben"
    )
    attach_file_number: bool = Field(False, description="Aktenzeichen am Ende des Titels zeigen")
    show_preparation: bool = Field(True, description="Vorbereitung und Fahrt in der Beschreibung nennen")
    stretch_by_preparation: bool = Field(False, description="Termine um Vorbereitung und Fahrt verlängern")
    strategy: str = Field(
        "source_system_wins",
        pattern="^(source_system_wins|last_change_wins)$",
        description="wer gewinnt: source_system_wins oder last_change_wins",
    )
    write_allowed: bool = Field(True, description="neue Termine aus Google in Advoware anlegen (Schreibschutz aus)")
    empty_list_tolerance: int = Field(
        5, ge=0, description="bis zu so vielen Terminen wird eine leere Liste von Advoware geglaubt"
    )
    mass_change_records: int = Field(
        50, ge=0, description="Schutz: so viele Termine eines Mitarbeiters dürfen gelöscht werden"
    )
    mass_change_share: float = Field(0.2, ge=0, le=1, description="Schutz: dazu dieser Anteil der verknüpften Termine")
    recreate_calendars: bool = Field(False, description="gelöschte Kalender neu anlegen")
    full_read_days: int = Field(7, ge=1, description="so oft (Tage) wird jeder Kalender ganz gelesen")
    employees_at_once: int = Field(4, ge=1, le=32, description="gleichzeitig abgeglichene Mitarbeiter je Prozess")
    employees_per_run: int = Field(50, ge=1, le=1000, description="höchstens so viele Mitarbeiter je Lauf")
    schedule_jitter_seconds: float = Field(
        60.0, ge=0, le=600, description="geplante Läufe beginnen bis zu so viele Sekunden später"
    )
    push_url: str | None = Field(
        None, pattern=r"^(https://|http://127\.0\.0\.1:)", description="öffentliche https-Adresse für Googles Meldungen"
    )

    deadline_rules: Annotated[list[DeadlineRuleSetting], NoDecode, JsonList] = Field(
        default_factory=list,
        description="JSON-Liste: welche Termine Fristen sind; je Regel name und text, notiz, ort, akte, ganztags",
    )
    deadlines_from_google: bool = Field(False, description="true: Änderungen an Fristen in Google gelten auch")
    espocrm_users: Annotated[dict[str, str], NoDecode, JsonObject] = Field(
        default_factory=dict, description="JSON-Objekt: Kürzel -> Benutzer in EspoCRM, wenn er nicht so heißt"
    )


class VmhSettings(EnvSettings):
    """The product's own house: where it keeps its state and what its doors listen on."""

    home: Path = Field(
        Path(".vmh"), alias="VMH_HOME", description="Ordner für alles, was das Programm selbst aufbewahrt"
    )
    database_url: str | None = Field(
        None, alias="VMH_DATABASE_URL", description="unsere Datenbank; ohne Angabe SQLite in VMH_HOME"
    )
    redis_url: str | None = Field(
        None, alias="REDIS_URL", description="Redis oder Valkey; ohne Angabe der mitgelieferte"
    )
    dagster_home: Path | None = Field(
        None, alias="DAGSTER_HOME", description="Ordner von Dagster; ohne Angabe in VMH_HOME"
    )
    run_workers: str | None = Field(
        None,
        alias="VMH_RUN_WORKERS",
        pattern="^(celery|elsewhere)$",
        description="celery: `up` startet den Worker; elsewhere: jemand anders; ohne Angabe nach dagster.yaml",
    )
    lease_seconds: float = Field(
        30.0, alias="VMH_LEASE_SECONDS", gt=0, description="wer so lange (Sekunden) schweigt, gilt als abgestürzt"
    )
    stall_seconds: float = Field(
        120.0,
        alias="VMH_STALL_SECONDS",
        gt=0,
        description="ein Lauf, der so lange (Sekunden) nicht vorankommt, beendet sich und wird wiederholt",
    )
    watch_seconds: float = Field(
        1.0, alias="VMH_WATCH_SECONDS", ge=0, le=60, description="so oft (Sekunden) fragt der Beobachter; 0: gar nicht"
    )
    shadow: bool = Field(
        False,
        alias="VMH_SHADOW",
        description="Schattenbetrieb neben dem alten System: Es wird gelesen und geplant, aber nichts geschrieben",
    )
    gateway_host: str = Field("127.0.0.1", alias="VMH_GATEWAY_HOST", description="Adresse, auf der das Gateway lauscht")
    gateway_port: int = Field(
        8800, ge=0, le=65535, alias="VMH_GATEWAY_PORT", description="Port, auf dem das Gateway lauscht"
    )
    dagster_url: str = Field(
        "http://127.0.0.1:3000",
        alias="VMH_DAGSTER_URL",
        pattern="^https?://",
        description="Adresse der Oberfläche von Dagster, über die das Gateway Läufe startet",
    )
    examples: CommaNames = Field((), alias="VMH_EXAMPLES", description="Beispiele, durch Komma getrennt: ticketing")
    entities: CommaNames = Field(
        (), alias="VMH_ENTITIES", description="Pakete mit eigenen Bereichen, durch Komma getrennt (CONTRIBUTING.md)"
    )
    metrics_key: SecretStr | None = Field(
        None,
        alias="VMH_METRICS_KEY",
        min_length=16,
        description="wer /metrics lesen will, muss diesen Schlüssel nennen; ohne Angabe darf es jeder",
    )
    api_keys: Annotated[list[dict[str, object]], NoDecode, JsonList] = Field(
        default_factory=list, alias="VMH_API_KEYS", description="JSON-Liste von Schlüsseln: name, key, scopes, paths"
    )

    @property
    def database(self) -> str:
        """The URL of our database: the one that is set, or the embedded one."""
        return self.database_url or default_url(self.home)

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str | None) -> str | None:
        # Not taken apart here: a password may hold any character.
        if value is not None and not re.match(
            r"(sqlite|postgres|postgresql|postgresql\+psycopg2|sqlite\+pysqlite)://", value
        ):
            raise ValueError("möglich sind sqlite:// und postgresql://")
        if value is not None and re.match(r"sqlite(\+pysqlite)?:///file:", value):
            raise ValueError("die Datei von SQLite als Pfad nennen: sqlite:////ordner/datei.sqlite3")
        return value

    @field_validator("redis_url", "dagster_url")
    @classmethod
    def _usable_address(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            try:
                parts = urlsplit(value)
                _ = parts.port  # raises when it is no number
            except ValueError:
                raise ValueError("keine Adresse: schema://rechner:port") from None
            if info.field_name == "redis_url" and parts.scheme not in ("redis", "rediss", "unix"):
                raise ValueError("möglich sind redis://, rediss:// und unix://")
        return value

    @field_validator("examples")
    @classmethod
    def _known_examples(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if set(names) - {"ticketing"}:
            raise ValueError("es gibt nur das Beispiel ticketing")
        return names


class DagsterVariables(EnvSettings):
    """What ``dagster.yaml`` reads from the environment; here, so that ``vmh-sync up`` can pass it on from ``.env``."""

    model_config = SettingsConfigDict(env_prefix="DAGSTER_")

    pg_host: str | None = Field(None, description="Rechner der PostgreSQL-Datenbank von Dagster")
    pg_port: str | None = Field(None, description="Port der PostgreSQL-Datenbank von Dagster")
    pg_user: str | None = Field(None, description="Benutzer der PostgreSQL-Datenbank von Dagster")
    pg_password: SecretStr | None = Field(None, description="Kennwort dieses Benutzers")
    pg_db: str | None = Field(None, description="Name der PostgreSQL-Datenbank von Dagster")
    celery_broker: SecretStr | None = Field(None, description="Adresse der Warteschlange für Celery")
    celery_backend: SecretStr | None = Field(None, description="Adresse der Ergebnisse für Celery")

    def as_environment(self) -> dict[str, str]:
        """Return the variables that are set."""
        values = {f"DAGSTER_{name.upper()}": value for name, value in self}
        return {
            name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in values.items()
            if value is not None
        }


class SyncSettings(EnvSettings):
    """How the sync behaves where firms differ."""

    model_config = SettingsConfigDict(env_prefix="VMH_")

    batch_size: int = Field(200, ge=1, le=2000, description="Datensätze je Lauf")
    mass_change_records: int = Field(
        50, ge=0, description="Schutz: so viele Datensätze dürfen in einer Stunde Werte verlieren"
    )
    mass_change_share: float = Field(
        0.2, ge=0, le=1, description="Schutz: dazu dieser Anteil der verknüpften Datensätze"
    )
    create_settle_seconds: float = Field(
        150.0,
        ge=0,
        description="so lange kann eine Anlage ohne Antwort noch ankommen; vorher wird nicht neu angelegt",
    )
    rolling_check_minutes: int = Field(
        60, ge=1, description="in dieser Zeit (Minuten) wird jeder verknüpfte Beteiligte in Advoware einmal gelesen"
    )
    field_tables: Path | None = Field(None, description="JSON-Datei mit Änderungen der Feldtabellen")
    write_markers: bool = Field(False, description="Kennzeichnungen [ESPOCRM:...] in Bemerkungen in Advoware schreiben")
    import_bank_accounts: bool = Field(True, description="in Advoware eingetragene Bankverbindungen in EspoCRM anlegen")
    import_parties: bool = Field(
        False, description="`vmh-sync import beteiligte` darf Beteiligte aus Advoware in EspoCRM anlegen"
    )
    reactivate_addresses: str = Field(
        "task",
        pattern="^(task|create)$",
        description="wieder gültige Adresse: task (Aufgabe) oder create (neu anlegen)",
    )
    audit_retention_days: int = Field(3650, ge=1, description="so lange (Tage) bleibt das Änderungsprotokoll")


class ErstgespraechSettings(EnvSettings):
    """The reset of "next call" in first consultations (entities.md 6); without states it does nothing."""

    model_config = SettingsConfigDict(env_prefix="VMH_ERSTGESPRAECH_")

    states: Annotated[tuple[str, ...], NoDecode, JsonList] = Field(
        (), description="JSON-Liste: in welchen Zuständen ein vergangener Anruf zurückgesetzt wird"
    )
    entity: str = Field("CVmhErstgespraech", pattern="^[A-Za-z0-9]+$", description="Entität in EspoCRM")
    state_field: str = Field("status", pattern="^[A-Za-z0-9]+$", description="Feld mit dem Zustand")
    call_field: str = Field("nextCall", pattern="^[A-Za-z0-9]+$", description="Feld mit dem nächsten Anruf")
    new_value: str | None = Field(
        None,
        pattern=r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$",
        description="was eingetragen wird, in UTC; ohne Angabe leer",
    )
    dry_run: bool = Field(True, description="true: nur zeigen, was zurückgesetzt würde")


class LogSettings(EnvSettings):
    """The logs of gateway and Dagster; files are those of ``vmh-sync up`` in ``VMH_HOME/logs``."""

    model_config = SettingsConfigDict(env_prefix="VMH_LOG_")

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="was protokolliert wird: debug, info, warning oder error"
    )
    format: Literal["text", "json"] = Field("text", description="text oder json (eine Zeile JSON je Meldung)")
    megabytes: float = Field(20.0, gt=0, description="so groß wird eine Protokolldatei von `vmh-sync up`")
    files: int = Field(5, ge=0, le=100, description="so viele ältere Protokolldateien bleiben daneben")


class HousekeepingSettings(EnvSettings):
    """How long finished runs stay in Dagster, which never removes them by itself, and persons at least with us."""

    model_config = SettingsConfigDict(env_prefix="VMH_")

    run_retention_days: int = Field(14, ge=1, description="so lange (Tage) bleiben erfolgreiche Läufe in Dagster")
    failed_run_retention_days: int = Field(
        90, ge=1, description="so lange (Tage) bleiben gescheiterte Läufe in Dagster"
    )
    erasure_duty_years: int = Field(
        0,
        ge=0,
        le=50,
        description="Aufbewahrungspflicht: so viele Jahre nach dem Jahr des letzten Vorgangs wird niemand gelöscht",
    )
