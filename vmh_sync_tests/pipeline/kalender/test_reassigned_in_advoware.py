"""A Termin given to a colleague in Advoware while its event is edited in Google: the edit is told, never lost."""

import pytest

from vmh_sync.settings import CalendarSyncSettings
from vmh_sync_tests.chaos.calendars import audited_losers
from vmh_sync_tests.fixtures.chancery import tasks
from vmh_sync_tests.inmemory.calendars import CalendarFirm
from vmh_sync_tests.inmemory.world import World


@pytest.mark.parametrize("from_google", [False, True])
@pytest.mark.parametrize("strategy", ["source_system_wins", "last_change_wins"])
def test_what_was_typed_into_its_event_meanwhile_is_on_record_and_told(strategy: str, from_google: bool) -> None:
    firm = CalendarFirm(World(), CalendarSyncSettings(_env_file=None, strategy=strategy))
    chancery = firm.chancery
    for kuerzel in ("AH", "SB"):
        chancery.employee(kuerzel)
    firm.come_to_rest()
    if from_google:
        chancery.event("SB", "Besprechung")
    else:
        chancery.termin("SB", "Besprechung", anwalt="SB")
    firm.come_to_rest()
    (fr_nr,) = chancery.termine()
    chancery.edit_event("SB", chancery.event_of(fr_nr, "SB")["id"], summary="Besprechung im Saal")
    chancery.edit_termin(fr_nr, sb="AH", anwalt="AH")
    firm.come_to_rest()
    assert [row["text"] for row in chancery.termine().values()] == ["Besprechung"]
    assert chancery.event_of(fr_nr, "AH")["summary"] == "Besprechung" and not chancery.events("SB")
    assert "Besprechung im Saal" in audited_losers(chancery)
    assert ["Besprechung im Saal" in task["description"] for task in tasks(chancery)] == [True]
    firm.world.close()


@pytest.mark.parametrize("strategy", ["source_system_wins", "last_change_wins"])
def test_what_was_typed_into_an_event_whose_pair_was_never_stored_is_on_record_and_told(strategy: str) -> None:
    """The process was killed between the insert and the row of the pair; only the mark says what we had written."""
    firm = CalendarFirm(World(), CalendarSyncSettings(_env_file=None, strategy=strategy))
    chancery = firm.chancery
    for kuerzel in ("AH", "SB"):
        chancery.employee(kuerzel)
    firm.come_to_rest()
    fr_nr = chancery.termin("SB", "Besprechung")
    firm.come_to_rest()
    row = chancery.pairs("SB")[fr_nr].id
    with chancery.store.transaction() as tx:
        tx.calendar_pairs._connection.exec_driver_sql(f"DELETE FROM calendar_pairs WHERE id = {row}")
    chancery.edit_event("SB", chancery.event_of(fr_nr, "SB")["id"], summary="Besprechung im Saal")
    chancery.edit_termin(fr_nr, sb="AH")
    firm.begin_pass(("SB",))
    firm.finish()
    firm.come_to_rest()
    assert chancery.event_of(fr_nr, "AH")["summary"] == "Besprechung" and not chancery.events("SB")
    assert "Besprechung im Saal" in audited_losers(chancery)
    assert ["Besprechung im Saal" in task["description"] for task in tasks(chancery)] == [True]
    firm.world.close()
