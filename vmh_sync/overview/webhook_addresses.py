"""Which gateways EspoCRM tells of changes: two are the sign of a second installation at work on the same records.

The API user sees its own webhooks only, so that a second installation with a user of its own is not found here.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

_WEBHOOK_PATH = "/vmh/webhook/"


def second_gateway(hooks: Iterable[Mapping[str, object]]) -> str | None:
    """Return a German sentence without its end when the webhooks (``url``) lead to several gateways, else ``None``."""
    places = sorted({_place(url) for hook in hooks if _WEBHOOK_PATH in (url := str(hook.get("url")))})
    if len(places) < 2:
        return None
    return (
        f"EspoCRM meldet Änderungen an {len(places)} Gateways ({', '.join(places)}): Läuft vmh-sync zweimal an diesem "
        "EspoCRM, legen beide dasselbe doppelt an; nur eines laufen lassen und die Webhooks des anderen löschen "
        "(Verwaltung → Webhooks)"
    )


def _place(url: str) -> str:
    """Host, port and prefix; a token in the path comes after them."""
    parts = urlsplit(url.partition(_WEBHOOK_PATH)[0])
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"
