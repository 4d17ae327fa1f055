"""What is assumed about Advoware (docs/assumptions.md), and what follows if it is wrong."""

from vmh_sync.probe.findings import Assumption, Effect

_ADAPTS, _STOPS = Effect.ADAPTS, Effect.STOPS

ASSUMPTIONS: tuple[Assumption, ...] = (
    Assumption(
        "party_read",
        "Ein Beteiligter lässt sich unter seiner Nummer lesen und nennt betNr und rowId",
        "Ohne Nummer und rowId ist kein Abgleich möglich. Bitte den Pfad und die Feldnamen mit Advoware klären.",
        _STOPS,
    ),
    Assumption(
        "party_names",
        "Die Felder eines Beteiligten heißen wie angenommen",
        "Fehlende Felder werden nicht abgeglichen; richtige Namen in VMH_FIELD_TABLES eintragen.",
    ),
    Assumption(
        "unknown_number",
        "Eine unbekannte Nummer wird mit 404 beantwortet",
        "Gelöschte Beteiligte wären nicht von Störungen zu unterscheiden. Bitte mit Advoware klären.",
        _STOPS,
    ),
    Assumption(
        "children_read",
        "Adressen und Bankverbindungen stehen im Beteiligten oder haben eigene Listen",
        "Adressen und Bankverbindungen werden nicht abgeglichen; Leserecht bei Advoware freischalten lassen.",
    ),
    Assumption(
        "search",
        "Beteiligte lassen sich suchen",
        "Es wird nicht mehr gesucht: Bleibt beim Anlegen die Antwort aus, fragt eine Aufgabe nach.",
        _ADAPTS,
    ),
    Assumption(
        "search_limit",
        "Die Suche nennt alle Treffer auf einmal",
        "Der Erstkontakt sucht mit je zwei Buchstaben weiter; sicherer ist --numbers VON-BIS.",
    ),
    Assumption(
        "late_commit",
        "Was ohne Antwort blieb, steht spätestens nach VMH_CREATE_SETTLE_SECONDS in Advoware",
        "Nach einem Anlegen ohne Antwort wird so viel länger gewartet, bis noch einmal angelegt wird.",
        _ADAPTS,
    ),
    Assumption(
        "party_put",
        "Eine Änderung (PUT) übernimmt die acht Felder eines Beteiligten",
        "Die genannten Felder werden in Advoware nicht mehr geändert; eine Änderung in EspoCRM wird zur Aufgabe.",
        _ADAPTS,
    ),
    Assumption(
        "party_put_more",
        "Registerdaten ändert ein PUT nicht",
        "Die genannten Felder werden künftig auch geändert, nicht nur angelegt.",
        _ADAPTS,
    ),
    Assumption(
        "party_put_empties",
        "Was in einem PUT fehlt, wird geleert",
        "Nichts: Es wird immer der ganze Datensatz gesendet.",
    ),
    Assumption(
        "party_row_id",
        "Jede Änderung eines Beteiligten gibt ihm eine neue rowId",
        "Gleichzeitige Änderungen wären nicht zu erkennen. Bitte mit Advoware klären, woran man sie erkennt.",
        _STOPS,
    ),
    Assumption(
        "clock",
        "geaendertAm ist die Ortszeit der eingestellten Zeitzone, und die Uhr geht auf eine Viertelstunde genau",
        "ADVOWARE_TIMEZONE oder die Uhr des Servers richtigstellen und noch einmal prüfen: sonst gewinnt bei "
        "Konflikten die falsche Seite.",
        _STOPS,
    ),
    Assumption(
        "entry_post",
        "Ein neuer Eintrag der Kommunikation erscheint beim Beteiligten",
        "Telefonnummern und E-Mails lassen sich nicht anlegen. Bitte das Recht bei Advoware freischalten lassen.",
        _STOPS,
    ),
    Assumption(
        "entry_kind_told",
        "Kommunikation nennt ihre Art (kommKz)",
        "Nichts: Die Art wird aus dem Wert erschlossen.",
    ),
    Assumption(
        "entry_put",
        "Eine Änderung (PUT) übernimmt Wert, Bemerkung und online eines Eintrags",
        "Die genannten Felder bleiben, wie sie sind; eine Änderung in EspoCRM wird zur Aufgabe.",
    ),
    Assumption("entry_kind_fixed", "Die Art (kommKz) eines Eintrags ändert ein PUT nicht", "Nichts."),
    Assumption(
        "entry_delete",
        "Einträge lassen sich nicht löschen",
        "Nichts: Es wird weiterhin nichts gelöscht, sondern ein Mensch gebeten.",
    ),
    Assumption(
        "child_keeps_row_id",
        "Ein geänderter Eintrag lässt die rowId des Beteiligten stehen",
        "Nichts: Verglichen werden die Inhalte.",
    ),
    Assumption(
        "address_post",
        "Eine neue Adresse übernimmt jedes Feld",
        "Die genannten Felder gehen beim Anlegen nicht mit; die Abweichung wird zur Aufgabe.",
        _ADAPTS,
    ),
    Assumption(
        "address_put",
        "Eine Änderung (PUT) übernimmt Straße, PLZ, Ort und Anschrift",
        "Die genannten Felder werden in Advoware nicht mehr geändert; eine Änderung in EspoCRM wird zur Aufgabe.",
        _ADAPTS,
    ),
    Assumption(
        "address_put_more",
        "Andere Felder einer Adresse ändert ein PUT nicht",
        "Die genannten Felder werden künftig auch geändert, nicht nur angelegt.",
        _ADAPTS,
    ),
    Assumption(
        "account_post",
        "Eine neue Bankverbindung übernimmt Kontoinhaber, IBAN, BIC und Bank",
        "Die genannten Felder gehen beim Anlegen nicht mit; die Abweichung wird zur Aufgabe.",
        _ADAPTS,
    ),
    Assumption("account_fixed", "Bankverbindungen lassen sich weder ändern noch löschen", "Nichts."),
    Assumption(
        "termin_post",
        "Ein neuer Termin lässt sich unter seiner frNr lesen und steht im Kalender seines Bearbeiters",
        "Kalender lassen sich nicht abgleichen: CALENDAR_SYNC_ENABLED ausschalten und mit Advoware klären.",
    ),
    Assumption(
        "termin_filter",
        "Der Filter frnr liefert genau einen Termin",
        "Nichts: Die Nummer der Antwort wird immer geprüft.",
    ),
    Assumption(
        "termin_put",
        "Eine Änderung (PUT) übernimmt Text, Notiz, Ort und Zeiten eines Termins",
        "Die genannten Felder bleiben, wie sie sind; Google wird wieder auf den Stand von Advoware gebracht.",
    ),
    Assumption(
        "termin_delete",
        "Ein Termin lässt sich löschen und ist danach nicht mehr zu lesen",
        "Wird ein Termin in Google gelöscht, so bittet der Abgleich, ihn in Advoware von Hand zu löschen.",
    ),
)
