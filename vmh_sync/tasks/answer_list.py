"""A list of questions that a person answers in a table: written for a German Excel, read as whatever Excel saved.

The file is what a German Excel reads: semicolons, UTF-8 with a byte order mark. What Excel saves may be another: its
plain CSV is in the encoding of Windows, others have commas or tabs.
"""

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER_TO_EXCEL = re.compile(r"\d+(e\d+)?", re.IGNORECASE)
"""Ids of this form, one in two thousand, Excel takes for numbers and rounds."""
_DELIMITERS = (";", ",", "\t")
_WORKBOOK = b"PK\x03\x04"


class BadAnswers(Exception):
    """The list or its answers cannot be used; ``str`` names every problem in German."""


class AnsweredRow(NamedTuple):
    """One answered row: its cells by column, the answer in small letters, and where it stands (``Zeile 3``)."""

    cells: Mapping[str, str]
    answer: str
    where: str


def write_list(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a list to be answered, with names of people. Only the owner may read it; raises :class:`BadAnswers`."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    try:
        path.touch(mode=0o600, exist_ok=True)
        path.write_text(text.getvalue(), encoding="utf-8-sig", newline="")
    except OSError as error:
        raise BadAnswers(f"Die Datei {path} lässt sich nicht schreiben ({type(error).__name__}).") from None


def _plain(cell: object) -> object:
    """Let no name be taken for a formula, and no id for a number."""
    risky = isinstance(cell, str) and (cell.startswith(_FORMULA) or _NUMBER_TO_EXCEL.fullmatch(cell))
    return f"'{cell}" if risky else cell


def read_list(path: Path, needed: Collection[str], answer: str) -> list[AnsweredRow]:
    """Return every row with something in the column ``answer``; raises :class:`BadAnswers`.

    ``needed`` are the columns that tell what is answered; they may stand in any order, others between them.
    """
    # Only what ends a line to Excel: a name may hold what ends one to Python.
    lines = list(io.StringIO(_text(path), newline=""))
    skipped = 1 if lines and lines[0].casefold().startswith("sep=") else 0
    rows = _rows(path, lines, skipped)
    columns = [name.strip().casefold() for name in next(rows, (0, ()))[1]]
    missing = {*needed, answer} - set(columns)
    if missing:
        raise BadAnswers(f"In der Datei {path} fehlen die Spalten: {', '.join(sorted(missing))}.")
    found = []
    for line, cells in rows:
        place = f"Zeile {line}"
        if any(cell.strip() for cell in cells[len(columns) :]):
            raise BadAnswers(f"{path}, {place}: Die Zeile hat mehr Spalten als die Überschrift.")
        row = dict(zip(columns, (cell.strip().removeprefix("'") for cell in cells), strict=False))
        if told := row.get(answer, "").casefold():
            found.append(AnsweredRow(row, told, place))
    return found


def _rows(path: Path, lines: Sequence[str], skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows from after the skipped lines on, each with the number of its last line."""
    first = lines[skipped] if len(lines) > skipped else ""
    reader = csv.reader(lines[skipped:], delimiter=max(_DELIMITERS, key=first.count), strict=True)
    place = skipped
    try:
        for cells in reader:
            place = reader.line_num + skipped
            yield place, cells
    except csv.Error:
        raise BadAnswers(
            f"{path}, Zeile {place + 1}: Ein Anführungszeichen steht allein; von dort an ist die Liste nicht lesbar. "
            "Bitte berichtigen und noch einmal als CSV speichern."
        ) from None


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise BadAnswers(f"Die Datei {path} gibt es nicht.") from None
    except OSError as error:
        raise BadAnswers(f"Die Datei {path} lässt sich nicht lesen ({type(error).__name__}).") from None
    if content.startswith(_WORKBOOK):
        raise BadAnswers(f"{path} ist eine Arbeitsmappe von Excel. Bitte dort als CSV speichern.")
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        with suppress(UnicodeDecodeError):
            return content.decode(encoding)
    raise BadAnswers(f"Die Datei {path} lässt sich nicht lesen: Es ist keine Textdatei.")
