"""Every setting of the product; nothing else reads the environment.

One class per system. Values come from the environment (and from a ``.env`` file in the working directory);
``.env.example`` explains each. A missing or bad value becomes a :class:`SettingsError` that names the variable
and what it is for.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_ENV = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True)


class SettingsError(Exception):
    """A setting is missing or unusable; the message names each variable and what it is for, in German."""


class AdvowareSettings(BaseSettings):
    """How to reach the firm's Advoware (wire contract 1 and 2)."""

    model_config = SettingsConfigDict(**_ENV, env_prefix="ADVOWARE_")

    kanzlei: str = Field(description="Kanzleikennung, wie sie bei Advoware hinterlegt ist", min_length=1)
    database: str = Field(description="Name der Advoware-Datenbank", min_length=1)
    user: str = Field(description="Advoware-Benutzer, mit dem sich das Programm anmeldet", min_length=1)
    password: SecretStr = Field(description="Kennwort dieses Advoware-Benutzers")
    app_id: str = Field(description="App-ID, die Advoware für die Kanzlei freigeschaltet hat", min_length=1)
    api_key: SecretStr = Field(description="API-Schlüssel von Advoware (base64)")
    product_id: int = Field(64, description="product number in the token request; 64 for third parties")
    role: int = Field(2, description="role number in the token request")
    configurator_url: str = Field(
        "https://www2.advo-net.net/AdvonetConfigurator/api",
        description="where discovery asks for the firm's addresses",
    )
    api_base_url: str | None = Field(None, description="replaces discovery: address of the Advoware API")
    security_gateway_url: str | None = Field(None, description="replaces discovery: address of the token service")
    api_timeout_seconds: float = Field(30.0, gt=0, description="seconds until a call counts as timed out")
    timezone: ZoneInfo = Field(ZoneInfo("Europe/Berlin"), description="time zone of Advoware's local times")
    write_protection: bool = Field(True, description="calendar and proxy writes to Advoware are only logged while on")
    concurrency: int = Field(8, ge=1, le=64, description="calls to Advoware under way at once, per process")


class EspoCrmSettings(BaseSettings):
    """How to reach the firm's EspoCRM."""

    model_config = SettingsConfigDict(**_ENV, env_prefix="ESPOCRM_")

    api_base_url: str = Field(description="Adresse der EspoCRM-API, endet auf /api/v1", min_length=1)
    api_key: SecretStr = Field(description="API-Schlüssel des API-Benutzers in EspoCRM")
    secret_key: SecretStr | None = Field(None, description="secret key of the API user: HMAC instead of the plain key")
    api_timeout_seconds: float = Field(30.0, gt=0, description="seconds until a call counts as timed out")
    webhook_secrets: Annotated[dict[str, SecretStr], NoDecode] = Field(
        default_factory=dict, description="JSON object: webhook id -> secret key, to check webhook signatures"
    )
    webhook_path_token: SecretStr | None = Field(
        None, min_length=16, description="token in the webhook's path instead of a signature, for old CRMs"
    )
    concurrency: int = Field(8, ge=1, le=64, description="calls to EspoCRM under way at once, per process")
    default_assignee_id: str | None = Field(
        None, description="EspoCRM user id that gets a task when the record has no assigned user"
    )
    admin_user: str | None = Field(None, description="name of an EspoCRM administrator, for crm setup only")
    admin_password: SecretStr | None = Field(None, description="password of that administrator")

    @field_validator("webhook_secrets", mode="before")
    @classmethod
    def _from_json(cls, value: object) -> object:
        return (json.loads(value) if value.strip() else {}) if isinstance(value, str) else value


