"""The switches of the simulated Google Calendar."""

from dataclasses import dataclass, field
from typing import Literal

from vmh_sync.clock import Clock, SystemClock

Paging = Literal["full", "short"]


@dataclass(slots=True)
class GoogleConfig:
    """How this Google behaves. Quotas are units a minute; None switches one off.

    ``paging`` "short" cuts pages short and leaves some empty although more follow, as Google may do.
    ``rate_status`` is the HTTP status of a rate limit (403 or 429), ``retry_after`` its header in seconds.
    ``clock`` drives ``updated``, quotas and token expiry; ``token_clock`` judges the times inside an assertion,
    which google-auth always takes from the machine's clock.
    """

    service_account_email: str = "kalender@vmh-sandbox.iam.gserviceaccount.com"
    delegation_subjects: tuple[str, ...] = ()
    user_quota: int | None = 600
    project_quota: int | None = 10_000
    rate_status: int = 403
    retry_after: int | None = None
    paging: Paging = "full"
    token_seconds: int = 3600
    acl_change_invalidates_tokens: bool = True
    updated_min_days: int = 28
    calendar_limit: int = 60
    calendar_window_minutes: int = 60
    seed: int = 0
    clock: Clock = field(default_factory=SystemClock)
    token_clock: Clock = field(default_factory=SystemClock)
