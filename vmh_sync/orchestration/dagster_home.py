"""Dagster's home in the embedded default: a folder with a ``dagster.yaml`` that keeps everything in SQLite."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from vmh_sync.services.sole_process import one_after_another
from vmh_sync.settings import VmhSettings
from vmh_sync.store.database.file_health import FileFault, file_fault
from vmh_sync.whole_file import draft_of, write_whole

if TYPE_CHECKING:
    import dagster as dg  # takes a second: only who opens Dagster pays for it

_TEMPLATE = "dagster_embedded.yaml"
_CELERY_PART = "dagster_celery_part.yaml"
_INSTANCE_FILE = "dagster.yaml"
_SQLITE_FILES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
_HOME_VARIABLE = "DAGSTER_HOME"
_LOOK_INSIDE_BYTES = 200_000_000
_ASIDE = (
    "Alle Prozesse beenden und die Datei beiseitelegen: Sie wird neu angelegt; verloren geht nur, was die Oberfläche "
    "von früheren Läufen zeigt."
)


def ensure_dagster_home(home: Path, *, celery: bool = False) -> Path:
    """Make ``home`` usable as ``DAGSTER_HOME`` and return it as an absolute path (Dagster refuses a relative one).

    Takes a folder, which need not exist. Writes ``dagster.yaml`` there, with the launcher for warm run workers if
    ``celery``, unless one is there already: what a person wrote or a deployment mounted stays as it is, and only what
    this function wrote for the other launcher is replaced. Safe when several processes
    start at once, and when one is killed half-way: the file appears whole or not at all. Only its owner may read the
    folder, since run logs lie below it. Raises :class:`OSError` when the folder cannot be made or written.
    """
    home = home.expanduser().absolute()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = home / _INSTANCE_FILE
    if not target.exists():
        # link, not rename: it fails when another process, or a person, was first; theirs stays.
        with draft_of(target, _text(celery)) as draft, suppress(FileExistsError):
            os.link(draft, target)
    elif target.read_text(encoding="utf-8") == _text(not celery):
        write_whole(target, _text(celery))
    return home


def names_celery(home: Path) -> bool:
    """Whether ``dagster.yaml`` in ``home`` gives the runs to warm workers."""
    # Takes a second: only who opens Dagster pays for it.
    from vmh_sync.orchestration.dagster_internals.core import InstanceRef

    launcher = InstanceRef.from_dir(str(home)).run_launcher_data
    return launcher is not None and launcher.class_name == "CeleryRunLauncher"


def _text(celery: bool) -> str:
    folder = resources.files("vmh_sync.orchestration")
    parts = (_TEMPLATE, _CELERY_PART) if celery else (_TEMPLATE,)
    return "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in parts)


@contextmanager
def open_home(home: Path) -> Iterator["dg.DagsterInstance"]:
    """Open the instance whose ``dagster.yaml`` lies in ``home``, whatever this process's ``DAGSTER_HOME`` is."""
    import dagster as dg

    before = os.environ.get(_HOME_VARIABLE)
    os.environ[_HOME_VARIABLE] = str(home)  # the storage in dagster.yaml is told its folder by it
    try:
        with dg.DagsterInstance.from_config(str(home)) as instance:
            yield instance
    finally:
        if before is None:
            del os.environ[_HOME_VARIABLE]
        else:
            os.environ[_HOME_VARIABLE] = before


def home_of(settings: VmhSettings) -> Path:
    """Return the absolute path of Dagster's home that the settings name."""
    return (settings.dagster_home or settings.home / "dagster").expanduser().absolute()


def storage_fault(home: Path) -> FileFault | None:
    """Return why Dagster's SQLite files cannot be used, ``None`` when they can, or when Dagster keeps none here.

    Looks into files of ordinary size only, since it reads them whole.
    """
    for file in (home / name for name in _SQLITE_FILES):
        if not file.exists():
            continue
        fault = file_fault(f"sqlite:///{file}", look_inside=file.stat().st_size < _LOOK_INSIDE_BYTES)
        if fault is not None and fault.damaged:
            return replace(fault, remedy=_ASIDE)
        if fault is not None:
            return fault
    return None


def prepare_storage(home: Path) -> None:
    """Create Dagster's SQLite files before several processes start at once: on a new home they race, and one dies.

    Takes a folder made by :func:`ensure_dagster_home`. Done once for each Dagster and ``dagster.yaml``, again when a
    file is gone: it opens everything, which every command would wait for.
    """
    import dagster as dg

    done, wanted = home / ".storage.prepared", _prepared(home, dg.__version__)
    with one_after_another(home / ".storage.lock"):
        if done.exists() and done.read_text(encoding="utf-8") == wanted:
            return
        with open_home(home) as instance:
            instance.get_runs_count()
            instance.fetch_run_status_changes(dg.DagsterEventType.RUN_SUCCESS, limit=1)
            instance.all_instigator_state()
        done.write_text(_prepared(home, dg.__version__), encoding="utf-8")


def _prepared(home: Path, version: str) -> str:
    """What a preparation is good for: Dagster's version, its settings, and which of its SQLite files exist."""
    settings = hashlib.sha256((home / _INSTANCE_FILE).read_bytes()).hexdigest()
    files = [name for name in _SQLITE_FILES if (home / name).exists()]
    return "\n".join([version, settings, *files])
