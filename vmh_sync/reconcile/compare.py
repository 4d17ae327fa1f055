"""Compares what both sides say about one party. Pure; ids and field names only, never values."""

import hashlib
import re
from collections.abc import Callable, Sequence

from vmh_sync.reconcile.difference import Clue, Difference, Json, difference
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.values import Kind, date, email, phone, spelling, text
from vmh_sync.systems.advoware.records import Beteiligter

SALUTATIONS = {"Mr.": "Herr", "Ms.": "Frau", "Mrs.": "Frau", "Firma": ""}
LEGAL_FORMS = {"Verein": "e.V.", "Firma": "Sonstige", "Einzelperson": "", "Herr": "", "Frau": ""}
NOT_IN_ESPOCRM = frozenset({5, 11, 12})
"""Kinds of Kommunikation that have no home in EspoCRM (specification, entities.md 2)."""
_NEITHER_MAIL_NOR_PHONE = re.compile(r"(?i)\s*(https?://|www\.|DE\.[A-Z_]+\.|safe-|govello-)")


def _same_word(words: dict[str, str]) -> Callable[[object], str | None]:
    def normal(value: object) -> str | None:
        plain = text(value)
        return (words.get(plain, plain) or None) if plain else None

    return normal


# EspoCRM's attribute, Advoware's, our name in tasks, German name, normal form
Fields = Sequence[tuple[str, str, str, str, Callable[[object], object]]]
_FIELDS: Fields = (
    ("titel", "titel", "titel", "Titel", spelling),
    ("zusatz", "zusatz", "zusatz", "Zusatz", spelling),
    ("briefAnrede", "bAnrede", "brief_anrede", "Briefanrede", spelling),
    ("dateOfBirth", "geburtsdatum", "geburtsdatum", "Geburtsdatum", date),
    ("salutationName", "anrede", "anrede", "Anrede", _same_word(SALUTATIONS)),
    ("rechtsform", "rechtsform", "rechtsform", "Rechtsform", _same_word(LEGAL_FORMS)),
    ("handelsregisterNummer", "handelsRegisterNummer", "handelsregister_nummer", "Handelsregisternummer", spelling),
    ("registergericht", "registergericht", "registergericht", "Registergericht", spelling),
)

_OF_PERSONS = frozenset({"geburtsname", "familienstand"})
"""A company has none, whatever stands there."""


def compare_party(espocrm: Json, advoware: Json, fields: Fields = _FIELDS) -> list[Difference]:
    """Return the differences of the master data. Takes both systems' own JSON of the same party.

    ``fields``: what the operator has added, moved or dropped is in :func:`fields_of`.
    """
    company = bool(text(espocrm.get("firmenname"))) or bool(_same_word(LEGAL_FORMS)(advoware.get("rechtsform")))
    found = []
    name = espocrm.get("firmenname") if company and espocrm.get("firmenname") else espocrm.get("lastName")
    if spelling(name) != spelling(advoware.get("name")):
        found.append(_master(espocrm, "name", "name", "Name"))
    if not company and spelling(espocrm.get("firstName")) != spelling(advoware.get("vorname")):
        found.append(_master(espocrm, "vorname", "vorname", "Vorname"))
    found += [
        _master(espocrm, advoware_name, name, label)
        for espo_name, advoware_name, name, label, normal in fields
        if not (company and name in _OF_PERSONS)
        if espo_name in espocrm and normal(espocrm[espo_name]) != normal(advoware.get(advoware_name))
    ]
    return found


def fields_of(own: FieldTable, changed: FieldTable) -> Fields:
    """Return what to compare when an operator has changed the table ``own`` (``VMH_FIELD_TABLES``)."""
    normals = {name: normal for _, _, name, _, normal in _FIELDS}
    return [
        (
            rule.espo,
            Beteiligter.FIELDS.get(rule.advoware, rule.advoware),
            rule.name,
            rule.label,
            normals.get(rule.name, date if rule.kind is Kind.DATE else spelling),
        )
        for rule in changed
        if rule.name in normals or rule.name not in own
    ]


