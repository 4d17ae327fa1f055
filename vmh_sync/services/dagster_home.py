"""Dagster's home in the embedded default: a folder with a ``dagster.yaml`` that keeps everything in SQLite."""

import os
import tempfile
from contextlib import suppress
from importlib import resources
from pathlib import Path

_TEMPLATE = "dagster_embedded.yaml"
_INSTANCE_FILE = "dagster.yaml"


def ensure_dagster_home(home: Path) -> Path:
    """Make ``home`` usable as ``DAGSTER_HOME`` and return it as an absolute path (Dagster refuses a relative one).

    Takes a folder, which need not exist. Writes ``dagster.yaml`` there unless one is there already: what a person
    wrote or a deployment mounted stays as it is. Safe when several processes start at once, and when one is
    killed half-way: the file appears whole or not at all. Only its owner may read the folder, since run logs lie
    below it. Raises :class:`OSError` when the folder cannot be made or written.
    """
    home = home.expanduser().absolute()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = home / _INSTANCE_FILE
    if target.exists():
        return home
    text = resources.files("vmh_sync.services").joinpath(_TEMPLATE).read_text(encoding="utf-8")
    handle, name = tempfile.mkstemp(prefix=f".{_INSTANCE_FILE}.", dir=home)
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # link, not rename: it fails when another process, or a person, was first; theirs stays.
        with suppress(FileExistsError):
            os.link(draft, target)
    finally:
        draft.unlink()
    return home


def prepare_storage(home: Path) -> None:
    """Create Dagster's SQLite files before several processes start at once: on a new home they race, and one dies.

    Takes a folder made by :func:`ensure_dagster_home`. On a storage that exists already it changes nothing.
    """
    import dagster as dg  # takes a second: only who starts Dagster pays for it

    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.get_runs_count()
        instance.fetch_run_status_changes(dg.DagsterEventType.RUN_SUCCESS, limit=1)
        instance.all_instigator_state()
