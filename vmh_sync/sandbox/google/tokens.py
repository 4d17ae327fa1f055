"""The token service: the jwt-bearer grant of service accounts, and the access tokens it hands out."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vmh_sync.sandbox.google.config import GoogleConfig
from vmh_sync.sandbox.google.errors import invalid_credentials
from vmh_sync.sandbox.google.keys import ServiceAccountKey, decode_segment, json_segment

AUDIENCE = "https://oauth2.googleapis.com/token"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ALLOWED_SCOPES = "https://www.googleapis.com/auth/calendar"
_LONGEST = 3600
_SKEW = 300


@dataclass
class GrantError(Exception):
    """The token service refuses: HTTP status, OAuth error word and description."""

    status: int
    error: str
    description: str

    def body(self) -> dict[str, str]:
        """Return OAuth's error body."""
        return {"error": self.error, "error_description": self.description}


@dataclass(frozen=True, slots=True)
class AccessToken:
    """Who acts, with which scopes, until when (UTC). ``is_service_account``: no person stands behind it."""

    account: str
    scopes: frozenset[str]
    expires: datetime
    is_service_account: bool


class TokenService:
    """Checks assertions and remembers the access tokens it gave out."""

    def __init__(self, config: GoogleConfig, key: ServiceAccountKey) -> None:
        self._config = config
        self._key = key
        self._tokens: dict[str, AccessToken] = {}
        self.issued = 0

    def grant(self, form: dict[str, str]) -> dict[str, Any]:
        """Answer one token request. Raises :class:`GrantError`."""
        if form.get("grant_type") != GRANT:
            raise GrantError(400, "unsupported_grant_type", "Invalid grant_type")
        claims = self._verified(form.get("assertion", ""))
        subject = claims.get("sub")
        if subject and subject != self._key.email and subject not in self._config.delegation_subjects:
            raise GrantError(
                401, "unauthorized_client", "Client is unauthorized to retrieve access tokens using this method."
            )
        scopes = frozenset(str(claims.get("scope", "")).split())
        if not scopes or not all(scope.startswith(_ALLOWED_SCOPES) for scope in scopes):
            raise GrantError(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        account = str(subject or self._key.email)
        token = f"ya29.{secrets.token_urlsafe(32)}"
        expires = self._config.clock.now() + timedelta(seconds=self._config.token_seconds)
        self._tokens[token] = AccessToken(account, scopes, expires, account == self._key.email)
        self.issued += 1
        return {"access_token": token, "expires_in": self._config.token_seconds, "token_type": "Bearer"}

    def check(self, authorization: str) -> AccessToken:
        """Return what the ``Authorization`` header stands for. Raises the 401 of the API."""
        scheme, _, token = authorization.partition(" ")
        known = self._tokens.get(token) if scheme.lower() == "bearer" else None
        if known is None or known.expires <= self._config.clock.now():
            raise invalid_credentials()
        return known

    def expire_all(self) -> None:
        """Let every access token given out so far be worth nothing."""
        self._tokens.clear()

    def _verified(self, assertion: str) -> dict[str, Any]:
        try:
            head, payload, signature = assertion.split(".")
            header, claims, signed = json_segment(head), json_segment(payload), decode_segment(signature)
        except ValueError:
            raise GrantError(400, "invalid_request", "Bad Request") from None
        if claims.get("iss") != self._key.email:
            raise GrantError(400, "invalid_grant", "Invalid grant: account not found")
        right_key = header.get("alg") == "RS256" and header.get("kid") == self._key.key_id
        if not right_key or not self._key.signed(f"{head}.{payload}".encode("ascii"), signed):
            raise GrantError(400, "invalid_grant", "Invalid JWT Signature.")
        if claims.get("aud") != AUDIENCE:
            raise GrantError(400, "invalid_grant", "Invalid JWT: Failed audience check.")
        self._check_times(claims)
        return claims

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = self._config.token_clock.now().timestamp()
        try:
            issued, expires = float(claims["iat"]), float(claims["exp"])
        except (KeyError, TypeError, ValueError):
            issued, expires = 0.0, 0.0
        if expires - issued > _LONGEST or expires < now - _SKEW or issued > now + _SKEW or expires <= issued:
            raise GrantError(
                400,
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
                "Check your iat and exp values in the JWT claim.",
            )
