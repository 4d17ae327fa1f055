"""Bank accounts: people edit both sides, real passes are hindered, and nothing is lost or doubled (design.md 3)."""

from functools import partial

from hypothesis import strategies as st

from vmh_sync.bankverbindungen.part import PART
from vmh_sync.settings import SyncSettings
from vmh_sync.systems.advoware.records import Bankverbindung
from vmh_sync_tests.inmemory.budget import play
from vmh_sync_tests.property.children.game import NEW, Child, ChildGame
from vmh_sync_tests.property.children.machine import ChildrenMachine

IBANS = ["DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "DE02120300000000202051", "AT611904300234573201"]
HERE = st.fixed_dictionaries(
    {},
    optional={
        "iban": st.sampled_from([*IBANS, "DE00370400440532013000", "siehe Akte", None]),
        "bic": st.sampled_from(["COBADEFFXXX", "BYLADEM1001", "falsch", None]),
        "kontoinhaber": st.sampled_from(["Erika Muster", f"Huber {NEW}", None]),
        "bankname": st.sampled_from(["Commerzbank", f"Bank {NEW}", None]),
    },
)
THERE = st.fixed_dictionaries(
    {},
    optional={
        "iban": st.sampled_from([*IBANS, "siehe Akte", None]),
        "bic": st.sampled_from(["COBADEFFXXX", "COBA DE FF XXX", "falsch", None]),
        "kontoinhaber": st.sampled_from(["Erika Muster", f"Max {NEW}", None]),
        "bank": st.sampled_from(["Commerzbank", "Sparkasse " * 20, f"Volksbank {NEW}", None]),
    },
)
ACCOUNT = Child(PART, Bankverbindung, {})
RULES = [
    SyncSettings(_env_file=None, import_bank_accounts=True),
    SyncSettings(_env_file=None, import_bank_accounts=False),
]


class Accounts(ChildrenMachine):
    here, there, all_rules = HERE, THERE, RULES
    new_game = partial(ChildGame, ACCOUNT)


TestAccounts = Accounts.TestCase
TestAccounts.settings = play(6)
