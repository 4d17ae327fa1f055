"""The proxy on the way to an address, as the environment names it (``HTTP_PROXY``, …, ``NO_PROXY``): one reading."""

import urllib.request


def proxy_for(scheme: str, host: str, port: int | None) -> str | None:
    """Return the address of the proxy, ``None`` where there is none or the host, or this port of it, is exempt.

    Raises ValueError for a proxy to which nobody here can speak: it would be sent the request as it is.
    """
    proxies = urllib.request.getproxies()
    named = proxies.get(scheme) or proxies.get("all")
    if not named or urllib.request.proxy_bypass(host) or urllib.request.proxy_bypass(f"{host}:{port}"):
        return None
    kind, separator, _ = named.partition("://")
    if not separator:
        return f"http://{named}"
    if kind.lower() not in ("http", "https"):
        raise ValueError(f"only http:// and https:// proxies are supported, not {kind}://")
    return named
