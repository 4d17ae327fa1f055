"""Write protection as a way to start: a dry run tells what happens, what waits is listed, lifting it carries all."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from vmh_sync.cli import app
from vmh_sync_tests.fixtures.chancery import Chancery
from vmh_sync_tests.pipeline.kalender.test_people_at_work import agree

Json = dict[str, Any]


def sync(*more: str) -> Json:
    done = CliRunner().invoke(app, ["sync", "kalender", "--all", "--json", *more])
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout.splitlines()[-1]))


def planned(told: Json) -> dict[str, int]:
    """How many writes to each side a dry run announces."""
    writes = [row["what"] for row in told["plan"] if row["what"].rpartition("_")[0] in ("insert", "update", "delete")]
    writes += [row["what"] for row in told["plan"] if row["what"] in ("create_advoware", "take_over")]
    sides = {"advoware": ("_advoware", "take_over"), "google": ("_google",)}
    return {side: sum(what.endswith(ends) for what in writes) for side, ends in sides.items()}


def test_lifting_write_protection_carries_all_that_waited_in_one_pass_as_the_dry_run_says(
    chancery: Chancery, firm_environment: pytest.MonkeyPatch
) -> None:
    for kuerzel in ("AH", "SB"):
        chancery.employee(kuerzel)
    chancery.sync()
    born = {chancery.event(summary=f"Aus Google {n}", offset=30 + n): n for n in range(3)}
    weekly = chancery.event(summary="Jour fixe", offset=40, recurrence=["RRULE:FREQ=WEEKLY;COUNT=5"])
    wanders = chancery.termin("SB", "Wandert", offset=50)
    chancery.until_quiet()
    numbers = {row["text"]: number for number, row in chancery.termine().items()}

    firm_environment.setenv("ADVOWARE_WRITE_PROTECTION", "true")
    chancery.event(summary="Neu in Google", offset=12)
    chancery.event(summary="Neue Serie", offset=14, recurrence=["RRULE:FREQ=DAILY;COUNT=3"])
    chancery.event("AH", summary="Neu bei AH", offset=16)
    chancery.drop_termin(numbers["Aus Google 0"])
    chancery.drop_termin(numbers["Jour fixe"])
    chancery.move_event("SB", chancery.event_of(wanders)["id"], "AH")
    chancery.termin("SB", "Neu in Advoware", offset=18)

    dry = sync("--dry-run")
    waits = dry["waiting"]
    assert planned(dry)["advoware"] == 0
    run = sync()
    assert run["writes"]["advoware"] == 0
    assert run["waiting"] == sync("--dry-run")["waiting"] == waits
    gone = next(event for event, number in born.items() if number == 0)
    assert {row["frNr"] for row in waits if row["event"] in (gone, weekly)} == {
        numbers["Aus Google 0"],
        numbers["Jour fixe"],
    }
    assert len(waits) == 6
    told = CliRunner().invoke(app, ["sync", "kalender", "--all", "--dry-run"]).stdout
    assert "6 Termine warten in Google" in told
    reason = "In Advoware gelöscht, stammt aus Google; Advoware darf nicht beschrieben werden: bleibt in Google"
    assert f"SB: frNr {numbers['Jour fixe']}, Ereignis {weekly}: {reason}" in told
    assert told.count(weekly) == 1, "each is named once"

    firm_environment.setenv("ADVOWARE_WRITE_PROTECTION", "false")
    announced = planned(sync("--dry-run"))
    lifted = sync()

    assert announced["advoware"] == 6
    assert (lifted["writes"]["advoware"], lifted["waiting"]) == (6, [])
    texts = sorted(row["text"] for row in chancery.termine().values())
    new = ["Neu bei AH", "Neu in Advoware", "Neu in Google", "Neue Serie"]
    assert texts == ["Aus Google 0", "Aus Google 1", "Aus Google 2", "Jour fixe", *new, "Wandert"]
    for kuerzel in ("AH", "SB"):
        agree(chancery, kuerzel)
    assert chancery.until_quiet() == 1, "everything went in one pass"
