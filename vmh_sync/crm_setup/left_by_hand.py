"""Notes about what set-up leaves to a person."""

from dataclasses import dataclass


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
