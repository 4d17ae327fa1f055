"""German words for the codes that the database and the plans hold, for what commands print.

Programs get the codes (``--json``). A code without a word is shown as it is.
"""

import re

BETNR_FIELD = "„Beteiligten-Nr.“ (betnr)"
"""The field in EspoCRM as our set-up labels it, and as it is called where a firm made it itself."""

SIDES = {"advoware": "Advoware", "espocrm": "EspoCRM", "google": "Google"}

CHANGES = {
    "applied": "übernommen",
    "conflict": "Konflikt",
    "refused": "abgelehnt",
    "ignored": "nicht angenommen",
    "task": "Aufgabe",
    "undo": "zurückgenommen",
    "created": "angelegt",
    "linked": "verknüpft",
    "approved": "Plan freigegeben",
    "rejected": "Plan verworfen",
    "erased": "Person gelöscht (Art. 17 DSGVO)",
    "first_contact": "erster Abgleich",
}
"""Kinds of changes in the audit log."""

REASONS = {
    "changed": "geändert",
    "primary": "Haupteintrag",
    "gone on one side": "auf einer Seite gelöscht",
    "changed_in_advoware": "in Advoware geändert",
    "changed_in_espocrm": "in EspoCRM geändert",
    "conflict": "beide Seiten geändert",
    "tried_again": "nach einer Ablehnung erneut versucht",
    "first_contact": "erster Abgleich",
    "new_in_advoware": "neu in Advoware",
    "new_in_espocrm": "neu in EspoCRM",
    "gone_in_advoware": "in Advoware entfernt",
    "deleted_in_advoware": "in Advoware gelöscht",
    "deleted_in_espocrm": "in EspoCRM gelöscht",
    "edit_survives_delete": "geändert, obwohl drüben gelöscht",
    "same child on both sides": "auf beiden Seiten dasselbe gefunden",
    "same betnr on both sides": "gleiche betnr auf beiden Seiten",
    "another number, after its party was deleted in Advoware": "andere Nummer, nachdem der Beteiligte in Advoware "
    "gelöscht wurde",
    "hung on another party in EspoCRM": "in EspoCRM einem anderen Beteiligten zugeordnet",
    "first contact, a person decided": "Erstkontakt: ein Mensch hat entschieden",
    "first contact, certain pair": "Erstkontakt: sicheres Paar",
    "no betnr yet": "noch ohne betnr",
    "both_same": "auf beiden Seiten gleich geändert",
    "online": "Kennzeichen „online“ in Advoware",
    "rebuilt": "aus anderen Feldern neu gebildet",
    "became_person": "aus der Firma wurde eine Person",
    "refused": "nicht angenommen",
    "imported from Advoware": "aus Advoware übernommen",
    "imported": "aus Advoware übernommen",
    "created": "neu angelegt",
    "tried again": "nach einer Ablehnung erneut versucht",
    "edited in EspoCRM": "in EspoCRM geändert",
    "edited in Advoware": "in Advoware geändert",
    "new in EspoCRM": "neu in EspoCRM",
    "new in Advoware": "neu in Advoware",
    "gone in Advoware": "in Advoware entfernt",
    "taken from the party in EspoCRM: task, nothing is deleted in Advoware": "in EspoCRM vom Beteiligten gelöst: "
    "Aufgabe, in Advoware wird nichts gelöscht",
    "deleted in EspoCRM: task, nothing is deleted in Advoware": "in EspoCRM gelöscht: Aufgabe, in Advoware wird nichts "
    "gelöscht",
    "marker": "Kennzeichnung in der Bemerkung",
    "conflict: espocrm wins": "beide Seiten geändert: EspoCRM gilt",
    "conflict: advoware wins": "beide Seiten geändert: Advoware gilt",
    "conflict: manual": "beide Seiten geändert: ein Mensch entscheidet",
    "email_characters": "E-Mail-Adresse mit Umlauten",
    "email_form": "keine vollständige E-Mail-Adresse",
    "phone_letters": "Text in der Telefonnummer",
    "phone_email": "E-Mail-Adresse in einem Telefoneintrag",
    "phone_extension": "Telefonnummer mit Durchwahl als Zusatz",
    "phone_several": "mehrere Telefonnummern in einem Eintrag",
    "phone_local": "Telefonnummer ohne Vorwahl",
    "phone_impossible": "Telefonnummer zu kurz oder zu lang",
    "espocrm_answered": "von EspoCRM abgelehnt",
    "espocrm_ignored": "von EspoCRM nicht übernommen",
    "advoware_answered": "von Advoware abgelehnt",
    "advoware_ignored": "von Advoware nicht übernommen",
}
"""Why something was changed, or was not."""

_REASONS_WITH_MORE = (
    (re.compile(r"undo of change (\d+)"), r"nimmt Nr. \1 zurück"),
    (re.compile(r"moved from (\S+), which was deleted in EspoCRM"), r"von \1 übernommen, in EspoCRM gelöscht"),
    (re.compile(r"plan ([^\s:]+)(.*)"), r"Plan \1\2"),
)

ACTIONS = {
    "create": "anlegen",
    "update": "ändern",
    "remove": "entfernen",
}
"""What a plan does to a record."""

