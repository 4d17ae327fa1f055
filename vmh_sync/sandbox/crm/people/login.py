"""Who calls: API key, HMAC or password, and the block after too many failures (specification, espocrm.md B2)."""

import base64
import binascii
import hashlib
import hmac
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta

from vmh_sync.clock import Clock
from vmh_sync.sandbox.crm.errors import HTML, ApiError
from vmh_sync.sandbox.crm.people.accounts import Account


class LoginGate:
    """Checks the login of each request and counts failures per address.

    More than ``max_failures`` within ``period`` answer 403 with an empty body to everything from that address,
    good keys included, until the failures are older than the period. Blocked calls do not count as failures.
    """

    def __init__(self, clock: Clock, *, max_failures: int, period: float) -> None:
        self._clock = clock
        self._max_failures = max_failures
        self._period = timedelta(seconds=period)
        self._failures: dict[str, deque[datetime]] = {}
        self._by_key: dict[str, Account] = {}
        self._by_name: dict[str, Account] = {}

    def register(self, account: Account) -> None:
        """Let an account log in from now on."""
        if account.api_key:
            self._by_key[account.api_key] = account
        self._by_name[account.user_name] = account

    def clear_failures(self) -> None:
        """Forget all failures (an admin emptied the login log)."""
        self._failures.clear()

    def authenticate(self, method: str, path: str, headers: Mapping[str, str], address: str) -> Account:
        """Return the account; raises 401 or 403 with empty bodies.

        ``path`` is the part after ``/api/v1/`` without the query; header names are in lower case.
        """
        if self._blocked(address):
            raise ApiError(403, None, None, content_type=HTML)
        signature, key = headers.get("x-hmac-authorization"), headers.get("x-api-key")
        basic = headers.get("authorization") or headers.get("espo-authorization")
        if signature is not None:
            account = self._by_hmac(signature, f"{method} /{path}")
        elif key is not None:
            account = self._by_api_key(key)
        elif basic is not None:
            account = self._by_password(basic)
        else:
            raise ApiError(401, None, None, content_type=HTML, headers={"WWW-Authenticate": 'Basic realm=""'})
        if account is None or not account.is_active:
            self._failures.setdefault(address, deque()).append(self._clock.now())
            raise ApiError(401, None, None, content_type=HTML)
        return account

    def _blocked(self, address: str) -> bool:
        failures = self._failures.get(address)
        if not failures:
            return False
        oldest = self._clock.now() - self._period
        while failures and failures[0] <= oldest:
            failures.popleft()
        return len(failures) > self._max_failures

    def _by_api_key(self, key: str) -> Account | None:
        account = self._by_key.get(key)
        return account if account is not None and account.auth_method == "ApiKey" else None

    def _by_hmac(self, header: str, signed: str) -> Account | None:
        key, _, given = _decode(header).partition(b":")
        account = self._by_key.get(key.decode("latin-1"))
        if account is None or account.auth_method != "Hmac" or not account.secret_key:
            return None
        digest = hmac.new(account.secret_key.encode(), signed.encode(), hashlib.sha256)
        current = hmac.compare_digest(digest.hexdigest().encode(), given)
        legacy = hmac.compare_digest(digest.digest(), given)
        return account if current or legacy else None

    def _by_password(self, header: str) -> Account | None:
        encoded = header.removeprefix("Basic ")
        name, _, password = _decode(encoded).decode("utf-8", "replace").partition(":")
        account = self._by_name.get(name)
        if account is None or account.password is None:
            return None
        return account if hmac.compare_digest(account.password.encode(), password.encode()) else None


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError):
        return b""
