"""How the API user shows who it is (specification, espocrm.md B2)."""

import base64
import hashlib
import hmac
from collections.abc import Callable

from vmh_sync.settings import EspoCrmSettings
from vmh_sync.systems.circuit import circuit_name

Login = Callable[[str, str], dict[str, str]]
"""Makes the headers that log a request in, from its method and its path below ``/api/v1``, without leading slash and
query."""


def key_login(api_key: str) -> Login:
    """Log in with the plain API key (authMethod ApiKey): the same for every request."""
    return lambda method, path: {"X-Api-Key": api_key}


def hmac_login(api_key: str, secret_key: str) -> Login:
    """Sign method and path (authMethod Hmac); query and body are not signed.

    The header is ``base64(apiKey:hex(hmac_sha256("METHOD /path", secretKey)))``.
    """

    def headers(method: str, path: str) -> dict[str, str]:
        signature = hmac.new(secret_key.encode(), f"{method} /{path}".encode(), hashlib.sha256).hexdigest()
        return {"X-Hmac-Authorization": base64.b64encode(f"{api_key}:{signature}".encode()).decode()}

    return headers


def basic_login(user: str, password: str) -> Login:
    """Log in with name and password of a person, for ``crm setup`` as administrator: the same for every request."""
    value = base64.b64encode(f"{user}:{password}".encode()).decode()
    return lambda method, path: {"Authorization": f"Basic {value}"}


def login_of(settings: EspoCrmSettings) -> Login:
    """HMAC where a secret key is set, the plain key otherwise."""
    api_key = settings.api_key.get_secret_value()
    if settings.secret_key is None:
        return key_login(api_key)
    return hmac_login(api_key, settings.secret_key.get_secret_value())


def login_name(settings: EspoCrmSettings) -> str:
    """The name of this login's circuit: another key, secret or address has another one."""
    secret_key = settings.secret_key.get_secret_value() if settings.secret_key is not None else None
    return circuit_name("espocrm", settings.api_key.get_secret_value(), settings.api_base_url, secret_key)