def _master(espocrm: Json, advoware_name: str, name: str, label: str) -> Difference:
    return difference(espocrm, advoware_name, label, told_by=frozenset({Clue("beteiligte", str(espocrm["id"]), name)}))


def compare_kommunikation(espocrm: Json, advoware: Json) -> list[Difference]:
    """Return the e-mails and phones that only one side has, one difference each."""
    entries = [
        entry for entry in advoware.get("kommunikation") or () if _has_home(entry, text(advoware.get("internet")))
    ]
    # An empty entry says nothing of its channel.
    mails = [entry for entry in entries if "@" in (entry.get("tlf") or "@")]
    phones = [entry for entry in entries if "@" not in (entry.get("tlf") or "")]
    espo_mails = {email(item["emailAddress"]) for item in espocrm.get("emailAddressData") or ()}
    espo_phones = {phone(item["phoneNumber"]) for item in espocrm.get("phoneNumberData") or ()}
    # What only Advoware has may stand in the place of a value of either list: a number typed into an e-mail's entry.
    free = [
        entry.get("id")
        for entry in entries
        if email(entry.get("tlf")) not in espo_mails and phone(entry.get("tlf")) not in espo_phones
    ]
    return _channel(espocrm, ("emailAddressData", "E-Mail", "email"), espo_mails, mails, free, email) + _channel(
        espocrm, ("phoneNumberData", "Telefon", "phone"), espo_phones, phones, free, phone
    )


def _has_home(entry: Json, website: str | None) -> bool:
    """Where Advoware tells no kind (0, null, nothing), the value tells web addresses and SAFE-IDs."""
    value = text(entry.get("tlf"))
    if entry.get("kommKz") or value is None:
        return entry.get("kommKz") not in NOT_IN_ESPOCRM
    return value != website and not _NEITHER_MAIL_NOR_PHONE.match(value)


def new_entry(channel: str, value: object) -> str:
    """Return our name for a value of a channel that has no entry in Advoware: it stands for the value, and hides it."""
    plain = (email if channel == "email" else phone)(value) or ""
    return f"{channel}/new-{hashlib.sha256(plain.encode()).hexdigest()[:16]}"


def _channel(
    espocrm: Json,
    names: tuple[str, str, str],
    in_espocrm: set[str | None],
    entries: list[Json],
    free: list[object],
    normal: Callable[[object], str | None],
) -> list[Difference]:
    """Tasks name channel and entry (``email/17``), or the value (:func:`new_entry`) when Advoware has no entry for it.

    The channel in a task is the one that the entry has been paired in, whatever stands in it now.

    A list that EspoCRM takes no more has one task for all of it.

    A set on both sides: EspoCRM has each value once, Advoware may have the same line under two kinds.
    """
    name, label, channel = names
    party, whole = str(espocrm["id"]), f"{channel}/list"
    in_advoware: dict[str, set[str]] = {}
    for entry in entries:
        named = {f"email/{entry.get('id')}", f"phone/{entry.get('id')}"}
        in_advoware.setdefault(normal(entry.get("tlf")) or "", set()).update(named)
    lonely = {value: ids for value, ids in in_advoware.items() if value and value not in in_espocrm}
    taken = {f"{channel}/{entry}" for entry in free}
    only_advoware = [
        difference(
            espocrm, name, label, "nur in Advoware", frozenset(Clue("beteiligte", party, one) for one in {*ids, whole})
        )
        for ids in lonely.values()
    ]
    only_espocrm = [
        difference(
            espocrm,
            name,
            label,
            "nur in EspoCRM",
            frozenset(Clue("beteiligte", party, one) for one in {*taken, whole, new_entry(channel, value)}),
        )
        for value in sorted(value for value in in_espocrm if value and value not in in_advoware)
    ]
    return [*only_advoware, *only_espocrm]
