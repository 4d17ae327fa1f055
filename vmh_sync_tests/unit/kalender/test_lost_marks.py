"""Events of a pair that carry no mark of ours, or another one: marked again, nothing we wrote is taken for typed."""

from dataclasses import replace

import pytest

from vmh_sync.kalender.decision.reads import GoogleRead
from vmh_sync.kalender.form.google_form import read_event
from vmh_sync_tests.property.kalender.simulated_sides import OPEN_RULES
from vmh_sync_tests.unit.kalender.situations import BOTH_READS, from_google, linked, run


@BOTH_READS
@pytest.mark.parametrize("typed", [{}, {"location": "Saal 4"}, {"summary": "Neuer Titel"}])
def test_a_pair_without_a_base_whose_event_has_no_mark_is_marked_at_once(
    typed: dict[str, object], read: GoogleRead
) -> None:
    """Killed between the pair row and the mark: the token moves on, so no later pass would look at the event again."""
    sides, fr_nr = from_google()
    sides.read = read
    sides.pairs[fr_nr] = replace(sides.pairs[fr_nr], base=None)
    sides.put_event("g1", extendedProperties=None, **typed)
    run(sides)
    mark = read_event(sides.events["g1"], sides.rules).mark
    assert mark is not None and mark.fr_nr == fr_nr
    assert run(sides) == []


@BOTH_READS
@pytest.mark.parametrize("number", [None, "4711"])
@pytest.mark.parametrize("typed", [{}, {"summary": "Neuer Titel"}])
def test_an_event_whose_mark_was_dropped_or_overwritten_gets_it_again(
    typed: dict[str, object], number: str | None, read: GoogleRead
) -> None:
    sides, fr_nr = from_google()
    sides.read = read
    properties = {"private": {"frNr": number, "contentHash": "x", "source": "google"}} if number else None
    sides.put_event("g1", extendedProperties=properties, **typed)
    run(sides)
    mark = read_event(sides.events["g1"], sides.rules).mark
    assert mark is not None and mark.fr_nr == fr_nr
    assert sides.events["g1"]["summary"] == sides.termine[fr_nr].text == typed.get("summary", "Mittagessen")
    assert run(sides) == []


@BOTH_READS
@pytest.mark.parametrize("stretched", [False, True])
def test_what_we_show_beside_the_content_is_no_edit_when_a_client_drops_the_properties(
    stretched: bool, read: GoogleRead
) -> None:
    """The lines of preparation and travel, the file number and the stretch are ours still."""
    rules = replace(OPEN_RULES, attach_file_number=True, stretch_by_preparation=stretched)
    sides = linked(rules, read, notiz="Robe", vorbereitungs_dauer="00:30:00", az_rubrum="12/26 Meier ./. Schulze")
    before, shown = sides.termine[1], dict(sides.event_of(1))
    sides.put_event(sides.pairs[1].event_id, extendedProperties=None)
    assert run(sides) == ["UpdateGoogle"]
    assert sides.termine[1] == before
    again = sides.event_of(1)
    assert {**again, "updated": None} == {**shown, "updated": None}
    assert run(sides) == []
    sides.put_event(sides.pairs[1].event_id, extendedProperties=None, location="Saal 4")
    assert run(sides) == ["UpdateAdvoware", "UpdateGoogle"]
    assert (sides.termine[1].ort, sides.termine[1].notiz, sides.termine[1].text) == ("Saal 4", "Robe", before.text)
    assert run(sides) == []


@BOTH_READS
@pytest.mark.parametrize("stretched", [False, True])
def test_what_an_event_showed_of_ours_when_it_was_found_is_no_edit_though_it_was_never_marked(
    stretched: bool, read: GoogleRead
) -> None:
    """Killed between the pair of a found event and its mark: the file number and the lines were cut off for the base.

    The times are as a person typed them, because nobody has stretched this event yet.
    """
    rules = replace(OPEN_RULES, attach_file_number=True, stretch_by_preparation=stretched)
    sides = linked(rules, read, notiz="Robe", vorbereitungs_dauer="00:30:00", az_rubrum="12/26 Meier ./. Schulze")
    pair, before, event = sides.pairs[1], sides.termine[1], sides.event_of(1)
    assert pair.base is not None
    sides.pairs[1] = replace(pair, base=replace(pair.base, mark_hash=""))
    times = {name: {"dateTime": f"{getattr(pair.base.google, name).isoformat()}"} for name in ("start", "end")}
    sides.put_event(pair.event_id, extendedProperties=None, **times)
    assert run(sides) == ["UpdateGoogle"]
    assert sides.termine[1] == before
    assert (sides.event_of(1)["summary"], sides.event_of(1)["description"]) == (event["summary"], event["description"])
    assert run(sides) == []
