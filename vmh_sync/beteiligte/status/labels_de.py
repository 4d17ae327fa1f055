"""German words about a party as a whole. Pure."""

from collections.abc import Iterable

from vmh_sync.beteiligte.model import HOME_LABELS
from vmh_sync.sync.deciding.apart import different_text
from vmh_sync.sync.fields import FieldTable

_CHANNELS = {"email": "E-Mail", "phone": "Telefon"}


def told_different(names: Iterable[str], table: FieldTable, *, answered: bool = False) -> str:
    """Return the sentence that says in which fields both sides stay apart; field names only, never values."""
    return different_text((_label(name, table) for name in names), answered=answered)


def _label(name: str, table: FieldTable) -> str:
    if name in HOME_LABELS:
        return HOME_LABELS[name]
    channel, entry, _ = name.partition("/")
    return _CHANNELS.get(channel, channel) if entry else table.label(name)
