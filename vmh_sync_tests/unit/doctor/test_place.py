"""A service that does not answer is named by the place where it was looked for."""

from pathlib import Path

import pytest

from vmh_sync.doctor.own_services import check_redis
from vmh_sync.settings import VmhSettings, load
from vmh_sync.store.database_fault import at_host


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://anna:geheim@redis.kanzlei.example:6380/0", " auf redis.kanzlei.example:6380"),
        ("postgresql://anna:geheim@db.kanzlei.example/vmh", " auf db.kanzlei.example"),
        ("unix:///run/valkey.sock?db=0", " unter /run/valkey.sock"),
        ("sqlite:////srv/vmh.sqlite3", ""),
        (None, ""),
    ],
)
def test_the_place_is_told_without_user_and_password(url: str | None, place: str) -> None:
    assert at_host(url) == place


async def test_a_socket_that_is_gone_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", f"unix://{tmp_path}/gone.sock")
    line = await check_redis(load(VmhSettings))
    assert line.text == f"Redis ist nicht erreichbar (unter {tmp_path}/gone.sock)."
