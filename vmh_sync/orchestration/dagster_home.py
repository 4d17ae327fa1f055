"""Dagster's home in the embedded default: a folder with a ``dagster.yaml`` that keeps everything in SQLite."""

import hashlib
import os
import re
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
_STORAGE_PART = "dagster_sqlite_part.yaml"
_CELERY_PART = "dagster_celery_part.yaml"
_INSTANCE_FILE = "dagster.yaml"
_OLD_NAMES = re.compile(r"\bvmh_sync\.services\.(prompt_queue|dagster_sqlite)\b")
_SQLITE_FILES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
_HOME_VARIABLE = "DAGSTER_HOME"
_LOOK_INSIDE_BYTES = 200_000_000
_ASIDE = (
    "Alle Prozesse beenden und die Datei beiseitelegen: Sie wird neu angelegt; verloren geht nur, was die Oberfläche "
    "von früheren Läufen zeigt."
)
_EARLIER = frozenset(
    {
        "d0ad9f15c15ea3993e569f476bd5d5813014b58aee7aebe20bc5da37c46c82c1",
        "156ee429667607d67b2a131b1fcc70dbbfe697a355d9c5916eabbd1759424a50",
        "e2811edf632812ee9e012526e3939b1e1ca944f2de6e98d8038440fb02b8b017",
        "29caf90ba10568963c38d378cd4cc1a59abb02a0ab7e6eecf5b12b3fda4065de",
    }
)
"""SHA-256 of what we wrote before bulk runs had limits of their own, with and without storage and launcher."""


def ensure_dagster_home(home: Path, *, celery: bool = False) -> Path:
    """Make ``home`` usable as ``DAGSTER_HOME`` and return it as an absolute path (Dagster refuses a relative one).

    Takes a folder, which need not exist. Writes ``dagster.yaml`` there, with the launcher for warm run workers if
    ``celery``, unless one is there already: what a person wrote or a deployment mounted stays as it is, and only what
    this function wrote for the other launcher, or in an earlier version, is replaced. Safe when several processes
    start at once, and when one is killed half-way: the file appears whole or not at all. Only its owner may read the
    folder, since run logs lie below it. Raises :class:`OSError` when the folder cannot be made or written.
    """
    home = home.expanduser().absolute()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = home / _INSTANCE_FILE
    if not target.exists():
        _write(target, _text(celery), replace=False)
        return home
    found = target.read_text(encoding="utf-8")
    named = _with_todays_names(found)
    if named in _replaceable(celery) or hashlib.sha256(named.encode()).hexdigest() in _EARLIER:
        _write(target, _text(celery), replace=True)
    elif named != found:
        _write(target, named, replace=True)
    return home


def names_celery(home: Path) -> bool:
    """Whether ``dagster.yaml`` in ``home`` gives the runs to warm workers."""
    # Takes a second: only who opens Dagster pays for it.
    from vmh_sync.orchestration.dagster_internals.core import InstanceRef

    launcher = InstanceRef.from_dir(str(home)).run_launcher_data
    return launcher is not None and launcher.class_name == "CeleryRunLauncher"


def _text(celery: bool) -> str:
    return _joined(_TEMPLATE, _STORAGE_PART, *([_CELERY_PART] if celery else []))


def _replaceable(celery: bool) -> tuple[str, ...]:
    """What stands in a home that we wrote for the other launcher, or before it named a storage."""
    return _text(not celery), _joined(_TEMPLATE), _joined(_TEMPLATE, _CELERY_PART)


def _with_todays_names(text: str) -> str:
    """Return the file with our classes where they live today; whatever else stands there is untouched."""
    return _OLD_NAMES.sub(r"vmh_sync.orchestration.\1", text)


def _joined(*names: str) -> str:
    return "".join(
        resources.files("vmh_sync.orchestration").joinpath(name).read_text(encoding="utf-8") for name in names
    )


def _write(target: Path, text: str, *, replace: bool) -> None:
    if replace:
        write_whole(target, text)
        return
    # link, not rename: it fails when another process, or a person, was first; theirs stays.
    with draft_of(target, text) as draft, suppress(FileExistsError):
        os.link(draft, target)


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
