"""Webhooks to the internal network: EspoCRM 9.3.4 and later sends them only where its config says so (B9, D5)."""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from vmh_sync.whole_number import whole_number

REFUSED_SINCE = (9, 3, 4)


def host_and_port(url: str) -> str:
    """Return ``host:port`` as EspoCRM compares it: 443 or 80 where the address names none."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def looks_internal(url: str) -> bool:
    """Whether the host is certainly one of the internal network: a private address or a name without a domain."""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".internal", ".local", ".lan"))


def config_line(url: str, listed: Sequence[str] = ()) -> str:
    """Return the line of EspoCRM's ``data/config.php`` that allows the address beside those that are listed."""
    addresses = [*(name for name in listed if name != host_and_port(url)), host_and_port(url)]
    quoted = ", ".join(f"'{name}'" for name in addresses)
    return f"'webhookAllowedAddressList' => [{quoted}],"


def not_internal_advice(url: str, listed: Sequence[str] = ()) -> str:
    """Say in German why the address is refused and which line mends it."""
    return (
        f"EspoCRM ruft von sich aus keine Adressen im eigenen Netz auf, also auch nicht {host_and_port(url)}. In der "
        f"Datei data/config.php von EspoCRM diese Zeile eintragen (oder die vorhandene Liste ergänzen): "
        f"{config_line(url, listed)} – danach `vmh-sync crm setup` noch einmal ausführen."
    )


def version_numbers(version: object) -> tuple[int, ...]:
    """Return ``9.3.4`` as numbers, an empty tuple for what is no version."""
    parts = [whole_number(part) for part in str(version).split(".")]
    return tuple(part for part in parts if part is not None) if None not in parts else ()
