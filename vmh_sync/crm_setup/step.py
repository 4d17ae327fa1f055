"""What set-up is made of: steps that are planned first and done one after the other, and notes about what stays."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vmh_sync.crm_setup.session import SetupSession


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; ``text`` says what, in German. ``run`` does it once more without harm after a kill."""

    text: str
    run: "Callable[[SetupSession], Awaitable[None]]" = field(repr=False)


@dataclass(frozen=True, slots=True)
class LeftByHand:
    """Something that set-up does not do itself: what, and what a person does about it.

    ``serious``: nothing works so.
    """

    text: str
    remedy: str
    serious: bool = False

    def line(self) -> str:
        """Both in one line."""
        return f"{self.text} → {self.remedy}" if self.remedy else self.text
