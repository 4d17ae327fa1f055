"""What a person asks a pass in the foreground to do, and how it says that it failed."""

from collections.abc import Sequence
from dataclasses import dataclass


class PassFailed(Exception):
    """The pass itself failed; ``str`` says why, in German."""


@dataclass(frozen=True, slots=True)
class SyncOrder:
    """What the person asked for: ids, or the name of a selection."""

    ids: Sequence[str]
    selection: str | None
    dry_run: bool = False
    show_values: bool = False
    allow_mass_change: bool = False
    plan: str = ""
