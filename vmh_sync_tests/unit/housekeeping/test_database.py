"""What the nightly cleaning removes from our database and what it must leave, on SQLite and on PostgreSQL."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.engine.passes.approved_plan import LIFETIME, all_plans, store_plan
from vmh_sync.housekeeping import database
from vmh_sync.housekeeping.database import clean_tables
from vmh_sync.store import Store
from vmh_sync.store.calendars.calendar import CalendarPair
from vmh_sync.store.history.audit import Change
from vmh_sync.store.history.metrics import PassSummary
from vmh_sync.store.pairs.links import Link
from vmh_sync.store.queue.inbox import InboxEvent

MOMENT = timedelta(microseconds=1)
CHANGE = Change(entity="beteiligte", kind="applied", reason="r", espo_id="a", betnr=1, field="name")


def clean(store: Store, now: datetime, audit_days: int = 30) -> dict[str, int]:
    return {name: count for name, count in clean_tables(store, now, audit_days=audit_days).items() if count}


def append(store: Store, *changes: Change) -> list[int]:
    with store.transaction() as tx:
        return tx.audit.append_numbered(changes)


def task(store: Store, espo_id: str, betnr: int | None) -> int:
    with store.transaction() as tx:
        found, _ = tx.tasks.ensure(
            entity="beteiligte", espo_id=espo_id, betnr=betnr, kind="conflict", fields=[], fingerprint="f", details={}
        )
    return found.id


def test_audit_rows_go_after_their_days_and_not_a_moment_earlier(store: Store, store_clock: ManualClock) -> None:
    now = store_clock.now()
    limit = now - timedelta(days=30)
    old, fresh = append(store, replace(CHANGE, at=limit - MOMENT), replace(CHANGE, at=limit))
    assert clean(store, now, 31) == {}
    assert clean(store, now) == {"audit_rows": 1}
    with store.reading() as tx:
        assert tx.audit.get(old) is None
        assert tx.audit.get(fresh) is not None


def test_more_than_a_slice_goes_in_one_night(
    store: Store, store_clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "SLICE", 2)
    old = store_clock.now() - timedelta(days=31)
    append(store, *(replace(CHANGE, at=old) for _ in range(5)))
    assert clean(store, store_clock.now()) == {"audit_rows": 5}


def test_what_an_open_task_is_about_stays(store: Store, store_clock: ManualClock) -> None:
    now = store_clock.now()
    row = replace(CHANGE, at=now - timedelta(days=31))
    append(
        store,
        row,
        replace(row, espo_id=None),
        replace(row, espo_id="child of 1"),
        replace(row, espo_id="c", betnr=None),
        replace(row, espo_id="b", betnr=2),
        replace(row, espo_id=None, betnr=None),
    )
    open_task, other = task(store, "a", 1), task(store, "c", None)
    assert clean(store, now) == {"audit_rows": 2}
    with store.reading() as tx:
        assert len(tx.audit.for_record("1")) == 3
        assert len(tx.audit.for_record("c")) == 1
        assert tx.audit.for_record("b") == []
    with store.transaction() as tx:
        tx.tasks.close(open_task)
        tx.tasks.close(other)
    assert clean(store, now) == {"audit_rows": 4}


def test_a_change_goes_together_with_its_undo(store: Store, store_clock: ManualClock) -> None:
    now = store_clock.now()
    limit = now - timedelta(days=30)
    change, undo = append(
        store, replace(CHANGE, at=limit - timedelta(days=9)), replace(CHANGE, kind="undo", undo_of=1, at=limit)
    )
    with store.transaction() as tx:
        tx.audit.mark_undone(change, undo)
    assert clean(store, now) == {}
    assert clean(store, now + MOMENT) == {"audit_rows": 2}


def test_settled_intents_closed_tasks_and_passes_go_and_open_ones_stay(store: Store, store_clock: ManualClock) -> None:
    start = store_clock.now()
    with store.transaction() as tx:
        done, _open = (
            tx.intents.start(system="s", entity="beteiligte", espo_id="a", natural_key={}, payload_hash=name)
            for name in ("done", "open")
        )
        tx.intents.complete(done.id, "1")
        tx.passes.record(PassSummary(run_id="r", entity="beteiligte", trigger="cli", started_at=start))
    closed, living = task(store, "a", 1), task(store, "b", 2)
    with store.transaction() as tx:
        tx.tasks.close(closed)
    assert clean(store, start + database.SETTLED_INTENTS) == {}
    assert clean(store, start + database.SETTLED_INTENTS + MOMENT) == {"settled_intents": 1, "pass_summaries": 1}
    assert clean(store, start + database.CLOSED_TASKS) == {}
    assert clean(store, start + database.CLOSED_TASKS + MOMENT) == {"closed_tasks": 1}
    assert clean(store, start + timedelta(days=9999)) == {}
    with store.reading() as tx:
        assert [intent.payload_hash for intent in tx.intents.open_for("beteiligte", "a")] == ["open"]
        assert [row.id for row in tx.tasks.not_closed("beteiligte")] == [living]


def test_a_create_without_an_answer_is_settled_once_its_record_has_long_been_linked(
    store: Store, store_clock: ManualClock
) -> None:
    """What was announced after the link, or of a record without one, waits on; so do the entries of a party."""

    def announced(entity: str, espo_id: str) -> str:
        with store.transaction() as tx:
            return tx.intents.start(
                system="advoware", entity=entity, espo_id=espo_id, natural_key={}, payload_hash="", sent=True
            ).id

    ids = [announced("beteiligte", "a"), announced("beteiligte", "b"), announced("kommunikation", "a")]
    with store.transaction() as tx:
        tx.links.save(Link(entity="beteiligte", espo_id="a", betnr=7, advoware_id="7"))
        tx.links.save(Link(entity="kommunikation", espo_id="a", betnr=7, advoware_id="1"))
    store_clock.advance(timedelta(seconds=1))
    ids.append(announced("beteiligte", "a"))
    start = store_clock.now()
    assert clean(store, start + timedelta(hours=23)) == {}
    assert clean(store, start + timedelta(hours=25)) == {"linked_intents": 1}
    with store.reading() as tx:
        found = [tx.intents.get(one) for one in ids]
    assert [(one.state, one.foreign_id) for one in found if one] == [("done", "7"), *[("sent", None)] * 3]


def test_what_waits_in_the_inbox_stays(store: Store, store_clock: ManualClock) -> None:
    now = store_clock.now()
    with store.transaction() as tx:
        tx.inbox.add("beteiligte", [InboxEvent(espo_id=name, action="manual", source="s") for name in "ab"])
        tx.inbox.claim("beteiligte", "worker", 1, now, 60)
    later = now + timedelta(days=9999)
    assert clean(store, later) == {}
    with store.reading() as tx:
        assert tx.inbox.pending_count("beteiligte", later) == 2


def pair(frnr: int | None, generation: int = 0) -> CalendarPair:
    return CalendarPair(
        kuerzel="SB",
        frnr=frnr,
        event_id=f"event-{frnr}-{generation}",
        source_system="advoware",
        generation=generation,
        base={"summary": "Verhandlung"},
        base_hash="h",
    )


def test_dead_pairs_are_forgotten_but_never_which_event_ids_were_used(store: Store, store_clock: ManualClock) -> None:
    start = store_clock.now()
    ids = {}
    for key, one in {"first": pair(1), "second": pair(1, 1), "unlinked": pair(None), "alone": pair(2, 3)}.items():
        with store.transaction() as tx:
            saved = tx.calendar_pairs.save(one)
            tx.calendar_pairs.mark_deleted([saved.id or 0], start)
            ids[key] = saved.id or 0
    with store.transaction() as tx:
        living = tx.calendar_pairs.save(pair(2, 4))
        # The same appointment in a colleague's calendar counts for itself.
        tx.calendar_pairs.save(replace(pair(1, 9), kuerzel="AB"))
        last = {number: tx.calendar_pairs.last_generation("SB", number) for number in (1, 2)}
    assert clean(store, start + database.DEAD_PAIRS) == {}
    after = start + database.DEAD_PAIRS + MOMENT
    assert clean(store, after) == {"dead_calendar_pairs": 3, "emptied_calendar_pairs": 1}
    assert clean(store, after) == {}
    with store.reading() as tx:
        assert {number: tx.calendar_pairs.last_generation("SB", number) for number in (1, 2)} == last
        kept = tx.calendar_pairs.get(ids["second"])
        assert [one.id for one in tx.calendar_pairs.of("SB")] == [living.id]
        assert [name for name, row_id in ids.items() if tx.calendar_pairs.get(row_id) is not None] == ["second"]
        assert tx.calendar_pairs.of("SB")[0].base == {"summary": "Verhandlung"}
    assert kept is not None
    assert (kept.base, kept.base_hash, kept.event_id) == ({}, None, "event-1-1")


def test_stored_plans_go_with_their_values_once_they_have_expired(store: Store, store_clock: ManualClock) -> None:
    prints = {"a": frozenset({"print"})}
    assert store_plan(store, store_clock, "beteiligte", prints, [{"neu": "Wert"}], why="Probe") is not None
    ends = store_clock.now() + LIFETIME

    assert clean(store, ends) == {}
    assert clean(store, ends + MOMENT) == {"expired_plans": 1}
    assert all_plans(store) == []


@pytest.mark.parametrize(("entity", "settled"), [("beteiligte", 1), ("adressen", 0)])
def test_a_party_that_was_created_while_the_clock_was_ahead_does_not_wait_for_it(
    store: Store, store_clock: ManualClock, entity: str, settled: int
) -> None:
    """A child may be created a second time, so its link proves nothing of what a wrong clock dates."""
    start = store_clock.now()
    store_clock.advance(timedelta(days=365))
    with store.transaction() as tx:
        tx.intents.start(system="advoware", entity=entity, espo_id="a", natural_key={}, payload_hash="", sent=True)
    store_clock.advance(-timedelta(days=365))
    with store.transaction() as tx:
        tx.links.save(Link(entity=entity, espo_id="a", betnr=7, advoware_id="7"))
    assert clean(store, start).get("linked_intents", 0) == settled
