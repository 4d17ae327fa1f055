"""E-mail addresses and phone numbers: rows of their own, shared by all records that use them.

EspoCRM keeps an address once; records only point at it. So ``optOut``, ``invalid`` and a number's ``type`` set
through one record change every record with that address (specification, espocrm.md B5).
"""

from dataclasses import dataclass
from typing import Any, Literal

Owner = tuple[str, str]
Kind = Literal["email", "phone"]

MAX_PER_RECORD = 10


@dataclass
class ContactRow:
    """One address or number of the whole installation."""

    value: str
    type: str | None
    opt_out: bool = False
    invalid: bool = False


@dataclass(frozen=True)
class ContactItem:
    """One entry of a list that was sent; what was left out has its default here."""

    value: str
    primary: bool = False
    type: str | None = None
    opt_out: bool = False
    invalid: bool = False


class ContactBook:
    """All addresses (or all numbers) and which record points at which, in which order, with which primary."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.attribute = "emailAddress" if kind == "email" else "phoneNumber"
        self.rows: dict[str, ContactRow] = {}
        self._links: dict[Owner, dict[str, bool]] = {}
        self._owners: dict[str, dict[Owner, None]] = {}

    def key(self, value: str) -> str:
        """Return what makes an address the same: e-mails regardless of case, numbers as they stand."""
        return value.strip().lower() if self.kind == "email" else value.strip()

    def primary(self, owner: Owner) -> ContactRow | None:
        """Return the primary address of a record."""
        for key, primary in self._links.get(owner, {}).items():
            if primary:
                return self.rows[key]
        return None

    def data(self, owner: Owner) -> list[dict[str, Any]]:
        """Return ``emailAddressData`` / ``phoneNumberData`` as GET shows it, the primary first."""
        links = self._links.get(owner)
        if not links:
            return []
        return [
            self._shown(key, primary=primary) for key, primary in sorted(links.items(), key=lambda link: not link[1])
        ]

    def _shown(self, key: str, *, primary: bool) -> dict[str, Any]:
        row = self.rows[key]
        shown: dict[str, Any] = {self.attribute: row.value}
        if self.kind == "email":
            shown["lower"] = key
        else:
            shown["type"] = row.type
        return shown | {"primary": primary, "optOut": row.opt_out, "invalid": row.invalid}

    def replace(self, owner: Owner, items: list[ContactItem]) -> str | None:
        """Make ``items`` the whole list of a record; return the key of its primary.

        The last of several primaries wins; none at all makes the first one primary. The same address twice keeps
        only the later entry, and with it the primary may be lost.
        """
        has_primary = any(item.primary for item in items)
        kept: dict[str, ContactItem] = {}
        flags: dict[str, bool] = {}
        for position, item in enumerate(items):
            key = self.key(item.value)
            kept[key] = item
            flags[key] = item.primary or (not has_primary and position == 0)
        primary = next((key for key in reversed(flags) if flags[key]), None)
        for key, item in kept.items():
            self.rows[key] = ContactRow(item.value.strip(), item.type, item.opt_out, item.invalid)
        self._relink(owner, {key: key == primary for key in kept})
        return primary

    def set_primary(self, owner: Owner, value: str | None, default_type: str | None) -> None:
        """Replace only the primary; ``None`` removes it and no other moves up. Secondaries stay."""
        links = {key: False for key, primary in self._links.get(owner, {}).items() if not primary}
        if value:
            key = self.key(value)
            row = self.rows.setdefault(key, ContactRow(value, default_type))
            row.value = value
            links = {key: True} | {other: False for other in links if other != key}
        self._relink(owner, links)

    def owners(self, value: str) -> list[Owner]:
        """Return the records that point at an address, as primary or not."""
        return list(self._owners.get(self.key(value), ()))

    def clear(self) -> None:
        """Forget all addresses."""
        self.rows.clear()
        self._links.clear()
        self._owners.clear()

    def _relink(self, owner: Owner, links: dict[str, bool]) -> None:
        for key in self._links.get(owner, {}):
            self._owners[key].pop(owner, None)
        for key in links:
            self._owners.setdefault(key, {})[owner] = None
        self._links[owner] = links
