"""Which hosts EspoCRM takes for internal ones when it is to send webhooks there (9.3.4 and later)."""

import ipaddress
from urllib.parse import urlsplit


def address_of(url: str) -> str:
    """Return ``host:port`` of an address, as ``webhookAllowedAddressList`` writes it."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def is_internal(url: str) -> bool:
    """Whether the host is on this machine, in a private network, or a name without a domain.

    The real one asks the name server; here every name with a dot counts as one of the internet. What is no address
    at all is not this rule's business.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return False
    try:
        address = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return "." not in parts.hostname or parts.hostname.endswith((".internal", ".local"))
    return not address.is_global
