"""What the simulated office holds: parties with their children, employees, appointments; and how row ids move."""

import json
import random
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from vmh_sync.sandbox.office.config import OfficeConfig, Switches
from vmh_sync.sandbox.office.fields import CONTACT_COPIES, KOMM_ART, PARTY_FIELDS, Json, empty_of

CHILD_LISTS = ("kommunikation", "adressen", "bankverbindungen")
_ROW_IDS = {"letters": (string.ascii_uppercase, 40), "hex": ("0123456789abcdef", 32), "digits": (string.digits, 19)}
_DAYS = frozenset({"geburtsdatum", "gueltigVon", "gueltigBis"})


@dataclass(slots=True)
class Party:
    """One Beteiligter: its own fields, its children by id, and its encoded form while it is unchanged."""

    own: Json
    kommunikation: dict[int, Json] = field(default_factory=dict)
    adressen: dict[int, Json] = field(default_factory=dict)
    bankverbindungen: dict[int, Json] = field(default_factory=dict)
    encoded: bytes | None = None

    def children(self, kind: str) -> dict[int, Json]:
        """Return the children of that kind (a name of ``CHILD_LISTS``) by id."""
        return {
            "kommunikation": self.kommunikation,
            "adressen": self.adressen,
            "bankverbindungen": self.bankverbindungen,
        }[kind]


