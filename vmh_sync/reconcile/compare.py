"""Compares what both sides say about one party. Pure; ids and field names only, never values."""

import hashlib
from collections.abc import Callable, Sequence

from vmh_sync.reconcile.difference import Clue, Difference, Json, difference
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.values import Kind, date, email, phone, text
from vmh_sync.systems.advoware import wire

SALUTATIONS = {"Mr.": "Herr", "Ms.": "Frau", "Mrs.": "Frau", "Firma": ""}
LEGAL_FORMS = {"Verein": "e.V.", "Firma": "Sonstige", "Einzelperson": "", "Herr": "", "Frau": ""}
NOT_IN_ESPOCRM = frozenset({5, 11, 12})
"""Kinds of Kommunikation that have no home in EspoCRM (specification, entities.md 2)."""


def _same_word(words: dict[str, str]) -> Callable[[object], str | None]:
    def normal(value: object) -> str | None:
        plain = text(value)
        return (words.get(plain, plain) or None) if plain else None

    return normal


# EspoCRM's attribute, Advoware's, our name in tasks, German name, normal form
Fields = Sequence[tuple[str, str, str, str, Callable[[object], object]]]
_FIELDS: Fields = (
    ("titel", "titel", "titel", "Titel", text),
    ("zusatz", "zusatz", "zusatz", "Zusatz", text),
    ("briefAnrede", "bAnrede", "brief_anrede", "Briefanrede", text),
    ("dateOfBirth", "geburtsdatum", "geburtsdatum", "Geburtsdatum", date),
    ("salutationName", "anrede", "anrede", "Anrede", _same_word(SALUTATIONS)),
    ("rechtsform", "rechtsform", "rechtsform", "Rechtsform", _same_word(LEGAL_FORMS)),
    ("handelsregisterNummer", "handelsRegisterNummer", "handelsregister_nummer", "Handelsregisternummer", text),
    ("registergericht", "registergericht", "registergericht", "Registergericht", text),
)

_OF_PERSONS = frozenset({"geburtsname", "familienstand"})
"""A company has none, whatever stands there."""


def compare_party(crm: Json, office: Json, fields: Fields = _FIELDS) -> list[Difference]:
    """Return the differences of the master data. Takes both systems' own JSON of the same party.

    ``fields``: what the operator has added, moved or dropped is in :func:`fields_of`.
    """
    company = bool(text(crm.get("firmenname"))) or bool(_same_word(LEGAL_FORMS)(office.get("rechtsform")))
    found = []
    if text(crm.get("firmenname") if company and crm.get("firmenname") else crm.get("lastName")) != text(
        office.get("name")
    ):
        found.append(_master(crm, "name", "name", "Name"))
    if not company and text(crm.get("firstName")) != text(office.get("vorname")):
        found.append(_master(crm, "vorname", "vorname", "Vorname"))
    found += [
        _master(crm, there, ours, label)
        for here, there, ours, label, normal in fields
        if not (company and ours in _OF_PERSONS)
        if here in crm and normal(crm[here]) != normal(office.get(there))
    ]
    return found


def fields_of(own: FieldTable, changed: FieldTable) -> Fields:
    """Return what to compare when an operator has changed the table ``own`` (``VMH_FIELD_TABLES``)."""
    normals = {ours: normal for _, _, ours, _, normal in _FIELDS}
    return [
        (
            rule.espo,
            wire.BETEILIGTER_FIELDS.get(rule.advoware, rule.advoware),
            rule.name,
            rule.label,
            normals.get(rule.name, date if rule.kind is Kind.DATE else text),
        )
        for rule in changed
        if rule.name in normals or rule.name not in own
    ]


def _master(crm: Json, name: str, ours: str, label: str) -> Difference:
    return difference(crm, name, label, told_by=frozenset({Clue("beteiligte", str(crm["id"]), ours)}))


def compare_kommunikation(crm: Json, office: Json) -> list[Difference]:
    """Return the e-mails and phones that only one side has, one difference each."""
    entries = [entry for entry in office.get("kommunikation") or () if entry.get("kommKz") not in NOT_IN_ESPOCRM]
    # An empty entry says nothing of its channel.
    mails = [entry for entry in entries if "@" in (entry.get("tlf") or "@")]
    phones = [entry for entry in entries if "@" not in (entry.get("tlf") or "")]
    here_mails = {email(item["emailAddress"]) for item in crm.get("emailAddressData") or ()}
    here_phones = {phone(item["phoneNumber"]) for item in crm.get("phoneNumberData") or ()}
    return _channel(crm, ("emailAddressData", "E-Mail", "email"), here_mails, mails, email) + _channel(
        crm, ("phoneNumberData", "Telefon", "phone"), here_phones, phones, phone
    )


def new_entry(channel: str, value: object) -> str:
    """Return our name for a value of a channel that has no entry in Advoware: it stands for the value, and hides it."""
    plain = (email if channel == "email" else phone)(value) or ""
    return f"{channel}/new-{hashlib.sha256(plain.encode()).hexdigest()[:16]}"


def _channel(
    crm: Json,
    names: tuple[str, str, str],
    here: set[str | None],
    entries: list[Json],
    normal: Callable[[object], str | None],
) -> list[Difference]:
    """Tasks name channel and entry (``email/17``), or the value (:func:`new_entry`) when Advoware has no entry for it.

    A set on both sides: EspoCRM has each value once, Advoware may have the same line under two kinds.
    """
    name, label, channel = names
    party = str(crm["id"])
    there: dict[str, set[str]] = {}
    for entry in entries:
        value = normal(entry.get("tlf"))
        # An entry that was emptied may be the one that refused the value of EspoCRM.
        there.setdefault(value or "", set()).add(f"{channel}/{entry.get('id')}")
    lonely = {value: ids for value, ids in there.items() if value and value not in here}
    free = {entry for value, ids in there.items() if value not in here for entry in ids}
    only_there = [
        difference(crm, name, label, "nur in Advoware", frozenset(Clue("beteiligte", party, entry) for entry in ids))
        for ids in lonely.values()
    ]
    only_here = [
        difference(
            crm,
            name,
            label,
            "nur in EspoCRM",
            frozenset(Clue("beteiligte", party, entry) for entry in {*free, new_entry(channel, value)}),
        )
        for value in sorted(value for value in here if value and value not in there)
    ]
    return [*only_there, *only_here]
