"""Master data of parties: people edit both sides, real passes are hindered, and nothing is lost or doubled."""

from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import rule

from vmh_sync.sync.merge import ConflictRule
from vmh_sync_tests.inmemory.budget import play
from vmh_sync_tests.property.beteiligte.game import NEW
from vmh_sync_tests.property.beteiligte.machine import PLACES, REQUESTS, PartyMachine
from vmh_sync_tests.unit.beteiligte.form_orders import Order, orders

WORDS = st.sampled_from([None, "", "Dr.", f"Wort {NEW}", f"Wort {NEW}"])
NAMES = st.sampled_from([f"Huber {NEW}", f" Mu\u0308ller  {NEW} "])
HERE = st.fixed_dictionaries(
    {},
    optional={
        "lastName": NAMES,
        "firstName": WORDS,
        "firmenname": st.sampled_from([None, f"Bau {NEW} GmbH"]),
        "rechtsform": st.sampled_from(["", "GmbH", "e.V.", "Einzelperson"]),
        "salutationName": st.sampled_from(["", "Mr.", "Mrs."]),
        "titel": WORDS,
        "dateOfBirth": st.sampled_from([None, "1970-03-01", "1980-12-31"]),
        "briefAnrede": WORDS,
        "zusatz": WORDS,
        "handelsregisterNummer": WORDS,
        "registergericht": WORDS,
    },
)
THERE = st.fixed_dictionaries(
    {},
    optional={
        "name": NAMES,
        "vorname": WORDS,
        "rechtsform": st.sampled_from(["", "GmbH", "e.V.", "Nur dort"]),
        "anrede": st.sampled_from(["", "Herr", "Frau"]),
        "titel": st.sampled_from([None, f"Wort {NEW}", "Prof. " * 20]),
        "geburtsdatum": st.sampled_from([None, "1970-03-01T00:00:00", "1980-12-31T00:00:00"]),
        "bAnrede": WORDS,
        "zusatz": WORDS,
        "handelsRegisterNummer": WORDS,
        "registergericht": WORDS,
    },
)

ORDERS = st.sampled_from([*orders(to_company=True), *orders(to_company=False)])


class MasterData(PartyMachine):
    conflicts: ClassVar = list(ConflictRule)

    @rule(place=PLACES, values=HERE)
    def somebody_edits_in_espocrm(self, place: int, values: dict[str, Any]) -> None:
        self.edits += 1
        self.game.edit_here(self._party(place), values)

    @rule(place=PLACES, values=THERE)
    def somebody_edits_in_advoware(self, place: int, values: dict[str, Any]) -> None:
        self.edits += 1
        self.game.edit_there(self._party(place), values)

    @rule(place=PLACES, order=ORDERS, between=st.booleans())
    def somebody_makes_a_company_or_a_person_of_it(self, place: int, order: Order, between: bool) -> None:
        edit = self.game.edit_here if order.here else self.game.edit_there
        for save in filter(None, order.saves):
            self.edits += 1
            edit(self._party(place), {name: self._new(name, value) for name, value in save.items()})
            if between:
                self.a_pass()

    def _new(self, name: str, value: str) -> str:
        return f"{value} {NEW}" if value and name != "rechtsform" else value

    @rule(number=REQUESTS, place=PLACES, here=HERE, there=THERE, side=st.booleans())
    def somebody_edits_during_a_request(
        self, number: int, place: int, here: dict[str, Any], there: dict[str, Any], side: bool
    ) -> None:
        party = self._party(place)
        edit, values = (self.game.edit_here, here) if side else (self.game.edit_there, there)
        self.meanwhile(number, lambda: edit(party, values))


TestMasterData = MasterData.TestCase
TestMasterData.settings = play(6)
