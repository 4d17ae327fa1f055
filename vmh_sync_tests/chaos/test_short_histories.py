"""A few random histories in the normal run; ``make proof`` plays a thousand."""

import pytest

from vmh_sync_tests.chaos.history import History
from vmh_sync_tests.chaos.place import chaos, services
from vmh_sync_tests.fixtures.sandbox import Sandbox

pytestmark = pytest.mark.crash


def test_whatever_is_killed_stopped_or_cut_off_nothing_is_lost_or_doubled(sandbox_process: Sandbox) -> None:
    with services() as (postgres, valkey):
        for seed in (503, 1):
            with chaos(sandbox_process, postgres, valkey) as place:
                assert History(place, seed).run(50) == [], f"seed {seed}"
