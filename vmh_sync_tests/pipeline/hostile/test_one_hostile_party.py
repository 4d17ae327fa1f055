"""One party of whom a system says something hostile: it alone fails, is told, backs off; the others are synced.

sync-semantics.md 4.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from vmh_sync.beteiligte import batch
from vmh_sync.beteiligte.writing import write
from vmh_sync.store import Store
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.hostile import VALUES, WHOLE_ANSWERS

LATER = (1, 5, 15, 60, 240)
"""Minutes after which a failed record is tried again (sync-semantics.md 4)."""


def pair_of_parties(firm: Firm) -> tuple[tuple[str, int], tuple[str, int]]:
    """A victim and another one, linked and quiet, and an edit of the other one that waits."""
    victim = firm.linked_party(lastName="Opfer", titel="Dr.")
    other = firm.linked_party(lastName="Heil")
    firm.until_quiet()
    firm.crm_edit(other[0], titel="Prof.")
    firm.office_edit(other[1], zusatz="Zusatz")
    return victim, other


def the_other_is_synced(firm: Firm, other: tuple[str, int]) -> None:
    assert firm.office_record(other[1])["titel"] == "Prof."
    assert firm.crm_record(other[0])["zusatz"] == "Zusatz"


def told(firm: Firm, espo_id: str, outcome: RecordOutcome) -> None:
    """The failure stands on the record, in the ledger, and with its class in the run."""
    assert (outcome.result, outcome.concerns_all) == (Result.FAILED, False)
    assert outcome.error_class
    record = firm.crm_record(espo_id)
    assert record["syncStatus"] == "failed"
    assert record["syncErrorMessage"]
    assert standing(firm.store, espo_id).error_class == outcome.error_class


def standing(store: Store, espo_id: str) -> Any:
    with store.reading() as tx:
        return tx.records.get_many("beteiligte", [espo_id])[espo_id]


@pytest.mark.parametrize("name", VALUES)
def test_a_hostile_value_in_advoware_concerns_that_party_alone(firm: Firm, name: str) -> None:
    victim, other = pair_of_parties(firm)
    before = firm.crm_record(victim[0])
    firm.office.fault(
        f"Beteiligte/{victim[1]}$", "tamper", where={"betNr": victim[1]}, field="titel", body=VALUES[name]
    )
    bad, good = firm.outcomes(victim[0], other[0])
    assert good.result is Result.SYNCED
    the_other_is_synced(firm, other)
    told(firm, victim[0], bad)
    assert firm.crm_record(victim[0])["titel"] == before["titel"]
    firm.office.clear_faults()
    firm.until_quiet()
    assert firm.crm_record(victim[0])["syncStatus"] == "clean"


@pytest.mark.parametrize("name", VALUES)
def test_a_hostile_value_in_espocrm_concerns_that_party_alone(firm: Firm, name: str) -> None:
    victim, other = pair_of_parties(firm)
    firm.crm.fault("/CBeteiligte", "tamper", where={"id": victim[0]}, field="titel", body=VALUES[name])
    bad, good = firm.outcomes(victim[0], other[0])
    assert good.result is Result.SYNCED
    the_other_is_synced(firm, other)
    told(firm, victim[0], bad)
    assert firm.office_record(victim[1])["titel"] == "Dr."
    firm.crm.clear_faults()
    firm.until_quiet()
    assert firm.crm_record(victim[0])["syncStatus"] == "clean"


@pytest.mark.parametrize("name", WHOLE_ANSWERS)
def test_a_useless_answer_about_one_party_concerns_it_alone(firm: Firm, name: str) -> None:
    victim, other = pair_of_parties(firm)
    firm.office.fault(f"Beteiligte/{victim[1]}$", "empty", method="GET", body=WHOLE_ANSWERS[name])
    bad, good = firm.outcomes(victim[0], other[0])
    assert good.result is Result.SYNCED
    the_other_is_synced(firm, other)
    told(firm, victim[0], bad)


@pytest.mark.parametrize("name", ["surrogate", "5000 digits", "nested"])
def test_it_backs_off_and_ends_as_permanently_failed(firm: Firm, name: str) -> None:
    victim, _ = pair_of_parties(firm)
    firm.office.fault(
        f"Beteiligte/{victim[1]}$", "tamper", where={"betNr": victim[1]}, field="titel", body=VALUES[name]
    )
    waits = []
    for _ in range(len(LATER) + 1):
        firm.outcomes(victim[0])
        row = standing(firm.store, victim[0])
        if row.status == "permanently_failed":
            break
        waits.append(round((row.next_retry_at - firm.clock.now()) / timedelta(minutes=1)))
    assert waits == list(LATER[: len(waits)]) and len(waits) >= 4
    assert firm.crm_record(victim[0])["syncStatus"] == "permanently_failed"


@pytest.mark.parametrize("name", ["surrogate", "5000 digits", "nested"])
def test_when_every_party_of_a_run_is_hostile_each_is_told_and_the_run_is_no_outage(firm: Firm, name: str) -> None:
    victims = [firm.linked_party(lastName=f"Opfer {number}", titel="Dr.") for number in range(4)]
    for _, betnr in victims:
        firm.office.fault(f"Beteiligte/{betnr}$", "tamper", where={"betNr": betnr}, field="titel", body=VALUES[name])
    for outcome in firm.outcomes(*(espo_id for espo_id, _ in victims)):
        told(firm, outcome.id, outcome)


def test_an_answer_emptier_than_a_party_creates_and_blanks_nothing(firm: Firm) -> None:
    """At first contact nothing is doubled, later nothing is blanked."""
    victim = firm.linked_party(lastName="Opfer", titel="Dr.", phoneNumber="+49 711 123456")
    firm.until_quiet()
    betnr = firm.office_party(name="Neu")
    firm.office.edit("Kommunikation", "create", betNr=betnr, values={"tlf": "+49 711 654321", "kommKz": 1})
    first = firm.crm_party(lastName="Neu", betnr=betnr, phoneNumber="+49 711 654321")
    before = [firm.office_record(victim[1]), firm.office_record(betnr)]
    for number in (victim[1], betnr):
        empty = f'{{"betNr": {number}, "rowId": "AAAA", "name": "", "kommunikation": [], "adressen": [], ' + (
            '"bankverbindungen": []}'
        )
        firm.office.fault(f"Beteiligte/{number}$", "empty", method="GET", body=empty)
    outcomes = firm.outcomes(victim[0], first)
    for outcome in outcomes:
        told(firm, outcome.id, outcome)
    assert [firm.office_record(victim[1]), firm.office_record(betnr)] == before
    assert firm.crm_record(victim[0])["titel"] == "Dr."
    firm.office.clear_faults()
    firm.until_quiet()
    assert len(firm.office_record(betnr)["kommunikation"]) == 1


def _raises(name: str) -> Callable[..., Any]:
    error = {"KeyError": KeyError("geheim"), "RecursionError": RecursionError(), "OverflowError": OverflowError()}[name]

    def raising(*args: Any, **named: Any) -> Any:
        raise error

    return raising


def only_for(espo_id: str, real: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A function that breaks for one party, as a bug of ours would."""
    broken = _raises(name)

    def patched(*args: Any, **named: Any) -> Any:
        plans = (getattr(argument, "plan", argument) for argument in args)
        ids = {getattr(getattr(plan, "read", plan), "espo_id", None) for plan in plans}
        return broken() if espo_id in ids else real(*args, **named)

    return patched


