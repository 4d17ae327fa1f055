"""Parties on both sides of a real firm in memory, and people who edit their master data, e-mails and phones."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.settings import SyncSettings
from vmh_sync.sync.merge import ConflictRule
from vmh_sync_tests.inmemory.firm import Firm
from vmh_sync_tests.inmemory.typed import plain
from vmh_sync_tests.inmemory.world import World
from vmh_sync_tests.pipeline.installations.comparison import Difference, Sides, differences

NEW = "<new>"
NEW_PHONE = "<phone>"
"""Stand for a value that nobody has typed yet."""

CRM, OFFICE, ENTRY = "CBeteiligte", "Beteiligte", "Kommunikation"
FIELDS = {
    "lastName": "name",
    "firmenname": "name",
    "firstName": "vorname",
    "salutationName": "anrede",
    "dateOfBirth": "geburtsdatum",
    "briefAnrede": "brief_anrede",
    "handelsregisterNummer": "handelsregister_nummer",
    "emailAddressData": "email/",
    "phoneNumberData": "phone/",
}
"""What tasks call the fields of the comparison where they have another name."""
NATURAL = {"", "Einzelperson", "Herr", "Frau"}
UNTOUCHED_KINDS = {5, 11, 12}
"""Internet, E-Post and beA have no home in EspoCRM (entities.md 2)."""
LISTS = {"emailAddressData": "emailAddress", "phoneNumberData": "phoneNumber"}


class PartyGame:
    """Some parties, created in EspoCRM, and what people do to them on both sides."""

    def __init__(
        self,
        *,
        conflict: ConflictRule = ConflictRule.ESPOCRM_WINS,
        markers: bool = False,
        seed: int = 0,
        rules: SyncSettings | None = None,
    ) -> None:
        rules = rules or SyncSettings(_env_file=None, write_markers=markers)
        table = {rule: {"conflict": conflict.value} for rule in ("name", "vorname", "titel", "zusatz", "brief_anrede")}
        self.conflict = conflict
        entries = {"tlf": {"conflict": conflict.value}}
        self.firm = Firm(World(seed, rules, field_changes={"beteiligte": table, "kommunikation": entries}))
        self.firm.watch = self._watch
        self.parties: list[str] = []
        self.wrong: list[str] = []
        self.add_party({"lastName": f"Muster {NEW}"})

    @property
    def pipeline(self) -> Any:
        """Return the real passes of parties."""
        return PartyPipeline()

    # What stands where

    def row(self, party: str) -> dict[str, Any] | None:
        """Return a party's record in EspoCRM, ``None`` when it was deleted."""
        return self.firm.crm_row(CRM, party)

    def number(self, party: str) -> str | None:
        """Return a party's number if it is known and stands in Advoware."""
        link = self.firm.links("beteiligte").get(party)
        number = str(link.betnr) if link is not None and link.betnr is not None else None
        return number if number in self.firm.office_rows(OFFICE) else None

    def entries(self, party: str) -> dict[str, dict[str, Any]]:
        """Return a party's Kommunikation entries in Advoware."""
        number = self.number(party)
        listed = self.firm.office_rows(OFFICE)[number]["kommunikation"] if number is not None else []
        return {str(entry["id"]): entry for entry in listed}

    # People

    def add_party(self, values: Mapping[str, Any]) -> None:
        """A person creates a party in EspoCRM."""
        self.parties.append(self.firm.crm_create(CRM, self._filled(values)))

    def edit_here(self, party: str, values: Mapping[str, Any]) -> None:
        """A person changes master data in EspoCRM; nobody can save a party without its name."""
        row = self.row(party)
        if row is not None:
            typed = self._filled(values)
            if typed.keys() & {"firmenname", "lastName"}:
                # A company's name has two homes (entities.md 1): a new one in either replaces what both said.
                for home in ("firmenname", "lastName"):
                    self.firm.typed.replaced(plain(row[home]))
            self.firm.crm_edit(CRM, party, typed)

    def edit_there(self, party: str, values: Mapping[str, Any]) -> None:
        """A person changes master data in Advoware."""
        number = self.number(party)
        if number is not None:
            self.firm.office_edit(OFFICE, number, self._filled(values))

    def edit_list(self, party: str, field: str, what: str, place: int, item: Mapping[str, Any]) -> None:
        """A person works on the e-mails or phones of a party in EspoCRM."""
        row = self.row(party)
        if row is None:
            return
        items = [dict(one) for one in row[field]]
        where = place % len(items) if items else 0
        new = self._filled(item)
        if what == "add" or not items:
            items.append({**new, "primary": not items})
        elif what == "change":
            items[where] = {**items[where], LISTS[field]: new[LISTS[field]], "lower": ""}
        elif what == "remove":
            del items[where]
        elif what == "primary":
            items = [{**one, "primary": number == where} for number, one in enumerate(items)]
        else:
            items[where] |= {name: value for name, value in new.items() if name != LISTS[field]}
        items = list({plain(one[LISTS[field]]): one for one in items}.values())  # the form takes none twice
        if items and not any(one.get("primary") for one in items):
            items[0]["primary"] = True
        self.firm.crm_edit(CRM, party, {field: items})

    def edit_entry(self, party: str, what: str, place: int, values: Mapping[str, Any]) -> None:
        """A person works on the Kommunikation of a party in Advoware."""
        number, entries = self.number(party), list(self.entries(party).items())
        if number is None:
            return
        if what == "add" or not entries:
            typed = dict(values)
            tlf = typed.pop("mail") if typed["kommKz"] in (4, 8) else typed["phone"]
            typed.pop("mail", None)
            typed.pop("phone", None)
            self.firm.office_create(ENTRY, self._filled({**typed, "tlf": tlf}), int(number))
            return
        key, entry = entries[place % len(entries)]
        if what == "delete":
            self.firm.office_delete(ENTRY, key)
            return
        changed = {
            "change": {"tlf": values["mail"] if entry["kommKz"] in (4, 8) else values["phone"]},
            "empty": {"tlf": ""},
            "remark": {"bemerkung": values["bemerkung"]},
            "online": {"online": values["online"]},
        }[what]
        self.firm.office_edit(ENTRY, key, self._filled(changed))

    def delete_here(self, party: str) -> None:
        """A person deletes a party in EspoCRM."""
        if self.row(party) is not None:
            self.firm.crm_delete(CRM, party)

    def delete_there(self, party: str) -> None:
        """A person deletes a party in Advoware, with its children."""
        number = self.number(party)
        if number is not None:
            for key in self.entries(party):
                self.firm.office_delete(ENTRY, key)
            self.firm.office_delete(OFFICE, number)

    def _filled(self, values: Mapping[str, Any]) -> dict[str, Any]:
        def fill(value: Any) -> Any:
            if isinstance(value, str) and NEW in value:
                return value.replace(NEW, self.firm.typed.token())
            if isinstance(value, str) and NEW_PHONE in value:
                return value.replace(NEW_PHONE, self.firm.typed.phone())
            return value

        return {name: fill(value) for name, value in values.items()}

    # What must hold

    def _watch(self, entity: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Look at a change of ours: text of people and kinds without a home stay byte for byte."""
        if entity != "Kommunikation":
            return
        if before["kommKz"] in UNTOUCHED_KINDS and dict(before, rowId="") != dict(after, rowId=""):
            self.wrong.append(f"entry {before['id']} of an untouched kind was changed")
        said = [_human(str(one["bemerkung"] or "")) for one in (before, after)]
        if (said[0] != said[1]) if self.firm.world.rules.write_markers else before["bemerkung"] != after["bemerkung"]:
            self.wrong.append(f"the remark of entry {before['id']} was changed")

    def check(self) -> None:
        """Both sides say the same or a task says where they do not; nothing is lost or doubled."""
        sides = Sides(self.firm.world.office.state(), self.firm.world.crm.state())
        untold = [difference for difference in differences(sides) if not self._told(difference)]
        assert not untold, "\n".join([f"untold: {untold}", *self.firm.world.trace])
        assert not self.wrong, self.wrong
        self._check_gone()
        self.check_nothing_is_doubled()
        self.firm.check_nothing_is_lost()

    def _told(self, difference: Difference) -> bool:
        (party,) = [record for record in difference.records if record in self.parties]
        row = self.row(party) or {}
        tasks = [task for task in self.firm.tasks() if task.espo_id == party and task.espo_task_id is not None]
        if difference.field == "betnr":
            return bool(tasks) or bool(row["syncErrorMessage"])
        if difference.field in ("adressen", "bankverbindungen"):
            return False
        if difference.field in LISTS and set(difference.crm) == set(difference.office):
            return True  # people may type the same twice in Advoware
        if isinstance(difference.crm, str) and _composed(difference.crm) == _composed(difference.office):
            return True
        if difference.field == "lastName" and row["firmenname"]:
            return True  # a company's name is the other field; what a person typed into this one stays
        if difference.field == "firstName" and self._is_company(party):
            return True
        name = FIELDS.get(difference.field, difference.field)
        named = [field for task in tasks for field in task.fields]
        return any(field.startswith(name) or (name == "name" and field.startswith("_")) for field in named)

    def _is_company(self, party: str) -> bool:
        row, number = self.row(party) or {}, self.number(party)
        there = self.firm.office_rows(OFFICE)[number]["rechtsform"] if number is not None else ""
        return bool(row["firmenname"]) or row["rechtsform"] not in NATURAL or there not in NATURAL

    def _check_gone(self) -> None:
        for party, link in self.firm.links("beteiligte").items():
            tasks = [task for task in self.firm.tasks() if task.espo_id == party]
            if self.row(party) is None:
                assert link.state == "deleted_in_espocrm", f"{party} is gone in EspoCRM and nobody noticed"
            elif self.number(party) is None:
                assert link.state == "deleted_in_advoware", f"{party} is gone in Advoware and nobody noticed"
                assert tasks, f"{party} is gone in Advoware and nobody was told"

    def check_nothing_is_doubled(self) -> None:
        """What was typed once stands at most once on each side, and we made one party for each."""
        made = [number for entity, number in self.firm.made_by_us if entity == OFFICE]
        assert len(made) <= len(self.parties), "a party was created twice"
        for number, party in self.firm.office_rows(OFFICE).items():
            said = re.findall(r"k\d+q|7700\d{5}", plain([entry["tlf"] for entry in party["kommunikation"]]))
            assert len(said) == len(set(said)), f"an entry of {number} was created twice"


def _composed(value: Any) -> str:
    return unicodedata.normalize("NFC", str(value))


def _human(remark: str) -> str:
    return re.sub(r"\[ESPOCRM[^\]]*\]\s?", "", remark).strip()
