"""How commands lay things out: tables on a terminal that is wide enough, one line per row otherwise.

Into a pipe nothing is wrapped or cut, so that ``grep`` finds it; on a narrow terminal a table would only be columns of
single words.
"""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

NARROW = 100
"""Columns below which rows stand as lines."""


def screen() -> Console:
    """Return the console for a command's result; nothing that is printed is taken for markup or highlighted."""
    console = Console(emoji=False, highlight=False, markup=False)
    if not console.is_terminal:
        console.soft_wrap = True
    return console


def sentences() -> Console:
    """Return the console for sentences: like :func:`screen`, and a line is never cut into two."""
    return Console(emoji=False, soft_wrap=True, highlight=False, markup=False)


def print_some(console: Console, lines: Sequence[str], most: int, rest: str = "") -> None:
    """Print lines, indented; of more than ``most`` the first, and how many follow: ``… und 7 weitere`` and ``rest``."""
    for line in lines[:most]:
        console.print(f"  {line}")
    if len(lines) > most:
        console.print(f"  … und {len(lines) - most} weitere{rest}")


def print_rows(console: Console, title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under headings; without a table each row is one line that names what is not empty."""
    if not console.is_terminal or console.width < NARROW:
        console.print(f"{title}:")
        for row in rows:
            console.print("  " + line_of(headings, row))
        return
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


def line_of(headings: Sequence[str], row: Sequence[str]) -> str:
    """Return a row as one line: the first cell, then the others with their headings."""
    first, *others = zip(headings, row, strict=True)
    return ", ".join([first[1], *(f"{heading}: {cell}" for heading, cell in others if cell)])
