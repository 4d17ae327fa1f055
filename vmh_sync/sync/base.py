"""The base: what each side said when both were last brought together.

It is kept per side, because the two may differ for a reason both know (a field that Advoware ignores, a value
that EspoCRM refuses): then a side has changed only when it differs from *its own* last word, and such a field is
neither rewritten for ever nor forgotten.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from vmh_sync.sync.values import Value


class Side(StrEnum):
    """One of the two systems of record."""

    ESPOCRM = "espocrm"
    ADVOWARE = "advoware"

    @property
    def other(self) -> "Side":
        """The opposite side."""
        return Side.ADVOWARE if self is Side.ESPOCRM else Side.ESPOCRM


Fields = Mapping[str, Value]
"""Canonical field name -> canonical value of one record on one side."""


@dataclass(frozen=True, slots=True, repr=False)
class Base:
    """The last agreed state of one linked pair, per side (specification, sync-semantics.md 1)."""

    espocrm: Fields = field(default_factory=dict)
    advoware: Fields = field(default_factory=dict)

    def of(self, side: Side) -> Fields:
        """Return what ``side`` said last."""
        return self.espocrm if side is Side.ESPOCRM else self.advoware

    def with_more(self, more: "Base | None") -> "Base":
        """Return a base that knows the fields of ``more`` as well, by its word where both know one."""
        return self if more is None else Base({**self.espocrm, **more.espocrm}, {**self.advoware, **more.advoware})

    def to_json(self) -> dict[str, Any]:
        """Return the form in which the base is stored."""
        return {"espocrm": dict(self.espocrm), "advoware": dict(self.advoware)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Base":
        """Read the stored form; an empty mapping is an empty base."""
        return cls(espocrm=dict(data.get("espocrm", {})), advoware=dict(data.get("advoware", {})))
