"""A pass is killed between two of its steps, and people go on: what later passes make of what it left."""

import asyncio
from collections.abc import Iterator

import pytest

from vmh_sync.kalender.apply.advoware_writes import AdvowareWrites
from vmh_sync.kalender.form.google_form import OUR_KEYS
from vmh_sync.kalender.state.pair_rows import read_stored, read_version
from vmh_sync_tests.chaos.calendars import answer_questions, audited_losers
from vmh_sync_tests.fixtures.chancery import Chancery, marked
from vmh_sync_tests.inmemory.calendars import CalendarFirm, two_employees
from vmh_sync_tests.inmemory.firm import Hindrance
from vmh_sync_tests.inmemory.loop import own_process
from vmh_sync_tests.inmemory.network import Fate


@pytest.fixture
def firm() -> Iterator[CalendarFirm]:
    yield from two_employees()


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


def test_killed_after_a_termin_was_created_anew_and_given_to_a_colleague_it_stands_once(firm: CalendarFirm) -> None:
    """A person says that it is the colleague's by now; the event's pair still names the old number."""
    chancery = firm.chancery
    chancery.event("SB", "Ortstermin")
    firm.come_to_rest()
    (old,) = chancery.termine()
    chancery.drop_termin(old)
    firm.begin_pass(hindrance=Hindrance(fates={7: Fate(dies="after")}))
    firm.finish()
    (new,) = chancery.termine()
    assert list(chancery.pairs()) == [old], "killed before the new pair"
    chancery.edit_termin(new, sb="AH", anwalt="AH")
    firm.come_to_rest()
    assert answer_questions(chancery) == 1
    firm.come_to_rest()
    assert (list(chancery.termine()), marks(chancery, "AH"), marks(chancery)) == ([new], [str(new)], [])
    assert not chancery.pairs()


@pytest.mark.parametrize("act", ["edited", "moved to a colleague", "edited and moved to a colleague"])
def test_killed_before_an_insert_is_stored_the_event_is_ours_whatever_people_do_to_it(
    firm: CalendarFirm, act: str
) -> None:
    """The event stands in for one that a person deleted; its pair still names that one."""
    chancery = firm.chancery
    fr_nr = chancery.termin("SB", "Verhandlung")
    firm.come_to_rest()
    chancery.drop_event("SB", *chancery.events("SB"))
    firm.begin_pass(hindrance=Hindrance(fates={8: Fate(dies="after")}))
    firm.finish()
    (event_id,) = chancery.events("SB")
    assert chancery.pairs()[fr_nr].event_id != event_id, "killed between the insert and its pair"
    text, owner = ("Getippt" if "edited" in act else "Verhandlung"), "AH" if "colleague" in act else "SB"
    if "edited" in act:
        chancery.edit_event("SB", event_id, summary=text)
    if "colleague" in act:
        chancery.move_event("SB", event_id, "AH")
    firm.come_to_rest()
    assert {number: (row["text"], row["sb"]) for number, row in chancery.termine().items()} == {fr_nr: (text, owner)}
    assert chancery.event_of(fr_nr, owner)["summary"] == text
    assert len({**chancery.events("AH"), **chancery.events("SB")}) == 1


@pytest.mark.parametrize("typed", [{}, {"summary": "Getippt"}])
@pytest.mark.parametrize("known", [False, True])
def test_killed_before_an_insert_is_stored_the_event_is_ours_though_a_client_drops_its_mark(
    firm: CalendarFirm, known: bool, typed: dict[str, str]
) -> None:
    """Its id says so. ``known``: it stands in for one that a person deleted."""
    chancery = firm.chancery
    fr_nr = chancery.termin("SB", "Verhandlung")
    if known:
        firm.come_to_rest()
        chancery.drop_event("SB", *chancery.events("SB"))
    firm.begin_pass(("SB",), Hindrance(fates={4 + 2 * known: Fate(dies="after")}))
    firm.finish()
    (event_id,) = chancery.events("SB")
    assert fr_nr not in chancery.pairs() or chancery.pairs()[fr_nr].event_id != event_id, "killed before its pair"
    chancery.edit_event("SB", event_id, extendedProperties={"private": dict.fromkeys(OUR_KEYS)}, **typed)
    assert marks(chancery) == [None]
    firm.come_to_rest()
    assert (list(chancery.termine()), list(chancery.events("SB"))) == ([fr_nr], [event_id])
    assert marks(chancery) == [str(fr_nr)]
    assert chancery.events("SB")[event_id]["summary"] == chancery.termine()[fr_nr]["text"] == "Verhandlung"
    assert audited_losers(chancery) >= set(typed.values())


