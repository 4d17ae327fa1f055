"""An answer lost and the process killed, twice in a row, around every create: parties, children, entries, tasks."""

from collections.abc import Callable

import pytest

from vmh_sync_tests.crash.passes import KillablePass
from vmh_sync_tests.crash.test_kill_at_every_call import ANY_CALL, decided, environment, in_order
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.fork_server import fork_server
from vmh_sync_tests.fixtures.sandbox import ControlClient
from vmh_sync_tests.pipeline.adressen import test_addresses as addresses
from vmh_sync_tests.pipeline.bankverbindungen import test_bank_accounts as accounts
from vmh_sync_tests.pipeline.kommunikation import sides

pytestmark = pytest.mark.crash


class Create:
    """Something that a pass creates: how it comes about, at which call, and what must stand in the end."""

    path: str
    crm = False

    def __init__(self, firm: Firm) -> None:
        self.firm = firm
        self.made = 0

    @property
    def system(self) -> ControlClient:
        """The side that is posted to."""
        return self.firm.crm if self.crm else self.firm.office

    def arrange(self) -> str:
        """Return the party whose pass will create it."""
        raise NotImplementedError

    def check(self, espo_id: str) -> None:
        """Fail unless it stands once."""
        raise NotImplementedError

    def calls_before_its_post(self) -> int:
        """Return how many calls to its side such a pass makes before the POST."""
        espo_id = self.arrange()
        self.system.clear_calls()
        self.firm.sync(espo_id)
        calls = [(one["method"], one["path"]) for one in self.system.calls(1000)["log"] if "/Token" not in one["path"]]
        self.check(espo_id)
        return next(n for n, (method, path) in enumerate(calls) if method == "POST" and path.endswith(self.path))


class Party(Create):
    path = "/Beteiligte"

    def arrange(self) -> str:
        self.made += 1
        return self.firm.crm_party(firstName="Erika", lastName=f"Neu{self.made}")

    def check(self, espo_id: str) -> None:
        record = self.firm.crm_record(espo_id)
        mine = [party for party in self.firm.office_records() if party["name"] == record["lastName"]]
        assert [party["betNr"] for party in mine] == [record["betnr"]]


class Address(Create):
    path = "/Adressen"

    def arrange(self) -> str:
        espo_id, _ = self.firm.linked_party()
        addresses.address(self.firm, espo_id)
        return espo_id

    def check(self, espo_id: str) -> None:
        assert len(addresses.there(self.firm, self.firm.crm_record(espo_id)["betnr"])) == 1


class Account(Create):
    path = "/Bankverbindungen"

    def arrange(self) -> str:
        espo_id, _ = self.firm.linked_party()
        accounts.account(self.firm, espo_id)
        return espo_id

    def check(self, espo_id: str) -> None:
        assert len(accounts.there(self.firm, self.firm.crm_record(espo_id)["betnr"])) == 1


class Imported(Create):
    """An account that comes from Advoware."""

    path = "/CBankverbindungen"
    crm = True

    def arrange(self) -> str:
        espo_id, betnr = self.firm.linked_party()
        self.firm.office.edit("Bankverbindungen", "create", betNr=betnr, values={"iban": accounts.IBAN})
        return espo_id

    def check(self, espo_id: str) -> None:
        mine = [row for row in self.firm.crm_records("CBankverbindungen") if row["beteiligteId"] == espo_id]
        assert [row["iban"] for row in mine] == [accounts.IBAN]


class Entry(Create):
    path = "/Kommunikationen"

    def arrange(self) -> str:
        espo_id, _ = self.firm.linked_party()
        self.firm.crm_edit(espo_id, emailAddressData=[sides.mail("neu@huber.example", primary=True)])
        return espo_id

    def check(self, espo_id: str) -> None:
        assert sides.values(self.firm, self.firm.crm_record(espo_id)["betnr"]) == ["neu@huber.example"]


class Task(Create):
    """The task about a conflict; the loser stands in it before it is overwritten."""

    path = "/Task"
    crm = True

    def arrange(self) -> str:
        espo_id, betnr = self.firm.linked_party(lastName="Alt")
        self.firm.crm_edit(espo_id, lastName="AusEspo")
        self.firm.office_edit(betnr, name="AusAdvoware")
        return espo_id

    def check(self, espo_id: str) -> None:
        record = self.firm.crm_record(espo_id)
        assert self.firm.office_record(record["betnr"])["name"] == "AusEspo"
        (task,) = [task for task in self.firm.crm_records("Task") if task["parentId"] == espo_id]
        assert "AusAdvoware" in task["description"]


CREATES: list[type[Create]] = [Party, Address, Account, Imported, Entry, Task]
LOST = ["kill_before", "kill_after", "drop_before", "drop_after"]
"""What happens to the POST: its sender is killed, or its answer is lost; it has arrived (after) or not (before)."""


def strike(create: Create, lost: str, before: int, again: int) -> None:
    """Lose the POST, kill its sender at the next call; kill the next pass at its call number ``again``; look."""
    firm, server = create.firm, fork_server()
    espo_id = create.arrange()
    first = KillablePass(server, environment(), [espo_id])
    own = {"pid": first.pid} if lost.startswith("kill") else {}
    create.system.fault(f"{create.path}$", lost, method="POST", times=1, **own)
    create.system.fault(ANY_CALL, "kill_before", skip=before, times=1, pid=first.pid)
    first.go()
    create.system.clear_faults()
    second = KillablePass(server, environment(), [espo_id])
    create.system.fault(ANY_CALL, "kill_after", skip=again, times=1, pid=second.pid)
    second.go()
    create.system.clear_faults()
    decided(firm, espo_id)
    in_order(firm, [espo_id], create.check)


@pytest.mark.parametrize(("kind", "lost"), [(Party, "drop_after"), (Task, "kill_before")])
def test_what_is_lost_and_killed_twice_stands_once(firm: Firm, kind: Callable[[Firm], Create], lost: str) -> None:
    create = kind(firm)
    strike(create, lost, create.calls_before_its_post(), again=1)


@pytest.mark.proof
@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("kind", CREATES)
def test_whatever_is_lost_and_killed_twice_stands_once(firm: Firm, kind: Callable[[Firm], Create], lost: str) -> None:
    create = kind(firm)
    before = create.calls_before_its_post()
    for again in range(before + 3):
        strike(create, lost, before, again)