@pytest.mark.parametrize(
    "error",
    ["KeyError", *(pytest.param(name, marks=pytest.mark.proof) for name in ("RecursionError", "OverflowError"))],
)
@pytest.mark.parametrize(
    ("module", "function"),
    [
        (batch, "map_party"),
        (batch, "plan_party"),
        (batch, "_has_to_write"),
        (write, "still_stands"),
        (write, "record_beforehand"),
    ],
    ids=lambda value: str(getattr(value, "__name__", value)).rsplit(".", 1)[-1],
)
def test_a_bug_in_any_stage_concerns_one_party_alone(
    firm: Firm,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    module: Any,
    function: str,
    error: str,
) -> None:
    victim, other = pair_of_parties(firm)
    firm.crm_edit(victim[0], titel="")
    monkeypatch.setattr(module, function, only_for(victim[0], getattr(module, function), error))
    bad, good = firm.outcomes(victim[0], other[0])
    assert good.result is Result.SYNCED
    the_other_is_synced(firm, other)
    told(firm, victim[0], bad)
    assert bad.error_class == error
    assert any(error in line.getMessage() and victim[0] in line.getMessage() for line in caplog.records)
    assert "geheim" not in caplog.text


def test_a_hostile_number_typed_into_one_record_holds_up_no_other_that_has_one(firm: Firm) -> None:
    """Numbers of records that are not linked yet are looked up for all of them together."""
    numbers = [firm.office_party(name=name) for name in ("Eins", "Zwei")]
    bad, good = (
        firm.crm_party(lastName=name, betnr=betnr) for name, betnr in zip(("Eins", "Zwei"), numbers, strict=True)
    )
    # The second list of the pass is the one that looks for the numbers.
    firm.crm.fault(
        "/CBeteiligte$", "tamper", method="GET", skip=1, where={"id": bad}, field="betnr", body=VALUES["list"]
    )
    outcomes = firm.outcomes(bad, good)
    assert [one.result for one in outcomes] == [Result.FAILED, Result.SYNCED]
    assert firm.crm_record(bad)["syncStatus"] == "failed"
    firm.crm.clear_faults()
    firm.until_quiet()
    assert firm.crm_record(bad)["syncStatus"] == "clean"
