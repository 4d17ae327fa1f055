"""Doubtful appointments are answered in a list or in the task in EspoCRM; the next pass carries it out."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from vmh_sync.cli import app
from vmh_sync_tests.fixtures.chancery import ZONE, Chancery, tasks

Json = dict[str, Any]


def twins(chancery: Chancery, *titles: str, first: int = 3) -> list[tuple[int, str]]:
    """Appointments that stand on both sides with a title that differs by little."""
    pairs = []
    for offset, title in enumerate(titles, first):
        day = chancery.day(offset).isoformat()
        times: Json = {
            "start": {"dateTime": f"{day}T10:30:00", "timeZone": ZONE},
            "end": {"dateTime": f"{day}T11:30:00", "timeZone": ZONE},
        }
        fr_nr = chancery.termin(text=f"Anhörung {title}er", offset=offset)
        pairs.append((fr_nr, chancery.event(summary=f"Anhörung {title}ar", **times)))
    return pairs


@pytest.fixture
def doubts(chancery: Chancery) -> list[tuple[int, str]]:
    """Three open questions, asked by a pass."""
    chancery.employee("SB")
    chancery.google.seed(calendars=[{"summary": "AW-SB"}])
    pairs = twins(chancery, "Mei", "Schuh", "Hub")
    chancery.sync()
    return pairs


def run(*options: str, code: int = 0) -> Json:
    done = CliRunner().invoke(app, ["audit", "kalender", "doubtful", *options, "--json"])
    assert done.exit_code == code, done.output
    assert "Anhörung" not in done.stdout, "titles stand in the file, not on the screen"
    return dict(json.loads(done.stdout.splitlines()[-1]))


def linked(chancery: Chancery) -> set[tuple[int, str | None]]:
    return {(fr_nr, row.event_id) for fr_nr, row in chancery.pairs().items()}


def test_a_list_is_written_answered_in_excel_and_read_as_often_as_one_likes(
    chancery: Chancery, doubts: list[tuple[int, str]], tmp_path: Path
) -> None:
    same, apart, left = doubts
    late = twins(chancery, "Loh", first=20)[0]  # no pass has seen it yet
    path = tmp_path / "liste.csv"
    assert len(run("--csv", str(path), code=3)["doubtful"]) == 4
    head, *rows = path.read_text(encoding="utf-8-sig").splitlines()
    assert "Anhörung Meier" in rows[0] and "Anhörung Meiar" in rows[0]
    meant = {str(same[0]): "gleich", str(apart[0]): "verschieden", str(late[0]): "ja", str(left[0]): ""}
    told = [head, *(row + meant[row.split(";")[1]] for row in rows)]
    bad = [*told, f"SB;{left[0]};;;;{same[1]};gleich", "XX;1;;;;a;verschieden"]
    path.write_text("\r\n".join(bad), encoding="cp1252")
    refused = run("--answers", str(path), code=2)["error"]
    assert "Zeile 6" in refused and "Zeile 7" in refused and "nichts gemerkt" in refused
    chancery.sync()
    assert not linked(chancery), "nothing of a list with a fault is kept"
    path.write_text("\r\n".join(told), encoding="cp1252")
    answered = run("--answers", str(path))
    assert answered["answers"] == {"same": 2, "different": 1}
    assert [row["frNr"] for row in answered["doubtful"]] == [left[0]]
    chancery.until_quiet()
    assert {same, late} <= linked(chancery) and apart not in linked(chancery)
    assert len(chancery.termine()) == len(chancery.events()) == 5
    assert run("--answers", str(path))["answers"] == {"same": 2, "different": 1}
    path.write_text("\r\n".join(told).replace("verschieden", "gleich"), encoding="utf-8")
    assert "Zeile 3" in run("--answers", str(path), code=2)["error"]
    assert chancery.until_quiet() == 1


def test_the_tasks_are_answered_in_espocrm_and_close_themselves(
    chancery: Chancery, doubts: list[tuple[int, str]]
) -> None:
    same, apart, gone = doubts
    of = {fr_nr: next(one for one in tasks(chancery) if f"frNr {fr_nr}," in one["description"]) for fr_nr, _ in doubts}

    def edit(fr_nr: int, **values: Any) -> None:
        chancery.sandbox.crm.edit("Task", id=of[fr_nr]["id"], values=values)

    unsure = of[same[0]]["description"].replace("verschieden):", "verschieden): weiß nicht")
    edit(same[0], description=unsure, status="Completed")
    chancery.sandbox.crm.edit("Task", "delete", id=of[gone[0]]["id"])
    chancery.sync(dry_run=True)
    chancery.sync()
    assert not linked(chancery) and len(chancery.events()) == 3
    waiting = [one for one in tasks(chancery) if one["status"] != "Completed"]
    assert len(waiting) == 3, "what says nothing, and what was deleted, is asked again"
    again = next(one for one in waiting if f"frNr {same[0]}," in one["description"])
    of[same[0]] = again
    edit(same[0], description=again["description"].replace("verschieden):", "verschieden): Gleich"))
    edit(apart[0], status="Canceled")
    chancery.until_quiet()
    assert same in linked(chancery) and not {apart, gone} & linked(chancery)
    assert chancery.events()[same[1]]["summary"] == "Anhörung Meier"
    assert len(chancery.termine()) == len(chancery.events()) == 4
    status = {one["id"]: one["status"] for one in tasks(chancery)}
    assert status[again["id"]] == "Completed" and status[of[apart[0]]["id"]] == "Canceled"
    assert [row["frNr"] for row in run(code=3)["doubtful"]] == [gone[0]]