class Office:
    """The office's database. Every method that changes something moves row ids and time stamps as Advoware does."""

    def __init__(self, config: OfficeConfig) -> None:
        self.config = config
        self.reset()

    def reset(self) -> None:
        """Forget all records; switches go back to the configured ones."""
        self._rng = random.Random(f"office-records-{self.config.seed}")
        self.switches: Switches = self.config.switches.model_copy()
        self.parties: dict[int, Party] = {}
        self.employees: dict[str, Json] = {}
        self.termine: dict[int, Json] = {}
        self._next_party = self.config.firm.first_betnr
        self._next_child = self.config.firm.first_child
        self._next_termin = 7001

    # numbers and stamps

    def row_id(self) -> str:
        """Return a fresh opaque row id in this firm's form, usually 40 upper-case letters."""
        characters, length = _ROW_IDS[self.config.firm.row_ids]
        return "".join(self._rng.choices(characters, k=length))

    def local_now(self, at: datetime | None = None) -> str:
        """Return the moment (default: now) as the office's local time without a zone, to the second."""
        moment = at or self.config.clock.now()
        return moment.astimezone(self.config.zone).replace(tzinfo=None).isoformat(timespec="seconds")

    def next_child_id(self, wanted: int | None = None) -> int:
        """Return an id for a new child; a wanted one is kept and never given out again."""
        number = self._next_child if wanted is None else wanted
        self._next_child = max(self._next_child, number + 1)
        return number

    def next_frnr(self, wanted: int | None = None) -> int:
        """Return a number for a new appointment; a wanted one is kept and never given out again."""
        number = self._next_termin if wanted is None else wanted
        self._next_termin = max(self._next_termin, number + 1)
        return number

    # parties

    def add_party(self, values: Json, at: datetime | None = None) -> Party:
        """Create a party from its own fields; ``betNr``, ``rowId`` and ``geaendertAm`` are kept when given."""
        number = self._next_party if values.get("betNr") is None else int(values["betNr"])
        self._next_party = max(self._next_party, number + 1)
        own: Json = {
            "betNr": number,
            "rowId": values.get("rowId") or self.row_id(),
            "geaendertAm": values.get("geaendertAm") or self.local_now(at),
        }
        own.update({name: values.get(name, empty_of(name)) for name in PARTY_FIELDS})
        party = Party(own)
        self.parties[number] = party
        return party

    def change_party(self, party: Party, values: Json, at: datetime | None = None) -> None:
        """Write fields of the party's own data: new row id and time stamp, whether or not a value differs."""
        party.own.update(values)
        party.own["rowId"] = self.row_id()
        party.own["geaendertAm"] = self.local_now(at)
        party.encoded = None

    def add_child(self, party: Party, kind: str, values: Json) -> Json:
        """Create a child; the party's own row id and time stamp stay."""
        number = self.next_child_id(values.get("id"))
        child: Json = {"id": number, "rowId": values.get("rowId") or self.row_id(), "betNr": party.own["betNr"]}
        child.update({name: value for name, value in values.items() if name not in child})
        party.children(kind)[number] = child
        party.encoded = None
        return child

    def change_child(self, party: Party, child: Json, values: Json) -> None:
        """Write fields of a child: its row id moves, the party's stays."""
        child.update(values)
        child["rowId"] = self.row_id()
        party.encoded = None

    def remove_child(self, party: Party, kind: str, number: int) -> None:
        """Take a child away (people can, the API cannot)."""
        del party.children(kind)[number]
        party.encoded = None

    def set_switches(self, values: Json) -> None:
        """Turn switches; raises pydantic's ``ValidationError`` for an unknown one or a bad value."""
        self.switches = Switches.model_validate({**self.switches.model_dump(), **values})
        for party in self.parties.values():
            party.encoded = None

    # readings

    def encoded(self, party: Party) -> bytes:
        """Return the party as GET answers it, encoded; cached until it or a switch changes."""
        if party.encoded is None:
            party.encoded = encode(self.shown(self.party_json(party)))
        return party.encoded

    def shown(self, record: Json) -> Json:
        """Return a record as this firm's answers write it: empty texts as null, days without a time."""
        firm = self.config.firm
        if not firm.empty_as_null and firm.dates == "date-time":
            return record
        return {name: self._shown_value(name, value) for name, value in record.items()}

    def _shown_value(self, name: str, value: object) -> object:
        if isinstance(value, list):
            return [self.shown(child) for child in value]
        if value == "" and self.config.firm.empty_as_null:
            return None
        if name in _DAYS and isinstance(value, str) and self.config.firm.dates == "date":
            return value[:10]
        return value

    def party_json(self, party: Party, *, everything: bool = False) -> Json:
        """Return the party with children and contact copies; ``everything`` ignores the switches."""
        result = dict(party.own)
        entries = list(party.kommunikation.values())
        for name, kind in CONTACT_COPIES.items():
            result[name] = next((entry["tlf"] for entry in entries if entry["kommKz"] == kind and entry["tlf"]), "")
        result["kommunikation"] = [self.komm_json(entry, everything=everything) for entry in entries]
        if everything or self.switches.embedded:
            result["adressen"] = list(party.adressen.values())
            result["bankverbindungen"] = list(party.bankverbindungen.values())
        return result

    def komm_json(self, entry: Json, *, everything: bool = False) -> Json:
        """Return a Kommunikation entry as GET answers it: the kind is 0 on installations that do not tell it."""
        if everything or self.switches.komm_kz_told:
            return {**entry, "kommArt": KOMM_ART.get(entry["kommKz"], "")}
        return {**entry, "kommKz": 0, "kommArt": ""}

    def search(self, text: str) -> Iterator[Party]:
        """Yield the parties whose searched fields (usually name, first name, remark) hold the text in any case."""
        wanted = text.casefold()
        for party in self.parties.values():
            if any(wanted in str(party.own[name] or "").casefold() for name in self.switches.searched):
                yield party

    def find_child(self, kind: str, number: int) -> tuple[Party, Json] | None:
        """Return a child by id alone, with its party."""
        for party in self.parties.values():
            child = party.children(kind).get(number)
            if child is not None:
                return party, child
        return None

    def dump(self) -> Json:
        """Return everything as plain JSON; kinds are told whatever the switches say."""
        return {
            "beteiligte": [self.party_json(party, everything=True) for party in self.parties.values()],
            "mitarbeiter": list(self.employees.values()),
            "termine": list(self.termine.values()),
            "switches": self.switches.model_dump(),
            "now": self.config.clock.now().astimezone(UTC).isoformat(),
        }


def encode(value: object) -> bytes:
    """Return JSON bytes in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
