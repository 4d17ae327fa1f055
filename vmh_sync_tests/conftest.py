"""What every test gets: the fixtures of ``fixtures/``, and no network but loopback and unix sockets."""

from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says more of the machine than of the product.
settings.register_profile("busy machine", deadline=None)
settings.load_profile("busy machine")

pytest_plugins = [
    f"vmh_sync_tests.fixtures.{path.stem}"
    for path in sorted((Path(__file__).parent / "fixtures").glob("*.py"))
    if path.stem != "__init__"
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
