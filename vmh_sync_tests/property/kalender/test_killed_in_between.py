"""A pass is killed between two of its steps, and people go on: what later passes make of what it left."""

import asyncio
from collections.abc import Iterator

import pytest

from vmh_sync.kalender.apply.advoware_writes import AdvowareWrites
from vmh_sync.settings import CalendarSyncSettings
from vmh_sync_tests.chaos.calendars import audited_losers
from vmh_sync_tests.fixtures.chancery import Chancery, marked
from vmh_sync_tests.inmemory.calendars import CalendarFirm
from vmh_sync_tests.inmemory.firm import Hindrance
from vmh_sync_tests.inmemory.loop import own_process
from vmh_sync_tests.inmemory.network import Fate
from vmh_sync_tests.inmemory.world import World


@pytest.fixture
def firm() -> Iterator[CalendarFirm]:
    firm = CalendarFirm(World(), CalendarSyncSettings(_env_file=None))
    for kuerzel in ("AH", "SB"):
        firm.chancery.employee(kuerzel)
    firm.come_to_rest()
    yield firm
    firm.world.close()


def marks(chancery: Chancery, kuerzel: str = "SB") -> list[str | None]:
    return [marked(event) for event in chancery.events(kuerzel).values()]


async def dies(*_: object, **__: object) -> None:
    process = own_process()
    assert process is not None
    process.kill()
    await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize("side", ["advoware", "google", "neither"])
def test_killed_between_a_created_termin_and_its_mark_an_edit_of_one_side_goes_to_the_other(
    firm: CalendarFirm, monkeypatch: pytest.MonkeyPatch, side: str
) -> None:
    """What was sent is stored with the pair, so nobody's edit is taken for one of two that contradict each other."""
    chancery = firm.chancery
    event_id = chancery.event("SB", "Ortstermin")
    with monkeypatch.context() as patch:
        patch.setattr(AdvowareWrites, "_stamp", dies)
        firm.begin_pass()
        firm.finish()
    (fr_nr,) = chancery.termine()
    assert marks(chancery) == [None]
    if side == "advoware":
        chancery.edit_termin(fr_nr, text="Getippt")
    elif side == "google":
        chancery.edit_event("SB", event_id, summary="Getippt")
    firm.come_to_rest()
    said = "Ortstermin" if side == "neither" else "Getippt"
    assert chancery.termine()[fr_nr]["text"] == chancery.events("SB")[event_id]["summary"] == said
    assert marks(chancery) == [str(fr_nr)]
    assert audited_losers(chancery) == set()


@pytest.mark.parametrize("edited", [False, True])
def test_killed_before_an_event_names_its_new_termin_it_does_not_name_the_old_one_for_ever(
    firm: CalendarFirm, edited: bool
) -> None:
    """Google's list does not name the event: nobody has touched it."""
    chancery = firm.chancery
    event_id = chancery.event("SB", "Ortstermin")
    firm.come_to_rest()
    (old,) = chancery.termine()
    chancery.drop_termin(old)
    firm.begin_pass(hindrance=Hindrance(fates={8: Fate(dies="before")}))
    firm.finish()
    (new,) = chancery.termine()
    assert marks(chancery) == [str(old)], "killed between the new Termin and its mark"
    if edited:
        chancery.edit_termin(new, ort="Saal 4")
    firm.come_to_rest()
    assert marks(chancery) == [str(new)]
    assert chancery.events("SB")[event_id].get("location", "") == ("Saal 4" if edited else "")
