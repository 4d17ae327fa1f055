"""Dagster's home in the embedded default: a folder with a ``dagster.yaml`` that keeps everything in SQLite."""

import os
import tempfile
from contextlib import suppress
from importlib import resources
from pathlib import Path

from vmh_sync.services.sole_process import one_after_another

_TEMPLATE = "dagster_embedded.yaml"
_CELERY_PART = "dagster_celery_part.yaml"
_INSTANCE_FILE = "dagster.yaml"


def ensure_dagster_home(home: Path, *, celery: bool = False) -> Path:
    """Make ``home`` usable as ``DAGSTER_HOME`` and return it as an absolute path (Dagster refuses a relative one).

    Takes a folder, which need not exist. Writes ``dagster.yaml`` there, with the launcher for warm run workers if
    ``celery``, unless one is there already: what a person wrote or a deployment mounted stays as it is, and only what
    this function wrote for the other launcher is replaced. Safe when several processes start at once, and when one is
    killed half-way: the file appears whole or not at all. Only its owner may read the folder, since run logs lie
    below it. Raises :class:`OSError` when the folder cannot be made or written.
    """
    home = home.expanduser().absolute()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = home / _INSTANCE_FILE
    if not target.exists():
        _write(target, _text(celery), replace=False)
    elif target.read_text(encoding="utf-8") == _text(not celery):
        _write(target, _text(celery), replace=True)
    return home


def names_celery(home: Path) -> bool:
    """Whether ``dagster.yaml`` in ``home`` gives the runs to warm workers."""
    from dagster._core.instance.ref import InstanceRef  # takes a second, see below

    launcher = InstanceRef.from_dir(str(home)).run_launcher_data
    return launcher is not None and launcher.class_name == "CeleryRunLauncher"


def _text(celery: bool) -> str:
    names = (_TEMPLATE, _CELERY_PART) if celery else (_TEMPLATE,)
    return "".join(resources.files("vmh_sync.services").joinpath(name).read_text(encoding="utf-8") for name in names)


def _write(target: Path, text: str, *, replace: bool) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{_INSTANCE_FILE}.", dir=target.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.replace(target)
            return
        # link, not rename: it fails when another process, or a person, was first; theirs stays.
        with suppress(FileExistsError):
            os.link(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def prepare_storage(home: Path) -> None:
    """Create Dagster's SQLite files before several processes start at once: on a new home they race, and one dies.

    Takes a folder made by :func:`ensure_dagster_home`. On a storage that exists already it changes nothing.
    """
    import dagster as dg  # takes a second: only who starts Dagster pays for it

    with one_after_another(home / ".storage.lock"), dg.DagsterInstance.from_config(str(home)) as instance:
        instance.get_runs_count()
        instance.fetch_run_status_changes(dg.DagsterEventType.RUN_SUCCESS, limit=1)
        instance.all_instigator_state()
