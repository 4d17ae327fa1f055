"""Two homes on one database without a common Redis: one of them works, the other refuses, nothing is doubled."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from vmh_sync.beteiligte import batch as stages
from vmh_sync.beteiligte.composition import PARTS
from vmh_sync.coordination.connection import SyncRedis
from vmh_sync.doctor.examination import examine
from vmh_sync.doctor.line import Level, Line
from vmh_sync.engine.installation.redis_identity import ForeignRedis
from vmh_sync.engine.passes.opening import PassSettings, open_context
from vmh_sync.gateway.keys import KeyRing
from vmh_sync.gateway.launches.code_server import CodeServerQuestion
from vmh_sync.gateway.monitoring.health import ready as ask_ready
from vmh_sync.gateway.services import open_services
from vmh_sync.store import open_store
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.sandbox import Sandbox
from vmh_sync_tests.fixtures.warm_programs import carried_out

COMMAND = [sys.executable, "-c", "from vmh_sync.cli import main; main()"]
SENTENCE = "gehört zu einem anderen Redis"


def environment(home: Path) -> dict[str, str]:
    there = {name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "DAGSTER_HOME")}
    return {**there, "VMH_HOME": str(home)}


def started(home: Path, *arguments: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen([*COMMAND, *arguments], env=environment(home), stdout=pipe, stderr=pipe, text=True)


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=150)
    return process.returncode, out, err


def test_of_two_homes_at_the_same_time_one_creates_each_party_and_the_other_says_what_to_do(
    firm: Firm, tmp_path: Path
) -> None:
    for number in range(4):
        firm.crm_party(lastName=f"Nr {number}")
    homes = [tmp_path / "a", tmp_path / "b"]
    sync = ("sync", "beteiligte", "--all", "--json")
    results = [ended(process) for process in [started(home, *sync) for home in homes]]
    assert sorted(code == 0 for code, _, _ in results) == [False, True], results
    refused = next(index for index, (code, _, _) in enumerate(results) if code != 0)
    assert SENTENCE in results[refused][2] and "vmh-sync db adopt-redis" in results[refused][2]
    assert "Traceback" not in results[refused][2]
    assert len(firm.office_records()) == 4, "each created once"
    # Adopted on purpose it works, and the home that worked before is the one that is refused.
    assert carried_out(("db", "adopt-redis"), environment(homes[refused])).returncode == 0
    firm.crm_party(lastName="Nr 5")
    done = carried_out(sync, environment(homes[refused]))
    assert done.returncode == 0 and json.loads(done.stdout)["failed"] == 0, done.stderr
    firm.crm_party(lastName="Nr 6")
    done = carried_out(sync, environment(homes[1 - refused]))
    assert done.returncode != 0 and SENTENCE in done.stderr
    assert len(firm.office_records()) == 5


def test_two_passes_at_once_on_one_database_with_a_redis_each_create_each_party_once(
    sandbox: Sandbox, firm_environment: pytest.MonkeyPatch, store_url: str
) -> None:
    firm_environment.setenv("VMH_DATABASE_URL", store_url)
    settings = [PassSettings.read()]
    firm_environment.setenv("REDIS_URL", os.environ["REDIS_URL"] + "?db=1")
    settings.append(PassSettings.read())
    store = open_store(store_url)
    firm = Firm(sandbox, store)
    ids = [firm.crm_party(lastName=f"Nr {number}") for number in range(4)]

    async def one_pass(home: PassSettings) -> None:
        async with open_context("test", home) as context:
            batch = await stages.fetch(context, PARTS, ids)
            stages.diff(PARTS, stages.map_fields(batch))
            await stages.write(context, PARTS, batch)

    async def both() -> list[BaseException | None]:
        return list(await asyncio.gather(*(one_pass(home) for home in settings), return_exceptions=True))

    ended = asyncio.run(both())
    store.close()
    assert sorted(isinstance(one, ForeignRedis) for one in ended) == [False, True], ended
    assert sorted(one["name"] for one in firm.office_records()) == [f"Nr {number}" for number in range(4)]


def test_a_redis_that_lost_its_data_at_its_place_goes_on_serving(firm: Firm, sync_redis: SyncRedis) -> None:
    firm.linked_party()
    sync_redis.flushall()
    espo_id, _ = firm.linked_party(lastName="Danach")
    assert firm.crm_record(espo_id)["syncStatus"] == "clean"


def another(monkeypatch: pytest.MonkeyPatch, redis: SyncRedis, token: str | None) -> None:
    """From now on the settings name another Redis than the one that our database knows."""
    redis.flushall()
    if token is not None:
        redis.set("vmh:identity", token)
    else:
        monkeypatch.setenv("REDIS_URL", os.environ["REDIS_URL"] + "?db=1")


@pytest.mark.parametrize("token", ["another", None])
def test_the_doctor_and_ready_say_whose_the_redis_is_and_write_nothing(
    firm: Firm, firm_environment: pytest.MonkeyPatch, sync_redis: SyncRedis, token: str | None
) -> None:
    firm.linked_party()
    assert redis_line().level is Level.OK and "gehört zu dieser Datenbank" in redis_line().text
    assert ready()[0] == 200
    another(firm_environment, sync_redis, token)
    line = redis_line()
    assert line.level is Level.PROBLEM and SENTENCE in line.text
    status, body = ready()
    assert (status, body["redis"]) == (503, "unavailable") and SENTENCE in body["problems"]["redis"]
    assert sync_redis.get("vmh:identity") == token, "who looks decides nothing"


def redis_line() -> Line:
    (line,) = [line for line in asyncio.run(examine()) if line.name == "Redis"]
    return line


def ready() -> tuple[int, dict[str, Any]]:
    """What the gateway of these settings says; its Dagster is none of our concern here."""

    async def asked() -> tuple[int, dict[str, Any]]:
        async with open_services(PassSettings.read(), KeyRing(()), 600) as services:
            services.launcher = cast("Any", Launcher())
            services.code_server = CodeServerQuestion(services.launcher)
            request = cast("Any", SimpleNamespace(app=SimpleNamespace(state=SimpleNamespace(services=services))))
            answer = await ask_ready(request)
            return answer.status_code, json.loads(bytes(answer.body))

    return asyncio.run(asked())


class Launcher:
    async def ping(self) -> None:
        """Answer."""

    async def ask_code_server(self) -> None:
        """Answer for Dagster's code server."""

    async def daemon_sign(self) -> None:
        """Tell of no daemon: that stops nobody who asks whether webhooks are taken."""


@pytest.mark.parametrize("token", ["another", None])
def test_another_redis_gives_no_lease_and_nothing_is_written(
    firm: Firm, firm_environment: pytest.MonkeyPatch, sync_redis: SyncRedis, token: str | None
) -> None:
    firm.linked_party()
    another(firm_environment, sync_redis, token)
    espo_id = firm.crm_party(lastName="Danach")
    with pytest.raises(Exception, match=SENTENCE):
        firm.sync(espo_id)
    assert len(firm.office_records()) == 1
