"""The store as a whole: privacy of what is printed, and writers that wait for each other."""

import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vmh_sync.store import ConstraintViolated, Store, open_store, upgrade
from vmh_sync.store.calendars.calendar import CalendarPair, CalendarState
from vmh_sync.store.database.sqlite_dialect import COMPILED
from vmh_sync.store.history.audit import Change
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.store.link_notes import LinkNotes
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.store.pairs.links import Link
from vmh_sync.store.pairs.records import SyncRecord
from vmh_sync.stored_settings import default_url

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "Frau Geheim"


@pytest.mark.parametrize(
    "value",
    [
        Link(entity="e", espo_id="i", base={"name": SECRET}, notes=LinkNotes(kept_differently={SECRET: (SECRET, "")})),
        Change(entity="e", kind="applied", reason=SECRET, old=SECRET, new=SECRET, losing_value=SECRET),
        SyncRecord(entity="e", espo_id="i", status="failed", error_text=SECRET),
        Intent(
            id="1",
            system="s",
            entity="e",
            espo_id="i",
            betnr=None,
            natural_key={"name": SECRET},
            payload_hash="h",
            state="open",
            foreign_id=None,
            created_at=NOW,
            sent_at=None,
            settled_at=None,
            run_id=None,
        ),
        ManualTask(
            id=1,
            entity="e",
            espo_id="i",
            betnr=None,
            kind="k",
            fields=(),
            fingerprint="f",
            espo_task_id=None,
            state="open",
            details={"name": SECRET},
            created_at=NOW,
            opened_at=None,
            closed_at=None,
        ),
        CalendarPair(
            kuerzel="SB",
            frnr=1,
            event_id="e",
            source_system="google",
            base={"text": SECRET},
            guarded={"text": SECRET},
            error_text=SECRET,
        ),
        CalendarState(kuerzel="SB", sync_token=SECRET, last_error=SECRET),
    ],
    ids=lambda value: type(value).__name__,
)
def test_printing_shows_no_values(value: object) -> None:
    assert SECRET not in repr(value)


def test_an_error_of_the_database_shows_no_values(store: Store) -> None:
    broken = Link(entity="e", espo_id="i", base={"name": SECRET}, state=None)  # type: ignore[arg-type]
    with pytest.raises(Exception) as refused, store.transaction() as tx:
        tx.links.save(broken)
    error: BaseException | None = refused.value
    while error is not None:
        assert SECRET not in str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_a_broken_rule_is_our_own_error(store: Store) -> None:
    change = Change(entity="e", kind="applied", reason=None)  # type: ignore[arg-type]
    with pytest.raises(ConstraintViolated) as refused, store.transaction() as tx:
        tx.audit.append([change])
    assert refused.value.__suppress_context__
    assert refused.value.__cause__ is None, "PostgreSQL's own text quotes the row"


def test_writers_that_read_first_wait_for_each_other(store: Store, store_url: str) -> None:
    """Eight workers that count up by read and write: with a lock taken only at the write, SQLite fails them."""
    with store.transaction() as tx:
        link = tx.links.save(Link(entity="beteiligte", espo_id="a", base={"n": 0}))
    gate = threading.Barrier(8)
    errors: list[Exception] = []

    def work(name: str) -> None:
        own = open_store(store_url)
        gate.wait()
        try:
            for n in range(5):
                with own.transaction() as tx:
                    tx.links.get_by_espo("beteiligte", "a")
                    tx.cursors.set(f"{name}.{n}", n)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test reports it
            errors.append(error)
        own.close()

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with store.reading() as tx:
        assert [tx.cursors.get(f"w{w}.{n}") for w in range(8) for n in range(5)] == [0, 1, 2, 3, 4] * 8
    assert link.revision == 1


def test_readers_do_not_wait_for_a_writer(store: Store) -> None:
    with store.transaction() as writing:
        writing.cursors.set("a", 1)
        with store.reading() as reading:
            assert reading.cursors.get("a") is None


def test_the_embedded_database_lies_in_the_home(tmp_path: Path) -> None:
    assert default_url(tmp_path) == f"sqlite:///{tmp_path}/vmh_sync.sqlite3"


def test_the_embedded_database_is_private(tmp_path: Path) -> None:
    url = default_url(tmp_path / "home")
    upgrade(url)
    store = open_store(url)
    with store.transaction() as tx:
        tx.cursors.set("a", 1)
        files = list((tmp_path / "home").glob("*.sqlite3*"))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in files if not path.name.endswith(".lock")}
        assert len(modes) == 3, "database, WAL and its index"
        assert set(modes.values()) == {0o600}
    store.close()


def test_sqlite_survives_a_power_cut(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    with store.transaction() as tx:
        ask = tx.links._connection.exec_driver_sql
        assert ask("PRAGMA synchronous").scalar_one() == 2
        assert ask("PRAGMA journal_mode").scalar_one() == "wal"
        assert ask("PRAGMA foreign_keys").scalar_one() == 1
    store.close()


def test_what_was_compiled_for_one_engine_is_good_for_the_next(sqlite_url: str) -> None:
    known = []
    for _ in range(2):
        with open_store(sqlite_url) as opened, opened.reading() as tx:
            tx.links.count("beteiligte")
        known.append(set(COMPILED))
    assert known[0] == known[1] != set()
