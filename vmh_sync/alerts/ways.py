"""The ways by which people are told: e-mail, a webhook, a task in EspoCRM that rings its user's bell."""

import asyncio
import logging
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.header import Header
from email.message import EmailMessage
from email.policy import EmailPolicy

import httpx
from pydantic import SecretStr

from vmh_sync.alerts.ledger import Message
from vmh_sync.clock import FIRM_ZONE, SystemClock
from vmh_sync.settings import AlertSettings, EspoCrmSettings, load
from vmh_sync.systems.certificate import why_not_trusted
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm.client import EspoClient, open_espocrm
from vmh_sync.systems.espocrm.errors import ValidationRejected
from vmh_sync.systems.retry import RetryPolicy
from vmh_sync.tasks.settled import say_done

_log = logging.getLogger(__name__)

SECONDS = 10.0
Way = Callable[[Message], str | None]
"""Sends a message; returns what it wants to remember. Raises :class:`MessageNotSent`."""


class MessageNotSent(Exception):
    """A message did not leave; ``str`` says why, in German and without secrets. The next look tries again."""


def ways(settings: AlertSettings) -> Mapping[str, Way]:
    """Return the ways that are set up, by name."""
    found: dict[str, Way] = {}
    if settings.email_to:
        found["E-Mail"] = lambda message: _mail(settings, message)
    if settings.webhook_url is not None:
        address = settings.webhook_url.get_secret_value()
        found["Webhook"] = lambda message: _post(address, message)
    if settings.espocrm_user_id:
        user = settings.espocrm_user_id
        found["EspoCRM"] = lambda message: asyncio.run(_task(user, message))
    return found


def subject(message: Message) -> str:
    """Return the first line of a message."""
    return f"Abgleich: {'behoben' if message.over else 'Störung'}: {message.trouble.title}"


def body(message: Message) -> str:
    """Return what a message says."""
    since = f"{message.since.astimezone(FIRM_ZONE):%d.%m.%Y %H:%M}"
    lines = [f"Seit {since}: {message.trouble.text}"]
    if message.over:
        lines = [f"Behoben: {message.trouble.title}", f"Die Störung bestand seit {since}. Es ist nichts mehr zu tun."]
    return "\n\n".join([*lines, *([message.trouble.link] if message.trouble.link else [])])


class _WholeSubject(EmailPolicy):
    """Encodes a subject as a whole: where Python folds between encoded words, it loses blanks."""

    def fold_binary(self, name: str, value: str) -> bytes:
        """Return a header as it is sent."""
        if name != "Subject":
            return super().fold_binary(name, value)
        whole = Header(str(value), "utf-8", header_name=name).encode(linesep=self.linesep)
        return f"{name}: {whole}{self.linesep}".encode("ascii")


def _mail(settings: AlertSettings, message: Message) -> None:
    mail = EmailMessage(policy=_WholeSubject())
    mail["Subject"], mail["From"], mail["To"] = subject(message), settings.email_from, ", ".join(settings.email_to)
    mail.set_content(body(message))
    with mail_server(settings) as server:
        refused = server.send_message(mail)  # raises only when nobody got it
    if refused:
        _log.warning("an alert was not taken for %d of %d recipients", len(refused), len(settings.email_to))


@contextmanager
def mail_server(settings: AlertSettings) -> Iterator[smtplib.SMTP]:
    """Log in to the mail server that the settings name. Raises :class:`MessageNotSent`."""
    context = ssl.create_default_context()
    try:
        with _smtp(settings, context) as server:
            if settings.smtp_security == "starttls":
                server.starttls(context=context)
            if settings.smtp_user:
                _log_in(server, settings.smtp_user, settings.smtp_password)
            yield server
    except (OSError, smtplib.SMTPException) as problem:
        raise MessageNotSent(_why(problem)) from None


def _log_in(server: smtplib.SMTP, user: str, password: SecretStr | None) -> None:
    try:
        server.login(user, password.get_secret_value() if password else "")
    except smtplib.SMTPServerDisconnected:
        # Some servers hang up on a login that they refuse, before the next form of it can be tried.
        raise smtplib.SMTPAuthenticationError(_REFUSED, b"") from None


