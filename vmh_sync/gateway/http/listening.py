"""On which addresses the gateway may listen."""

import ipaddress

from vmh_sync.settings import SettingsError, VmhSettings

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, never bound


def bare_host(house: VmhSettings) -> str:
    """Return where the gateway listens as a socket takes it: an IPv6 address may stand in brackets in the settings."""
    return house.gateway_host.strip("[]")


def own_place(house: VmhSettings) -> str:
    """Return ``host:port`` at which a process of this machine reaches the gateway, an IPv6 address in brackets."""
    host = _EVERYWHERE.get(bare_host(house), bare_host(house))
    return f"[{host}]:{house.gateway_port}" if ":" in host else f"{host}:{house.gateway_port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address; a name other than ``localhost`` counts as public."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def require_keys(host: str, keys: int) -> None:
    """Raise ``SettingsError`` for a public address without API keys."""
    if not keys and not is_loopback(host):
        raise SettingsError(
            f"VMH_GATEWAY_HOST ist {host}, das erreichen auch andere, und VMH_API_KEYS ist leer: "
            "Schlüssel eintragen, oder 127.0.0.1 nehmen"
        )
