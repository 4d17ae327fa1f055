"""One pair of words per side: espocrm and advoware. Names that say nothing are not used again (docs/glossary.md)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import vmh_sync

PRODUCT = Path(vmh_sync.__file__).parent
SIMULATED = PRODUCT / "sandbox"
"""The simulated systems are no client of anything: there ``crm`` and ``office`` are the systems themselves."""
OF_A_SIDE = frozenset({"here", "there", "theirs", "office"})
"""Whose they are changes with the place of the reader; also at the end of a name (``gone_here``)."""
SAY_NOTHING = frozenset({"bellman", "doors", "workplace", "memory", "say", "which", "ours", "mine", "crm"})
"""As a whole name."""


def named(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield every name that a file gives, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def forbidden(name: str) -> set[str]:
    """Return the words in a name that are not to be used."""
    words = [word.lower() for word in re.split(r"_+|(?<=[a-z])(?=[A-Z])", name) if word]
    found = {name.strip("_").lower()} & SAY_NOTHING
    return found | ({words[-1]} & OF_A_SIDE if words else set())


@pytest.mark.parametrize(("name", "word"), [("gone_here", "here"), ("theirs", "theirs"), ("_Doors", "doors")])
def test_the_search_finds_what_it_is_for(name: str, word: str) -> None:
    assert forbidden(name) == {word}


@pytest.mark.parametrize("name", ["where", "espocrm", "crm_setup", "official"])
def test_the_search_leaves_other_words_alone(name: str) -> None:
    assert forbidden(name) == set()


def test_no_name_says_here_or_there_where_a_side_is_meant() -> None:
    found = []
    for path in sorted(PRODUCT.rglob("*.py")):
        if path.is_relative_to(SIMULATED):
            continue
        for line, name in named(ast.parse(path.read_text(encoding="utf-8"))):
            if forbidden(name):
                found.append(f"{path.relative_to(PRODUCT)}:{line} {name}")
    assert found == []
