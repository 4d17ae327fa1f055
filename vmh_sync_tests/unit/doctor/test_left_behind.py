"""What the system before left in Redis and in the database is named with the names it has here."""

from pathlib import Path

import pytest
from sqlalchemy import text

from vmh_sync.clock import SystemClock
from vmh_sync.coordination.connection import AsyncRedis
from vmh_sync.doctor import left_behind
from vmh_sync.doctor.left_behind import check_left_behind, keys_of_others
from vmh_sync.engine.passes.opening import open_database
from vmh_sync.settings import VmhSettings, load


async def test_keys_of_the_old_system_are_named_by_kind_and_ours_are_not(redis: AsyncRedis) -> None:
    await redis.set("vmh:lease:beteiligte:66aa11bb22cc33dd4", "x")
    await redis.set("unacked_mutex", "x")
    await redis.rpush("dagster", "a run that waits for a worker")
    assert await keys_of_others(redis) == []
    await redis.sadd("vmh:beteiligte:create_pending", "66aa11bb22cc33dd4", "66aa11bb22cc33dd5")
    await redis.set("sync_lock:cbeteiligte:66aa11bb22cc33dd4", "locked")
    await redis.set("sync_lock:cbeteiligte:66aa11bb22cc33dd5", "locked")
    await redis.set("advoware_access_token", "x")
    (line,) = await keys_of_others(redis)
    assert "4 Schlüssel" in line.text
    assert ": advoware_access_token, sync_lock, vmh:beteiligte:create_pending." in line.text
    assert "vmh:token:…, vmh:lease:…" in line.text


async def test_a_redis_of_millions_is_not_read_to_its_end(redis: AsyncRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(left_behind, "_MOST_KEYS", 3)
    for number in range(20):
        await redis.set(f"shop:{number}", "x")
    (line,) = await keys_of_others(redis)
    assert "mindestens 3 Schlüssel" in line.text


async def test_the_table_of_calendars_is_named_and_ours_is_not(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VMH_DATABASE_URL", f"sqlite:///{tmp_path}/firm.sqlite3")
    monkeypatch.setenv("REDIS_URL", redis_url)
    settings, clock = load(VmhSettings), SystemClock()
    with open_database(settings, clock) as store, store.transaction() as tx:
        tx.connection.execute(
            text("CREATE TABLE calendar_sync (id INTEGER, advoware_frnr INTEGER, google_event_id TEXT)")
        )
        tx.connection.execute(text("CREATE TABLE runs (id INTEGER, run_id TEXT)"))
    (line,) = await check_left_behind(settings, clock)
    assert "Die Tabelle calendar_sync" in line.text
    assert "calendar_pair" in line.text
