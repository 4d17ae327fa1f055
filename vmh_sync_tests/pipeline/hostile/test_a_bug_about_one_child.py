"""An error nobody thought of, about one party's address, account or appointment: the others are synced, it is told."""

from collections.abc import Callable
from typing import Any

import pytest

from vmh_sync.adressen.part import PART as ADDRESSES
from vmh_sync.bankverbindungen.part import PART as ACCOUNTS
from vmh_sync.children import access as access_module
from vmh_sync.children import fetching as fetching_module
from vmh_sync.children import part as part_module
from vmh_sync.children import write as write_module
from vmh_sync.children.part import ChildrenPart
from vmh_sync.children.pipeline import ChildPipeline
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.kalender import plan as plan_module
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync_tests.fixtures.chancery import Chancery
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.adressen import test_addresses as addresses
from vmh_sync_tests.pipeline.bankverbindungen import test_bank_accounts as accounts

ERRORS = {"KeyError": KeyError("geheim"), "RecursionError": RecursionError()}
KINDS = {
    "adressen": (ADDRESSES, addresses.address, addresses.there),
    "konten": (ACCOUNTS, accounts.account, accounts.there),
}


def broken_for(number: int, real: Callable[..., Any], error: Exception) -> Callable[..., Any]:
    """A function that breaks wherever one of its arguments is about this party or appointment."""

    def patched(*args: Any, **named: Any) -> Any:
        about = {getattr(one, name, None) for one in args for name in ("betnr", "fr_nr")}
        about |= {getattr(getattr(one, "children", None), "betnr", None) for one in args}
        if number in about:
            raise error
        return real(*args, **named)

    return patched


def own_pass(firm: Firm, part: ChildrenPart, *ids: str) -> list[RecordOutcome]:
    async def one_pass(context: PassContext) -> list[RecordOutcome]:
        pipeline = ChildPipeline(part)
        batch = await pipeline.fetch(context, ids)
        pipeline.map_fields(batch)
        pipeline.diff(batch)
        return await pipeline.write(context, batch)

    return list(firm.run(one_pass))


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize(
    ("module", "function"),
    [(part_module, "plan_children"), (write_module.ChildWriter, "carry_out"), (access_module, "commit")],
    ids=["plan", "write", "commit"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_bug_about_one_child_leaves_the_others_alone(
    firm: Firm,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    module: Any,
    function: str,
    error: str,
) -> None:
    part, create, there = KINDS[kind]
    (victim, bad_number), (other, good_number) = firm.linked_party(), firm.linked_party()
    bad_child, good_child = create(firm, victim), create(firm, other)
    with monkeypatch.context() as patch:
        patch.setattr(module, function, broken_for(bad_number, getattr(module, function), ERRORS[error]))
        bad, good = own_pass(firm, part, bad_child, good_child)
    assert (good.result, len(there(firm, good_number))) == (Result.SYNCED, 1)
    assert (bad.result, bad.error_class, bad.concerns_all) == (Result.FAILED, error, False)
    record = firm.crm_record(bad_child, part.kind.espo_entity)
    assert record["syncStatus"] == "failed"
    assert "geheim" not in caplog.text
    firm.sync()
    firm.until_quiet()
    assert len(there(firm, bad_number)) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_bug_while_one_partys_children_are_read_leaves_the_others_alone(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    part, create, there = KINDS[kind]
    (victim, bad_number), (other, good_number) = firm.linked_party(), firm.linked_party()
    bad_child, good_child = create(firm, victim), create(firm, other)
    real = fetching_module.owner_of  # type: ignore[attr-defined]

    def broken(party: Any) -> str:
        if party.bet_nr == bad_number:
            raise KeyError("geheim")
        return real(party)

    with monkeypatch.context() as patch:
        patch.setattr(fetching_module, "owner_of", broken)
        bad, good = own_pass(firm, part, bad_child, good_child)
    assert (good.result, len(there(firm, good_number))) == (Result.SYNCED, 1)
    assert (bad.result, bad.error_class) == (Result.FAILED, "KeyError")
    assert firm.crm_record(bad_child, part.kind.espo_entity)["syncStatus"] == "failed"


@pytest.mark.parametrize("error", ERRORS)
def test_a_bug_about_one_appointment_leaves_the_others_alone(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    chancery.employee()
    victim, other = chancery.termin(text="Opfer"), chancery.termin(text="Heil", offset=8)
    chancery.until_quiet()
    chancery.edit_termin(victim, text="Opfer neu")
    chancery.edit_termin(other, text="Heil neu")
    with monkeypatch.context() as patch:
        patch.setattr(plan_module, "decide_pair", broken_for(victim, plan_module.decide_pair, ERRORS[error]))  # type: ignore[attr-defined]
        chancery.outcomes()
    assert chancery.event_of(other)["summary"] == "Heil neu"
    assert chancery.event_of(victim)["summary"] == "Opfer"
    assert len(chancery.events()) == len(chancery.termine()) == 2
    chancery.until_quiet()
    assert chancery.event_of(victim)["summary"] == "Opfer neu"
