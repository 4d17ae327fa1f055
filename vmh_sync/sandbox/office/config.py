"""How a simulated Advoware is set up, and what can be switched while it runs."""

import base64
import random
from dataclasses import dataclass, field
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from vmh_sync.clock import Clock, SystemClock
from vmh_sync.sandbox.installation import OfficeInstallation

CONFIGURATOR_PATH = "/AdvonetConfigurator/api"
RELAY_PATH = "/relay"
CONNECTOR_PATH = "/connector"
SECURITY_PATH = "/security"
API_PATH = "/api/v1/advonet/"


_BERLIN = ZoneInfo("Europe/Berlin")


class Switches(BaseModel):
    """What differs from one installation to the next, and what can break (wire contract 3 to 5).

    ``single_read``: a single record as object or one-element list. ``write_answer``: what POST and PUT answer with.
    ``komm_kz_told``: off, GET answers ``kommKz`` 0. ``embedded``: ``adressen`` and ``bankverbindungen`` stand inside
    the party. ``separate_lists``: their own GET exists. ``search``: ``GET Beteiligte?search=`` exists.
    ``searched``: the party fields it looks into. ``put_ignores``, ``post_ignores``: party fields that the call drops.
    ``connector``: discovery names a connector, which then takes precedence over the relay. ``office``: the office is
    reachable, its connector is offline, or it is unknown. ``app_enabled``: the App-ID may log in. ``accept_login``:
    off, every login is refused as a wrong password.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    single_read: Literal["object", "list"] = "object"
    write_answer: Literal["object", "list", "number", "none"] = "object"
    komm_kz_told: bool = True
    embedded: bool = True
    separate_lists: bool = True
    search: bool = True
    searched: tuple[str, ...] = ("name", "vorname", "bemerkung")
    put_ignores: tuple[str, ...] = ()
    post_ignores: tuple[str, ...] = ()
    connector: bool = False
    office: Literal["online", "offline", "unknown"] = "online"
    app_enabled: bool = True
    accept_login: bool = True


def switches_of(firm: OfficeInstallation) -> Switches:
    """Return the switches as this firm has them."""
    return Switches(
        single_read=firm.single_read,
        write_answer=firm.write_answer,
        komm_kz_told=firm.komm_kz_told,
        embedded=firm.embedded,
        separate_lists=firm.separate_lists,
        search=firm.search,
        searched=firm.searched,
        put_ignores=firm.put_ignores,
        post_ignores=firm.post_ignores,
        connector=firm.connector,
    )


@dataclass(frozen=True)
class OfficeConfig:
    """Everything a simulated Advoware starts with; password and API key come from ``seed`` where none is given.

    ``token_seconds`` is the life of a token, ``timestamp_tolerance`` how many seconds the time stamp of a token
    request may be off; ``zone`` is the zone of Advoware's local times. ``firm`` is what this installation
    does otherwise and nobody can switch while it runs.
    """

    clock: Clock = field(default_factory=SystemClock)
    seed: int = 1
    kanzlei: str = "Muster & Partner Hannover"
    database: str = "advo_demo"
    user: str = "VMHSYNC"
    password: str = ""
    app_id: str = "demo-app"
    api_key: str = ""
    product: int = 64
    role: int = 2
    token_seconds: float = 3600.0
    timestamp_tolerance: float = 300.0
    zone: ZoneInfo = _BERLIN
    switches: Switches = field(default_factory=Switches)
    firm: OfficeInstallation = field(default_factory=OfficeInstallation)

    def __post_init__(self) -> None:
        rng = random.Random(f"office-{self.seed}")
        password, key = f"sandbox-{rng.getrandbits(48):012x}", base64.b64encode(rng.randbytes(64)).decode()
        if not self.password:
            object.__setattr__(self, "password", password)
        if not self.api_key:
            object.__setattr__(self, "api_key", key)
