"""EspoCRM's record ids: 17 hex digits or a UUID (specification, http-endpoints.md 1).

The 17 digits are EspoCRM's own, in small letters always. A MariaDB with its usual collation finds a record by them in
capitals, too, and answers with the id itself: respelled so, they mean the record of the plain id, never another one. A
UUID may have come with imported records, in capitals, and keeps its spelling.
"""

import re

_HEX_17, _UUID = "[0-9a-fA-F]{17}", "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
PATTERN = f"^(?:{_HEX_17}|{_UUID})$"
_ADDRESSABLE = re.compile("[A-Za-z0-9_-]{1,64}")
_FORM, _OWN = re.compile(PATTERN), re.compile(_HEX_17)


def record_id(told: str) -> str:
    """Return 17 digits as EspoCRM spells them; any other text only without the blanks around it."""
    plain = told.strip()
    return plain.lower() if _OWN.fullmatch(plain) else plain


def is_record_id(text: str) -> bool:
    """Whether a text has the form of an id."""
    return _FORM.fullmatch(text) is not None


def may_be_asked_for(text: str) -> bool:
    """Whether EspoCRM may be asked for a record by this text: others lead to another address, and with a signed login
    to a refusal that holds everything back."""
    return _ADDRESSABLE.fullmatch(text) is not None
