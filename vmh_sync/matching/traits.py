"""What tells a party from others, and the judgement about two of them."""

from dataclasses import dataclass, field
from enum import IntEnum


class Likeness(IntEnum):
    """How much two parties look like one."""

    NONE = 0
    LIKELY = 1
    CERTAIN = 2


@dataclass(frozen=True, slots=True, repr=False)
class Traits:
    """A party as one side holds it. ``name`` is a person's family name or a company's name.

    ``geburtsdatum`` is ``YYYY-MM-DD`` or empty; ``streets`` hold street and house number without the town.
    """

    name: str = ""
    vorname: str = ""
    geburtsname: str = ""
    geburtsdatum: str = ""
    company: bool = False
    rechtsform: str = ""
    register: str = ""
    emails: frozenset[str] = field(default=frozenset())
    phones: frozenset[str] = field(default=frozenset())
    ibans: frozenset[str] = field(default=frozenset())
    towns: frozenset[str] = field(default=frozenset())
    streets: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True, slots=True)
class Evidence:
    """One comparison: which feature, how many points it gives or takes, and a German reason without any value."""

    feature: str
    points: int
    reason: str

    @property
    def agrees(self) -> bool:
        """Whether it speaks for the same party."""
        return self.points > 0


@dataclass(frozen=True, slots=True)
class Resemblance:
    """A judgement with all its evidence."""

    likeness: Likeness
    evidence: tuple[Evidence, ...] = ()

    @property
    def score(self) -> int:
        """The sum of the points."""
        return sum(one.points for one in self.evidence)

    @property
    def agreeing(self) -> tuple[str, ...]:
        """The names of the features that speak for the same party."""
        return tuple(one.feature for one in self.evidence if one.agrees)

    @property
    def reasons(self) -> tuple[str, ...]:
        """German reasons, those for the same party first."""
        return tuple(one.reason for one in sorted(self.evidence, key=lambda one: -one.points))


NOT_ALIKE = Resemblance(Likeness.NONE)
