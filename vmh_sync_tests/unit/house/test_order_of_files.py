"""Where tests run in several processes their files are put in another order: none may get lost by that."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vmh_sync_tests.conftest import _spread_what_waits


def file(name: str, *, waits: bool) -> list[Any]:
    """Two tests of one file."""
    return [SimpleNamespace(path=Path(name), get_closest_marker=lambda _: waits or None) for _ in range(2)]


@pytest.mark.parametrize("others", range(5))
@pytest.mark.parametrize("waiting", [0, 1, 2, 3, 7])
def test_every_test_runs_once_and_a_file_stays_together(others: int, waiting: int) -> None:
    items = [one for number in range(waiting) for one in file(f"waits-{number}", waits=True)]
    items += [one for number in range(others) for one in file(f"other-{number}", waits=False)]
    order = _spread_what_waits(list(items))
    assert sorted(map(id, order)) == sorted(map(id, items))
    assert all(first.path == second.path for first, second in zip(order[::2], order[1::2], strict=True))
