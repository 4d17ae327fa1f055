"""Bank accounts: people edit both sides, passes are hindered, and nothing is lost or doubled (design.md 3)."""

from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from vmh_sync.bankverbindungen.part import KIND
from vmh_sync.settings import SyncSettings
from vmh_sync.sync.merge import ConflictRule
from vmh_sync.systems.advoware.records import Bankverbindung
from vmh_sync_tests.property.children.machine import ChildrenMachine, make_world, play_one_record, rounds_of

IBANS = ["DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "DE02120300000000202051", "AT611904300234573201"]
LONG = ["Sparkasse Hannover, Zweigstelle am Kröpcke", "Volksbank Hannover, Zweigstelle Südstadt"]
HERE = st.fixed_dictionaries(
    {},
    optional={
        "iban": st.sampled_from([*IBANS, "DE00370400440532013000", "siehe Akte", None]),
        "bic": st.sampled_from(["COBADEFFXXX", "BYLADEM1001", "falsch", None]),
        "kontoinhaber": st.sampled_from(["Erika Muster", "Huber Bau GmbH", None]),
        "bank": st.sampled_from(["Commerzbank", "DKB", None]),
    },
)
THERE = st.fixed_dictionaries(
    {},
    optional={
        "iban": st.sampled_from([*IBANS, "siehe Akte", None]),
        "bic": st.sampled_from(["COBADEFFXXX", "COBA DE FF XXX", "falsch", None]),
        "kontoinhaber": st.sampled_from(["Erika Muster", "Max Muster", None]),
        "bank": st.sampled_from(["Commerzbank", *LONG, None]),
    },
)
RULES = [SyncSettings(import_bank_accounts=True), SyncSettings(import_bank_accounts=False)]


new_world = partial(make_world, KIND, Bankverbindung, {"bankname": 30})


class Accounts(ChildrenMachine):
    here, there, new_world, all_rules = HERE, THERE, new_world, RULES


TestAccounts = Accounts.TestCase
TestAccounts.settings = settings(max_examples=120, stateful_step_count=25, deadline=None, derandomize=True)


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
