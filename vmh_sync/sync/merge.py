"""Field-wise three-way merge of one linked pair (specification, sync-semantics.md 1). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from vmh_sync.sync.base import Base, Fields, Side
from vmh_sync.sync.values import Kind, Value, alike, is_empty, same


class ConflictRule(StrEnum):
    """Who wins when both sides changed one field differently."""

    ESPOCRM_WINS = "espocrm_wins"
    ADVOWARE_WINS = "advoware_wins"
    NEWEST_WINS = "newest_wins"
    MANUAL = "manual"


class MergeRule(Protocol):
    """What the merge needs to know of a field."""

    @property
    def name(self) -> str:
        """Canonical field name."""
        ...

    @property
    def kind(self) -> Kind:
        """How its values are compared."""
        ...

    @property
    def conflict(self) -> ConflictRule:
        """Who wins a conflict."""
        ...


class Verdict(StrEnum):
    """What happens to one field."""

    QUIET = "quiet"  # neither side moved since the base
    AGREED = "agreed"  # both say the same now, the base must learn it
    COPY = "copy"  # one side moved: its value goes to the other
    CONFLICT = "conflict"  # both moved differently, a rule decided
    HOLD = "hold"  # both moved differently, a person must decide


@dataclass(frozen=True, slots=True, repr=False)
class Decision:
    """The merge's verdict on one field.

    ``source`` is the side whose value stands; ``value`` is that value, ``replaced`` what the other side says now.
    """

    field: str
    verdict: Verdict
    source: Side | None
    value: Value
    replaced: Value
    first_contact: bool = False
    retry: bool = False  # nobody edited it: what was refused is sent once more


@dataclass(frozen=True, slots=True)
class Stamps:
    """When each side was last changed (aware UTC), where it is known."""

    espocrm: datetime | None = None
    advoware: datetime | None = None

    def newer(self) -> Side | None:
        """Return the side changed last, or ``None`` when a stamp is missing or both are equal."""
        if self.espocrm is None or self.advoware is None or self.espocrm == self.advoware:
            return None
        return Side.ESPOCRM if self.espocrm > self.advoware else Side.ADVOWARE


NO_STAMPS = Stamps()


def merge(
    rules: Iterable[MergeRule], *, base: Base | None, espocrm: Fields, advoware: Fields, stamps: Stamps = NO_STAMPS
) -> list[Decision]:
    """Decide every field that both sides can tell.

    Takes the field rules, the base (``None`` on first contact), and both sides' canonical fields. A field that one
    side does not have at all (the installation lacks it) is left out of the result. Returns one decision a field.
    """
    decisions = []
    for rule in rules:
        if rule.name not in espocrm or rule.name not in advoware:
            continue
        in_espocrm, in_advoware = espocrm[rule.name], advoware[rule.name]
        known = base is not None and rule.name in base.espocrm and rule.name in base.advoware
        if known and base is not None:
            decisions.append(_against_base(rule, base, in_espocrm, in_advoware, stamps))
        else:
            decisions.append(_first_contact(rule, in_espocrm, in_advoware, stamps))
    return decisions


def as_conflict(rule: MergeRule, copy: Decision, stamps: Stamps = NO_STAMPS) -> Decision:
    """Return a copy that may replace an edit as the conflict it is then; where no rule speaks against it, it stands."""
    if rule.conflict is ConflictRule.MANUAL:
        espo, advo = (copy.value, copy.replaced) if copy.source is Side.ESPOCRM else (copy.replaced, copy.value)
        return Decision(rule.name, Verdict.HOLD, None, espo, advo)
    winner = copy.source
    if rule.conflict is ConflictRule.ADVOWARE_WINS:
        winner = Side.ADVOWARE
    elif rule.conflict is ConflictRule.NEWEST_WINS:
        winner = stamps.newer() or winner
    if winner is copy.source:
        return replace(copy, verdict=Verdict.CONFLICT)
    return replace(copy, verdict=Verdict.CONFLICT, source=winner, value=copy.replaced, replaced=copy.value)


def _against_base(rule: MergeRule, base: Base, espo: Value, advo: Value, stamps: Stamps) -> Decision:
    espo_moved = not same(rule.kind, espo, base.espocrm[rule.name])
    advo_moved = not same(rule.kind, advo, base.advoware[rule.name])
    if not espo_moved and not advo_moved:
        return Decision(rule.name, Verdict.QUIET, None, espo, advo)
    if same(rule.kind, espo, advo):
        return Decision(rule.name, Verdict.AGREED, None, espo, advo)
    if espo_moved and advo_moved and alike(rule.kind, espo, advo):
        return Decision(rule.name, Verdict.AGREED, None, espo, advo)
    if espo_moved and advo_moved:
        return _conflict(rule, espo, advo, stamps)
    if espo_moved:
        return Decision(rule.name, Verdict.COPY, Side.ESPOCRM, espo, advo)
    return Decision(rule.name, Verdict.COPY, Side.ADVOWARE, advo, espo)


def _conflict(rule: MergeRule, espo: Value, advo: Value, stamps: Stamps) -> Decision:
    if rule.conflict is ConflictRule.MANUAL:
        return Decision(rule.name, Verdict.HOLD, None, espo, advo)
    winner = Side.ADVOWARE if rule.conflict is ConflictRule.ADVOWARE_WINS else Side.ESPOCRM
    if rule.conflict is ConflictRule.NEWEST_WINS:
        winner = stamps.newer() or Side.ESPOCRM
    value, replaced = (espo, advo) if winner is Side.ESPOCRM else (advo, espo)
    return Decision(rule.name, Verdict.CONFLICT, winner, value, replaced)


def _first_contact(rule: MergeRule, espo: Value, advo: Value, stamps: Stamps) -> Decision:
    if same(rule.kind, espo, advo):
        return Decision(rule.name, Verdict.AGREED, None, espo, advo, first_contact=True)
    if is_empty(advo):
        return Decision(rule.name, Verdict.COPY, Side.ESPOCRM, espo, advo, first_contact=True)
    if is_empty(espo):
        return Decision(rule.name, Verdict.COPY, Side.ADVOWARE, advo, espo, first_contact=True)
    winner = stamps.newer() or Side.ESPOCRM
    value, replaced = (espo, advo) if winner is Side.ESPOCRM else (advo, espo)
    return Decision(rule.name, Verdict.CONFLICT, winner, value, replaced, first_contact=True)