class GoogleCalendarSettings(BaseSettings):
    """How to reach Google Calendar (kalender.md 1)."""

    model_config = SettingsConfigDict(**_ENV, env_prefix="GOOGLE_CALENDAR_")

    service_account_path: Path | None = Field(None, description="file with the service account's JSON key")
    service_account_json: SecretStr | None = Field(None, description="the service account's JSON key itself")
    subject: str | None = Field(
        None, description="person as whom calendars are created and shared (domain-wide delegation)"
    )
    api_endpoint: str | None = Field(None, description="another address for the Google Calendar API (tests)")
    api_timeout_seconds: float = Field(60.0, gt=0, description="seconds until a call counts as timed out")
    name_template: str = Field("AW-{kuerzel}", description="name of an employee's calendar; must contain {kuerzel}")
    time_zone: ZoneInfo = Field(ZoneInfo("Europe/Berlin"), description="time zone of new calendars")
    acl_rules: Annotated[list[dict[str, str]], NoDecode] = Field(
        default_factory=list,
        description='JSON list of rules for every calendar: {"role", "type", "value"}; {kuerzel} and {email} allowed',
    )
    quota_per_minute: int = Field(600, ge=1, description="units a minute for the whole firm (Google's limit: 600)")
    new_calendars_per_hour: int = Field(20, ge=1, description="calendars created at most per hour, by all processes")

    @field_validator("name_template")
    @classmethod
    def _names_the_employee(cls, value: str) -> str:
        if "{kuerzel}" not in value:
            raise ValueError("{kuerzel} is missing, all employees would share one calendar")
        return value

    @field_validator("acl_rules", mode="before")
    @classmethod
    def _from_json(cls, value: object) -> object:
        return (json.loads(value) if value.strip() else []) if isinstance(value, str) else value

    @field_validator("acl_rules")
    @classmethod
    def _known_roles(cls, rules: list[dict[str, str]]) -> list[dict[str, str]]:
        for rule in rules:
            if rule.get("role") not in {"freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner"}:
                raise ValueError("role must be freeBusyReader, reader, writer or owner")
            if rule.get("type") not in {"user", "group", "domain", "default"}:
                raise ValueError("type must be user, group, domain or default")
            if rule["type"] != "default" and not rule.get("value"):
                raise ValueError("value (an address or a domain) is missing")
        return rules


