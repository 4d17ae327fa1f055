"""What is known in place of a base after a first contact or a create whose process died (sync-semantics.md 1, 3)."""

from datetime import UTC, datetime, timedelta

import pytest

from vmh_sync.beteiligte.fields import FIELDS
from vmh_sync.sync.base import Base, Fields, Side
from vmh_sync.sync.deciding.first_meeting import FirstMeeting, Recalled, base_of_created
from vmh_sync.sync.merge import Stamps

BEFORE = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
NOW = BEFORE + timedelta(minutes=5)
THEN, SINCE = Stamps(BEFORE, BEFORE), Stamps(NOW, NOW)


def recalled(said: tuple[Fields, Fields], going: tuple[Fields, Fields], now: tuple[Fields, Fields]) -> Recalled:
    return FirstMeeting(Base(*said), Base(*going), THEN).recall(FIELDS, *now, SINCE)


HERE, THERE, NEW = {"zusatz": "hier"}, {"zusatz": "dort"}, {"zusatz": "neu"}


def test_what_both_sides_said_is_the_base_whatever_they_say_now() -> None:
    assert recalled((HERE, HERE), (HERE, HERE), (NEW, THERE)).base == Base(HERE, HERE)


@pytest.mark.parametrize("now", [(HERE, HERE), (NEW, HERE)])
def test_what_a_side_took_over_from_us_is_the_base(now: tuple[Fields, Fields]) -> None:
    assert recalled((HERE, THERE), (HERE, HERE), now).base == Base(HERE, HERE)
    assert recalled((THERE, HERE), (HERE, HERE), (now[1], now[0])).base == Base(HERE, HERE)


@pytest.mark.parametrize("now", [(HERE, THERE), (HERE, NEW), (NEW, NEW)])
def test_without_a_sign_that_our_write_arrived_nothing_is_known(now: tuple[Fields, Fields]) -> None:
    assert recalled((HERE, THERE), (HERE, HERE), now).base is None


def test_each_side_keeps_the_form_in_which_it_was_going_to_say_it() -> None:
    short, long = {"zusatz": "hier"}, {"zusatz": "hier "}
    assert recalled((short, THERE), (short, long), (short, long)).base == Base(short, long)


@pytest.mark.parametrize(
    ("going", "now"),
    [
        ((HERE, {}), (HERE, HERE)),
        (({}, HERE), (HERE, HERE)),
        ((HERE, HERE), ({}, HERE)),
        ((HERE, HERE), (HERE, {})),
        (({"fremd": "x"}, {"fremd": "x"}), ({"fremd": "x"}, {"fremd": "x"})),
    ],
)
def test_of_a_field_that_a_side_did_not_tell_or_nobody_knows_nothing_is_known(
    going: tuple[Fields, Fields], now: tuple[Fields, Fields]
) -> None:
    assert recalled(({}, {}), going, now).base is None


def test_a_side_that_says_what_it_said_or_took_was_changed_by_nobody_since() -> None:
    for now in ((HERE, THERE), (HERE, HERE)):
        assert recalled((HERE, THERE), (HERE, HERE), now).stamps == THEN
    assert recalled((HERE, THERE), (HERE, HERE), (NEW, HERE)).stamps == Stamps(NOW, BEFORE)
    assert recalled((HERE, THERE), (HERE, HERE), (HERE, NEW)).stamps == Stamps(BEFORE, NOW)


def test_one_edited_field_of_several_makes_a_side_edited_and_unknown_fields_do_not() -> None:
    said: tuple[Fields, Fields] = ({**HERE, "titel": "Dr."}, THERE)
    assert recalled(said, said, ({**HERE, "titel": "Prof."}, THERE)).stamps == Stamps(NOW, BEFORE)
    assert recalled(said, said, ({**HERE, "titel": "Dr.", "fremd": "x", "brief_anrede": "y"}, THERE)).stamps == THEN


def test_without_an_earlier_stamp_the_present_one_counts() -> None:
    meeting = FirstMeeting(Base(HERE, THERE), Base(HERE, HERE))
    assert meeting.recall(FIELDS, HERE, HERE, SINCE).stamps == SINCE


@pytest.mark.parametrize("stamps", [THEN, Stamps(), Stamps(BEFORE, None)])
def test_it_is_stored_whole(stamps: Stamps) -> None:
    meeting = FirstMeeting(Base(HERE, THERE), Base(NEW, HERE), stamps)
    assert FirstMeeting.from_json(meeting.to_json()) == meeting


@pytest.mark.parametrize(
    ("stands", "known"),
    [
        ("Zuerst", "Zuerst"),  # taken
        ("Seither", "Zuerst"),  # taken, and edited since
        ("Zuer", None),  # cut off when it was created
        ("ZUERST", "ZUERST"),  # respelled
        (None, None),  # dropped, or emptied since
    ],
)
def test_what_was_sent_with_a_create_is_the_base_if_it_was_taken(stands: str | None, known: str | None) -> None:
    sent = {"zusatz": "Zuerst"}
    made = base_of_created(FIELDS, sent, {"zusatz": stands}, Side.ADVOWARE)
    assert made == (Base(sent, {"zusatz": known}) if known else None)
    imported = base_of_created(FIELDS, sent, {"zusatz": stands}, Side.ESPOCRM)
    assert imported == (Base({"zusatz": known}, sent) if known else None)


def test_of_what_was_not_sent_or_not_told_nothing_is_known() -> None:
    sent, stands = {"zusatz": None, "titel": "Dr.", "fremd": "x"}, {"zusatz": "x", "fremd": "x"}
    assert base_of_created(FIELDS, sent, stands, Side.ADVOWARE) is None
    assert base_of_created(FIELDS, {}, {"zusatz": "x"}, Side.ADVOWARE) is None