def refused_recipients(server: smtplib.SMTP, settings: AlertSettings) -> tuple[str, ...]:
    """Ask whom the mail server would not take mail for; sends nothing. Raises ``smtplib.SMTPException``."""
    code, answer = server.mail(str(settings.email_from))
    if code != _TAKEN:
        raise smtplib.SMTPSenderRefused(code, answer, str(settings.email_from))
    refused = tuple(one for one in settings.email_to if server.rcpt(str(one))[0] not in (_TAKEN, _PASSED_ON))
    server.rset()
    return refused


def _why(problem: OSError | smtplib.SMTPException) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return (
            f"das Zertifikat des Mailservers wird nicht anerkannt: {why_not_trusted(problem)}; eine eigene "
            "Zertifizierungsstelle nennt SSL_CERT_FILE"
        )
    for kinds, text in _REASONS:
        if isinstance(problem, kinds):
            return text
    return f"der Mailserver hat sie nicht genommen ({type(problem).__name__})"


_TAKEN, _PASSED_ON, _REFUSED = 250, 251, 535
_REASONS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((smtplib.SMTPAuthenticationError,), "der Mailserver lehnt die Anmeldung ab (Benutzer oder Kennwort)"),
    ((smtplib.SMTPRecipientsRefused,), "der Mailserver lehnt jeden Empfänger ab (VMH_ALERT_EMAIL_TO)"),
    (
        (smtplib.SMTPSenderRefused,),
        "der Mailserver lehnt den Absender ab (VMH_ALERT_EMAIL_FROM)",
    ),
    ((smtplib.SMTPNotSupportedError,), "der Mailserver kann nicht, was verlangt ist (STARTTLS oder eine Anmeldung)"),
    (
        (smtplib.SMTPServerDisconnected,),
        "der Mailserver antwortet nicht, oder er spricht auf diesem Port nur TLS",
    ),
    ((socket.gaierror,), "den Namen des Mailservers kennt niemand"),
    ((ConnectionRefusedError,), "der Mailserver nimmt keine Verbindung an"),
    ((TimeoutError,), f"der Mailserver antwortet nicht innerhalb von {SECONDS:.0f} Sekunden"),
    ((ssl.SSLError,), "der Mailserver spricht auf diesem Port kein TLS"),
)
"""What went wrong, in words; the first that fits counts. Timeouts and names are OS errors, too."""


def _smtp(settings: AlertSettings, context: ssl.SSLContext) -> smtplib.SMTP:
    host, port = settings.smtp_host, settings.smtp_port
    if settings.smtp_security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
    return smtplib.SMTP(host, port, timeout=SECONDS)


def _post(address: str, message: Message) -> None:
    said = {
        "event": "over" if message.over else "trouble",
        "key": message.key,
        "title": message.trouble.title,
        "text": f"{subject(message)}\n{body(message)}",
        "since": message.since.isoformat(timespec="seconds"),
        "link": message.trouble.link,
    }
    try:
        httpx.post(address, json=said, timeout=SECONDS).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        raise MessageNotSent(f"die Adresse hat sie nicht genommen ({type(problem).__name__})") from None


async def _task(user: str, message: Message) -> str | None:
    """A task for the user, done when the trouble is over: API users can create no notification (espocrm.md B1.4)."""
    try:
        async with open_espocrm(load(EspoCrmSettings), clock=SystemClock(), retry=RetryPolicy(attempts=1)) as espo:
            if not message.over:
                task = {"name": subject(message), "description": body(message), "assignedUserId": user}
                try:
                    return (await espo.create("Task", {**task, "priority": "High"})).id
                except ValidationRejected:  # some firms have other words
                    return (await espo.create("Task", task)).id
            if message.mark is not None:
                await _end(espo, message.mark, {"description": body(message)})
            return None
    except ForeignSystemError as problem:
        raise MessageNotSent(problem.message_for_people) from None


async def _end(espo: EspoClient, task: str, told: dict[str, str]) -> None:
    async def send(word: str) -> None:
        await espo.update("Task", task, {**told, "status": word})

    if not await say_done(_Asking(espo), send):
        await espo.update("Task", task, told)


@dataclass(frozen=True)
class _Asking:
    espo: EspoClient
    told: dict[str, object] = field(default_factory=dict)
