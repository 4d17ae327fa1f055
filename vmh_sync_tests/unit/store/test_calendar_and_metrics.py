"""Calendar pairs and states, cursors, numbers for the metrics, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.store import PairTaken, StaleRow, Store
from vmh_sync.store.calendars.calendar import CalendarPair, CalendarState
from vmh_sync.store.history.metrics import CallKey, PassSummary


def pair(kuerzel: str, frnr: int | None, event_id: str | None, **values: object) -> CalendarPair:
    return CalendarPair(
        kuerzel=kuerzel,
        frnr=frnr,
        event_id=event_id,
        source_system="advoware",
        **values,  # type: ignore[arg-type]
    )


def test_a_pair_comes_back_as_it_was(store: Store, store_clock: ManualClock) -> None:
    now = store_clock.now()
    new = pair("SB", -4, "e1", base={"text": "Urlaub"}, starts_at=now, ends_at=now, write_allowed=True, generation=2)
    with store.transaction() as tx:
        saved = tx.calendar_pairs.save(new)
        assert saved == replace(new, id=saved.id, revision=1, created_at=now, updated_at=now)
        assert tx.calendar_pairs.get(saved.id or 0) == saved
        changed = tx.calendar_pairs.save(replace(saved, etag="x"))
        assert tx.calendar_pairs.of("SB") == [changed]
        with pytest.raises(StaleRow):
            tx.calendar_pairs.save(saved)


def test_one_appointment_may_stand_in_two_calendars_but_once_in_each(store: Store) -> None:
    with store.transaction() as tx:
        tx.calendar_pairs.save_many([pair("SB", 1, "e1"), pair("RA", 1, "e1"), pair("SB", None, None)])
        tx.calendar_pairs.save(pair("SB", None, None))
        for taken in (pair("SB", 1, "e2"), pair("SB", 2, "e1")):
            with pytest.raises(PairTaken):
                tx.calendar_pairs.save(taken)
        assert [p.kuerzel for p in tx.calendar_pairs.by_frnr(1)] == ["SB", "RA"]
        assert [p.kuerzel for p in tx.calendar_pairs.by_frnr(1, "RA")] == ["RA"]
        assert [p.kuerzel for p in tx.calendar_pairs.by_event("e1")] == ["SB", "RA"]
        assert [p.kuerzel for p in tx.calendar_pairs.by_event("e1", "SB")] == ["SB"]
        assert tx.calendar_pairs.counts() == {"SB": 3, "RA": 1}
        assert len(tx.calendar_pairs.all()) == 4


def test_a_deleted_pair_frees_its_ids_and_is_remembered(store: Store, store_clock: ManualClock) -> None:
    with store.transaction() as tx:
        old = tx.calendar_pairs.save(pair("SB", 1, "e1", generation=3))
        assert old.id is not None
        assert tx.calendar_pairs.mark_deleted([old.id], store_clock.now()) == 1
        assert tx.calendar_pairs.mark_deleted([old.id], store_clock.now()) == 0
        assert tx.calendar_pairs.of("SB") == []
        dead = tx.calendar_pairs.get(old.id)
        assert dead is not None
        assert dead.deleted_at == store_clock.now()
        assert tx.calendar_pairs.last_generation("SB", 1) == 3
        assert tx.calendar_pairs.last_generation("SB", 2) is None
        tx.calendar_pairs.save(pair("SB", 1, "e1", generation=4))
        assert tx.calendar_pairs.last_generation("SB", 1) == 4
        with pytest.raises(StaleRow):
            tx.calendar_pairs.save(replace(old, etag="x"))


def test_employees_come_in_the_order_of_their_last_success(store: Store, store_clock: ManualClock) -> None:
    start = store_clock.now()
    with store.transaction() as tx:
        for kuerzel, age in [("A", 1), ("B", 3), ("C", None)]:
            success = None if age is None else start - timedelta(hours=age)
            tx.calendar_states.upsert(CalendarState(kuerzel=kuerzel, last_success_at=success))
        assert [state.kuerzel for state in tx.calendar_states.all()] == ["C", "B", "A"]
    store_clock.advance(timedelta(hours=1))
    with store.transaction() as tx:
        changed = CalendarState(kuerzel="C", calendar_id="cal", sync_token="t", last_error="x\0", anonymised=True)
        tx.calendar_states.upsert(changed)
        stored = tx.calendar_states.get("C")
        assert stored == replace(changed, last_error="x\ufffd", created_at=start, updated_at=store_clock.now())
        assert tx.calendar_states.get("D") is None


def test_a_success_noted_while_the_clock_was_ahead_does_not_put_an_employee_last(
    store: Store, store_clock: ManualClock
) -> None:
    now = store_clock.now()
    with store.transaction() as tx:
        tx.calendar_states.upsert(CalendarState(kuerzel="A", last_success_at=now - timedelta(hours=1)))
        tx.calendar_states.upsert(CalendarState(kuerzel="B", last_success_at=now + timedelta(days=365)))
        assert [state.kuerzel for state in tx.calendar_states.all()] == ["B", "A"]


@pytest.mark.parametrize("value", [None, 5, "x", {"at": "2026-01-01", "id": "a"}, [1, None]])
def test_a_cursor_keeps_any_json_value(store: Store, value: object) -> None:
    with store.transaction() as tx:
        assert tx.cursors.get("beteiligte.dirty") is None
        tx.cursors.set("beteiligte.dirty", "before")
        tx.cursors.set("beteiligte.dirty", value)
        assert tx.cursors.get("beteiligte.dirty") == value
        tx.cursors.set("other", 1)
        assert tx.cursors.several(["beteiligte.dirty", "nobody"]) == {"beteiligte.dirty": value}
        for name in ("a_b%/:1", "a_b%/:2", "a_b%:3", "aXb%/:4"):
            tx.cursors.set(name, 1)
        assert sorted(tx.cursors.under("a_b%/:")) == ["a_b%/:1", "a_b%/:2"]


@pytest.mark.parametrize("prefix", ["a:", "a%", "a_", "a/", "/%_"])
def test_cursors_are_found_by_the_beginning_of_their_names_letter_for_letter(store: Store, prefix: str) -> None:
    with store.transaction() as tx:
        for name in (f"{prefix}1", f"{prefix}2", f"x{prefix}3", "ab4", "a5"):
            tx.cursors.set(name, name)
        assert tx.cursors.under(prefix) == {name: name for name in (f"{prefix}1", f"{prefix}2")}


def test_totals_grow_by_what_is_new_and_outlive_the_summaries(store: Store, store_clock: ManualClock) -> None:
    started = store_clock.now()
    first = PassSummary(run_id="r1", entity="beteiligte", trigger="cli", started_at=started, counts={"synced": 2})
    with store.transaction() as tx:
        tx.passes.record(first)
        finished = replace(first, finished_at=started, counts={"synced": 3, "failed": 1}, calls={"advoware": 9})
        tx.passes.record(finished)
        later = started + timedelta(seconds=1)
        second = replace(first, run_id="r2", started_at=later)
        tx.passes.record(second)
        assert tx.passes.totals() == {("beteiligte", "synced"): 5, ("beteiligte", "failed"): 1}
        assert tx.passes.recent("beteiligte") == [second, finished]
        assert tx.passes.purge(later) == 1
        assert tx.passes.recent("beteiligte") == [second]
        assert tx.passes.totals()["beteiligte", "synced"] == 5


def test_call_counts_add_up(store: Store) -> None:
    get = CallKey("advoware", "GET", "/Beteiligte/{id}", "2xx")
    put = CallKey("advoware", "PUT", "/Beteiligte/{id}", "5xx")
    with store.transaction() as tx:
        tx.call_counts.add({})
        tx.call_counts.add({put: 1, get: 2})
        tx.call_counts.add({get: 40})
        assert tx.call_counts.read() == {get: 42, put: 1}
