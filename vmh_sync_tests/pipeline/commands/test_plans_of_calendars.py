"""Plans of calendars: looked at, approved by somebody, and carried out exactly or not at all, over real HTTP."""

from typing import Any

import pytest

from vmh_sync_tests.fixtures.chancery import Chancery
from vmh_sync_tests.pipeline.commands.test_plans import answer, vmh


def titles(chancery: Chancery) -> dict[str, list[str]]:
    return {
        "advoware": sorted(row["text"] for row in chancery.termine().values()),
        "google": sorted(event.get("summary", "") for event in chancery.events().values()),
    }


def test_a_saved_plan_does_exactly_what_it_shows_and_leaves_what_moved(chancery: Chancery) -> None:
    chancery.employee()
    first, second = chancery.termin(text="Erster"), chancery.termin(text="Zweiter", offset=20)
    chancery.sync()
    chancery.edit_termin(first, text="Erster neu")
    chancery.edit_termin(second, text="Zweiter neu")
    chancery.event(summary="Aus Google", offset=30)
    saved = answer(vmh("sync", "kalender", "--all", "--dry-run", "--save", "--json"))["saved"]

    shown = vmh("plan", "show", saved)
    assert (shown.exit_code, "Erster neu" in shown.stdout) == (0, False)
    assert f"SB/{first}" in shown.stdout
    assert "in Google ändern" in shown.stdout
    assert "text: Erster → Erster neu" in vmh("plan", "show", saved, "--values").stdout

    chancery.edit_termin(second, text="Zweiter anders")  # a person was quicker
    chancery.termin(text="Dritter", offset=40)  # and somebody entered what nobody has approved
    result = vmh("plan", "apply", saved, "--by", "Erika Muster", "--json")

    told = answer(result)
    assert (result.exit_code, told["synced"], told["failed"], told["skipped"]) == (3, 2, 1, 1), result.output
    assert told["failures"][0]["id"] == f"SB/{second}"
    assert "Seit dem Plan" in told["failures"][0]["error"]
    assert titles(chancery) == {
        "advoware": ["Aus Google", "Dritter", "Erster neu", "Zweiter anders"],
        "google": ["Aus Google", "Erster neu", "Zweiter"],
    }
    assert "schon angewandt (freigegeben von Erika Muster)" in vmh("plan", "apply", saved).stderr
    chancery.until_quiet()
    assert titles(chancery)["google"] == titles(chancery)["advoware"]


def test_a_stopped_mass_change_carries_its_plan_and_is_approved_by_it(
    chancery: Chancery, firm_environment: pytest.MonkeyPatch
) -> None:
    firm_environment.setenv("CALENDAR_SYNC_MASS_CHANGE_RECORDS", "2")
    chancery.employee()
    numbers = [chancery.termin(text=f"Termin {number}", offset=10 + number) for number in range(4)]
    chancery.sync()
    for number in numbers[:3]:
        chancery.drop_termin(number)
    stopped = answer(vmh("sync", "kalender", "--all", "--json"))
    (failure,) = stopped["failures"]
    assert "würden gelöscht" in failure["error"]
    plan = failure["error"].split("vmh-sync plan apply ")[1].split(".")[0]
    assert len(chancery.events()) == 4
    kept = chancery.event_of(numbers[0])["id"]
    chancery.edit_event("SB", kept, summary="Doch nicht")  # one is edited after the plan was made

    told: dict[str, Any] = answer(vmh("plan", "apply", plan, "--json"))

    assert (told["synced"], told["failed"]) == (2, 1), told
    assert titles(chancery)["google"] == ["Doch nicht", "Termin 3"]


def test_a_plan_without_contents_is_applied_without_contents(chancery: Chancery) -> None:
    chancery.employee()
    chancery.termin(text="Scheidung Muster", notiz="geheim")
    saved = answer(vmh("sync", "kalender", "--all", "--anonymized", "--dry-run", "--save", "--json"))["saved"]

    result = vmh("plan", "apply", saved, "--json")

    assert (result.exit_code, answer(result)["synced"]) == (0, 1), result.output
    assert titles(chancery) == {"advoware": ["Scheidung Muster"], "google": ["Termin"]}
