"""What is assumed about EspoCRM (specification, espocrm.md), and what follows if it is wrong."""

from vmh_sync.probe.findings import Assumption, Effect

_ADAPTS, _STOPS = Effect.ADAPTS, Effect.STOPS
_ASK = "Bitte den Betreuer von EspoCRM fragen (eigene Erweiterungen, Proxy davor?)."

ESPOCRM_ASSUMPTIONS: tuple[Assumption, ...] = (
    Assumption("espocrm_read", "Ein Datensatz lässt sich unter seiner ID lesen und nennt modifiedAt", _ASK, _STOPS),
    Assumption("espocrm_unknown_id", "Eine unbekannte ID wird mit 404 und einem Grund beantwortet", _ASK, _STOPS),
    Assumption(
        "espocrm_contacts_read",
        "Ein Datensatz nennt seine E-Mails und Telefonnummern (emailAddressData, phoneNumberData)",
        "E-Mails und Telefonnummern werden nicht abgeglichen.",
    ),
    Assumption(
        "espocrm_list",
        "Listen nennen Zeilen und ihre Anzahl, auch mit X-No-Total",
        f"Listen wären unlesbar. {_ASK}",
        _STOPS,
    ),
    Assumption(
        "espocrm_list_contacts",
        "Listen enthalten keine E-Mails und Telefonnummern",
        "Nichts: Jeder Datensatz wird einzeln gelesen.",
    ),
    Assumption(
        "espocrm_list_limit", "Eine Seite einer Liste darf 200 Zeilen haben", "Seiten sind künftig so kurz.", _ADAPTS
    ),
    Assumption(
        "espocrm_list_values",
        "Eine Liste lässt sich nach 100 IDs auf einmal filtern",
        "Gefragt wird künftig nach so vielen auf einmal.",
        _ADAPTS,
    ),
    Assumption(
        "espocrm_put",
        "Eine Änderung (PUT) übernimmt, was gesendet wird",
        f"Nichts ließe sich abgleichen. {_ASK}",
        _STOPS,
    ),
    Assumption(
        "espocrm_put_partial",
        "Was in einem PUT fehlt, bleibt stehen",
        f"Jede Änderung würde anderes leeren. {_ASK}",
        _STOPS,
    ),
    Assumption(
        "espocrm_put_answer",
        "Ein PUT antwortet mit dem ganzen Datensatz",
        f"Der Stand danach wäre unbekannt. {_ASK}",
        _STOPS,
    ),
    Assumption(
        "espocrm_clock",
        "modifiedAt ist UTC, wird bei jeder Änderung neu, und die Uhr geht auf eine Viertelstunde genau",
        "Die Uhr des Servers von EspoCRM richtigstellen und noch einmal prüfen: sonst gewinnt bei Konflikten die "
        "falsche Seite.",
        _STOPS,
    ),
    Assumption(
        "espocrm_modified_by",
        "modifiedById nennt bei unseren Änderungen unseren API-Benutzer",
        "Nichts: Eigene Änderungen werden noch einmal angesehen.",
    ),
    Assumption(
        "espocrm_seen",
        "Was sich geändert hat, findet eine Liste nach modifiedAt",
        f"Änderungen würden nicht bemerkt. {_ASK}",
        _STOPS,
    ),
    Assumption(
        "espocrm_version",
        "Wer von einem alten Stand aus schreibt, wird abgewiesen (X-Version-Number)",
        "Vor jedem Schreiben wird frisch gelesen; was im selben Augenblick geschieht, kann verloren gehen. Im Entity "
        "Manager „Optimistic concurrency control“ einschalten.",
    ),
    Assumption(
        "espocrm_emails",
        "Ein PUT ersetzt die Liste der E-Mails, und die erste oder als primary gesendete ist danach die erste",
        f"E-Mails ließen sich nicht abgleichen. {_ASK}",
        _STOPS,
    ),
    Assumption(
        "espocrm_phone",
        "Eine Telefonnummer mit +49 wird übernommen",
        "Nichts: Eine abgelehnte Nummer bleibt auf ihrer Seite und wird zur Aufgabe.",
    ),
    Assumption(
        "espocrm_phone_national",
        "Nummern ohne Landesvorwahl werden abgelehnt",
        "Nichts: Verglichen wird nach der Bedeutung.",
    ),
    Assumption(
        "espocrm_too_long",
        "Ein zu langer Text wird abgelehnt, und die Antwort nennt das Feld",
        "Nichts: Was nicht ankommt, wird beim Nachlesen bemerkt und zur Aufgabe.",
    ),
    Assumption(
        "espocrm_day",
        "Das Geburtsdatum ist ein Tag ohne Uhrzeit",
        "Nichts: Gesendet wird dann der Tag mit Mitternacht.",
    ),
    Assumption(
        "espocrm_duplicate",
        "Ein zweiter Datensatz gleichen Namens wird mit 409 und dem ersten beantwortet",
        "Nichts: Vor dem Anlegen wird selbst gesucht.",
    ),
    Assumption(
        "espocrm_duplicate_skipped",
        "Mit X-Skip-Duplicate-Check wird er trotzdem angelegt",
        "Der Import aus Advoware meldet solche Beteiligte, statt sie anzulegen.",
    ),
    Assumption(
        "espocrm_delete",
        "Ein gelöschter Datensatz ist danach nicht mehr zu lesen (404) und steht in keiner Liste",
        f"Gelöschtes wäre nicht zu erkennen. {_ASK}",
        _STOPS,
    ),
    Assumption(
        "espocrm_restore", "Wiederherstellen kann nur ein Administrator", "Nichts: Es wird nichts wiederhergestellt."
    ),
    Assumption(
        "espocrm_child",
        "Eine Bankverbindung mit beteiligteId steht in der Liste ihres Beteiligten",
        f"Adressen und Bankverbindungen wären nicht zu finden. {_ASK}",
        _STOPS,
    ),
    Assumption(
        "espocrm_skip_own",
        "Ein Webhook merkt sich, dass er eigene Änderungen überspringen soll (skipOwn)",
        "Nichts: Eigene Änderungen werden gemeldet und noch einmal angesehen.",
    ),
)