class CalendarSyncSettings(BaseSettings):
    """How the calendar sync behaves where firms differ (kalender.md 3 to 6)."""

    model_config = SettingsConfigDict(**_ENV, env_prefix="CALENDAR_SYNC_")

    debug_kuerzel: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="Kürzel separated by commas: only these employees are synced (empty: all)"
    )
    window_years_back: int = Field(1, ge=0, le=10, description="the window begins at the start of the year so far back")
    window_years_ahead: int = Field(2, ge=1, le=10, description="the window ends so many years ahead")
    neutral_title: str = Field("Termin", min_length=1, description="title of anonymised events")
    full_content: bool = Field(True, description="false: anonymised events for everybody unless a call says otherwise")
    anonymised_kuerzel: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="Kürzel separated by commas whose calendars are always anonymised"
    )
    attach_file_number: bool = Field(False, description="show the file number at the end of the title")
    show_preparation: bool = Field(True, description="name preparation and travel in the description")
    stretch_by_preparation: bool = Field(False, description="stretch events by preparation and travel")
    strategy: str = Field(
        "source_system_wins",
        pattern="^(source_system_wins|last_change_wins)$",
        description="who wins when both sides changed: source_system_wins or last_change_wins",
    )
    write_allowed: bool = Field(True, description="new pairs may be written to Advoware (if write protection is off)")
    empty_list_tolerance: int = Field(
        5, ge=0, description="living pairs up to which an empty Advoware list is believed"
    )
    mass_change_records: int = Field(50, ge=0, description="guard: appointments of one employee that may be deleted")
    mass_change_share: float = Field(
        0.2, ge=0, le=1, description="guard: share of the linked appointments, in addition"
    )
    recreate_calendars: bool = Field(False, description="create a calendar anew when a person has deleted it")
    full_read_days: int = Field(7, ge=1, description="each calendar is read as a whole at least this often")
    employees_at_once: int = Field(4, ge=1, le=32, description="employees synced at the same time, per process")
    employees_per_run: int = Field(50, ge=1, le=1000, description="employees that one Dagster run takes at most")
    schedule_jitter_seconds: float = Field(60.0, ge=0, le=600, description="scheduled runs begin up to so much later")

    @field_validator("debug_kuerzel", "anonymised_kuerzel", mode="before")
    @classmethod
    def _from_list(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class VmhSettings(BaseSettings):
    """The product's own house: where it keeps its state and what its doors listen on."""

    model_config = _ENV

    home: Path = Field(Path(".vmh"), alias="VMH_HOME", description="everything the embedded default keeps")
    database_url: str | None = Field(
        None, alias="VMH_DATABASE_URL", description="our database; default: SQLite in VMH_HOME"
    )
    redis_url: str | None = Field(None, alias="REDIS_URL", description="Redis or Valkey; default: embedded in VMH_HOME")
    dagster_home: Path | None = Field(None, alias="DAGSTER_HOME", description="Dagster's home; default: in VMH_HOME")
    run_workers: str | None = Field(
        None,
        alias="VMH_RUN_WORKERS",
        pattern="^(celery|elsewhere)$",
        description="celery: `up` keeps a warm run worker; elsewhere: somebody else does; default: by dagster.yaml",
    )
    lease_seconds: float = Field(
        30.0,
        alias="VMH_LEASE_SECONDS",
        gt=0,
        description="a writer that is silent for this long counts as dead",
    )
    gateway_host: str = Field("127.0.0.1", alias="VMH_GATEWAY_HOST", description="address the gateway listens on")
    gateway_port: int = Field(8800, alias="VMH_GATEWAY_PORT", description="port the gateway listens on")
    dagster_url: str = Field(
        "http://127.0.0.1:3000",
        alias="VMH_DAGSTER_URL",
        pattern="^https?://",
        description="address of Dagster's webserver, where the gateway launches runs",
    )
    examples: Annotated[tuple[str, ...], NoDecode] = Field(
        (), alias="VMH_EXAMPLES", description="worked examples to switch on, separated by commas: ticketing"
    )
    api_keys: Annotated[list[dict[str, object]], NoDecode] = Field(
        default_factory=list, alias="VMH_API_KEYS", description="JSON list of keys: name, key, scopes, paths"
    )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str | None) -> str | None:
        # Not taken apart here: a password may hold any character.
        if value is not None and not re.match(
            r"(sqlite|postgres|postgresql|postgresql\+psycopg2|sqlite\+pysqlite)://", value
        ):
            raise ValueError("only sqlite:// and postgresql:// are supported")
        return value

    @field_validator("redis_url", "dagster_url")
    @classmethod
    def _usable_address(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            try:
                parts = urlsplit(value)
                _ = parts.port  # raises when it is no number
            except ValueError:
                raise ValueError("not an address: scheme://host:port") from None
            if info.field_name == "redis_url" and parts.scheme not in ("redis", "rediss", "unix"):
                raise ValueError("only redis://, rediss:// and unix:// are supported")
        return value

    @field_validator("examples", mode="before")
    @classmethod
    def _from_commas(cls, value: object) -> object:
        return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value

    @field_validator("examples")
    @classmethod
    def _known_examples(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if set(names) - {"ticketing"}:
            raise ValueError("the only example is ticketing")
        return names

    @field_validator("api_keys", mode="before")
    @classmethod
    def _from_json(cls, value: object) -> object:
        return (json.loads(value) if value.strip() else []) if isinstance(value, str) else value


class DagsterVariables(BaseSettings):
    """What ``dagster.yaml`` reads from the environment; here, so that ``vmh-sync up`` can pass it on from ``.env``."""

    model_config = SettingsConfigDict(**_ENV, env_prefix="DAGSTER_")

    pg_host: str | None = Field(None, description="host of Dagster's PostgreSQL")
    pg_port: str | None = Field(None, description="its port")
    pg_user: str | None = Field(None, description="its user")
    pg_password: SecretStr | None = Field(None, description="password of that user")
    pg_db: str | None = Field(None, description="name of the database")
    celery_broker: SecretStr | None = Field(None, description="URL of the queue of warm run workers")
    celery_backend: SecretStr | None = Field(None, description="URL of the results of warm run workers")

    def as_environment(self) -> dict[str, str]:
        """Return the variables that are set."""
        values = {f"DAGSTER_{name.upper()}": value for name, value in self}
        return {
            name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in values.items()
            if value is not None
        }


class SyncSettings(BaseSettings):
    """How the sync behaves where firms differ."""

    model_config = SettingsConfigDict(**_ENV, env_prefix="VMH_")

    batch_size: int = Field(200, ge=1, le=2000, description="records per run")
    mass_change_records: int = Field(50, ge=0, description="guard: records that may lose values in one hour")
    mass_change_share: float = Field(0.2, ge=0, le=1, description="guard: share of the linked records, in addition")
    create_settle_seconds: float = Field(
        5.0, ge=0, description="how long after an unanswered create we look for the record before creating it again"
    )
    rolling_check_minutes: int = Field(
        60, ge=1, description="within this time every linked record is read again in Advoware"
    )
    field_tables: Path | None = Field(None, description="JSON file with changes to the field tables")
    write_markers: bool = Field(False, description="write [ESPOCRM:...] markers into Advoware's remarks, as before")
    import_bank_accounts: bool = Field(True, description="bank accounts typed in Advoware are created in EspoCRM")
    reactivate_addresses: str = Field(
        "task", pattern="^(task|create)$", description="reactivated address: a task for a person, or a new address"
    )
    audit_retention_days: int = Field(3650, ge=1, description="how long the audit log is kept")


class HousekeepingSettings(BaseSettings):
    """How long finished runs stay in Dagster, which never removes them by itself."""

    model_config = SettingsConfigDict(**_ENV, env_prefix="VMH_")

    run_retention_days: int = Field(14, ge=1, description="days that a successful run stays in Dagster")
    failed_run_retention_days: int = Field(90, ge=1, description="days that a failed run stays in Dagster")


class ErstgespraechSettings(BaseSettings):
    """The reset of "next call" in first consultations (entities.md 6); without states it does nothing."""

    model_config = SettingsConfigDict(**_ENV, env_prefix="VMH_ERSTGESPRAECH_")

    states: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description='JSON list: in which states a past "next call" is reset'
    )
    entity: str = Field("CVmhErstgespraech", pattern="^[A-Za-z0-9]+$", description="entity type in EspoCRM")
    state_field: str = Field("status", pattern="^[A-Za-z0-9]+$", description="its field with the state")
    call_field: str = Field("nextCall", pattern="^[A-Za-z0-9]+$", description="its field with the next call")
    new_value: str | None = Field(
        None, pattern=r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$", description="what is written, in UTC; default: empty"
    )
    dry_run: bool = Field(True, description="true: only show which records would be reset")

    @field_validator("states", mode="before")
    @classmethod
    def _from_json(cls, value: object) -> object:
        return (json.loads(value) if value.strip() else ()) if isinstance(value, str) else value


S = TypeVar("S", bound=BaseModel)


def load(settings: Callable[[], S]) -> S:
    """Read one settings class from the environment.

    Takes a settings class of this module, returns a filled instance. Raises :class:`SettingsError` that names
    every variable that is missing or bad together with what it is for; the bad value itself is not repeated,
    since it may be a secret.
    """
    try:
        return settings()
    except (ValidationError, json.JSONDecodeError) as error:
        raise SettingsError(_explain(settings, error)) from None


def load_or_note(settings: Callable[[], S], problems: list[str]) -> S | None:
    """Read one settings class like :func:`load`, but add what is wrong to ``problems`` and return ``None``."""
    try:
        return load(settings)
    except SettingsError as problem:
        problems.append(str(problem))
        return None


def _explain(settings: Callable[[], S], error: ValidationError | json.JSONDecodeError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"Eine Einstellung von {getattr(settings, '__name__', 'vmh_sync')} ist kein gültiges JSON: {error.msg}"
    fields = getattr(settings, "model_fields", {})
    prefix = str(getattr(settings, "model_config", {}).get("env_prefix", "")).upper()
    lines = []
    for problem in error.errors(include_url=False, include_input=False):
        name = str(problem["loc"][0]) if problem["loc"] else "?"
        by_alias = {info.alias: info for info in fields.values() if info.alias}
        info = fields.get(name) or by_alias.get(name)
        variable = name if name in by_alias else f"{prefix}{name.upper()}"
        purpose = info.description if info else "unbekannte Einstellung"
        kind = "fehlt" if problem["type"] == "missing" else f"ist unbrauchbar ({problem['msg']})"
        lines.append(f"{variable} {kind}: {purpose}")
    return "\n".join(lines)
