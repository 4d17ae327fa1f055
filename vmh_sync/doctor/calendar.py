"""Checks of Google Calendar: key of the service account, login."""

import google.auth.exceptions
import googleapiclient.errors
import httplib2

from vmh_sync.doctor.line import Line, hint, ok, problem
from vmh_sync.settings import GoogleCalendarSettings
from vmh_sync.systems.google_calendar.service import ServiceAccountError, ServiceFactory

GOOGLE = "Google Calendar"


def check_google(settings: GoogleCalendarSettings) -> Line:
    """Tell whether a service account is set up and may list its calendars. Blocks; makes one read."""
    if settings.service_account_json is None and settings.service_account_path is None:
        return hint(
            GOOGLE,
            "Nicht eingerichtet: Termine werden nicht abgeglichen.",
            "Wenn gewünscht: GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH setzen.",
        )
    try:
        factory = ServiceFactory(settings)
    except ServiceAccountError as error:
        return problem(GOOGLE, error.people, error.in_words)
    except ValueError:
        return problem(GOOGLE, ServiceAccountError.people, "Den Schlüssel des Dienstkontos neu herunterladen.")
    try:
        factory.service().calendarList().list(maxResults=1).execute()
    except google.auth.exceptions.GoogleAuthError:
        return problem(
            GOOGLE, "Google lehnt die Anmeldung ab.", "Prüfen, ob das Dienstkonto und sein Schlüssel noch gültig sind."
        )
    except googleapiclient.errors.HttpError as error:
        return problem(
            GOOGLE,
            f"Google verweigert den Zugriff auf die Kalender (Status {error.status_code}).",
            "Prüfen, ob die Calendar-API für das Projekt eingeschaltet ist.",
        )
    except (OSError, httplib2.HttpLib2Error) as error:
        return problem(
            GOOGLE, f"Google ist nicht erreichbar ({type(error).__name__}).", "Internetverbindung und Firewall prüfen."
        )
    finally:
        factory.close()
    return ok(GOOGLE, "Anmeldung des Dienstkontos gelungen, Kalender lesbar.")
