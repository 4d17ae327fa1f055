"""Keeps the description of a task within what EspoCRM's field holds and a person reads: whole lines, the newest first.

What a bundle of one record has to tell grows with every new report that is put above the older ones. The mark at the
end stays, by which the task is found again; what is left out is counted, and stands in our own record and audit log.
"""

import re

MOST_CHARACTERS = 15_000
"""MariaDB's ``text`` holds 65,535 bytes, a character has up to four."""

MOST_OF_A_LINE = 1_000
_MARK = re.compile(r"Vorgang vmh-\d+")
_LEFT_OUT = re.compile(r"… und (\d+) weitere Zeilen?.*")


def bounded(description: str) -> str:
    """Return the description, shortened where it is too long."""
    lines = [_short(line) for line in description.split("\n")]
    mark = lines.pop() if _MARK.fullmatch(lines[-1]) else None
    left_out = sum(int(match.group(1)) for line in lines if (match := _LEFT_OUT.fullmatch(line)))
    kept = [line for line in lines if not _LEFT_OUT.fullmatch(line)]
    room = MOST_CHARACTERS - MOST_OF_A_LINE
    while sum(len(line) + 1 for line in kept) > room:
        left_out += bool(kept.pop().strip())
    if left_out:
        noun = "Zeile" if left_out == 1 else "Zeilen"
        kept = [*_without_blanks(kept), f"… und {left_out} weitere {noun}, für die hier kein Platz ist", ""]
    return "\n".join([*kept, *([mark] if mark is not None else [])])


def _short(line: str) -> str:
    return line if len(line) <= MOST_OF_A_LINE else f"{line[: MOST_OF_A_LINE - 1]}…"


def _without_blanks(lines: list[str]) -> list[str]:
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines
