"""What our database knows of an employee before a pass reads anything else."""

from collections.abc import Sequence
from typing import NamedTuple

from vmh_sync.kalender.state.ledger import Attempts, read_attempts
from vmh_sync.kalender.state.pair_rows import Stored, read_stored
from vmh_sync.kalender.telling.task_answers import asked_of
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.store.store import Transaction


class Kept(NamedTuple):
    """``attempts``: what failed before; ``asked``: questions to people that stand in EspoCRM and are open."""

    stored: Stored
    attempts: Attempts
    asked: Sequence[ManualTask]


def read_kept(tx: Transaction, kuerzel: str) -> Kept:
    """Read it, all in one state of the database."""
    return Kept(read_stored(tx, kuerzel), read_attempts(tx, kuerzel), asked_of(tx, kuerzel))
