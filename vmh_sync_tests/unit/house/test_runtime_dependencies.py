"""What the product imports is declared in pyproject.toml, and what is declared is used."""

import ast
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
USED_WITHOUT_AN_IMPORT = {
    "dagster-webserver": "a program that `up` and the deployments start",
    "dagster-graphql": "part of the webserver; named so that all of Dagster is one version",
    "sniffio": "imported by httpcore when it is there (test_quick_http.py)",
    "psycopg2-binary": "the driver that postgresql+psycopg2:// names",
}


def declared(extra: str | None = None) -> set[str]:
    """Return the distributions declared for run time, or by an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] if extra is None else project["optional-dependencies"][extra]
    return {canonicalize_name(Requirement(line).name) for line in lines}


@cache
def imported() -> list[tuple[frozenset[str], str]]:
    """Return for each foreign import which distributions may stand for it, and where it is."""
    known, found = packages_distributions(), list[tuple[frozenset[str], str]]()
    for path in (ROOT / "vmh_sync").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                names = [node.module]
            for module in {name.partition(".")[0] for name in names} - {"vmh_sync", *sys.stdlib_module_names}:
                there = frozenset[str](canonicalize_name(name) for name in known.get(module, [module]))
                found.append((there, str(path.relative_to(ROOT))))
    return found


def test_every_import_of_the_product_is_declared() -> None:
    wanted = declared() | declared("embedded") | declared("celery")
    undeclared = {(*sorted(names), where) for names, where in imported() if not names & wanted}
    assert undeclared == set()


def test_everything_declared_is_used() -> None:
    used = set().union(*(names for names, _ in imported())) | set(USED_WITHOUT_AN_IMPORT)
    assert declared() - used == set()


def test_nothing_is_excused_that_is_imported_after_all() -> None:
    assert set(USED_WITHOUT_AN_IMPORT) & set().union(*(names for names, _ in imported())) == set()
