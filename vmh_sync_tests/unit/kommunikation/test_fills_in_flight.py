"""How long a value that a killed pass sent to an entry is asked after, also where our clock was wrong by then."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from vmh_sync.kommunikation.model import PartyCommunication
from vmh_sync.kommunikation.unsettled import Arriving, pointless
from vmh_sync.store.pairs.intents import Intent

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)
LONGEST = timedelta(minutes=3)
NOBODY_WAITS = PartyCommunication(emails=(), phones=(), entries=())


def fill(sent_at: datetime | None) -> Intent:
    return Intent(
        id="i",
        system="advoware",
        entity="kommunikation",
        espo_id="e",
        betnr=7,
        natural_key={"kind": 4, "value": "neu@huber.example", "online": True, "seen": []},
        payload_hash="",
        state="open" if sent_at is None else "sent",
        foreign_id=None,
        created_at=sent_at or NOW,
        sent_at=sent_at,
        settled_at=None,
        run_id=None,
    )


@given(st.none() | st.timedeltas(-timedelta(days=800), timedelta(days=800)))
def test_what_nobody_waits_for_is_done_with_once_it_cannot_arrive_or_nobody_knows_when(ago: timedelta | None) -> None:
    sent = fill(None if ago is None else NOW - ago)
    done = pointless([sent], (), NOBODY_WAITS, Arriving.at(NOW, LONGEST))
    assert bool(done) == (ago is None or abs(ago) > LONGEST)


def test_what_was_sent_while_the_clock_was_a_year_ahead_is_not_asked_after_for_a_year() -> None:
    sent = fill(NOW + timedelta(days=365))
    assert pointless([sent], (), NOBODY_WAITS, Arriving.at(NOW, LONGEST)) == (sent,)
