"""Which gateways EspoCRM tells of changes: two are the sign of a second installation at work on the same records.

The API user sees its own webhooks only, so that a second installation with a user of its own is not found here.
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

_WEBHOOK_PATH = "/vmh/webhook/"
_DEFAULT_PORTS = {"http": 80, "https": 443}


def second_gateway(hooks: Iterable[Mapping[str, object]]) -> str | None:
    """Return a German sentence without its end when the webhooks (``url``) lead to several gateways, else ``None``.

    Those that are switched off (``isActive``) tell nobody anything.
    """
    urls = [str(hook.get("url")) for hook in hooks if hook.get("isActive") is not False]
    places = sorted({_place(url) for url in urls if _WEBHOOK_PATH in url})
    if len(places) < 2:
        return None
    return (
        f"EspoCRM meldet Änderungen an {len(places)} Gateways ({', '.join(places)}): Läuft vmh-sync zweimal an diesem "
        "EspoCRM, legen beide dasselbe doppelt an; nur eines laufen lassen und die Webhooks des anderen löschen "
        "(Verwaltung → Webhooks)"
    )


def _place(url: str) -> str:
    """Host, port and prefix, spelt in one way; a token in the path comes after them, a login before."""
    address = url.partition(_WEBHOOK_PATH)[0]
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:  # no address at all: a place of its own
        return (address.partition("//")[2] or address).rpartition("@")[2]
    host = parts.netloc.rpartition("@")[2].lower()
    if port is not None and port == _DEFAULT_PORTS.get(parts.scheme):
        host = host.removesuffix(f":{port}")
    return f"{host}{re.sub('/+', '/', parts.path).rstrip('/')}"
