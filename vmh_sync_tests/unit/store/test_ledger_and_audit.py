"""The ledger of records, intents, the audit log and manual tasks, on both databases."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.store import StaleRow, Store, open_store
from vmh_sync.store.history.audit import Change
from vmh_sync.store.pairs.links import Link
from vmh_sync.store.pairs.records import SyncRecord

ENTITY = "beteiligte"


def test_a_record_is_replaced_as_a_whole(store: Store, store_clock: ManualClock) -> None:
    failed = SyncRecord(
        entity=ENTITY,
        espo_id="a",
        status="failed",
        attempts=2,
        next_retry_at=store_clock.now(),
        error_text="Das Feld\0 ist zu lang.",
        error_class="Rejected",
        part="kommunikation",
        run_id="r1",
        espo_modified_at_seen=store_clock.now(),
    )
    clean = SyncRecord(entity=ENTITY, espo_id="a", status="clean")
    with store.transaction() as tx:
        tx.records.upsert([clean, failed])
        stored = tx.records.get(ENTITY, "a")
        assert stored == replace(failed, updated_at=store_clock.now(), error_text="Das Feld\ufffd ist zu lang.")
        tx.records.upsert([clean])
        assert tx.records.get(ENTITY, "a") == replace(clean, updated_at=store_clock.now())
        tx.records.forget(ENTITY, ["a"])
        assert tx.records.get(ENTITY, "a") is None


def test_due_are_retries_and_resets_whose_time_has_come(store: Store, store_clock: ManualClock) -> None:
    now, later = store_clock.now(), store_clock.now() + timedelta(seconds=1)
    with store.transaction() as tx:
        tx.records.upsert(
            [
                SyncRecord(entity=ENTITY, espo_id="retry now", status="failed", next_retry_at=now),
                SyncRecord(entity=ENTITY, espo_id="retry later", status="failed", next_retry_at=later),
                SyncRecord(entity=ENTITY, espo_id="reset now", status="permanently_failed", auto_reset_at=now),
                SyncRecord(entity=ENTITY, espo_id="reset later", status="permanently_failed", auto_reset_at=later),
                SyncRecord(entity=ENTITY, espo_id="until changed", status="permanently_failed"),
                SyncRecord(entity=ENTITY, espo_id="fine", status="clean", next_retry_at=now),
                SyncRecord(entity="adressen", espo_id="other", status="failed", next_retry_at=now),
            ]
        )
        assert {record.espo_id for record in tx.records.due(ENTITY, now)} == {"retry now", "reset now"}
        assert len(tx.records.due(ENTITY, later, limit=3)) == 3
        assert len(tx.records.failed(ENTITY)) == 5
        assert tx.records.counts() == {
            (ENTITY, "failed"): 2,
            (ENTITY, "permanently_failed"): 3,
            (ENTITY, "clean"): 1,
            ("adressen", "failed"): 1,
        }


def test_oldest_dirty_is_since_when_the_record_changed(store: Store, store_clock: ManualClock) -> None:
    changed = store_clock.now() - timedelta(hours=3)
    with store.transaction() as tx:
        assert tx.records.oldest_dirty(ENTITY) is None
        tx.records.upsert(
            [
                SyncRecord(entity=ENTITY, espo_id="a", status="dirty"),
                SyncRecord(entity=ENTITY, espo_id="b", status="failed", espo_modified_at_seen=changed),
                SyncRecord(
                    entity=ENTITY, espo_id="c", status="clean", espo_modified_at_seen=changed - timedelta(days=1)
                ),
            ]
        )
        assert tx.records.oldest_dirty(ENTITY) == changed


def test_an_intent_stays_open_until_it_is_settled(store: Store, store_clock: ManualClock) -> None:
    with store.transaction() as tx:
        intent = tx.intents.start(
            system="advoware", entity=ENTITY, espo_id="a", natural_key={"name": "X"}, payload_hash="h", run_id="r"
        )
        assert tx.intents.open_for(ENTITY, "a") == [intent]
    store_clock.advance(timedelta(seconds=1))
    with store.transaction() as tx:
        sent = tx.intents.claim(intent)
        assert sent == replace(intent, state="sent", sent_at=store_clock.now())
        assert tx.intents.open_for_many(ENTITY, ["a", "b"]) == {"a": [sent]}
        tx.intents.complete(intent.id, "4711")
        assert tx.intents.open_for(ENTITY, "a") == []
        assert tx.intents.get(intent.id) == replace(sent, state="done", foreign_id="4711", settled_at=store_clock.now())


@pytest.mark.parametrize("settled_by", ["complete", "abandon"])
def test_a_settled_intent_cannot_be_settled_or_sent_again(store: Store, settled_by: str) -> None:
    with store.transaction() as tx:
        intent = tx.intents.start(system="s", entity=ENTITY, espo_id="a", natural_key={}, payload_hash="h")
        if settled_by == "complete":
            tx.intents.complete(intent.id, "1")
        else:
            tx.intents.abandon(intent.id)
        for again in (
            lambda: tx.intents.claim(intent),
            lambda: tx.intents.abandon(intent.id),
            lambda: tx.intents.complete(intent.id, "2"),
        ):
            with pytest.raises(StaleRow):
                again()


def test_the_audit_log_gives_ids_in_order_and_reads_newest_first(store: Store, store_clock: ManualClock) -> None:
    changes = [
        Change(
            entity=ENTITY,
            kind="applied",
            reason="only EspoCRM changed",
            espo_id="a",
            betnr=17,
            field=f"f{n}",
            old={"n": n},
            new=[n],
            losing_value=None if n else 0,
            side_written="advoware",
            losing_side="espocrm",
            run_id="r",
        )
        for n in range(3)
    ]
    with store.transaction() as tx:
        ids = tx.audit.append_numbered(changes)
        stored = [replace(c, id=i, at=store_clock.now()) for c, i in zip(changes, ids, strict=True)]
        assert [tx.audit.get(i) for i in ids] == stored
        assert tx.audit.for_record("a") == stored[::-1]
        assert tx.audit.for_record("17", limit=1) == [stored[2]]
        assert tx.audit.for_record("99999999999999999") == []
        assert tx.audit.for_record("9" * 40) == []
        assert tx.audit.append_numbered([]) == []


def test_what_was_written_is_counted_by_side_and_a_conflict_is_counted_once(
    store: Store, store_clock: ManualClock
) -> None:
    now = store_clock.now()
    written = Change(
        entity="beteiligte", espo_id="x", kind="applied", reason="conflict", side_written="advoware", at=now
    )
    rows = [
        written,
        replace(written, kind="conflict"),
        replace(written, kind="created", side_written="espocrm"),
        replace(written, kind="task", side_written=None),
        replace(written, at=now - timedelta(hours=25)),
    ]
    with store.transaction() as tx:
        tx.audit.append(rows)
    with store.reading() as tx:
        assert tx.audit.written_since(now - timedelta(hours=24)) == {"advoware": 1, "espocrm": 1}


def test_a_change_is_undone_once(store: Store) -> None:
    change = Change(entity=ENTITY, kind="applied", reason="r", espo_id="a")
    with store.transaction() as tx:
        first, second = tx.audit.append_numbered([change, replace(change, kind="undo")])
        tx.audit.mark_undone(first, second)
        stored = tx.audit.get(first)
        assert stored is not None
        assert stored.undone_by == second
        with pytest.raises(StaleRow):
            tx.audit.mark_undone(first, second)


def test_retention_deletes_only_what_is_older(store: Store, store_clock: ManualClock) -> None:
    now = store_clock.now()
    change = Change(entity=ENTITY, kind="applied", reason="r", espo_id="a")
    with store.transaction() as tx:
        tx.audit.append([replace(change, at=now - timedelta(seconds=1)), replace(change, at=now)])
        assert tx.audit.purge(now) == 1
        assert [c.at for c in tx.audit.for_record("a")] == [now]


def ensure(tx_store: Store, fields: list[str], kind: str = "conflict", fingerprint: str = "f") -> tuple[int, bool]:
    with tx_store.transaction() as tx:
        task, created = tx.tasks.ensure(
            entity=ENTITY, espo_id="a", kind=kind, fields=fields, fingerprint=fingerprint, details={"d": 1}, betnr=1
        )
    return task.id, created


def test_one_living_task_per_record_kind_and_fields(store: Store, store_clock: ManualClock) -> None:
    task_id, created = ensure(store, ["b", "a"])
    assert created
    assert ensure(store, ["a", "b", "a"], fingerprint="other") == (task_id, False)
    assert ensure(store, ["a"])[0] != task_id
    assert ensure(store, ["a", "b"], kind="value_refused")[1]
    with store.transaction() as tx:
        task = tx.tasks.get(task_id)
        assert task is not None
        assert (task.fields, task.state, task.fingerprint) == (("a", "b"), "pending", "f")
        tx.tasks.attach_espo_id(task_id, "t1")
        tx.tasks.refresh(task_id, "g", {"d": 2})
        opened = replace(
            task, state="open", espo_task_id="t1", opened_at=store_clock.now(), fingerprint="g", details={"d": 2}
        )
        assert tx.tasks.find_open(ENTITY, "a", "conflict", ["b", "a"]) == opened
        assert opened in tx.tasks.open_for_many(ENTITY, ["a", "z"])["a"]
        assert [t.id for t in tx.tasks.not_closed(ENTITY) if t.state == "open"] == [task_id]
        assert tx.tasks.close(task_id)
        assert not tx.tasks.close(task_id)
        with pytest.raises(StaleRow):
            tx.tasks.attach_espo_id(task_id, "t2")
        assert tx.tasks.find_open(ENTITY, "a", "conflict", ["a", "b"]) is None
    assert ensure(store, ["a", "b"])[1], "after it was closed the same situation opens a new one"


def test_two_workers_make_one_task(store: Store, store_url: str, store_clock: ManualClock) -> None:
    gate = threading.Barrier(6)
    results: list[tuple[int, bool]] = []

    def work() -> None:
        own = open_store(store_url, store_clock)
        gate.wait()
        results.append(ensure(own, ["a"]))
        own.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({task_id for task_id, _ in results}) == 1
    assert sorted(created for _, created in results) == [False] * 5 + [True]


def test_retention_of_tasks_and_intents_spares_what_is_open(store: Store, store_clock: ManualClock) -> None:
    task_id, _ = ensure(store, ["a"])
    ensure(store, ["b"])
    with store.transaction() as tx:
        for n in range(2):
            intent = tx.intents.start(system="s", entity=ENTITY, espo_id="a", natural_key={}, payload_hash=str(n))
        tx.intents.complete(intent.id, "1")
        tx.tasks.close(task_id)
        assert (tx.tasks.purge(store_clock.now()), tx.intents.purge(store_clock.now())) == (0, 0)
        later = store_clock.now() + timedelta(seconds=1)
        assert (tx.tasks.purge(later), tx.intents.purge(later)) == (1, 1)
        assert [task.fields for task in tx.tasks.not_closed(ENTITY)] == [("b",)]
        assert [i.payload_hash for i in tx.intents.open_for(ENTITY, "a")] == ["0"]


def test_who_once_had_the_number_of_a_person_and_has_another_now_is_not_that_person(store: Store) -> None:
    def change(espo_id: str, betnr: int) -> Change:
        return Change(entity=ENTITY, kind="applied", reason="r", espo_id=espo_id, betnr=betnr)

    with store.transaction() as tx:
        tx.audit.append([change("other", 100), change("other", 200), change("person", 100), change("former", 100)])
        tx.links.save(Link(entity=ENTITY, espo_id="other", betnr=200, advoware_id="200"))
        tx.links.save(Link(entity=ENTITY, espo_id="person", betnr=100, advoware_id="100"))
        ids = tx.person_rows.ids_of("person", 100)
        assert ids.espo_ids == {"person", "former"}
        tx.person_rows.delete(ids)
        assert tx.links.get_by_espo(ENTITY, "person") is None
        assert tx.links.get_by_espo(ENTITY, "other") is not None, "its base belongs to somebody else"
        assert [row.betnr for row in tx.audit.for_record("other")] == [200]
