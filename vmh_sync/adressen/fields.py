"""The field table of an address (specification, entities.md 3). Pure data.

Advoware takes everything on create, afterwards only street, code, town and the printed block.
"""

from vmh_sync.sync.fields import FieldRule, FieldTable
from vmh_sync.sync.values import Kind

ENTITY = "adressen"
ESPO_ENTITY = "CAdressen"
ADVOWARE_ENTITY = "Adressen"
KEY_ATTRIBUTE = "advowareId"

FIELDS = FieldTable(
    (
        FieldRule("strasse", "adresseStreet", "strasse", "Straße"),
        FieldRule("plz", "adressePostalCode", "plz", "PLZ"),
        FieldRule("ort", "adresseCity", "ort", "Ort"),
        FieldRule("land", "adresseCountry", "land", "Land", kind=Kind.COUNTRY, on_update=False),
        FieldRule("anschrift", "anschrift", "anschrift", "Anschrift"),
        FieldRule("postfach", "postfach", "postfach", "Postfach", on_update=False),
        FieldRule("postfach_plz", "postfachPlz", "postfach_plz", "Postfach-PLZ", on_update=False),
        FieldRule(
            "standard", "istStandard", "standard_anschrift", "Standardanschrift", kind=Kind.FLAG, on_update=False
        ),
        FieldRule("gueltig_von", "gueltigVon", "gueltig_von", "Gültig von", kind=Kind.DATE, on_update=False),
        FieldRule("gueltig_bis", "gueltigBis", "gueltig_bis", "Gültig bis", kind=Kind.DATE, on_update=False),
        FieldRule("bemerkung", "description", "bemerkung", "Bemerkung", on_update=False),
    )
)

BLOCK_PARTS = ("strasse", "plz", "ort")
"""When one of these is written, the printed block is built anew."""
