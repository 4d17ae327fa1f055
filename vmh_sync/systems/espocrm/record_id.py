"""EspoCRM's record ids: 17 hex digits or a UUID (specification, http-endpoints.md 1).

The 17 digits are EspoCRM's own, in small letters always. A MariaDB with its usual collation finds a record by them in
capitals, too, and answers with the id itself: respelled so, they mean the record of the plain id, never another one. A
UUID may have come with imported records, in capitals, and keeps its spelling.
"""

import re
from collections.abc import Sequence

_HEX_17, _UUID = "[0-9a-fA-F]{17}", "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
PATTERN = f"^(?:{_HEX_17}|{_UUID})$"
_MOST = 64
_UNADDRESSABLE = re.compile(r"\.{0,2}|.*[/\\\x00-\x1f\x7f\ud800-\udfff].*", re.DOTALL)
_FORM, _OWN = re.compile(PATTERN), re.compile(_HEX_17)


def record_id(told: str) -> str:
    """Return 17 digits as EspoCRM spells them; any other text only without the blanks around it."""
    plain = told.strip()
    return plain.lower() if _OWN.fullmatch(plain) else plain


def is_record_id(text: str) -> bool:
    """Whether a text has the form of an id."""
    return _FORM.fullmatch(text) is not None


def may_be_asked_for(text: str) -> bool:
    """Whether EspoCRM may be asked for a record by this text, however odd an id it is: others lead to another address,
    and ``.`` and ``..`` with a signed login to a refusal that holds everything back."""
    return len(text) <= _MOST and _UNADDRESSABLE.fullmatch(text) is None


def unusable_ids(ids: Sequence[str]) -> str | None:
    """Return a German sentence when some of what a person named cannot be an id, else ``None``.

    What was typed may name a person, so that it is not repeated.
    """
    strange = [number for number, one in enumerate(ids, start=1) if not may_be_asked_for(one)]
    if not strange:
        return None
    places = ", ".join(map(str, strange[:5])) + (" …" if len(strange) > 5 else "")
    return (
        f"{len(strange)} von {len(ids)} IDs können keine von EspoCRM sein (die an Stelle {places}), darum wurde "
        "nichts abgeglichen: Eine ID hat nur Buchstaben, Ziffern und Bindestriche, sie steht am Ende der Adresse "
        "des Datensatzes."
    )
