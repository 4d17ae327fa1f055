"""A backup is a folder: the databases, Dagster's home, what ``crm setup`` found out, and a list with checksums."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy.engine import URL

from vmh_sync.backup.databases import BackupFailed, copy_sqlite, dump_postgres, load_postgres
from vmh_sync.store.database.engine import normalised_url
from vmh_sync.store.database.migrate import is_known, revision_of

LIST = "inhalt.json"
STORED_SETTINGS = "espocrm.env"
_OWN, _DAGSTERS, _HOME = "vmh_sync", "dagster", "dagster_home"
_SQLITE_BEGIN = b"SQLite format 3\x00"
_PASSING = ("-wal", "-shm", "-journal", ".lock", ".sock", ".pid")
"""What lies in a home while processes run, and means nothing afterwards."""


@dataclass(frozen=True, slots=True)
class House:
    """What is backed up: our database, Dagster's home, Dagster's PostgreSQL if it has one, and ``VMH_HOME``."""

    database: str
    home: Path
    dagster_home: Path
    dagster_database: URL | None = None


def backup(house: House, target: Path, now: datetime) -> Path:
    """Make a backup in a new folder below ``target`` and return it; it appears whole or not at all.

    The product may run meanwhile: each database is copied as it is at one moment, ours first, so that a run which
    Dagster knows and we do not is merely repeated. Raises ``BackupFailed``.
    """
    name = f"vmh-sync-{now:%Y%m%d-%H%M%S}"
    finished, draft = target / name, target / f".{name}.unfertig"
    if finished.exists() or draft.exists():
        raise BackupFailed(f"{finished} gibt es schon: in einer Sekunde noch einmal aufrufen.")
    draft.mkdir(parents=True, mode=0o700)
    try:
        own = _save_database(normalised_url(house.database), draft / _OWN)
        if house.dagster_database is not None:
            dump_postgres(house.dagster_database, draft / f"{_DAGSTERS}.dump")
        _copy_tree(house.dagster_home, draft / _HOME)
        if (house.home / STORED_SETTINGS).is_file():
            shutil.copy2(house.home / STORED_SETTINGS, draft / STORED_SETTINGS)
        content = {
            "version": version("vmh-sync"),
            "schema": revision_of(house.database),
            "at": now.isoformat(),
            "database": own.name,
            "files": {str(file.relative_to(draft)): _checksum(file) for file in _files(draft)},
        }
        (draft / LIST).write_text(json.dumps(content, indent=1), encoding="utf-8")
        draft.rename(finished)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return finished


def restore(house: House, source: Path) -> None:
    """Put a backup in the place of what is there; files that were there are kept beside it as ``….vorher``.

    In PostgreSQL the tables of the backup replace those that are there; a dump of them is kept in ``VMH_HOME`` first.
    The product must not run. Raises ``BackupFailed`` before anything is changed: when a file is missing or changed, the
    backup was made by a newer version, or its database is of another kind than the one of the settings.
    """
    content = _checked(source)
    url = normalised_url(house.database)
    saved = source / str(content["database"])
    if (url.get_backend_name() == "sqlite") != (saved.suffix == ".sqlite3"):
        raise BackupFailed("Die Sicherung stammt von einer anderen Art von Datenbank als VMH_DATABASE_URL nennt.")
    dagsters = source / f"{_DAGSTERS}.dump"
    if dagsters.exists() != (house.dagster_database is not None):
        raise BackupFailed("Die Sicherung und DAGSTER_HOME nennen nicht dieselbe Art von Datenbank für Dagster.")
    if url.get_backend_name() == "sqlite":
        _put_file(saved, Path(str(url.database)))
    else:
        _keep_dump(url, house.home / f"{_OWN}.dump.vorher")
        load_postgres(url, saved)
    if house.dagster_database is not None:
        _keep_dump(house.dagster_database, house.home / f"{_DAGSTERS}.dump.vorher")
        load_postgres(house.dagster_database, dagsters)
    _put_folder(source / _HOME, house.dagster_home)
    if (source / STORED_SETTINGS).is_file():
        _put_file(source / STORED_SETTINGS, house.home / STORED_SETTINGS)


def _checked(source: Path) -> dict[str, object]:
    try:
        content: dict[str, object] = json.loads((source / LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise BackupFailed(f"{source} ist keine Sicherung: {LIST} fehlt oder ist unlesbar.") from None
    files = content.get("files")
    if not isinstance(files, dict):
        raise BackupFailed(f"{source / LIST} nennt keine Dateien.")
    bad = [name for name, sum_ in files.items() if not (source / name).is_file() or _checksum(source / name) != sum_]
    if bad:
        raise BackupFailed(f"Die Sicherung ist unvollständig oder verändert: {', '.join(sorted(bad)[:5])}.")
    if not is_known(str(content.get("schema"))):
        raise BackupFailed("Die Sicherung stammt von einer neueren Version des Programms: diese zuerst einspielen.")
    return content


def _save_database(url: URL, stem: Path) -> Path:
    if url.get_backend_name() == "sqlite":
        target = stem.with_suffix(".sqlite3")
        copy_sqlite(Path(str(url.database)), target)
    else:
        target = stem.with_suffix(".dump")
        dump_postgres(url, target)
    return target


def _copy_tree(source: Path, target: Path) -> None:
    target.mkdir(mode=0o700)
    for file in _files(source):
        if file.name.endswith(_PASSING):
            continue
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            if _is_sqlite(file):
                copy_sqlite(file, place)
            else:
                shutil.copy2(file, place)
        except FileNotFoundError:
            continue  # Dagster removes old logs while we copy


def _is_sqlite(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(_SQLITE_BEGIN)) == _SQLITE_BEGIN


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _checksum(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _keep_dump(url: URL, target: Path) -> None:
    """Keep what stands in a PostgreSQL database before it is overwritten, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = target.with_name(f".{target.name}.neu")
    draft.touch(mode=0o600)
    dump_postgres(url, draft)
    draft.replace(target)


def _put_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = target.with_name(f".{target.name}.neu")
    shutil.copy2(source, draft)
    for helper in ("-wal", "-shm"):
        target.with_name(target.name + helper).unlink(missing_ok=True)
    if target.exists():
        target.replace(target.with_name(f"{target.name}.vorher"))
    draft.replace(target)


def _put_folder(source: Path, target: Path) -> None:
    draft, before = target.with_name(f".{target.name}.neu"), target.with_name(f"{target.name}.vorher")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(source, draft)
    if target.exists():
        shutil.rmtree(before, ignore_errors=True)
        target.rename(before)
    draft.rename(target)
