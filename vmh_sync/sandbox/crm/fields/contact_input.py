"""E-mail addresses and phone numbers as a request sends them (specification, espocrm.md B5, B1.6)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vmh_sync.sandbox.crm.errors import validation_failure
from vmh_sync.sandbox.crm.fields.contact_rows import MAX_PER_RECORD, ContactBook, ContactItem, Owner
from vmh_sync.sandbox.crm.fields.schema import FieldDef

# PHP's FILTER_VALIDATE_EMAIL takes ASCII only: addresses with an umlaut are refused.
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+"
)

Normalise = Callable[[str], str | None]


def normal_email(text: str) -> str | None:
    """Return an e-mail address trimmed, or ``None`` if it is not one."""
    text = text.strip()
    return text if _EMAIL.fullmatch(text) and ".." not in text else None


@dataclass
class ContactInput:
    """What a request says about a record's addresses (or numbers).

    ``items`` is the new list (``None``: no list sent), ``value`` the new primary if ``has_value``. ``raw`` is the
    list as sent, for the webhook; ``echo`` what the answer shows instead of the stored state.
    """

    items: list[ContactItem] | None = None
    has_value: bool = False
    value: str | None = None
    raw: Any = None
    echo: dict[str, Any] = field(default_factory=dict)

    @property
    def given(self) -> bool:
        """Whether the request says anything that is stored."""
        return self.items is not None or self.has_value


class ContactReader:
    """Reads and checks one contact field of one entity type."""

    def __init__(self, entity: str, book: ContactBook, definition: FieldDef, normalise: Normalise) -> None:
        self._entity = entity
        self._book = book
        self._definition = definition
        self._normalise = normalise
        self._rule = "emailAddress" if book.kind == "email" else "valid"
        self._field = book.attribute

    def read(self, body: dict[str, Any], owner: Owner | None) -> ContactInput:
        """Return the checked input; ``owner`` is the record on an update. Raises the API's 400."""
        name, data_name = self._field, f"{self._field}Data"
        result = ContactInput()
        if name in body:
            result.has_value = True
            result.value = self._checked(body[name]) if body[name] else None
            result.echo[name] = result.value
        elif data_name in body and owner is not None and self._book.kind == "phone":
            # The stored number is checked again as soon as the list is sent without the number itself.
            stored = self._book.primary(owner)
            if stored is not None:
                self._checked(stored.value)
        if data_name in body:
            self._read_list(body[data_name], result, owner)
        return result

    def _checked(self, value: Any) -> str:
        normal = self._normalise(str(value))
        if normal is None:
            raise validation_failure(self._entity, self._field, self._rule)
        return normal

    def _read_list(self, raw: Any, result: ContactInput, owner: Owner | None) -> None:
        data_name = f"{self._field}Data"
        if not isinstance(raw, list):
            result.echo[data_name] = None
            return
        if len(raw) > MAX_PER_RECORD:
            raise validation_failure(self._entity, self._field, "maxCount")
        result.items, shown = [], []
        for entry in raw:
            value = entry.get(self._field) if isinstance(entry, dict) else None
            if not isinstance(value, str) or not value.strip():
                shown.append(entry)
                continue
            normal = self._checked(value)
            result.items.append(self._item(entry, normal))
            shown.append(entry | {self._field: normal} if self._book.kind == "phone" else entry)
        result.raw = raw
        result.echo[data_name] = shown
        primary = _primary_of(self._book, result.items)
        stored = self._book.primary(owner) if owner is not None else None
        result.echo[self._field] = primary or (stored.value if stored else None)

    def _item(self, entry: dict[str, Any], value: str) -> ContactItem:
        kind = None
        if self._book.kind == "phone":
            kind = entry.get("type") or self._definition.get("defaultType", "Mobile")
            if kind not in self._definition.get("typeList", [kind]):
                raise validation_failure(self._entity, self._field, "valid")
        return ContactItem(
            value=value,
            primary=bool(entry.get("primary")),
            type=kind,
            opt_out=bool(entry.get("optOut")),
            invalid=bool(entry.get("invalid")),
        )

    def changes(self, given: ContactInput, owner: Owner) -> bool:
        """Whether the input differs from the stored state, compared as EspoCRM does: keys and order count."""
        if given.items is not None:
            return bool(given.raw != self._book.data(owner))
        if given.has_value:
            stored = self._book.primary(owner)
            return given.value != (stored.value if stored else None)
        return False

    def apply(self, given: ContactInput, owner: Owner) -> None:
        """Store the input; a list wins over the single value."""
        if given.items is not None:
            self._book.replace(owner, given.items)
        elif given.has_value:
            self._book.set_primary(owner, given.value, self._definition.get("defaultType"))


def _primary_of(book: ContactBook, items: list[ContactItem]) -> str | None:
    """Return the key that becomes primary, by the same rule as :meth:`ContactBook.replace`."""
    has_primary = any(item.primary for item in items)
    flags: dict[str, bool] = {}
    for position, item in enumerate(items):
        flags[book.key(item.value)] = item.primary or (not has_primary and position == 0)
    return next((key for key in reversed(flags) if flags[key]), None)
