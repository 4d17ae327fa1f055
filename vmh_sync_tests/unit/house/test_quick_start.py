"""What people wait for before anything happens: no command imports what it does not need."""

import subprocess
import sys

import pytest

HEAVY = {
    "aiohttp",
    "alembic",
    "dagster",
    "email_validator",
    "fastapi",
    "google",
    "googleapiclient",
    "httpx",
    "phonenumbers",
    "prometheus_client",
    "rapidfuzz",
    "redis",
    "schwifty",
    "sqlalchemy",
}
REPORT = """
import sys
{code}
sys.stderr.write(" ".join(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""


def imported(code: str) -> set[str]:
    """Run this in a Python of its own and return which packages it has imported."""
    script = REPORT.format(code=code)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("words", ["--help", "sync --help", "sync beteiligte --help", "audit kalender --help"])
def test_help_imports_nothing_that_only_work_needs(words: str) -> None:
    # Commands ask the settings whether the firm has entities of its own; the list of commands does not.
    needless = HEAVY | ({"asyncio", "pydantic"} if words == "--help" else set())
    code = f"""
from vmh_sync.cli import main
sys.argv = ["vmh-sync", *{words.split()!r}]
try:
    main()
except SystemExit as ended:
    assert not ended.code
"""
    assert imported(code) & needless == set()


def test_looking_for_something_to_do_brings_neither_dagster_nor_google_nor_migrations_along() -> None:
    code = """
import vmh_sync.commands.passes.sync
from vmh_sync.commands.passes.targets import target
for name in ("beteiligte", "adressen"):
    target(name)
"""
    assert imported(code) & {"alembic", "dagster", "email_validator", "google", "googleapiclient", "schwifty"} == set()


def test_what_only_asks_dagster_for_runs_starts_without_it() -> None:
    code = "import vmh_sync.gateway.serve, vmh_sync.watch.process"
    assert imported(code) & {"alembic", "dagster"} == set()
