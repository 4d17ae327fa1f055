"""Two homes on one database without a common Redis: one of them works, the other refuses, nothing is doubled."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vmh_sync.coordination.connection import SyncRedis
from vmh_sync_tests.fixtures.firm import Firm

COMMAND = [sys.executable, "-c", "from vmh_sync.cli import main; main()"]
SENTENCE = "gehört zu einem anderen Redis"


def started(home: Path, *arguments: str) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "DAGSTER_HOME")}
    environment["VMH_HOME"] = str(home)
    return subprocess.Popen(
        [*COMMAND, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


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
    assert ended(started(homes[refused], "db", "adopt-redis"))[0] == 0
    firm.crm_party(lastName="Nr 5")
    code, out, err = ended(started(homes[refused], *sync))
    assert code == 0 and json.loads(out)["failed"] == 0, err
    firm.crm_party(lastName="Nr 6")
    code, _, err = ended(started(homes[1 - refused], *sync))
    assert code != 0 and SENTENCE in err
    assert len(firm.office_records()) == 5


def test_a_redis_that_lost_its_data_at_its_place_goes_on_serving(firm: Firm, sync_redis: SyncRedis) -> None:
    firm.linked_party()
    sync_redis.flushall()
    espo_id, _ = firm.linked_party(lastName="Danach")
    assert firm.crm_record(espo_id)["syncStatus"] == "clean"


@pytest.mark.parametrize("token", ["another", None])
def test_another_redis_gives_no_lease_and_nothing_is_written(
    firm: Firm, firm_environment: pytest.MonkeyPatch, sync_redis: SyncRedis, token: str | None
) -> None:
    firm.linked_party()
    sync_redis.flushall()
    if token is not None:
        sync_redis.set("vmh:identity", token)
    else:
        firm_environment.setenv("REDIS_URL", os.environ["REDIS_URL"] + "?db=1")
        firm_environment.setattr("vmh_sync.engine.opening.place_of", lambda *_: "elsewhere")
    espo_id = firm.crm_party(lastName="Danach")
    with pytest.raises(Exception, match=SENTENCE):
        firm.sync(espo_id)
    assert len(firm.office_records()) == 1
