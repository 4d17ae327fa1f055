"""How the API user shows who it is (specification, espocrm.md B2)."""

import base64
import hashlib
import hmac
from typing import Protocol

from vmh_sync.settings import EspoCrmSettings
from vmh_sync.systems.circuit import circuit_name


class Login(Protocol):
    """Makes the headers that log a request in."""

    def headers(self, method: str, path: str) -> dict[str, str]:
        """Headers for one request; ``path`` is below ``/api/v1``, without leading slash and query."""
        ...


class KeyLogin:
    """The plain API key (authMethod ApiKey)."""

    def __init__(self, api_key: str) -> None:
        self._api_key = api_key

    def headers(self, method: str, path: str) -> dict[str, str]:
        """The same for every request."""
        return {"X-Api-Key": self._api_key}


class HmacLogin:
    """A signature over method and path (authMethod Hmac); query and body are not signed."""

    def __init__(self, api_key: str, secret_key: str) -> None:
        self._api_key = api_key
        self._secret_key = secret_key.encode()

    def headers(self, method: str, path: str) -> dict[str, str]:
        """``base64(apiKey:hex(hmac_sha256("METHOD /path", secretKey)))``."""
        signature = hmac.new(self._secret_key, f"{method} /{path}".encode(), hashlib.sha256).hexdigest()
        return {"X-Hmac-Authorization": base64.b64encode(f"{self._api_key}:{signature}".encode()).decode()}


class BasicLogin:
    """Name and password of a person; for ``crm setup`` as administrator."""

    def __init__(self, user: str, password: str) -> None:
        self._value = base64.b64encode(f"{user}:{password}".encode()).decode()

    def headers(self, method: str, path: str) -> dict[str, str]:
        """The same for every request."""
        return {"Authorization": f"Basic {self._value}"}


def login_of(settings: EspoCrmSettings) -> Login:
    """HMAC where a secret key is set, the plain key otherwise."""
    api_key = settings.api_key.get_secret_value()
    if settings.secret_key is None:
        return KeyLogin(api_key)
    return HmacLogin(api_key, settings.secret_key.get_secret_value())


def login_name(settings: EspoCrmSettings) -> str:
    """The name of this login's circuit: another key, secret or address has another one."""
    secret_key = settings.secret_key.get_secret_value() if settings.secret_key is not None else None
    return circuit_name("espocrm", settings.api_key.get_secret_value(), settings.api_base_url, secret_key)
