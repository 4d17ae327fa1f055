"""What a side made of the values that it was sent: the one rule for every entity and both sides. Pure.

A value that was refused, ignored, cut off or respelled is nobody's edit, so it must never travel back; anything else
that differs from what was sent is an edit made after ours was taken, and must not vanish in the base (specification,
sync-semantics.md 3). Both follow from the base that is stored: it is what the side is believed to have said last.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from vmh_sync.sync.base import Fields, Side
from vmh_sync.sync.deciding.apart import DROPPED
from vmh_sync.sync.deciding.field_plan import obstacle_text
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.planning.plan import FieldChange, Finding, TaskKind, TaskWanted
from vmh_sync.sync.values import Kind, Value, alike, is_empty, is_form_of, same


class Fate(StrEnum):
    """What became of a value."""

    TAKEN = "taken"
    ALTERED = "altered"  # cut off, respelled, or nothing at all made of it
    IGNORED = "ignored"  # the side still says what it said before
    REFUSED = "refused"
    EDITED = "edited"  # taken, and something else was typed since


@dataclass(frozen=True, slots=True, repr=False)
class Learned:
    """The fate of a value, and what the base must remember of the side."""

    fate: Fate
    base: Value

    @property
    def arrived(self) -> bool:
        """Whether the side took the value, whatever it says by now."""
        return self.fate in (Fate.TAKEN, Fate.EDITED)


def learned(kind: Kind, *, before: Value, sent: Value, stands: Value, refused: bool = False) -> Learned:
    """Return what became of ``sent`` at a side that said ``before`` and says ``stands`` now.

    An empty read-back counts as made of our value: the side dropped it, or somebody emptied it this very moment. Taken
    for an edit, it would blank the value where it was typed; told as a difference, nothing is lost either way.
    """
    if refused:
        return Learned(Fate.REFUSED, before)
    if alike(kind, stands, sent):
        return Learned(Fate.TAKEN, stands)
    if same(kind, stands, before):
        return Learned(Fate.IGNORED, stands)
    if is_empty(stands) or is_form_of(stands, sent):
        return Learned(Fate.ALTERED, stands)
    return Learned(Fate.EDITED, sent)


@dataclass(slots=True, repr=False)
class ReadBack:
    """What a side made of a whole write: what arrived, and what a person must know of the rest."""

    applied: list[FieldChange] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    tasks: list[TaskWanted] = field(default_factory=list)


def read_back(
    changes: Iterable[FieldChange],
    table: FieldTable,
    side: Side,
    *,
    before: Fields,
    stands: Fields,
    refused: Mapping[str, str],
    base: dict[str, Value],
) -> ReadBack:
    """Find out what ``side`` made of ``changes`` and put it into ``base``, the side's base to be stored.

    ``before`` is what the side said before the write, ``stands`` what it says now; ``refused`` holds the side's own
    reason for each field that it refused.
    """
    result = ReadBack()
    for change in changes:
        name = change.field
        one = learned(
            table[name].kind,
            before=before.get(name),
            sent=change.new,
            stands=stands.get(name),
            refused=name in refused,
        )
        base[name] = one.base
        if one.arrived:
            result.applied.append(change)
            continue
        told = not_taken(side, change, stands.get(name), refused.get(name), label=table.label(name))
        result.findings.append(told[0])
        result.tasks.append(told[1])
    return result


def not_taken(
    side: Side, change: FieldChange, stands: Value, reason: str | None, *, label: str
) -> tuple[Finding, TaskWanted]:
    """Return what a person must know of a value that ``side`` did not take: refused for a ``reason``, or dropped."""
    kind = TaskKind.READONLY_FIELD if reason is None and side is Side.ADVOWARE else TaskKind.VALUE_REFUSED
    why = DROPPED if reason is None and side is Side.ESPOCRM else reason
    details = {"wanted": change.new, "standing": stands, "side": str(side)} | ({"why": why} if why else {})
    finding = Finding(change.field, side, obstacle_text(kind, label, side))
    return finding, TaskWanted(kind, (change.field,), details)
