"""First load and people's edits at firms that nobody knew before: both sides come to say the same, and then rest.

Fixed seeds run every time; ``VMH_PROOF_SEEDS=100`` (``make proof``) draws that many more. The seed stands in the
name of the test: ``VMH_REPLAY_SEED=n`` runs one again, ``vmh-sync sandbox --installation n`` shows what is particular
there.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from vmh_sync_tests.pipeline.installations.comparison import Sides, doubled, lost, untold
from vmh_sync_tests.pipeline.installations.drawn import DrawnFirm, drawn_sandbox

PARTIES, EDITS, ROUNDS = 16, 12, 2
READS_PER_PARTY, READS_PER_PASS = 12, 80
FIXED = (2, 9, 10, 21354)
"""Creates that drop fields; writes that tell no number and a search by name; ids as text and short pages; numbers
beyond 32 bits as text (drawn, and red until such a number was one)."""


def _seeds() -> list[int]:
    if replay := os.environ.get("VMH_REPLAY_SEED"):
        return [int(replay)]
    count = int(os.environ.get("VMH_PROOF_SEEDS", "0"))
    return [*FIXED, *(random.SystemRandom().randrange(10**6) for _ in range(count))]


@pytest.fixture(params=_seeds(), ids=lambda seed: f"installation-{seed}")
def drawn(
    request: pytest.FixtureRequest,
    redis_url: str,
    sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[DrawnFirm]:
    """A populated firm of its own for each seed."""
    seed = int(request.param)
    with drawn_sandbox(seed, PARTIES) as sandbox:
        settings = {"VMH_DATABASE_URL": sqlite_url, "VMH_HOME": str(tmp_path / "vmh"), "REDIS_URL": redis_url}
        settings |= {"VMH_LEASE_SECONDS": "5", "VMH_CREATE_SETTLE_SECONDS": "0.2"}
        for name, value in {**sandbox.environment, **settings}.items():
            monkeypatch.setenv(name, value)
        firm = DrawnFirm(sandbox, seed)
        yield firm
        firm.close()


def _sides(firm: DrawnFirm) -> Sides:
    return Sides(firm.sandbox.office.state(), firm.sandbox.crm.state())


def test_both_sides_agree_or_a_task_says_why_and_then_nothing_is_written(drawn: DrawnFirm) -> None:
    for _ in range(ROUNDS):
        drawn.until_quiet()
        drawn.people_edit(EDITS)
    drawn.until_quiet()
    sides = _sides(drawn)
    assert untold(sides) == []
    assert doubled(sides) == []
    assert lost(drawn.edits, sides, drawn.traces()) == []
    assert drawn.writes_of_a_pass() == []
    assert drawn.reads() <= READS_PER_PARTY * len(sides.office["beteiligte"]) + READS_PER_PASS
