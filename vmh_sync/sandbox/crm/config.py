"""How a simulated EspoCRM is set up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from vmh_sync.clock import Clock, SystemClock
from vmh_sync.sandbox.crm.versions import DEFAULT
from vmh_sync.sandbox.installation import CrmInstallation

SchemaName = Literal["demo", "recorded", "blank"]


@dataclass(frozen=True)
class WebhookConfig:
    """The webhook job (specification, espocrm.md B9); seconds throughout.

    The real defaults are 120 s between runs and 600 s between attempts. A demo delivers faster by a smaller
    ``interval``; ``interval <= 0`` starts no background task, and only a flush delivers.
    """

    interval: float = 120.0
    portion_size: int = 20
    batch_size: int = 50
    retry_after: float = 600.0
    attempts: int = 4
    timeout: float = 10.0
    connect_timeout: float = 5.0
    per_user: int = 50


@dataclass(frozen=True)
class CrmConfig:
    """Everything a simulated EspoCRM starts with.

    ``schema``: ``demo`` (entities.md), ``recorded`` (espocrm.md B13) or ``blank`` (a new installation).
    ``firm`` is what this installation does otherwise. ``stream`` and ``optimistic`` override the schema per entity.
    Keys, and the password where none is given, come from ``seed``. ``version`` is the release that is simulated
    (:mod:`vmh_sync.sandbox.crm.versions`).
    """

    clock: Clock = field(default_factory=SystemClock)
    schema: SchemaName = "demo"
    version: str = DEFAULT
    seed: int = 1
    admin_user: str = "admin"
    admin_password: str | None = None
    with_users: bool = True
    firm: CrmInstallation = field(default_factory=CrmInstallation)
    formula_dirty: bool = True
    phone_international: bool = True
    stream: Mapping[str, bool] = field(default_factory=dict)
    optimistic: Mapping[str, bool] = field(default_factory=dict)
    max_failed_logins: int = 10
    failed_login_period: float = 60.0
    url_limit: int = 8192
    webhooks: WebhookConfig = field(default_factory=WebhookConfig)
