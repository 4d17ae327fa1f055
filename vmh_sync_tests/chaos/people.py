"""People of both systems who type values that occur only once, and remember what they typed where."""

import random
from collections import defaultdict
from dataclasses import dataclass, field

from schwifty import IBAN

from vmh_sync_tests.fixtures.firm import Firm, Json

FIELDS = {"lastName": "name", "firstName": "vorname", "titel": "titel", "zusatz": "zusatz", "briefAnrede": "bAnrede"}
"""EspoCRM's field and Advoware's."""

MOST_PARTIES = 5


@dataclass
class Typed:
    """Everything typed, in the order in which it was typed: (record, field) -> values."""

    values: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    mails: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    accounts: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    streets: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Address id of the side that made it -> the streets typed for it, in order."""


class People:
    """Seeded edits over all parties of a firm."""

    def __init__(self, firm: Firm, rng: random.Random) -> None:
        self._firm = firm
        self._rng = rng
        self._number = 0
        self.typed = Typed()
        self.parties: list[str] = []

    def act(self) -> bool:
        """Make one edit that is possible now; returns whether it was made."""
        acts = [self._crm_field, self._office_field, self._office_mail, self._crm_street, self._office_street]
        acts += [self._crm_street_again, self._office_account]
        if len(self.parties) < MOST_PARTIES:
            acts += [self.new_party] * 4
        return self._rng.choice(acts)()

    def new_party(self) -> bool:
        """Somebody enters a party in EspoCRM."""
        name, title = self._value("lastName"), self._value("titel")
        espo_id = self._firm.crm_party(lastName=name, titel=title)
        self.parties.append(espo_id)
        self.typed.values[espo_id, "lastName"].append(name)
        self.typed.values[espo_id, "titel"].append(title)
        return True

    def _value(self, name: str) -> str:
        self._number += 1
        return f"{name}{self._number}"

    def _party(self) -> tuple[str, int | None]:
        espo_id = self._rng.choice(self.parties)
        betnr = self._firm.crm_record(espo_id)["betnr"]
        return espo_id, int(betnr) if betnr else None

    def _crm_field(self) -> bool:
        espo_id, _ = self._party()
        name = self._rng.choice(list(FIELDS))
        value = self._value(name)
        self._firm.crm_edit(espo_id, **{name: value})
        self.typed.values[espo_id, name].append(value)
        return True

    def _office_field(self) -> bool:
        espo_id, betnr = self._party()
        if betnr is None:
            return False
        name = self._rng.choice(list(FIELDS))
        value = self._value(name)
        self._firm.office_edit(betnr, **{FIELDS[name]: value})
        self.typed.values[espo_id, name].append(value)
        return True

    def _office_mail(self) -> bool:
        _, betnr = self._party()
        if betnr is None:
            return False
        mail = f"{self._value('mail')}@kanzlei.example"
        self._firm.office.edit("Kommunikation", "create", betNr=betnr, values={"tlf": mail, "kommKz": 4})
        self.typed.mails[betnr].append(mail)
        return True

    def _crm_street(self) -> bool:
        espo_id, _ = self._party()
        street = self._value("Weg")
        values = {"name": "Adresse", "beteiligteId": espo_id, "adresseStreet": street, "adresseCity": "Hannover"}
        made = self._firm.crm.edit("CAdressen", "create", values=values)
        self.typed.streets[str(made["id"])].append(street)
        return True

    def _crm_street_again(self) -> bool:
        own = [key for key in self.typed.streets if not key.startswith("office-")]
        if not own:
            return False
        key, street = self._rng.choice(own), self._value("Weg")
        self._firm.crm.edit("CAdressen", "update", id=key, values={"adresseStreet": street})
        self.typed.streets[key].append(street)
        return True

    def _office_street(self) -> bool:
        _, betnr = self._party()
        if betnr is None:
            return False
        street = self._value("Weg")
        values = {"strasse": street, "plz": "30159", "ort": "Hannover"}
        made = self._firm.office.edit("Adressen", "create", betNr=betnr, values=values)
        self.typed.streets[f"office-{made['id']}"].append(street)
        return True

    def _office_account(self) -> bool:
        _, betnr = self._party()
        if betnr is None:
            return False
        self._number += 1
        iban = str(IBAN.generate("DE", bank_code="37040044", account_code=f"{self._number:010d}"))
        self._firm.office.edit("Bankverbindungen", "create", betNr=betnr, values={"iban": iban})
        self.typed.accounts[betnr].append(iban)
        return True


def violations(firm: Firm, people: People) -> list[str]:
    """Compare both sides with what was typed; returns what is lost, doubled or apart (design.md, section 3)."""
    office = {row["betNr"]: row for row in firm.office_records()}
    found = [f"{len(office)} parties in the office for {len(people.parties)}"] * (len(office) != len(people.parties))
    for espo_id in people.parties:
        record = firm.crm_record(espo_id)
        theirs = office.get(int(record["betnr"] or 0))
        if theirs is None:
            found.append(f"{espo_id}: no party in the office")
            continue
        found += _fields(firm, people, espo_id, record, theirs)
        found += _children(firm, people, espo_id, record, theirs)
    return found


def _fields(firm: Firm, people: People, espo_id: str, record: Json, theirs: Json) -> list[str]:
    found = []
    with firm.store.reading() as tx:
        losers = {str(row.losing_value) for row in tx.audit.for_record(espo_id, 1000) if row.losing_value is not None}
    for name, other in FIELDS.items():
        here, there = record.get(name) or "", theirs.get(other) or ""
        if here != there:
            found.append(f"{espo_id}.{name}: sides differ")
        typed = people.typed.values.get((espo_id, name), [])
        if typed and here != typed[-1] and typed[-1] not in losers:
            found.append(f"{espo_id}.{name}: the last edit {typed[-1]} is lost, {here} stands ({typed})")
        if here and here not in typed:
            found.append(f"{espo_id}.{name}: {here} was typed by nobody")
    return found


def _children(firm: Firm, people: People, espo_id: str, record: Json, theirs: Json) -> list[str]:
    betnr = int(record["betnr"])
    mails_here = sorted(item["emailAddress"] for item in record["emailAddressData"])
    mails_there = sorted(entry["tlf"] for entry in theirs["kommunikation"] if entry["tlf"])
    mine = [row for row in firm.crm_records("CAdressen") if row["beteiligteId"] == espo_id]
    streets_here = sorted(row["adresseStreet"] for row in mine)
    streets_there = sorted(row["strasse"] for row in theirs["adressen"])
    accounts = [row for row in firm.crm_records("CBankverbindungen") if row["beteiligteId"] == espo_id]
    ibans_here = sorted(row["iban"] for row in accounts)
    ibans_there = sorted(row["iban"] for row in theirs["bankverbindungen"])
    found = []
    for what, here, there, typed in (
        ("mails", mails_here, mails_there, sorted(people.typed.mails[betnr])),
        ("accounts", ibans_here, ibans_there, sorted(people.typed.accounts[betnr])),
        ("streets", streets_here, streets_there, streets_here),
    ):
        if not here == there == typed:
            found.append(f"{espo_id}.{what}: {here} | {there} | {typed}")
    for row in mine:
        typed = people.typed.streets.get(row["id"]) or [row["adresseStreet"]]
        if row["adresseStreet"] != typed[-1]:
            found.append(f"{espo_id}.street: the last edit {typed[-1]} is lost")
    last = {values[-1] for values in people.typed.streets.values()}
    if lost := [street for street in streets_here if street not in last]:
        found.append(f"{espo_id}.streets: {lost} were replaced and stand again")
    return found
