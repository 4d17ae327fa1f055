"""The three simulated systems, each behind its control layer, with what a client needs to log in."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import httpx

from vmh_sync.clock import Clock, SystemClock
from vmh_sync.sandbox.control import ControlledApp
from vmh_sync.sandbox.crm import CrmConfig, CrmHooks, WebhookConfig, create_crm_app
from vmh_sync.sandbox.crm.errors import ApiError as CrmRefusal
from vmh_sync.sandbox.crm.versions import DEFAULT
from vmh_sync.sandbox.google import GoogleConfig, create_google
from vmh_sync.sandbox.installation import Installation, OfficeInstallation
from vmh_sync.sandbox.made_up.first_day import live_apart
from vmh_sync.sandbox.made_up.population import Population, populate
from vmh_sync.sandbox.office import API_PATH, CONFIGURATOR_PATH, RELAY_PATH, OfficeConfig, create_office
from vmh_sync.sandbox.office.config import CONNECTOR_PATH, switches_of
from vmh_sync.sandbox.skew import SkewedClock

Name = Literal["advoware", "espocrm", "google"]
NAMES: tuple[Name, ...] = ("advoware", "espocrm", "google")


@dataclass(frozen=True)
class SystemsConfig:
    """How the simulated systems are set up.

    ``seed`` decides keys, passwords, population and every random choice; ``parties`` is the size of the population
    (0: empty systems). ``webhook_interval`` is how often the CRM delivers webhooks, in seconds (the real default is
    120). The Google quota can be lifted for measurements (``google_quota`` false). ``installation`` is what is
    particular about this firm's EspoCRM and Advoware. ``blank_crm`` gives an EspoCRM that nobody has set up: no entity
    types, roles or users of ours; ``crm_version`` is its release, ``webhook_allowed`` what its administrator has put
    into ``webhookAllowedAddressList`` (host:port). ``first_day``: both sides are full and know nothing of each other.
    """

    seed: int = 1
    parties: int = 0
    webhook_interval: float = 2.0
    google_quota: bool = True
    installation: Installation = field(default_factory=Installation)
    blank_crm: bool = False
    crm_version: str = DEFAULT
    webhook_allowed: tuple[str, ...] = ()
    first_day: bool = False


@dataclass
class Simulated:
    """One simulated system: its ASGI app, and what to tell about it once its address is known."""

    name: Name
    app: ControlledApp
    details: dict[str, str] = field(default_factory=dict)
    key_of: Any = None

    def describe(self, url: str) -> dict[str, str]:
        """Return addresses and credentials as plain JSON."""
        described = {"url": url, **{name: value.replace("{url}", url) for name, value in self.details.items()}}
        if self.key_of is not None:
            described["service_account_json"] = json.dumps(self.key_of(url))
        return described


def simulated(name: Name, config: SystemsConfig) -> Simulated:
    """Build one simulated system, empty."""
    return {"advoware": _advoware, "espocrm": _espocrm, "google": _google}[name](config)


def _advoware(config: SystemsConfig) -> Simulated:
    firm = config.installation.office
    office = OfficeConfig(
        clock=_clock(firm.skew_minutes),
        seed=config.seed,
        # A login from a machine with the right time still counts.
        timestamp_tolerance=300.0 + abs(firm.skew_minutes) * 60,
        zone=ZoneInfo(firm.zone),
        switches=switches_of(firm),
        firm=firm,
    )
    app, hooks = create_office(office)
    controlled = ControlledApp(
        app,
        name="advoware",
        hooks=hooks,
        seed=config.seed,
        prefix=f"{CONNECTOR_PATH if firm.connector else RELAY_PATH}{API_PATH}",
        latency=firm.latency_ms / 1000,
    )
    details = {
        "configurator_url": "{url}" + CONFIGURATOR_PATH,
        "kanzlei": office.kanzlei,
        "database": office.database,
        "user": office.user,
        "password": office.password,
        "app_id": office.app_id,
        "api_key": office.api_key,
        "timezone": firm.zone,
    }
    return Simulated("advoware", controlled, details)


def _espocrm(config: SystemsConfig) -> Simulated:
    firm = config.installation.crm
    app = create_crm_app(
        CrmConfig(
            clock=_clock(firm.skew_minutes),
            seed=config.seed,
            schema="blank" if config.blank_crm else "demo",
            version=config.crm_version,
            with_users=not config.blank_crm,
            firm=firm,
            formula_dirty=firm.formula_dirty,
            phone_international=firm.phone_international,
            webhooks=WebhookConfig(interval=config.webhook_interval),
        )
    )
    if config.webhook_allowed:
        app.state.api.crm.settings["webhookAllowedAddressList"] = list(config.webhook_allowed)
    hooks = CrmHooks(app)
    controlled = ControlledApp(
        app,
        name="espocrm",
        hooks=hooks,
        seed=config.seed,
        prefix="/api/v1/",
        refusals=(CrmRefusal,),
        latency=firm.latency_ms / 1000,
    )
    credentials = hooks.crm.credentials()
    keys = {name: value for name, value in credentials.items() if name.endswith("_key")}
    details = {
        "api_base_url": "{url}/api/v1",
        **keys,
        "admin_user": hooks.crm.admin.user_name,
        "admin_password": hooks.crm.admin.password or "",
    }
    return Simulated("espocrm", controlled, details)


def _clock(ahead_minutes: int) -> Clock:
    clock = SystemClock()
    return SkewedClock(clock, timedelta(minutes=ahead_minutes)) if ahead_minutes else clock


def _google(config: SystemsConfig) -> Simulated:
    quota: dict[str, Any] = {} if config.google_quota else {"user_quota": None, "project_quota": None}
    app, hooks = create_google(GoogleConfig(seed=config.seed, **quota))
    controlled = ControlledApp(app, name="google", hooks=hooks, seed=config.seed, prefix="/calendar/v3/")
    return Simulated("google", controlled, {"api_endpoint": "{url}"}, hooks.service_account_key)


def environment(described: dict[Name, dict[str, str]]) -> dict[str, str]:
    """Return the variables (specification, design.md 6) that point the product at the described systems."""
    result: dict[str, str] = {}
    if office := described.get("advoware"):
        result |= {
            "ADVOWARE_KANZLEI": office["kanzlei"],
            "ADVOWARE_DATABASE": office["database"],
            "ADVOWARE_USER": office["user"],
            "ADVOWARE_PASSWORD": office["password"],
            "ADVOWARE_APP_ID": office["app_id"],
            "ADVOWARE_API_KEY": office["api_key"],
            "ADVOWARE_CONFIGURATOR_URL": office["configurator_url"],
            "ADVOWARE_WRITE_PROTECTION": "false",
            "ADVOWARE_TIMEZONE": office["timezone"],
        }
    if crm := described.get("espocrm"):
        result |= {
            "ESPOCRM_API_BASE_URL": crm["api_base_url"],
            **({"ESPOCRM_API_KEY": crm["api_key"]} if "api_key" in crm else {}),
            "ESPOCRM_ADMIN_USER": crm["admin_user"],
            "ESPOCRM_ADMIN_PASSWORD": crm["admin_password"],
        }
    if google := described.get("google"):
        result |= {
            "GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON": google["service_account_json"],
            "GOOGLE_CALENDAR_API_ENDPOINT": google["api_endpoint"],
        }
    return result


async def seed_population(
    urls: dict[Name, str],
    *,
    seed: int,
    parties: int,
    now: datetime | None = None,
    office: OfficeInstallation | None = None,
    first_day: bool = False,
) -> Population:
    """Make up a firm (see :func:`populate`) and put it into the office and the CRM, over their control paths.

    ``urls`` are the control addresses; a system that is missing there is left out. ``now`` defaults to the
    machine's clock. ``office`` decides the party numbers and the zone of the office's time stamps. ``first_day``: see
    :func:`live_apart`; calendars are filled, too.
    """
    population = populate(seed, parties, now=(now or SystemClock().now()).astimezone(UTC), office=office)
    bodies: dict[Name, Any] = {"advoware": population.office, "espocrm": population.crm}
    if first_day:
        bodies["google"] = live_apart(population)
    async with httpx.AsyncClient(timeout=120, trust_env=False) as client:
        for name, body in bodies.items():
            if name in urls:
                (await client.post(f"{urls[name]}/_sandbox/seed", json=body)).raise_for_status()
    return population
