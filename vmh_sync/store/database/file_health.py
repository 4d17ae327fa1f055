"""Why the embedded database cannot be used: the folder, the disk, or the file itself. Looks only, writes nothing."""

import os
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

LEAST_FREE = 50 * 1024 * 1024
"""Bytes; less than this and the next write may fail."""


@dataclass(frozen=True, slots=True)
class FileFault:
    """What is wrong with the file, and what to do (German)."""

    text: str
    remedy: str
    damaged: bool = False
    """The file itself; else its folder, its rights or the disk."""

    def __str__(self) -> str:
        """Return both as one text."""
        return f"{self.text} {self.remedy}"


class UnusableFile(Exception):
    """A database file cannot be used; ``str`` is a :class:`FileFault`."""


def file_fault(url: str, *, look_inside: bool = True) -> FileFault | None:
    """Return what is wrong with the SQLite file of a database URL; ``None`` when nothing is, or it is no SQLite.

    ``look_inside`` reads the whole file, which takes a second for each few hundred megabytes.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None
    if not parsed.drivername.startswith("sqlite") or not parsed.database:
        return None
    path = Path(parsed.database).absolute()
    return _of_folder(path.parent) or _of_disk(path.parent) or (_of_file(path) if look_inside else None)


def _of_folder(folder: Path) -> FileFault | None:
    nearest = next((one for one in (folder, *folder.parents) if one.exists()), folder)
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        return None
    return FileFault(
        f"In den Ordner {nearest} kann nicht geschrieben werden.",
        "Besitzer und Rechte prüfen, oder VMH_HOME auf einen anderen Ordner setzen.",
    )


def _of_disk(folder: Path) -> FileFault | None:
    nearest = next((one for one in (folder, *folder.parents) if one.exists()), folder)
    try:
        free = shutil.disk_usage(nearest).free
    except OSError:
        return None
    if free >= LEAST_FREE:
        return None
    return FileFault(
        f"Auf dem Datenträger von {nearest} sind nur noch {free // 1024 // 1024} MB frei.",
        "Platz schaffen; ohne Platz wird nichts abgeglichen.",
    )


def _of_file(path: Path) -> FileFault | None:
    if not path.exists():
        return None
    if not os.access(path, os.R_OK | os.W_OK):
        return FileFault(f"Die Datenbankdatei {path} ist nicht lesbar oder schreibgeschützt.", "Ihre Rechte prüfen.")
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)
        try:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            connection.close()
    except sqlite3.OperationalError:
        return None  # busy, or a part of it is away: nothing that this look can tell
    except sqlite3.DatabaseError:
        found = "not a database"
    if found == "ok":
        return None
    return FileFault(
        f"Die Datenbankdatei {path} ist beschädigt.",
        "Alle Prozesse beenden, die Datei aufheben und die letzte Sicherung zurückspielen (docs/betriebshandbuch.md).",
        damaged=True,
    )
