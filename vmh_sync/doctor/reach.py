"""Why a system cannot be reached: the address, the name, the proxy, the connection or the certificate.

Goes the way a request goes, step by step, with a short patience, and stops at the first step that fails. Sends nothing
but the greeting of TLS. Blocking.
"""

import socket
import ssl
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from vmh_sync.clock import Clock
from vmh_sync.doctor.line import Line, problem
from vmh_sync.systems.certificate import why_not_trusted
from vmh_sync.systems.proxies import proxy_for

PATIENCE_SECONDS = 5.0
_PORTS = {"http": 80, "https": 443}
_OF_THE_CLOCK = frozenset({9, 10})


@dataclass(frozen=True, slots=True)
class Address:
    """An address as a setting holds it."""

    setting: str
    url: str


class _Stopped(Exception):
    """A step failed; ``text`` says at what, ``remedy`` what to do (German)."""

    def __init__(self, text: str, remedy: str) -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy


def why_unreachable(name: str, address: Address, clock: Clock) -> Line | None:
    """Return what is wrong with the way to an address, ``None`` when a request would get there."""
    try:
        parts = _parts(address)
        host, port = str(parts.hostname), parts.port or _PORTS[parts.scheme]
        named = _proxy(parts.scheme, host, port)
        if named is not None:
            proxy = urlsplit(named)
            _connect(
                proxy,
                f"Der Proxy {proxy.hostname}:{proxy.port or _PORTS['http']} (Umgebung, {parts.scheme}_proxy)",
                "Den Proxy starten, oder die Variable berichtigen; NO_PROXY nimmt Rechner aus.",
            ).close()
            return None  # what lies behind it only the proxy can tell
        with _connect(
            parts,
            f"{host}:{port}",
            f"Prüfen, ob {host} läuft, der Port stimmt ({address.setting}) und keine Firewall dazwischen liegt.",
        ) as raw:
            if parts.scheme == "https":
                _greet(raw, host, clock)
    except _Stopped as stopped:
        return problem(name, stopped.text, stopped.remedy)
    return None


def _proxy(scheme: str, host: str, port: int) -> str | None:
    try:
        return proxy_for(scheme, host, port)
    except ValueError:
        raise _Stopped(
            f"Der Proxy (Umgebung, {scheme}_proxy oder all_proxy) ist keiner für HTTP.",
            "Einen Proxy nennen, der mit http:// oder https:// beginnt; NO_PROXY nimmt Rechner aus.",
        ) from None


def bad_address(name: str, address: Address) -> Line | None:
    """Return what is wrong with an address as it is written, without asking anybody."""
    try:
        _parts(address)
    except _Stopped as stopped:
        return problem(name, stopped.text, stopped.remedy)
    return None


def _parts(address: Address) -> SplitResult:
    try:
        parts = urlsplit(address.url)
        _ = parts.port
    except ValueError:
        raise _Stopped(f"{address.setting} ist keine Adresse.", "Zum Beispiel https://crm.kanzlei.de/api/v1") from None
    if parts.scheme not in _PORTS:
        raise _Stopped(f"{address.setting} beginnt nicht mit https:// oder http://.", "https:// davor schreiben.")
    if not parts.hostname:
        raise _Stopped(f"{address.setting} nennt keinen Rechner.", "Zum Beispiel https://crm.kanzlei.de/api/v1")
    return parts


def _connect(parts: SplitResult, called: str, remedy: str) -> socket.socket:
    host, port = str(parts.hostname), parts.port or _PORTS.get(parts.scheme, 80)
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise _Stopped(
            f"Den Rechner {host} kennt das Netz nicht (DNS).", f"Die Schreibweise prüfen. {remedy}"
        ) from None
    try:
        return socket.create_connection((host, port), PATIENCE_SECONDS)
    except TimeoutError:
        raise _Stopped(f"{called} antwortet nicht.", remedy) from None
    except OSError:
        raise _Stopped(f"{called} nimmt keine Verbindung an.", remedy) from None


def _greet(raw: socket.socket, host: str, clock: Clock) -> None:
    try:
        ssl.create_default_context().wrap_socket(raw, server_hostname=host).close()
    except ssl.SSLCertVerificationError as error:
        remedy = (
            f"Auf {host} ein gültiges Zertifikat einrichten; eine eigene Zertifizierungsstelle nennt SSL_CERT_FILE."
        )
        if error.verify_code in _OF_THE_CLOCK:
            remedy += f" Oder die Uhr dieses Rechners geht falsch: Sie zeigt {clock.now():%d.%m.%Y %H:%M} (UTC)."
        raise _Stopped(f"Das Zertifikat von {host} wird nicht anerkannt: {why_not_trusted(error)}.", remedy) from None
    except TimeoutError:
        remedy = f"Auf {host} den Webserver und sein TLS prüfen, und was dazwischen liegt (Firewall, Lastverteiler)."
        raise _Stopped(f"{host} nimmt die Verbindung an, beginnt aber kein TLS.", remedy) from None
    except OSError:
        remedy = f"Prüfen, ob {host} dort wirklich HTTPS spricht; sonst http:// schreiben."
        raise _Stopped(f"{host} spricht kein TLS.", remedy) from None
