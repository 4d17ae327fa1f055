"""SIGKILL at every foreign call, before and after it takes effect: no edit lost, nothing doubled, both sides agree.

Between two foreign calls lie only steps on our own database, so a kill at the arrival of a call is also a kill after
every commit that precedes it. The normal run kills after every call, and before every other one; the rest is proof.
"""

import os
from collections.abc import Callable, Sequence

import pytest

from vmh_sync_tests.crash.passes import KillablePass
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.fork_server import fork_server

pytestmark = pytest.mark.crash

MOST_CALLS = 40
MOST_WAITING = 20
KILLS = [
    pytest.param("kill_after", range(MOST_CALLS), id="kill_after"),
    pytest.param("kill_before", range(0, MOST_CALLS, 2), id="kill_before"),
    pytest.param("kill_before", range(1, MOST_CALLS, 2), id="kill_before_the_others", marks=pytest.mark.proof),
]
ANY_CALL = r"/api/v1/(?!Token)"
NAMES = ("ADVOWARE_", "ESPOCRM_", "VMH_", "REDIS_")


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(NAMES)}


def crash_everywhere(
    firm: Firm,
    action: str,
    arrange: Callable[[], str],
    check: Callable[[str], None],
    places: Sequence[int] = range(MOST_CALLS),
) -> int:
    """Kill a pass at each of its calls to the office, then at each to the CRM; returns how many passes were killed.

    ``places`` are the numbers of the calls that are struck, all by default.
    """
    server = fork_server()
    killed = 0
    for system in (firm.office, firm.crm):
        struck: list[str] = []
        for number in places:
            struck.append(arrange())
            crashing = KillablePass(server, environment(), struck[-1:])
            system.fault(ANY_CALL, action, skip=number, times=1, pid=crashing.pid)
            survived = crashing.go() is not None
            system.clear_faults()
            decided(firm, struck[-1])
            if survived:
                break
        else:
            raise AssertionError(f"a pass makes more than {MOST_CALLS} calls")
        in_order(firm, struck, check)
        killed += len(struck) - 1
    return killed


def decided(firm: Firm, *ids: str) -> None:
    """One pass, or some while an unanswered create may still arrive (``VMH_CREATE_SETTLE_SECONDS`` of the firm)."""
    for _ in range(MOST_WAITING):
        results = {outcome.result.value for outcome in firm.outcomes(*ids)}
        if "skipped" not in results:
            assert results <= {"synced", "unchanged"}, results
            return
    raise AssertionError(f"still waiting: {results}")


def in_order(firm: Firm, ids: Sequence[str], check: Callable[[str], None]) -> None:
    """The pass right after each kill and one more must have brought everything right; a third finds nothing to do."""
    decided(firm, *ids)
    for espo_id in ids:
        check(espo_id)
    firm.office.clear_calls()
    firm.crm.clear_calls()
    assert {(outcome.result.value, outcome.error) for outcome in firm.outcomes(*ids)} == {("unchanged", None)}
    assert firm.office.calls()["writes"] + firm.crm.calls()["writes"] == 0


@pytest.mark.parametrize(("action", "places"), KILLS)
def test_killed_while_creating(firm: Firm, action: str, places: range) -> None:
    created: list[str] = []

    def arrange() -> str:
        created.append(firm.crm_party(firstName="Erika", lastName=f"Neu{len(created)}", titel="Dr."))
        return created[-1]

    def check(espo_id: str) -> None:
        record = firm.crm_record(espo_id)
        mine = [party for party in firm.office_records() if party["name"] == record["lastName"]]
        assert len(mine) == 1, "created twice or not at all"
        assert record["betnr"] == mine[0]["betNr"]
        assert (mine[0]["vorname"], mine[0]["titel"]) == ("Erika", "Dr.")
        assert record["syncStatus"] == "clean"

    assert crash_everywhere(firm, action, arrange, check, places) >= 6 // places.step


@pytest.mark.parametrize(("action", "places"), KILLS)
def test_killed_while_both_sides_changed(firm: Firm, action: str, places: range) -> None:
    def arrange() -> str:
        espo_id, betnr = firm.linked_party(firstName="Max", lastName="Alt")
        firm.crm_edit(espo_id, lastName="AusEspo")
        firm.office_edit(betnr, zusatz="AusAdvoware")
        return espo_id

    def check(espo_id: str) -> None:
        record = firm.crm_record(espo_id)
        party = firm.office_record(record["betnr"])
        assert (record["lastName"], record["zusatz"]) == ("AusEspo", "AusAdvoware")
        assert (party["name"], party["zusatz"], party["vorname"]) == ("AusEspo", "AusAdvoware", "Max")

    assert crash_everywhere(firm, action, arrange, check, places) >= 4 // places.step


@pytest.mark.parametrize(("action", "places"), KILLS)
def test_killed_in_a_conflict_the_loser_is_never_lost(firm: Firm, action: str, places: range) -> None:
    def arrange() -> str:
        espo_id, betnr = firm.linked_party(lastName="Alt")
        firm.crm_edit(espo_id, lastName="AusEspo")
        firm.office_edit(betnr, name="AusAdvoware")
        return espo_id

    def check(espo_id: str) -> None:
        assert firm.crm_record(espo_id)["lastName"] == "AusEspo"
        with firm.store.reading() as tx:
            conflicts = [change for change in tx.audit.for_record(espo_id) if change.kind == "conflict"]
        assert [change.losing_value for change in conflicts] == ["AusAdvoware"]
        mine = [task for task in firm.tasks() if task["parentId"] == espo_id]
        assert len(mine) == 1, "one task, never two"
        assert "AusAdvoware" in mine[0]["description"]

    assert crash_everywhere(firm, action, arrange, check, places) >= 6 // places.step
