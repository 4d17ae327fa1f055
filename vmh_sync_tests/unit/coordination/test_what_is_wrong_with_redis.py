"""A Redis that answers and cannot be used is told with its cause: full, refused, a replica, another kind of TLS."""

import socket
import ssl
from collections.abc import Iterator

import pytest
from redis.exceptions import AuthenticationError, ReadOnlyError, RedisError, ResponseError

from vmh_sync.coordination.connection import connect, connect_sync, prove_writable
from vmh_sync.coordination.errors import CoordinationUnavailable, translated
from vmh_sync.coordination.tls import looked_into


@pytest.fixture
def full_redis(redis_url: str) -> Iterator[str]:
    """A Redis that takes nothing more."""
    server = connect_sync(redis_url)
    server.config_set("maxmemory", 1)
    yield redis_url
    server.config_set("maxmemory", 0)
    server.close()


async def test_a_full_redis_is_called_full_and_not_away(full_redis: str) -> None:
    client = connect(full_redis)
    await client.ping()
    with pytest.raises(CoordinationUnavailable) as problem:
        await prove_writable(client)
    await client.aclose()
    assert (problem.value.people, problem.value.remedy[:18]) == ("Redis ist voll", "maxmemory erhöhen;")


async def test_a_connection_does_not_look_its_own_version_up(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    monkeypatch.setattr("importlib.metadata.version", looked.append)
    client, threads = connect(redis_url), connect_sync(redis_url)
    assert await client.ping()
    assert threads.ping()
    threads.close()
    await client.aclose()
    assert looked == []


async def test_the_proof_leaves_nothing_for_long(redis_url: str) -> None:
    client = connect(redis_url)
    await prove_writable(client)
    assert 0 < await client.ttl("vmh:writable") <= 5
    await client.aclose()


@pytest.mark.parametrize(
    ("below", "people"),
    [
        (AuthenticationError("WRONGPASS"), "Redis lehnt die Anmeldung ab"),
        (ReadOnlyError("READONLY"), "Redis ist eine Replik und nimmt nichts an"),
        (ResponseError("MISCONF Errors writing to the AOF file"), "Redis kann auf seinen Datenträger nicht schreiben"),
        (ssl.SSLCertVerificationError("self signed"), "Das Zertifikat von Redis wird nicht anerkannt"),
        (ssl.SSLError("wrong version number"), "Redis spricht kein TLS"),
        (OSError("refused"), "Redis ist nicht erreichbar"),
    ],
)
def test_the_cause_below_the_error_of_the_library_is_told(below: Exception, people: str) -> None:
    with pytest.raises(CoordinationUnavailable) as problem, translated():
        raise RedisError("Error connecting") from below
    assert problem.value.people == people
    assert "Error connecting" not in str(problem.value)


def test_a_server_without_tls_behind_rediss_is_called_that_and_not_away() -> None:
    away = CoordinationUnavailable("Redis is not available (TimeoutError)")
    with socket.create_server(("127.0.0.1", 0)) as plain:  # waits for the rest of a command, as Redis does
        port = plain.getsockname()[1]
        found = looked_into(away, f"rediss://127.0.0.1:{port}/0", patience=0.2)
        assert (found.people, found.remedy[:22]) == ("Redis spricht kein TLS", "In REDIS_URL redis:// ")
        assert looked_into(away, f"redis://127.0.0.1:{port}/0") is away
    assert looked_into(away, f"rediss://127.0.0.1:{port}/0") is away, "nobody takes the connection"
    assert looked_into(away, None) is away
