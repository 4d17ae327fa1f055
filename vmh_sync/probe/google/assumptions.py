"""What is assumed about Google Calendar (specification, kalender.md 1), and what follows if it is wrong."""

from vmh_sync.probe.findings import Assumption, Effect

_STOPS = Effect.STOPS
_ASK = "Die Kalender werden nicht abgeglichen, bis das geklärt ist."

GOOGLE_ASSUMPTIONS: tuple[Assumption, ...] = (
    Assumption("google_read", "Der Kalender lässt sich vollständig lesen und beschreiben", _ASK, _STOPS),
    Assumption("google_own_id", "Ein Ereignis lässt sich unter einer eigenen ID anlegen", _ASK, _STOPS),
    Assumption(
        "google_id_taken",
        "Dieselbe ID noch einmal wird abgelehnt (409)",
        f"Ereignisse könnten doppelt entstehen. {_ASK}",
        _STOPS,
    ),
    Assumption(
        "google_private",
        "Eigene Kennzeichen (extendedProperties.private) bleiben am Ereignis und lassen sich suchen",
        f"Ereignisse wären nicht wiederzuerkennen. {_ASK}",
        _STOPS,
    ),
    Assumption(
        "google_html",
        "Eine formatierte Beschreibung bleibt Zeichen für Zeichen stehen",
        "Nichts: Nur was sich in Advoware geändert hat, wird neu geschrieben.",
    ),
    Assumption(
        "google_if_match",
        "Wer von einem alten Stand aus schreibt, wird abgewiesen (If-Match, 412)",
        f"Gleichzeitige Änderungen gingen verloren. {_ASK}",
        _STOPS,
    ),
    Assumption(
        "google_token",
        "Mit dem syncToken kommt genau, was sich seitdem geändert hat, auch Gelöschtes",
        f"Änderungen würden nicht bemerkt. {_ASK}",
        _STOPS,
    ),
    Assumption(
        "google_delete",
        "Ein gelöschtes Ereignis ist danach fort oder „cancelled“, und noch einmal löschen ergibt 404 oder 410",
        f"Gelöschtes wäre nicht zu erkennen. {_ASK}",
        _STOPS,
    ),
    Assumption(
        "google_deleted_id",
        "Die ID eines gelöschten Ereignisses bleibt vergeben (409)",
        "Nichts: Es gibt für jede Anlage eine neue.",
    ),
    Assumption(
        "google_series",
        "Eine Serie behält ihre Regel, und jedes Vorkommen nennt seine Serie und seinen ursprünglichen Beginn",
        f"Serien ließen sich nicht zuordnen. {_ASK}",
        _STOPS,
    ),
    Assumption(
        "google_series_skipped",
        "Ein abgesagtes Vorkommen wird mit dem syncToken als „cancelled“ seiner Serie gemeldet",
        f"Abgesagtes stünde in Advoware weiter. {_ASK}",
        _STOPS,
    ),
    Assumption(
        "google_list_limit",
        "Eine Liste folgt maxResults und nennt, dass noch etwas kommt (nextPageToken)",
        f"Lange Kalender wären nur zum Teil zu lesen. {_ASK}",
        _STOPS,
    ),
    Assumption(
        "google_unknown_token",
        "Ein unbrauchbares syncToken wird abgelehnt (400 oder 410), nicht mit einer Liste beantwortet",
        f"Änderungen würden nicht bemerkt. {_ASK}",
        _STOPS,
    ),
    Assumption(
        "google_guests",
        "Ein Ereignis mit Gästen wird vom Dienstkonto nicht angenommen (403)",
        "Nichts: Der Abgleich lädt niemanden ein.",
    ),
    Assumption(
        "google_quota",
        "600 Aufrufe in der Minute sind erlaubt",
        "Nichts: Wird es Google zu viel, wartet der Abgleich, so lange Google es sagt.",
    ),
    Assumption(
        "google_channel",
        "Google meldet Änderungen an unsere Adresse (CALENDAR_SYNC_PUSH_URL)",
        "Nichts: Kalender werden alle 15 Minuten angesehen.",
    ),
)
