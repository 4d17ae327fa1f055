"""The field table of a party's master data (specification, entities.md 1). Pure data.

EspoCRM attributes and the attributes of the Advoware wire model. What EspoCRM calls ``lastName`` or ``firmenname``
needs more than a table line: see :mod:`vmh_sync.beteiligte.model`.
"""

from vmh_sync.sync.fields import Choices, FieldRule, FieldTable
from vmh_sync.sync.reporting.status_values import STATUS_ATTRIBUTES
from vmh_sync.sync.values import Kind

ESPO_ENTITY = "CBeteiligte"
ADVOWARE_ENTITY = "Beteiligte"

ANREDE = Choices(
    pairs=(("Mr.", "Herr"), ("Ms.", "Frau"), ("Mrs.", "Frau")),
    # A company has no personal salutation in EspoCRM.
    silent=frozenset({"Firma"}),
)

RECHTSFORM = Choices(
    pairs=(
        ("GmbH", "GmbH"),
        ("GmbH & Co. KG", "GmbH & Co. KG"),
        ("AG", "AG"),
        ("KG", "KG"),
        ("OHG", "OHG"),
        ("GbR", "GbR"),
        ("UG", "UG"),
        ("e.V.", "e.V."),
        ("Verein", "e.V."),
        ("eG", "eG"),
        ("Stiftung", "Stiftung"),
        ("Behörde", "Behörde"),
        ("Sonstige", "Sonstige"),
        ("Firma", "Sonstige"),
        ("Einzelperson", ""),
        ("Herr", ""),
        ("Frau", ""),
        ("", ""),
    ),
    # Both words mean a natural person (specification, advoware-wire.md 3).
    silent=frozenset({"Einzelperson"}),
)

BOOKKEEPING = ("betnr", *STATUS_ATTRIBUTES, "kommunikationHash")
"""EspoCRM attributes that the product keeps on a party."""

FIELDS = FieldTable(
    (
        FieldRule("rechtsform", "rechtsform", "rechtsform", "Rechtsform", choices=RECHTSFORM),
        FieldRule("name", "lastName", "name", "Name"),
        FieldRule("vorname", "firstName", "vorname", "Vorname"),
        FieldRule("anrede", "salutationName", "anrede", "Anrede", choices=ANREDE),
        FieldRule("titel", "titel", "titel", "Titel"),
        FieldRule("geburtsdatum", "dateOfBirth", "geburtsdatum", "Geburtsdatum", kind=Kind.DATE),
        FieldRule("brief_anrede", "briefAnrede", "b_anrede", "Briefanrede"),
        FieldRule("zusatz", "zusatz", "zusatz", "Zusatz"),
        FieldRule(
            "handelsregister_nummer",
            "handelsregisterNummer",
            "handels_register_nummer",
            "Handelsregisternummer",
            on_update=False,
        ),
        FieldRule("registergericht", "registergericht", "registergericht", "Registergericht", on_update=False),
    ),
    optional=(
        FieldRule("kurzname", "kurzname", "kurzname", "Kurzname"),
        FieldRule("geburtsname", "geburtsname", "geburtsname", "Geburtsname"),
        FieldRule("familienstand", "familienstand", "familienstand", "Familienstand"),
    ),
    reserved=frozenset(
        {
            *("id", "firmenname", "emailAddress", "emailAddressData", "phoneNumber", "phoneNumberData"),
            *("modifiedAt", "createdAt", "versionNumber", *BOOKKEEPING),
            *("bet_nr", "row_id", "geaendert_am", "bemerkung", "kommunikation", "adressen", "bankverbindungen"),
        }
    ),
)

PERSON_ONLY = frozenset({"vorname", "geburtsname", "familienstand"})
"""Fields that a company does not have: left alone on both sides."""

_ALWAYS = (
    "firmenname",
    *BOOKKEEPING,
    "emailAddress",
    "phoneNumber",
    "modifiedAt",
    "modifiedById",
    "createdAt",
    "assignedUserId",
    "versionNumber",
)


def list_attributes(table: FieldTable) -> tuple[str, ...]:
    """Return what a list of parties selects; lists never carry the e-mail and phone arrays (espocrm.md B1.7)."""
    return (*table.espo_attributes, *_ALWAYS)
