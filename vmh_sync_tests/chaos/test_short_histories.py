"""Two random histories; no part of the normal run while violations are not judged (docs/guarantees.md)."""

import pytest

from vmh_sync_tests.chaos.history import play
from vmh_sync_tests.chaos.place import services

pytestmark = [pytest.mark.crash, pytest.mark.proof]


def test_whatever_is_killed_stopped_or_cut_off_nothing_is_lost_or_doubled() -> None:
    with services() as running:
        for seed in (503, 4):
            assert play(running, seed, 50).wrong == [], f"seed {seed}"
