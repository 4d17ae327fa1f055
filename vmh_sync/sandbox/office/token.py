"""Discovery and login of the simulated Advoware (wire contract 1 and 2)."""

import base64
import hashlib
import hmac
import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from vmh_sync.sandbox.office.config import CONNECTOR_PATH, RELAY_PATH, SECURITY_PATH, OfficeConfig
from vmh_sync.sandbox.office.records import Office

UNKNOWN_OFFICE = "Die Kanzlei ist nicht registriert."
OFFLINE_OFFICE = "Der Connector der Kanzlei ist nicht angemeldet."
NOT_ENABLED = "Die AppID ist für diese Kanzlei nicht freigeschaltet."
BAD_LOGIN = "Falscher Name oder falsches Kennwort."
_REQUIRED = (
    "AppID",
    "Kanzlei",
    "Database",
    "User",
    "Role",
    "Product",
    "Password",
    "Nonce",
    "HMAC512Signature",
    "RequestTimeStamp",
)


def signature(api_key: str, product: int, app_id: str, nonce: str, timestamp: str) -> str:
    """Return the signature a token request must carry: base64 of HMAC-SHA-512 (88 characters)."""
    message = f"{product}:{app_id}:{nonce}:{timestamp}".encode()
    return base64.b64encode(hmac.new(base64.b64decode(api_key), message, hashlib.sha512).digest()).decode()


class _RefusedError(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Gate:
    """Hands out tokens and checks them."""

    def __init__(self, config: OfficeConfig, office: Office) -> None:
        self._config = config
        self._office = office
        self.reset()

    def reset(self) -> None:
        """Forget tokens, nonces and counts."""
        self._rng = random.Random(f"office-tokens-{self._config.seed}")
        self._tokens: dict[str, datetime] = {}
        self._nonces: set[str] = set()
        self.requests = 0
        self.granted = 0

    def expire_tokens(self) -> int:
        """Make every token invalid at once; returns how many."""
        count = len(self._tokens)
        self._tokens.clear()
        return count

    def admits(self, request: Request) -> bool:
        """Tell whether the call carries a token that is still valid."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        until = self._tokens.get(token) if scheme.lower() == "bearer" else None
        return until is not None and self._config.clock.now() < until

    async def discover(self, request: Request) -> Response:
        """Answer ``GET Url?Kanzlei=``."""
        if self._office.switches.office == "unknown" or request.query_params.get("Kanzlei") != self._config.kanzlei:
            return PlainTextResponse(UNKNOWN_OFFICE, 404)
        base = f"{request.url.scheme}://{request.url.netloc}"
        connector = f"{base}{CONNECTOR_PATH}/" if self._office.switches.connector else None
        return JSONResponse(
            {
                "relayUrl": f"{base}{RELAY_PATH}/",
                "connectorUrl": connector,
                "securityGateway": f"{base}{SECURITY_PATH}/",
            }
        )

    async def issue(self, request: Request) -> Response:
        """Answer ``POST api/v1/Token``."""
        self.requests += 1
        try:
            body = await request.json()
            self._check(body)
        except _RefusedError as refused:
            return PlainTextResponse(refused.text, refused.status)
        except ValueError:
            return PlainTextResponse("Die Anfrage ist kein gültiges JSON.", 400)
        self.granted += 1
        token = f"{self._rng.getrandbits(256):064x}"
        until = self._config.clock.now() + timedelta(seconds=self._config.token_seconds)
        self._tokens[token] = until
        return JSONResponse(
            {
                "token_type": "bearer",
                "expires_in": int(self._config.token_seconds),
                "expiration_utc": until.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "access_token": token,
                "refresh_token": f"{self._rng.getrandbits(256):064x}",
            }
        )

    def _check(self, body: Any) -> None:
        if not isinstance(body, dict) or any(name not in body for name in _REQUIRED):
            raise _RefusedError(400, "Die Anfrage ist unvollständig.")
        self._check_office(body)
        self._check_signature(body)
        wanted = (self._config.database, self._config.user, self._config.password)
        if not self._office.switches.accept_login or (body["Database"], body["User"], body["Password"]) != wanted:
            raise _RefusedError(401, BAD_LOGIN)

    def _check_office(self, body: dict[str, Any]) -> None:
        if self._office.switches.office == "unknown" or body["Kanzlei"] != self._config.kanzlei:
            raise _RefusedError(400, UNKNOWN_OFFICE)
        if self._office.switches.office == "offline":
            raise _RefusedError(500, OFFLINE_OFFICE)
        enabled = self._office.switches.app_enabled and body["AppID"] == self._config.app_id
        if not enabled or (body["Product"], body["Role"]) != (self._config.product, self._config.role):
            raise _RefusedError(403, NOT_ENABLED)

    def _check_signature(self, body: dict[str, Any]) -> None:
        nonce, timestamp = str(body["Nonce"]), str(body["RequestTimeStamp"])
        expected = signature(self._config.api_key, self._config.product, self._config.app_id, nonce, timestamp)
        if not hmac.compare_digest(expected.encode(), str(body["HMAC512Signature"]).encode()):
            raise _RefusedError(401, "Die Signatur der Anfrage ist ungültig.")
        if not _is_uuid4(nonce) or nonce in self._nonces:
            raise _RefusedError(401, "Die Nonce wurde bereits verwendet oder ist ungültig.")
        self._nonces.add(nonce)
        sent = _utc(timestamp)
        if sent is None or abs((self._config.clock.now() - sent).total_seconds()) > self._config.timestamp_tolerance:
            raise _RefusedError(401, "Der Zeitstempel der Anfrage ist ungültig.")


def _is_uuid4(text: str) -> bool:
    try:
        return uuid.UUID(text).version == 4
    except ValueError:
        return False


def _utc(text: str) -> datetime | None:
    if not text.endswith("Z"):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
