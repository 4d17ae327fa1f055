"""Addresses: people edit both sides, passes are hindered, and nothing is lost or doubled (design.md 3)."""

from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from vmh_sync.adressen.part import KIND
from vmh_sync.settings import SyncSettings
from vmh_sync.sync.merge import ConflictRule
from vmh_sync.systems.advoware.records import Adresse
from vmh_sync_tests.property.children.machine import ChildrenMachine, make_world, play_one_record, rounds_of

COMMON = {
    "strasse": st.sampled_from(["Marktstraße 5", "Marktstr. 5", "Weg 1", "Weg 2", None]),
    "plz": st.sampled_from(["30159", "1010", None]),
    "ort": st.sampled_from(["Hannover", "Wien", None]),
    "land": st.sampled_from(["Österreich", "Schweiz", None]),
    "anschrift": st.sampled_from(["c/o Huber\nWeg 1\n30159 Hannover", "Frau Muster", None]),
    "postfach": st.sampled_from(["12", None]),
    "standard": st.booleans(),
    "gueltig_von": st.sampled_from(["2024-01-01", "2027-05-01", None]),
    "gueltig_bis": st.sampled_from(["2025-06-30", "2030-01-01", None]),
    "bemerkung": st.sampled_from(["Hinterhaus", "zwei\nZeilen", None]),
}
LONG = ["30159 Hannover-Mitte", "30161 Hannover-List"]
HERE = st.fixed_dictionaries({}, optional=COMMON)
THERE = st.fixed_dictionaries({}, optional={**COMMON, "plz": st.sampled_from(["30159", *LONG, None])})
RULES = [SyncSettings(reactivate_addresses="task"), SyncSettings(reactivate_addresses="create")]


new_world = partial(make_world, KIND, Adresse, {"adressePostalCode": 12})


class Addresses(ChildrenMachine):
    here, there, new_world, all_rules = HERE, THERE, new_world, RULES


TestAddresses = Addresses.TestCase
TestAddresses.settings = settings(max_examples=120, stateful_step_count=25, deadline=None, derandomize=True)


@settings(max_examples=300, deadline=None)
@given(
    first=st.one_of(HERE, THERE),
    rounds=rounds_of(HERE, THERE),
    conflict=st.sampled_from(list(ConflictRule)),
    rules=st.sampled_from(RULES),
)
def test_one_record_edited_on_both_sides(
    first: dict[str, Any], rounds: list[dict[str, Any]], conflict: ConflictRule, rules: SyncSettings
) -> None:
    play_one_record(new_world(conflict=conflict, rules=rules), first, rounds)
