"""What every test gets: the fixtures of ``fixtures/``, and no network but loopback and unix sockets."""

import gc
import os
import sys
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import settings

# What collecting brings (modules, thousands of tests) comes to stay: to search it for garbage is a third of its cost.
gc.disable()

# How long an example takes says more of the machine than of the product.
settings.register_profile("busy machine", deadline=None)
settings.load_profile("busy machine")

# Who only hands tests out to others runs none: the others begin seconds earlier.
_HANDS_OUT = "-n" in sys.argv and "0" not in sys.argv and "PYTEST_XDIST_WORKER" not in os.environ
pytest_plugins = [
    f"vmh_sync_tests.fixtures.{path.stem}"
    for path in sorted((Path(__file__).parent / "fixtures").glob("*.py"))
    if path.stem != "__init__" and not _HANDS_OUT
]
# Before they are loaded: one fixture module may import another.
pytest.register_assert_rewrite(*pytest_plugins)

_LOOPBACK = ["127.0.0.1", "::1"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let pytest-socket refuse every host but this one; unix sockets stay open. Long proofs run only when asked for."""
    for item in items:
        item.add_marker(pytest.mark.allow_hosts(_LOOPBACK))
    if "proof" not in str(config.option.markexpr):
        long = [item for item in items if item.get_closest_marker("proof")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("proof")]
    if hasattr(config, "workerinput"):
        items[:] = _spread_what_waits(items)


def pytest_collection_finish() -> None:
    """From here on garbage is looked for, in what the tests make only."""
    gc.freeze()
    gc.enable()


def _spread_what_waits(items: list[pytest.Item]) -> list[pytest.Item]:
    """Put the files with real processes between the others, so that while one waits the others use the cores.

    None is left for the end, where one long file would keep everybody waiting.
    """
    files = [list(group) for _, group in groupby(items, key=lambda item: item.path)]
    waiting = [file for file in files if any(item.get_closest_marker("e2e") for item in file)]
    others = [file for file in files if file not in waiting]
    every = max(1, len(others) * 2 // 3 // max(1, len(waiting)))
    order: list[list[pytest.Item]] = []
    for number, file in enumerate(others):
        order += waiting[number // every : number // every + 1] if number % every == 0 else []
        order.append(file)
    order += [file for file in waiting if file not in order]  # more of them than there are others between
    return [item for file in order for item in file]
