"""E-mails and phones: people edit both sides, real passes are hindered, and nothing is lost or doubled."""

from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import rule

from vmh_sync.sync.merge import ConflictRule
from vmh_sync_tests.inmemory.budget import play
from vmh_sync_tests.property.beteiligte.game import NEW, NEW_PHONE
from vmh_sync_tests.property.beteiligte.machine import PLACES, REQUESTS, PartyMachine

MAILS = [f"{NEW}@huber.example", f"{NEW}@bau.example", "a@huber.example", "A@Huber.example"]
MAIL = st.fixed_dictionaries(
    {"emailAddress": st.sampled_from(MAILS), "optOut": st.booleans(), "invalid": st.booleans()}
)
PHONE = st.fixed_dictionaries(
    {
        "phoneNumber": st.sampled_from([f"+49511{NEW_PHONE}", "+49511123456", "+43 1 2345678", "+49 (0)711 123456"]),
        "type": st.sampled_from(["Office", "Mobile", "Fax", "Home", "Other"]),
        "optOut": st.booleans(),
    }
)
MARKERS = [
    "[ESPOCRM:YUBodWJlci5leGFtcGxl:4]",
    "[ESPOCRM:KzQ5NTExMTIzNDU2:1] x",
    "[ESPOCRM-SLOT:1] x",
    "[ESPOCRM-SLOT:4]",
]
REMARKS = [None, "Zentrale", "[ESPOCRM:kaputt:4] Text", *MARKERS]
ENTRY = st.fixed_dictionaries(
    {
        "kommKz": st.sampled_from([1, 2, 3, 4, 6, 7, 8, 9, 10, 5, 11, 12]),
        "mail": st.sampled_from([*MAILS, "jürgen@müller.example", "kein at"]),
        "phone": st.sampled_from(
            [f"0511/{NEW_PHONE}", f"+49 511 {NEW_PHONE}", "0511 123456", "0511 123456 App. 12", "siehe Akte"]
        ),
        "bemerkung": st.sampled_from(REMARKS),
        "online": st.booleans(),
    }
)
IN_LIST = st.sampled_from(["add", "add", "change", "remove", "primary", "flags"])
IN_OFFICE = st.sampled_from(["add", "add", "change", "empty", "delete", "online", "remark"])


class Entries(PartyMachine):
    conflicts: ClassVar = list(ConflictRule)

    @rule(place=PLACES, what=IN_LIST, number=PLACES, item=MAIL)
    def somebody_edits_mails_in_espocrm(self, place: int, what: str, number: int, item: dict[str, Any]) -> None:
        self.edits += 1
        self.game.edit_list(self._party(place), "emailAddressData", what, number, item)

    @rule(place=PLACES, what=IN_LIST, number=PLACES, item=PHONE)
    def somebody_edits_phones_in_espocrm(self, place: int, what: str, number: int, item: dict[str, Any]) -> None:
        self.edits += 1
        self.game.edit_list(self._party(place), "phoneNumberData", what, number, item)

    @rule(place=PLACES, what=IN_OFFICE, number=PLACES, values=ENTRY)
    def somebody_edits_entries_in_advoware(self, place: int, what: str, number: int, values: dict[str, Any]) -> None:
        self.edits += 1
        self.game.edit_entry(self._party(place), what, number, values)

    @rule(number=REQUESTS, place=PLACES, what=IN_OFFICE, which=PLACES, values=ENTRY)
    def somebody_edits_an_entry_during_a_request(
        self, number: int, place: int, what: str, which: int, values: dict[str, Any]
    ) -> None:
        party = self._party(place)
        self.meanwhile(number, lambda: self.game.edit_entry(party, what, which, values))

    @rule(number=REQUESTS, place=PLACES, what=IN_LIST, which=PLACES, item=MAIL)
    def somebody_edits_mails_during_a_request(
        self, number: int, place: int, what: str, which: int, item: dict[str, Any]
    ) -> None:
        party = self._party(place)
        self.meanwhile(number, lambda: self.game.edit_list(party, "emailAddressData", what, which, item))


TestEntries = Entries.TestCase
TestEntries.settings = play(6)
