"""Whether the mail server takes our login, so that trouble can be told by e-mail; sends nothing."""

from vmh_sync.alerts.ways import MessageNotSent, mail_server, refused_recipients
from vmh_sync.doctor.line import Line, ok, problem
from vmh_sync.settings import AlertSettings

MAIL = "Meldungen per E-Mail"


def check_mail(settings: AlertSettings) -> list[Line]:
    """Log in to the mail server; no line when nobody is to be told by e-mail. Blocking."""
    if not settings.email_to:
        return []
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        with mail_server(settings) as server:
            refused = refused_recipients(server, settings)
    except MessageNotSent as trouble:
        remedy = "VMH_ALERT_SMTP_HOST, …_PORT, …_SECURITY, …_USER und …_PASSWORD prüfen."
        return [problem(MAIL, f"Störungen könnten nicht gemeldet werden ({where}): {trouble}.", remedy)]
    if refused:
        text = f"Der Mailserver {where} nimmt keine Mail für {', '.join(refused)}."
        return [problem(MAIL, text, "VMH_ALERT_EMAIL_TO berichtigen, oder den Empfänger dort einrichten.")]
    return [ok(MAIL, f"Der Mailserver {where} nimmt Anmeldung, Absender und Empfänger.")]
