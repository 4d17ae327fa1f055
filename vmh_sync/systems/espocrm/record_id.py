"""EspoCRM's record ids: 17 hex digits or a UUID (specification, http-endpoints.md 1), always in small letters.

A MariaDB with its usual collation finds a record by its id in capitals, too, and answers with the id itself. An id that
came respelled (capitals, blanks around it) therefore means the record of the plain one, never another record.
"""

import re

_HEX_17, _UUID = "[0-9a-fA-F]{17}", "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
PATTERN = f"^(?:{_HEX_17}|{_UUID})$"
_FORM = re.compile(PATTERN)


def record_id(told: str) -> str:
    """Return the id as EspoCRM spells it; any other text only without the blanks around it."""
    plain = told.strip()
    return plain.lower() if is_record_id(plain) else plain


def is_record_id(text: str) -> bool:
    """Whether a text has the form of an id."""
    return _FORM.fullmatch(text) is not None
