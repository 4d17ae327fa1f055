"""Copies one database into a file and back: SQLite by its own online backup, PostgreSQL by ``pg_dump``."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import URL

from vmh_sync.store.database.file_health import file_fault

PG_SECONDS = 3600


class BackupFailed(Exception):
    """A backup or a restore could not be made; ``str`` says why and what to do, in German."""


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a SQLite file as it is at one moment, also while others write; a damaged one raises ``BackupFailed``."""
    reading = f"{source.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(reading, uri=True)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")  # one file, without helpers beside it
            said = new.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        said = str(error)
    if said != "ok":
        raise BackupFailed(_why(source, target, said.splitlines()[0]))


def _why(source: Path, target: Path, said: str) -> str:
    fault = file_fault(f"sqlite:///{source}") or file_fault(f"sqlite:///{target}", look_inside=False)
    return (
        f"{source.name} lässt sich nicht sichern. {fault}"
        if fault is not None
        else (
            f"{source.name} lässt sich nicht sichern: SQLite meldet „{said}“. Alle Prozesse beenden und es noch einmal "
            "versuchen."
        )
    )


def dump_postgres(url: URL, target: Path) -> None:
    """Write a PostgreSQL database into a file, as it is at one moment."""
    _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")


def load_postgres(url: URL, source: Path) -> None:
    """Put a dump into an existing database: all or nothing; what the dump holds is replaced."""
    flags = ("--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")
    _run("pg_restore", url, *flags, str(source))


def _run(name: str, url: URL, *arguments: str) -> None:
    program = shutil.which(name)
    if program is None:
        raise BackupFailed(
            f"{name} fehlt auf diesem Rechner: das Paket postgresql-client in der Version des Servers installieren, "
            "oder den Befehl dort ausführen, wo es vorhanden ist."
        )
    parameters = {"host": url.host, "port": str(url.port) if url.port else None, "user": url.username}
    parameters |= {"dbname": url.database} | {str(key): str(value) for key, value in url.query.items()}
    text = " ".join(f"{key}='{_escaped(value)}'" for key, value in parameters.items() if value)
    # The password goes by the environment: whoever lists processes sees the arguments.
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    command = [program, f"--dbname={text}", *arguments]
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL, no shell
        command, env=environment, capture_output=True, text=True, timeout=PG_SECONDS, check=False
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise BackupFailed(f"{name} ist gescheitert: {lines[-1] if lines else done.returncode}")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")
