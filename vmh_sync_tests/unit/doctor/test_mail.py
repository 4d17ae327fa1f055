"""Whether trouble could be told by e-mail: the mail server is greeted, and what is wrong with it has its name."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from vmh_sync.doctor.line import Level
from vmh_sync.doctor.mail import check_mail
from vmh_sync.settings import AlertSettings
from vmh_sync_tests.fixtures.certificates import Authority
from vmh_sync_tests.fixtures.mailbox import Mailbox


def to(port: int, security: str = "none") -> AlertSettings:
    return AlertSettings(
        email_to=("leitung@kanzlei.example",), smtp_host="127.0.0.1", smtp_port=port, smtp_security=security
    )


@pytest.fixture
def tls_port(tmp_path: Path) -> Iterator[int]:
    """A server whose certificate an authority signed that this machine does not know."""
    context = Authority.create(tmp_path).server("127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            connection, _ = server.accept()
            with connection:
                try:
                    context.wrap_socket(connection, server_side=True).close()
                except OSError:
                    return

        thread = threading.Thread(target=greet)
        thread.start()
        yield int(server.getsockname()[1])
        thread.join()


def test_a_certificate_that_is_not_trusted_is_told_with_the_reason_and_the_remedy(tls_port: int) -> None:
    (line,) = check_mail(to(tls_port, "tls"))
    assert line.level is Level.PROBLEM
    assert "das Zertifikat des Mailservers wird nicht anerkannt: seine Zertifizierungsstelle ist" in line.text
    assert "SSL_CERT_FILE" in line.text
    assert "VMH_ALERT_SMTP_HOST" in line.remedy


def test_a_mail_server_that_takes_us_is_fine_and_gets_no_mail(mailbox: Mailbox) -> None:
    (line,) = check_mail(to(mailbox.port))
    assert (line.level, mailbox.mails) == (Level.OK, [])
    assert check_mail(AlertSettings(email_to=())) == []


def test_a_mail_server_that_is_away_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    (line,) = check_mail(to(port))
    assert line.level is Level.PROBLEM and f"127.0.0.1:{port}" in line.text
