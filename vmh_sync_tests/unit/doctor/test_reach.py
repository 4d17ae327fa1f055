"""Why a system cannot be reached: host, cause and remedy, against sockets of our own."""

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from vmh_sync.clock import ManualClock
from vmh_sync.doctor import reach
from vmh_sync.doctor.line import Line
from vmh_sync.doctor.reach import Address, bad_address, why_unreachable
from vmh_sync_tests.fixtures.certificates import greeting_once

CLOCK = ManualClock(datetime(2027, 11, 27, 7, 0, tzinfo=UTC))
NAME = "EspoCRM-Anmeldung"


def why(url: str) -> Line | None:
    return why_unreachable(NAME, Address("ESPOCRM_API_BASE_URL", url), CLOCK)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def open_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def certificate(folder: Path, until: dt.datetime) -> ssl.SSLContext:
    """A self-signed certificate for 127.0.0.1, as a server's context."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, until - dt.timedelta(days=900), until)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, secret)
    return context


@pytest.fixture
def tls_port(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[int]:
    context = certificate(tmp_path, getattr(request, "param", dt.datetime.now(UTC) + dt.timedelta(days=100)))
    with greeting_once(context) as port:
        yield port


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("crm.kanzlei.example/api/v1", "beginnt nicht mit https://"),
        ("localhost:8080/api/v1", "beginnt nicht mit https://"),
        ("https:///api/v1", "nennt keinen Rechner"),
        ("https://crm:kanzlei/api/v1", "ist keine Adresse"),
    ],
)
def test_an_address_that_is_none_is_named_by_its_setting(url: str, text: str) -> None:
    line = bad_address(NAME, Address("ESPOCRM_API_BASE_URL", url))
    assert line is not None
    assert f"ESPOCRM_API_BASE_URL {text}" in line.text
    assert "https://" in line.remedy


def test_a_system_that_can_be_reached_has_no_line(open_port: int) -> None:
    assert why(f"http://127.0.0.1:{open_port}/api/v1") is None


def test_a_host_that_takes_no_connection_is_named(closed_port: int) -> None:
    line = why(f"http://127.0.0.1:{closed_port}/api/v1")
    assert line is not None
    assert line.text == f"127.0.0.1:{closed_port} nimmt keine Verbindung an."
    assert "ESPOCRM_API_BASE_URL" in line.remedy


def test_a_name_that_nobody_knows_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    line = why("https://crm.kanzlei.example/api/v1")
    assert line is not None
    assert line.text == "Den Rechner crm.kanzlei.example kennt das Netz nicht (DNS)."


def test_a_proxy_that_is_down_is_named_and_not_the_system(monkeypatch: pytest.MonkeyPatch, closed_port: int) -> None:
    monkeypatch.setenv("https_proxy", f"http://user:secret@127.0.0.1:{closed_port}")
    line = why("https://crm.kanzlei.example/api/v1")
    assert line is not None
    assert line.text == f"Der Proxy 127.0.0.1:{closed_port} (Umgebung, https_proxy) nimmt keine Verbindung an."
    assert "NO_PROXY" in line.remedy
    assert "secret" not in line.text + line.remedy


def test_a_proxy_of_another_kind_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://user:secret@127.0.0.1:1080")
    line = why("https://crm.kanzlei.example/api/v1")
    assert line is not None
    assert line.text == "Der Proxy (Umgebung, https_proxy oder all_proxy) ist keiner für HTTP."
    assert "secret" not in line.text + line.remedy


def test_a_certificate_that_is_not_trusted_is_told_with_the_reason(tls_port: int) -> None:
    line = why(f"https://127.0.0.1:{tls_port}/api/v1")
    assert line is not None
    assert line.text == "Das Zertifikat von 127.0.0.1 wird nicht anerkannt: es ist selbst ausgestellt."
    assert "SSL_CERT_FILE" in line.remedy


def test_a_clock_that_is_far_off_makes_certificates_expired_and_is_told() -> None:

    class Expired(ssl.SSLCertVerificationError):
        verify_code = 10

    class Context:
        def wrap_socket(self, *_: object, **__: object) -> None:
            raise Expired

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", Context)
        with pytest.raises(reach._Stopped) as stopped, socket.socket() as raw:
            reach._greet(raw, "crm.kanzlei.example", CLOCK)
    assert "es ist abgelaufen" in stopped.value.text
    assert "die Uhr dieses Rechners geht falsch: Sie zeigt 27.11.2027 07:00" in stopped.value.remedy


def test_a_port_without_tls_is_told() -> None:
    answered = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.recv(1000)
            answered.set()

        thread = threading.Thread(target=answer)
        thread.start()
        line = why(f"https://127.0.0.1:{server.getsockname()[1]}/api/v1")
        thread.join()
    assert line is not None
    assert line.text == "127.0.0.1 spricht kein TLS."


def test_a_port_that_takes_the_connection_and_says_nothing_is_not_called_one_without_tls() -> None:
    with pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as server:
        patch.setattr(reach, "PATIENCE_SECONDS", 0.1)
        line = why(f"https://127.0.0.1:{server.getsockname()[1]}/api/v1")
    assert line is not None
    assert line.text == "127.0.0.1 nimmt die Verbindung an, beginnt aber kein TLS."
