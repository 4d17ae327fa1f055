"""Google's quotas: units a minute per user and per project, and the limit on new calendars."""

from collections import deque
from datetime import datetime, timedelta

from vmh_sync.sandbox.google.config import GoogleConfig
from vmh_sync.sandbox.google.errors import rate_limited, usage_limits_exceeded

_MINUTE = timedelta(minutes=1)
_PROJECT = ""


class _Window:
    """Units used within the last minute."""

    def __init__(self) -> None:
        self._uses: deque[tuple[datetime, int]] = deque()
        self.used = 0

    def room(self, now: datetime, cost: int, limit: int | None) -> bool:
        while self._uses and self._uses[0][0] <= now - _MINUTE:
            self.used -= self._uses.popleft()[1]
        return limit is None or self.used + cost <= limit

    def add(self, now: datetime, cost: int) -> None:
        self._uses.append((now, cost))
        self.used += cost


class QuotaMeter:
    """Counts units over a sliding minute and refuses what is too much; refused calls do not count."""

    def __init__(self, config: GoogleConfig) -> None:
        self._config = config
        self._windows: dict[str, _Window] = {}
        self._created: dict[str, deque[datetime]] = {}
        self._read_only_until: dict[str, datetime] = {}
        self.refused = 0
        self.peak = 0

    def charge(self, account: str, cost: int) -> None:
        """Take ``cost`` units from the account and the project. Raises the rate limit of whichever is full."""
        now = self._config.clock.now()
        user = self._windows.setdefault(account, _Window())
        project = self._windows.setdefault(_PROJECT, _Window())
        if not user.room(now, cost, self._config.user_quota):
            self._refuse("userRateLimitExceeded")
        if not project.room(now, cost, self._config.project_quota):
            self._refuse("rateLimitExceeded")
        user.add(now, cost)
        project.add(now, cost)
        self.peak = max(self.peak, user.used)

    def check_writable(self, account: str) -> None:
        """Raise quotaExceeded while the account is read-only."""
        until = self._read_only_until.get(account)
        if until is not None and self._config.clock.now() < until:
            raise usage_limits_exceeded()

    def count_new_calendar(self, account: str) -> None:
        """Count one new calendar; too many in the window put the account into read-only."""
        now = self._config.clock.now()
        window = timedelta(minutes=self._config.calendar_window_minutes)
        created = self._created.setdefault(account, deque())
        while created and created[0] <= now - window:
            created.popleft()
        if len(created) >= self._config.calendar_limit:
            self.make_read_only(account, window)
            raise usage_limits_exceeded()
        created.append(now)

    def make_read_only(self, account: str, duration: timedelta) -> None:
        """Refuse the account's writes for a while."""
        self._read_only_until[account] = self._config.clock.now() + duration

    def _refuse(self, reason: str) -> None:
        self.refused += 1
        raise rate_limited(reason, self._config.rate_status, self._config.retry_after)