TASKS = {
    "address_delete_required": "Adresse in Advoware löschen",
    "address_reactivate_required": "Adresse in Advoware wieder gültig machen",
    "address_field_update_required": "Adresse in Advoware ändern",
    "readonly_field_conflict": "in Advoware von Hand ändern",
    "missing_in_advoware": "fehlt in Advoware",
    "bank_update_required": "Bankverbindung in Advoware ändern",
    "bank_delete_required": "Bankverbindung in Advoware löschen",
    "child_update_required": "in Advoware ändern",
    "child_delete_required": "in Advoware löschen",
    "conflict": "Konflikt entscheiden",
    "value_refused": "Wert berichtigen",
    "create_outcome_unknown": "Anlage in Advoware prüfen",
    "twin_suspected": "verknüpfen oder neu anlegen",
    "calendar_loss": "Termin prüfen: eine Änderung gilt nicht",
    "calendar_deadline": "Frist in Google geändert",
    "calendar_doubtful": "vielleicht derselbe Termin",
    "calendar_deadline_list": "Fristenliste des Tages",
    "general_manual_action": "von Hand prüfen",
}
"""Kinds of tasks for a person."""

CALENDAR_ACTIONS = {
    "insert_google": "in Google anlegen",
    "update_google": "in Google ändern",
    "delete_google": "in Google löschen",
    "create_advoware": "in Advoware anlegen",
    "update_advoware": "in Advoware ändern",
    "delete_advoware": "in Advoware löschen",
    "take_over": "vom Kalender eines Kollegen übernehmen",
    "take_pair": "mit seinem Termin vom Kalender eines Kollegen übernehmen",
    "bring_along": "mit dem Termin aus dem Kalender eines Kollegen holen",
    "link_pair": "verknüpfen",
    "link_found": "verknüpfen",
    "save_base": "Stand merken",
    "close_pair": "Verknüpfung beenden",
    "mark_not_representable": "als nicht darstellbar merken",
    "restore_event": "Frist in Google wiederherstellen",
}
"""What a plan does to an appointment."""

_DONE = {"insert": "angelegt", "create": "angelegt", "update": "geändert", "delete": "gelöscht"}
_STEPS = {
    "".join(map(str.capitalize, code.split("_"))): _DONE.get(code.split("_", maxsplit=1)[0], told)
    for code, told in CALENDAR_ACTIONS.items()
}
"""The same as the audit log of appointments names them; the side stands beside it."""

RESULTS = {
    "synced": "abgeglichen",
    "unchanged": "unverändert",
    "skipped": "übersprungen",
    "failed": "fehlerhaft",
    "conflicts": "Konflikte",
}
"""How records ended in a pass."""

STATUSES = {
    "pending_sync": "noch nie abgeglichen",
    "dirty": "geändert, wartet",
    "syncing": "wird abgeglichen",
    "clean": "abgeglichen",
    "failed": "fehlerhaft",
    "permanently_failed": "endgültig fehlerhaft",
    "conflict": "verschieden, Aufgabe offen",
    "deleted_in_advoware": "in Advoware gelöscht",
    "deleted_in_espocrm": "in EspoCRM gelöscht",
}
"""How a record stands."""

TRIGGERS = {
    "person": "von Hand",
    "cli": "von Hand",
    "sensor": "Änderung in EspoCRM",
    "sweep": "Zeitplan",
    "webhook": "Webhook",
    "watch": "Beobachter",
    "backfill": "Reparatur",
}
"""Why a pass was made."""

CALENDAR_FINDINGS = {
    "finding:conflict": "Konflikt",
    "finding:deleted_against_change": "gelöscht und geändert",
    "finding:write_protected": "wartet oder gilt nicht (Schreibschutz)",
    "finding:read_only": "gilt nicht (nur lesbar)",
    "finding:ignored": "nicht übernommen",
    "finding:one_way": "gilt nicht (nur aus Advoware)",
    "finding:not_representable": "nicht darstellbar",
    "finding:restored": "wiederhergestellt",
    "finding:missing_in_advoware": "fehlt in Advoware",
    "finding:duplicate": "doppelt",
    "finding:orphan": "ohne Termin in Advoware",
    "finding:unreadable": "nicht lesbar",
    "finding:outcome_unknown": "Anlage noch nicht sicher",
    "finding:doubtful": "vielleicht derselbe Termin",
    "finding:different": "nicht derselbe Termin",
    "finding:deadline": "Frist in Google geändert",
    "finding:put_off": "wartet",
}
"""What a plan says about an appointment."""

PAIR_STATES = {
    "pending": "ausstehend",
    "synced": "abgeglichen",
    "failed": "gescheitert",
    "leaving": "geht zu jemand anderem",
    "kept": "in Google gelöscht, von Advoware behalten",
    "not_representable": "in Advoware nicht darstellbar",
    "deleted": "gelöscht",
}
"""How an appointment and its event stand."""


def word(words: dict[str, str], code: object) -> str:
    """Return the German word for a code; ``""`` for None."""
    return "" if code is None else words.get(str(code), str(code))


def reason_in_words(reason: object) -> str:
    """Return the German words for why something was changed; what follows a code and a colon stands as it is."""
    text = str(reason or "")
    if text in REASONS:
        return REASONS[text]
    if "; " in text:
        return "; ".join(map(reason_in_words, text.split("; ")))
    for form, german in _REASONS_WITH_MORE:
        if form.fullmatch(text):
            return form.sub(german, text)
    code, colon, rest = text.partition(": ")
    told = word(REASONS | TASKS | _STEPS, code)
    return f"{told}: {reason_in_words(rest)}" if colon else told
