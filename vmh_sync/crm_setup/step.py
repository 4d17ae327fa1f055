"""What set-up is made of: steps that are planned first and done one after the other."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from vmh_sync.crm_setup.session import SetupSession


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; ``text`` says what, in German. ``run`` does it once more without harm after a kill."""

    text: str
    run: Callable[[SetupSession], Awaitable[None]] = field(repr=False)
