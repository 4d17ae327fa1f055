"""Where the demo lives: a folder and an environment of its own, whatever ``.env`` and the caller's environment name.

Settings come from the environment and from ``.env`` in the working directory (:mod:`vmh_sync.settings`). The demo
takes every variable of ours out of the environment and works in its own folder, where no such file lies; its processes
inherit both.
"""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from vmh_sync.services.valkey import ensure_redis
from vmh_sync.stored_settings import default_url

OWN_PREFIXES = ("ADVOWARE_", "ESPOCRM_", "GOOGLE_CALENDAR_", "CALENDAR_SYNC_", "VMH_", "DAGSTER_", "REDIS_")
"""How the names of our variables begin (``.env.example``)."""
VARIABLES_FILE = "umgebung.sh"
_DEFAULT_HOME = ".vmh"
_OWNER_ONLY = 0o600


def demo_home() -> Path:
    """Return the demo's folder: ``demo`` in the ``VMH_HOME`` of the environment, else in ``.vmh`` here.

    A ``VMH_HOME`` that stands in ``.env`` is the firm's, and left alone.
    """
    return (Path(os.environ.get("VMH_HOME") or _DEFAULT_HOME).expanduser() / "demo").resolve()


def move_into(home: Path) -> None:
    """Make the folder ``home`` the working directory and forget every variable of ours; ends with this process."""
    for name in [name for name in os.environ if name.startswith(OWN_PREFIXES)]:
        del os.environ[name]
    os.chdir(home)
    os.environ["VMH_HOME"] = str(home)


def variables(home: Path) -> dict[str, str]:
    """Return what points another command at the running demo: all systems, the database, Redis, Dagster's home."""
    named = {name: value for name, value in os.environ.items() if name.startswith(OWN_PREFIXES)}
    return named | {"VMH_DATABASE_URL": default_url(home), "REDIS_URL": ensure_redis(home)}


def write_variables(home: Path, named: Mapping[str, str]) -> Path:
    """Write a file for the shell that leaves nothing of the firm's settings in force; returns its path.

    It forgets our variables, sets the demo's and goes to its folder, out of reach of the firm's ``.env``.
    """
    target = home / VARIABLES_FILE
    target.touch(mode=_OWNER_ONLY)
    begin = "|".join(OWN_PREFIXES)
    lines = ["# Zeigt vmh-sync in diesem Fenster auf die laufende Demo; gilt bis zu ihrem Ende."]
    lines.append(f"for name in $(env | sed -nE 's/^(({begin})[A-Z0-9_]*)=.*/\\1/p'); do unset \"$name\"; done")
    lines += export_lines(named)
    lines.append(f"cd {shlex.quote(str(home))}")
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return target


def export_lines(named: Mapping[str, str]) -> list[str]:
    """Return the variables as a shell takes them."""
    return [f"export {name}={shlex.quote(value)}" for name, value in sorted(named.items())]
