"""Whether trouble could be told by e-mail: the mail server is greeted, and what is wrong with it has its name."""

import smtplib
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vmh_sync.alerts.ledger import Message, Trouble
from vmh_sync.alerts.ways import MessageNotSent, mail_server, ways
from vmh_sync.doctor.line import Level
from vmh_sync.doctor.own_services import check_mail
from vmh_sync.settings import AlertSettings
from vmh_sync_tests.fixtures.certificates import Authority, greeting_once
from vmh_sync_tests.fixtures.mailbox import Mailbox

SINCE = datetime(2026, 3, 2, tzinfo=UTC)
MESSAGE = Message("k", "E-Mail", Trouble("k", "Beteiligte", "Etwas ist gescheitert."), SINCE, False)
LOGIN = ("abgleich", "canary-password")


def to(port: int, security: str = "none", password: str | None = None, **more: object) -> AlertSettings:
    login = {"smtp_user": LOGIN[0], "smtp_password": password} if password else {}
    settings = {"email_to": ("leitung@kanzlei.example", "buero@kanzlei.example"), "smtp_host": "127.0.0.1", **login}
    return AlertSettings.model_validate({**settings, "smtp_port": port, "smtp_security": security, **more})


@pytest.fixture
def tls_port(tmp_path: Path) -> Iterator[int]:
    """A server whose certificate an authority signed that this machine does not know."""
    context = Authority.create(tmp_path).server("127.0.0.1")
    with greeting_once(context) as port:
        yield port


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


def test_with_starttls_and_a_login_mail_arrives_and_each_refusal_has_its_name(
    mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority.create(tmp_path)
    mailbox.tls, mailbox.login = authority.server("127.0.0.1"), LOGIN

    def told(*, password: str = LOGIN[1], **more: object) -> str:
        (line,) = check_mail(to(mailbox.port, "starttls", password, **more))
        assert LOGIN[1] not in line.text + line.remedy
        return line.text

    assert "seine Zertifizierungsstelle ist" in told()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    assert told().endswith("nimmt Anmeldung, Absender und Empfänger.")
    assert "der Mailserver lehnt die Anmeldung ab (Benutzer oder Kennwort)." in told(password="falsch")
    mailbox.refused = {"buero@"}
    assert told().endswith("nimmt keine Mail für buero@kanzlei.example.")
    assert mailbox.mails == [], "nothing was sent"

    send = ways(to(mailbox.port, "starttls", LOGIN[1]))["E-Mail"]
    send(MESSAGE)
    (mail,) = mailbox.mails
    assert mail["Subject"] == "Abgleich: Störung: Beteiligte"
    mailbox.refused = {"@kanzlei"}
    with pytest.raises(MessageNotSent, match="lehnt jeden Empfänger ab"):
        send(MESSAGE)
    mailbox.tls = mailbox.login = None
    with pytest.raises(MessageNotSent, match="kann nicht, was verlangt ist"):
        send(MESSAGE)


def test_a_mail_server_that_is_away_unknown_or_silent_is_told_in_german(monkeypatch: pytest.MonkeyPatch) -> None:
    def why(settings: AlertSettings) -> str:
        with pytest.raises(MessageNotSent) as raised, mail_server(settings):
            pass
        return str(raised.value)

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
        monkeypatch.setattr("vmh_sync.alerts.ways.SECONDS", 0.05)
        assert why(to(port)) == "der Mailserver antwortet nicht, oder er spricht auf diesem Port nur TLS"
    assert why(to(port)) == "der Mailserver nimmt keine Verbindung an"
    monkeypatch.setattr(smtplib.SMTP, "connect", unknown_name)
    assert why(to(port)) == "den Namen des Mailservers kennt niemand"


def unknown_name(*_: object, **__: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "unknown")


def test_a_long_subject_arrives_with_all_its_blanks(mailbox: Mailbox) -> None:
    title = "Adressen: Noch kein Durchgang bekannt. Prüfen, ob „vmh-sync up“ läuft"
    message = Message("k", "E-Mail", Trouble("k", title, title), SINCE, True)
    ways(to(mailbox.port))["E-Mail"](message)
    assert mailbox.mails[0]["Subject"] == f"Abgleich: behoben: {title}"
