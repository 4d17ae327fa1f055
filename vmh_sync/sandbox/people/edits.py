"""What a simulated person did: plain records, so that a test can check that no edit is lost."""

from typing import Any, Literal, Protocol, TypedDict, get_args

Json = dict[str, Any]
Side = Literal["office", "crm"]
Kind = Literal[
    "field",
    "phone_change",
    "phone_new",
    "mail_change",
    "mail_new",
    "mail_gone",
    "address_change",
    "address_new",
    "account_new",
    "party_new",
]
KINDS: tuple[Kind, ...] = get_args(Kind)


class EditRecord(TypedDict):
    """One edit. ``party`` is the party's id on that side, ``betnr`` its number if it has one.

    ``entity``, ``id`` and ``field`` are that side's names; for e-mails and phones in the CRM the field is
    ``emailAddressData`` or ``phoneNumberData`` and ``old``/``new`` are single values. ``old`` is ``None`` for what was
    added, ``new`` for what was taken away; a whole new record has field ``*`` and its values as ``new``.
    """

    side: Side
    kind: Kind
    entity: str
    id: str | int
    party: str | int
    betnr: int | None
    field: str
    old: Any
    new: Any


class Person(Protocol):
    """Somebody who works in one of the systems."""

    async def look(self) -> None:
        """Read what the system holds now."""
        ...

    def parties(self) -> list[Json]:
        """Return the parties there are, in a stable order."""
        ...

    def betnr(self, party: Json) -> int | None:
        """Return the party's number in the office, if it has one."""
        ...

    async def do(self, kind: Kind, party: Json | None) -> EditRecord | None:
        """Make one edit of that kind (``party`` is ``None`` for a new one); ``None`` when it does not apply."""
        ...
