"""Appointments are taken back like everything else: changed, entered and deleted ones, typed on either side."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from vmh_sync.engine.writing.undo import Chain, Undone
from vmh_sync.kalender.undo import UNDO
from vmh_sync.store.history.audit import AuditQuery, Change
from vmh_sync_tests.fixtures.chancery import Chancery
from vmh_sync_tests.pipeline.audit.test_show_and_undo import answer, vmh

ADVOWARE, GOOGLE = "Aus Advoware", "Aus Google"
AS_BEFORE = ([ADVOWARE, GOOGLE],) * 2


def log(chancery: Chancery, **query: Any) -> list[Change]:
    with chancery.store.reading() as tx:
        return tx.audit.find(AuditQuery(entity="kalender", **query))


def change(chancery: Chancery, operation: str, field: str | None = None) -> Change:
    """The newest change of this kind."""
    rows = log(chancery, kinds=("applied",))
    return next(row for row in rows if row.reason.startswith(operation) and row.field == field)


def both(chancery: Chancery) -> tuple[list[str], list[str]]:
    """The titles on both sides."""
    titles = sorted(event.get("summary", "") for event in chancery.events().values())
    return sorted(row["text"] for row in chancery.termine().values()), titles


def number_of(chancery: Chancery, title: str) -> int:
    return next(number for number, row in chancery.termine().items() if row["text"] == title)


def take_back(chancery: Chancery, *chains: Chain) -> Undone:
    """Take changes back, without the pass that the command makes afterwards."""
    chancery.runs += 1
    return asyncio.run(UNDO.take_back(f"test-{chancery.runs}", chains, dry_run=False))


def undone(chancery: Chancery, *changes: Change) -> None:
    result = take_back(chancery, changes)
    assert not result.refused, result.refused
    assert not chancery.sync().failures


def refusal(chancery: Chancery, row: Change) -> str:
    result = take_back(chancery, (row,))
    assert not result.done
    return result.refused[0].why


@pytest.fixture
def quiet(chancery: Chancery) -> Iterator[Chancery]:
    """One employee with an appointment from each side; whatever a test takes back stays taken back."""
    chancery.employee()
    chancery.termin(text=ADVOWARE, notiz="Akte mitnehmen", nr="77/26")
    chancery.sync()
    chancery.event(summary=GOOGLE)
    chancery.sync()
    yield chancery
    assert chancery.until_quiet() == 1, "a pass after an undo has nothing to do"


def test_a_change_goes_back_on_both_sides_by_command_and_its_undo_can_be_taken_back(quiet: Chancery) -> None:
    fr_nr = number_of(quiet, ADVOWARE)
    quiet.edit_event("SB", quiet.event_of(fr_nr)["id"], summary="Neu", location="Saal 4")
    quiet.sync()
    number = change(quiet, "UpdateAdvoware", "text").id
    dry = vmh("audit", "undo", number, "--dry-run")
    assert dry.stdout == f"„Titel“ des Termins SB/{fr_nr} würde zurückgesetzt; es wurde nichts geschrieben.\n"
    assert both(quiet)[0] == [GOOGLE, "Neu"]

    done = vmh("audit", "undo", number, "--values", "--json")

    assert done.exit_code == 0, done.output
    assert (answer(done)["old"], answer(done)["new"], answer(done)["sync"]["failed"]) == ("Neu", ADVOWARE, 0)
    assert both(quiet) == AS_BEFORE
    assert quiet.event_of(fr_nr)["location"] == quiet.termine()[fr_nr]["ort"] == "Saal 4"
    (row,) = log(quiet, kinds=("undo",))
    assert (row.undo_of, row.old, row.new, row.side_written) == (number, "Neu", ADVOWARE, "advoware")
    again = vmh("audit", "undo", number)
    assert again.exit_code == 1
    assert "schon rückgängig gemacht" in again.stderr
    undone(quiet, change(quiet, "UpdateGoogle", "text"))
    assert both(quiet) == ([GOOGLE, "Neu"],) * 2


@pytest.mark.parametrize("title", [ADVOWARE, GOOGLE])
def test_what_came_goes_and_what_went_comes_back_with_all_it_said(quiet: Chancery, title: str) -> None:
    fr_nr, created = number_of(quiet, title), "InsertGoogle" if title == ADVOWARE else "CreateAdvoware"
    before = quiet.termine()[fr_nr]
    dry = vmh("audit", "undo", change(quiet, created).id, "--dry-run")
    assert dry.stdout == f"Der Termin SB/{fr_nr} würde gelöscht; es wurde nichts geschrieben.\n"
    undone(quiet, change(quiet, created))
    assert both(quiet) == ([({ADVOWARE, GOOGLE} - {title}).pop()],) * 2

    again = vmh("audit", "undo", change(quiet, "DeleteGoogle").id)
    assert again.stdout.endswith(f"Der Termin SB/{fr_nr} ist auf beiden Seiten wieder angelegt.\n")

    assert both(quiet) == AS_BEFORE
    back = quiet.termine()[number_of(quiet, title)]
    own = {"frNr", "zuletztGeaendertAm", "rowId"}
    assert {k: v for k, v in back.items() if k not in own} == {k: v for k, v in before.items() if k not in own}


@pytest.mark.parametrize("title", [ADVOWARE, GOOGLE])
def test_a_deletion_that_was_taken_back_and_not_noted_is_not_entered_twice(
    quiet: Chancery, monkeypatch: pytest.MonkeyPatch, title: str
) -> None:
    if title == ADVOWARE:
        quiet.drop_termin(number_of(quiet, title))
    else:
        quiet.drop_event("SB", quiet.event_of(number_of(quiet, title))["id"])
    quiet.sync()
    deleted = change(quiet, "Delete")

    class Killed(BaseException):
        pass

    async def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("vmh_sync.kalender.undo.note_undone", killed)
        with pytest.raises(Killed):
            take_back(quiet, (deleted,))
    quiet.sync()
    undone(quiet, deleted)
    assert both(quiet) == AS_BEFORE
    assert "schon rückgängig gemacht" in refusal(quiet, deleted)


def test_a_deletion_that_was_taken_back_moved_renamed_and_not_noted_is_not_entered_twice(
    quiet: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet.drop_termin(number_of(quiet, ADVOWARE))
    quiet.sync()
    deleted = change(quiet, "Delete")

    class Killed(BaseException):
        pass

    async def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("vmh_sync.kalender.undo.note_undone", killed)
        with pytest.raises(Killed):
            take_back(quiet, (deleted,))
    again = number_of(quiet, ADVOWARE)
    quiet.edit_termin(again, text="Ganz anders", uhrzeitVon="07:00:00", uhrzeitBis="08:00:00")
    quiet.sync()
    assert f"frNr {again}" in refusal(quiet, deleted)
    assert both(quiet) == (sorted([GOOGLE, "Ganz anders"]),) * 2


def test_what_advoware_keeps_of_an_undo_counts_as_deleted_by_nobody(quiet: Chancery) -> None:
    fr_nr = number_of(quiet, GOOGLE)
    quiet.office.fault("Termine", "empty", method="DELETE", times=1)
    assert "von Hand löschen" in refusal(quiet, change(quiet, "CreateAdvoware"))
    assert quiet.pairs()[fr_nr].status == "synced"
    assert both(quiet) == AS_BEFORE


def test_a_run_and_a_time_span_are_taken_back_on_all_that_they_changed(quiet: Chancery) -> None:
    fr_nr, other = number_of(quiet, ADVOWARE), number_of(quiet, GOOGLE)
    began = datetime.now().astimezone()
    quiet.edit_termin(fr_nr, text="Neu")
    quiet.edit_event("SB", quiet.event_of(other)["id"], summary="Auch neu")
    quiet.sync()
    run = f"test-{quiet.runs}"
    quiet.edit_termin(fr_nr, text="Neuer")
    quiet.termin(text="Dazu")
    quiet.sync()

    some = vmh("audit", "undo", "--run", run, "--json")

    assert (some.exit_code, len(answer(some)["undone"])) == (3, 1), some.output
    (kept,) = answer(some)["refused"]
    assert kept["id"] == f"SB/{fr_nr}"
    assert "in Advoware seitdem geändert" in kept["why"]
    for _ in range(2):  # twice: what the first one carried over is not taken back by the second
        assert vmh("audit", "undo", "--since", began.isoformat()).exit_code == 0
        assert both(quiet) == AS_BEFORE


@pytest.mark.parametrize("side", ["Advoware", "Google"])
def test_times_go_back_together_and_what_a_person_changed_since_stays(quiet: Chancery, side: str) -> None:
    fr_nr = number_of(quiet, ADVOWARE)
    before = quiet.event_of(fr_nr)["start"], quiet.event_of(fr_nr)["end"]
    quiet.edit_termin(fr_nr, uhrzeitVon="15:00:00", uhrzeitBis="16:30:00", text="Neu")
    quiet.sync()
    undone(quiet, change(quiet, "UpdateGoogle", "end"))
    event, termin = quiet.event_of(fr_nr), quiet.termine()[fr_nr]
    assert (event["start"], event["end"], event["summary"]) == (*before, "Neu")
    assert (termin["uhrzeitVon"], termin["uhrzeitBis"]) == ("10:30:00", "11:30:00")

    if side == "Advoware":
        quiet.edit_termin(fr_nr, text="Neuer")
    else:
        quiet.edit_event("SB", event["id"], summary="Neuer")

    assert f"„Titel“ wurde in {side} seitdem geändert" in refusal(quiet, change(quiet, "UpdateGoogle", "text"))
    assert "seitdem geändert" in refusal(quiet, change(quiet, "InsertGoogle"))
    quiet.sync()
    assert both(quiet) == ([GOOGLE, "Neuer"],) * 2


def test_what_must_not_be_written_is_left_alone_with_the_reason(
    quiet: Chancery, firm_environment: pytest.MonkeyPatch
) -> None:
    everybody = quiet.termin(kuerzel="ALLE", text="Betriebsausflug")
    quiet.sync()
    assert "auch in anderen Kalendern" in refusal(quiet, change(quiet, "InsertGoogle"))
    quiet.edit_termin(everybody, text="Ausflug")
    quiet.sync()
    edit = change(quiet, "UpdateGoogle", "text")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADVOWARE_WRITE_PROTECTION", "true")
        assert "ADVOWARE_WRITE_PROTECTION" in refusal(quiet, edit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CALENDAR_SYNC_DEADLINE_RULES", '[{"name": "Ausflug", "text": ["Ausflug"]}]')
        assert "Frist" in refusal(quiet, edit)
    firm_environment.setenv("CALENDAR_SYNC_MASS_CHANGE_RECORDS", "1")
    result = take_back(quiet, *UNDO.chains(log(quiet)))
    assert not result.done
    assert sum("ungewöhnlich viele" in one.why for one in result.refused) == 3