@pytest.mark.parametrize("then", ["deleted", "given back"])
def test_killed_before_a_reassigned_termins_event_is_stored_it_is_no_copy(firm: CalendarFirm, then: str) -> None:
    """The event that we put into the new calendar goes with the Termin; the one made in Google lives on in the old."""
    chancery = firm.chancery
    event_id = chancery.event("SB", "Ortstermin")
    firm.come_to_rest()
    (fr_nr,) = chancery.termine()
    chancery.edit_termin(fr_nr, sb="AH", anwalt="AH")
    firm.begin_pass(("AH",), Hindrance(fates={5: Fate(dies="after")}))
    firm.finish()
    assert marks(chancery, "AH") == [str(fr_nr)], "killed between the insert and its pair"
    if then == "deleted":
        chancery.drop_termin(fr_nr)
    else:
        chancery.edit_termin(fr_nr, sb="SB", anwalt="SB")
    firm.come_to_rest()
    (number,) = chancery.termine()
    assert (marks(chancery, "AH"), list(chancery.events("SB"))) == ([], [event_id])
    assert marks(chancery) == [str(number)]


def test_killed_after_a_reassigned_termins_event_was_deleted_the_deletion_is_nobodys(firm: CalendarFirm) -> None:
    chancery = firm.chancery
    chancery.event("SB", "Ortstermin")
    firm.come_to_rest()
    (fr_nr,) = chancery.termine()
    chancery.edit_termin(fr_nr, sb="AH", anwalt="AH")
    firm.begin_pass(("SB",), Hindrance(fates={5: Fate(dies="after")}))
    firm.finish()
    assert not chancery.events("SB"), "killed between the deletion and the end of the pair"
    chancery.edit_termin(fr_nr, sb="SB", anwalt="SB")
    firm.come_to_rest()
    assert set(chancery.termine()) == {fr_nr}
    assert marks(chancery) == [str(fr_nr)]


def test_killed_after_a_moved_events_termin_was_given_over_a_copy_of_it_is_not_taken_for_it(firm: CalendarFirm) -> None:
    chancery = firm.chancery
    event_id = chancery.event("SB", "Ortstermin")
    firm.come_to_rest()
    (fr_nr,) = chancery.termine()
    chancery.move_event("SB", event_id, "AH")
    firm.begin_pass(("AH",), Hindrance(fates={5: Fate(dies="after")}))
    firm.finish()
    assert chancery.termine()[fr_nr]["sb"] == "AH" and fr_nr in chancery.pairs("SB"), "killed before the pair went over"
    copies = [chancery.copy_event("AH", event_id, summary=f"Kopie {number}") for number in range(4)]
    assert min(copies) < event_id, "one of them comes first by its id"
    firm.come_to_rest()
    said = ["Kopie 0", "Kopie 1", "Kopie 2", "Kopie 3", "Ortstermin"]
    assert sorted(row["text"] for row in chancery.termine().values()) == said
    assert chancery.event_of(fr_nr, "AH")["summary"] == "Ortstermin"


def test_a_pass_that_was_killed_anywhere_holds_up_no_other(firm: CalendarFirm) -> None:
    """What the dead one wanted of our database is nothing that others have to wait for."""
    for callback in range(1, 40):
        firm.begin_pass(hindrance=Hindrance(dies_at=callback))
        firm.finish()
    firm.come_to_rest()


def test_the_look_under_the_lease_sees_all_that_another_pass_may_have_changed(firm: CalendarFirm) -> None:
    """It reads the revisions alone, and must say what the whole would say, with a create under way too."""
    firm.chancery.event("SB", "Ortstermin")
    versions, creates = set(), 0
    for number in range(2, 20):
        firm.begin_pass(["SB"], hindrance=Hindrance(fates={number: Fate(dies="after")}))
        firm.finish()
        with firm.world.store.reading() as tx:
            version, stored = read_version(tx, "SB"), read_stored(tx, "SB")
        assert stored.version == version
        versions.add(version)
        creates += len(stored.intents)
        firm.world.loop.pass_time(60)
    assert len(versions) > 2
    assert creates
