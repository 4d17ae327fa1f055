"""Beside an old system: everything is seen, nothing is written, whoever tries."""

import json

import pytest
from typer.testing import CliRunner

from vmh_sync.cli import app
from vmh_sync.settings import VmhSettings, load
from vmh_sync_tests.fixtures.firm import Firm


def shadow(firm: Firm) -> dict[str, list[list[object]]]:
    answer = CliRunner().invoke(app, ["shadow", "--json"])
    assert answer.exit_code == 0, answer.output
    assert not firm.sandbox.office.calls()["writes"] and not firm.sandbox.crm.calls()["writes"]
    found: dict[str, list[list[object]]] = json.loads(answer.stdout)
    return found


def test_the_report_names_what_the_old_system_leaves_and_what_it_settles(
    firm: Firm, firm_environment: pytest.MonkeyPatch
) -> None:
    firm_environment.setenv("VMH_SHADOW", "true")  # and taken away again by the fixture, as the command sets it too
    betnr = firm.office_party(name="Huber", vorname="Anna")
    espo_id = firm.crm_party(lastName="Huber", firstName="Hanna", betnr=betnr)
    for system in (firm.sandbox.office, firm.sandbox.crm):
        system.clear_calls()
    first = shadow(firm)
    assert [row[1] for row in first["new"]] == [espo_id]
    today = next((load(VmhSettings).home / "shadow").glob("*.json"))
    today.rename(today.with_stem("2026-01-01"))
    assert list(shadow(firm)["standing"][0])[1] == espo_id
    today.rename(today.with_stem("2026-01-02"))
    firm.crm_edit(espo_id, firstName="Anna")
    assert [row[1] for row in shadow(firm)["settled"]] == [espo_id]
    refused = CliRunner().invoke(app, ["sync", "beteiligte", "--all"])
    assert refused.exit_code == 1 and "Schattenbetrieb" in refused.stderr
    up = CliRunner().invoke(app, ["up"])
    assert up.exit_code != 0 and not firm.sandbox.office.calls()["writes"]
