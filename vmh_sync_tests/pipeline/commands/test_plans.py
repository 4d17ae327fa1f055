"""Stored plans: looked at, approved by somebody, and carried out exactly or not at all, over real HTTP."""

import json
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from vmh_sync.cli import app
from vmh_sync_tests.fixtures.firm import Firm


def vmh(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def answer(result: Result) -> dict[str, Any]:
    return dict(json.loads(result.stdout.strip().splitlines()[-1]))


def test_a_saved_plan_does_exactly_what_it_shows_and_leaves_what_moved(firm: Firm) -> None:
    (one, one_nr), (two, two_nr) = firm.linked_party(lastName="Eins"), firm.linked_party(lastName="Zwei")
    for espo_id in (one, two):
        firm.crm_edit(espo_id, zusatz="c/o Geheim")
    saved = answer(vmh("sync", "beteiligte", "--id", one, "--id", two, "--dry-run", "--save", "--json"))["saved"]

    shown = vmh("plan", "show", saved)
    assert shown.exit_code == 0
    assert f"{one}, Ziel: Advoware Beteiligte {one_nr}" in shown.stdout
    assert "zusatz" in shown.stdout
    assert "Geheim" not in shown.stdout
    assert "zusatz: (leer) → c/o Geheim" in vmh("plan", "show", saved, "--values").stdout

    firm.crm_edit(two, zusatz="anders")  # a person was quicker
    applied = vmh("plan", "apply", saved, "--by", "Erika Muster", "--json")
    assert applied.exit_code == 3, applied.output
    assert (answer(applied)["synced"], answer(applied)["failed"]) == (1, 1)
    assert answer(applied)["failures"][0]["id"] == two
    assert "Seit dem Plan" in answer(applied)["failures"][0]["error"]
    assert firm.office_record(one_nr)["zusatz"] == "c/o Geheim"
    assert not firm.office_record(two_nr).get("zusatz")
    with firm.store.reading() as tx:
        assert tx.records.get("beteiligte", two) is None, "what moved is nobody's failure"
    log = answer(vmh("audit", "show", "--since", "1h", "--json"))["changes"]
    assert [row["reason"] for row in log if row["kind"] == "approved"] == [f"plan {saved}: Erika Muster"]
    again = vmh("plan", "apply", saved)
    assert again.exit_code == 1
    assert "schon angewandt (freigegeben von Erika Muster)" in again.stderr


def test_a_stopped_mass_change_carries_its_plan_and_is_approved_by_it(
    firm: Firm, firm_environment: pytest.MonkeyPatch
) -> None:
    firm_environment.setenv("VMH_MASS_CHANGE_RECORDS", "1")
    firm_environment.setenv("VMH_MASS_CHANGE_SHARE", "0.1")
    parties = [firm.linked_party(lastName=f"Nr {number}", zusatz="c/o") for number in range(3)]
    for espo_id, _ in parties:
        firm.crm_edit(espo_id, zusatz=None)
    stopped = vmh("sync", "beteiligte", "--all")
    assert stopped.exit_code == 1
    assert "Angehalten" in stopped.stderr
    plan = stopped.stderr.split("vmh-sync plan apply ")[1].split(".")[0]
    assert all(firm.office_record(betnr)["zusatz"] == "c/o" for _, betnr in parties)

    assert answer(vmh("status", "--json"))["problems"][0]["next_step"].startswith(f"Ansehen: vmh-sync plan show {plan}")
    assert answer(vmh("plan", "reject", plan, "--json")) == {"plan": plan, "rejected": True}
    assert "gibt es nicht" in vmh("plan", "apply", plan).stderr
    assert not any("angehalten" in one["what"] for one in answer(vmh("status", "--json"))["problems"])
    assert "vmh-sync plan apply " + plan in vmh("sync", "beteiligte", "--all").stderr, "the reason is still there"

    firm.crm_edit(parties[0][0], firstName="Neu")  # one more change than the plan says
    applied = vmh("plan", "apply", plan, "--json")

    assert (applied.exit_code, answer(applied)["synced"]) == (3, 2), applied.output
    assert firm.office_record(parties[0][1])["zusatz"] == "c/o"
    assert not any(firm.office_record(betnr).get("zusatz") for _, betnr in parties[1:])


def test_an_expired_an_altered_and_an_unknown_plan_are_refused(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Eins")
    firm.crm_edit(espo_id, zusatz="c/o")
    saved = answer(vmh("sync", "beteiligte", "--id", espo_id, "--dry-run", "--save", "--json"))["saved"]
    name = f"plan:{saved}"
    with firm.store.transaction() as tx:
        stored = tx.cursors.get(name)
        late = (firm.clock.now() - timedelta(minutes=1)).isoformat()
        tx.cursors.set(name, stored | {"expires_at": late})
    assert "abgelaufen" in vmh("plan", "apply", saved).stderr
    with firm.store.transaction() as tx:
        tx.cursors.set(name, stored | {"records": {espo_id: ["0" * 64]}})
    assert "verändert" in vmh("plan", "apply", saved).stderr
    assert "gibt es nicht" in vmh("plan", "apply", "0" * 12).stderr
    assert not firm.office_record(betnr).get("zusatz")
    assert vmh("sync", "beteiligte", "--id", espo_id, "--save").exit_code == 2
