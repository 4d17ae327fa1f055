"""The proxy on the way to an address, as the environment names it (``HTTP_PROXY``, …, ``NO_PROXY``): one reading."""

import urllib.request


def proxy_for(scheme: str, host: str) -> str | None:
    """Return the address of the proxy, ``None`` where there is none or the host is exempt."""
    proxies = urllib.request.getproxies()
    named = proxies.get(scheme) or proxies.get("all")
    if not named or urllib.request.proxy_bypass(host):
        return None
    return named if "://" in named else f"http://{named}"
