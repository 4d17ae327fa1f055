"""The field table of a bank account (specification, entities.md 4). Pure data.

Advoware takes every field on create and none afterwards.
"""

from vmh_sync.sync.fields import FieldRule, FieldTable
from vmh_sync.sync.values import Kind

ENTITY = "bankverbindungen"
ESPO_ENTITY = "CBankverbindungen"
ADVOWARE_ENTITY = "Bankverbindungen"
KEY_ATTRIBUTE = "advowareKontoId"

FIELDS = FieldTable(
    (
        FieldRule("iban", "iban", "iban", "IBAN", kind=Kind.IBAN, on_update=False),
        FieldRule("bic", "bic", "bic", "BIC", kind=Kind.BIC, on_update=False),
        FieldRule("kontoinhaber", "kontoinhaber", "kontoinhaber", "Kontoinhaber", on_update=False),
        FieldRule("bank", "bankname", "bank", "Bank", on_update=False),
    )
)
