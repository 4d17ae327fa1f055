"""Addresses: people edit both sides, real passes are hindered, and nothing is lost or doubled (design.md 3)."""

from functools import partial

from hypothesis import strategies as st

from vmh_sync.adressen.part import PART
from vmh_sync.settings import SyncSettings
from vmh_sync.systems.advoware.records import Adresse
from vmh_sync_tests.inmemory.budget import play
from vmh_sync_tests.property.children.game import NEW, Child, ChildGame
from vmh_sync_tests.property.children.machine import ChildrenMachine

STREETS = [f"Weg {NEW}", f"Weg {NEW}", "Marktstraße 5", "Marktstr. 5", "Weg 1", None]
COMMON = {
    "postfach": st.sampled_from(["12", f"{NEW}", None]),
    "anschrift": st.sampled_from(["c/o Huber\nWeg 1\n30159 Hannover", f"Frau {NEW}", None]),
}
HERE = st.fixed_dictionaries(
    {},
    optional={
        **COMMON,
        "adresseStreet": st.sampled_from(STREETS),
        "adressePostalCode": st.sampled_from(["30159", "1010", None]),
        "adresseCity": st.sampled_from(["Hannover", "Wien", f"Ort {NEW}", None]),
        "adresseCountry": st.sampled_from(["Österreich", f"Land {NEW}", None]),
        "istStandard": st.booleans(),
        "gueltigVon": st.sampled_from(["2024-01-01", "2027-05-01", None]),
        "gueltigBis": st.sampled_from(["2025-06-30", "2030-01-01", None]),
        "description": st.sampled_from(["Hinterhaus", "zwei\nZeilen", f"Hof {NEW}", None]),
    },
)
THERE = st.fixed_dictionaries(
    {},
    optional={
        **COMMON,
        "strasse": st.sampled_from(STREETS),
        "plz": st.sampled_from(["30159", "30159 " + "Hannover-Mitte " * 4, None]),
        "ort": st.sampled_from(["Hannover", "Wien", f"Ort {NEW}", None]),
        "land": st.sampled_from(["Österreich", f"Land {NEW}", None]),
        "standardAnschrift": st.booleans(),
        "gueltigVon": st.sampled_from(["2024-01-01T00:00:00", "2027-05-01T00:00:00", None]),
        "gueltigBis": st.sampled_from(["2025-06-30T00:00:00", "2030-01-01T00:00:00", None]),
        "bemerkung": st.sampled_from(["Hinterhaus", "zwei\nZeilen", f"Hof {NEW}", None]),
    },
)
ADDRESS = Child(
    PART,
    Adresse,
    {
        "espocrm": ("anschrift", frozenset({"adresseStreet", "adressePostalCode", "adresseCity"})),
        "advoware": ("anschrift", frozenset({"strasse", "plz", "ort"})),
    },
    mark="EspoCRM-ID:",
)
RULES = [
    SyncSettings(_env_file=None, reactivate_addresses="task"),
    SyncSettings(_env_file=None, reactivate_addresses="create"),
]


class Addresses(ChildrenMachine):
    here, there, all_rules = HERE, THERE, RULES
    new_game = partial(ChildGame, ADDRESS)


TestAddresses = Addresses.TestCase
TestAddresses.settings = play(6)
