"""The plan for a party's phones and e-mails: what is written where, and what is stored when it has succeeded.

Steps have names (``advoware:17`` for entry 17, ``advoware:new:1`` for a create, ``espocrm:email``,
``espocrm:phone``); a pair is stored as soon as every step it needs is done. A step that did not succeed leaves its
pairs as they were, and the next pass finds the rest of the work by itself.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from vmh_sync.kommunikation.model import Channel, EspoEntry, Pair
from vmh_sync.kommunikation.notation import Refusal
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import Action, FieldChange, Finding, Operation, TaskWanted

ENTITY = "Kommunikation"
MARKER_ONLY = "marker"
"""Reason of a write that only puts our marker into the remark of an entry."""
_NAMES = {Channel.EMAIL: "emailAddress", Channel.PHONE: "phoneNumber"}


def espo_step(channel: Channel) -> str:
    """Return the name of the step that sends one of EspoCRM's lists."""
    return f"espocrm:{channel.value}"


@dataclass(frozen=True, slots=True, repr=False)
class EntryWrite:
    """One write to an Advoware entry, with what must still be true directly before it.

    ``operation.key`` is the entry id as text, ``None`` for a create; its payload has ``tlf, bemerkung, online`` and
    for a create ``komm_kz``. ``expected_row_id`` is the ``rowId`` the plan was made from; ``must_be_empty`` marks a
    slot that is filled again, which must not hold a value by now.
    """

    step: str
    operation: Operation
    expected_row_id: str | None = None
    must_be_empty: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class EspoList:
    """A complete list to send, in EspoCRM's JSON; exactly one item has ``primary`` true.

    ``added`` are the normal forms of values that are new at this record: their flags and type belong to a row that
    other records may share, so the executor may look them up first (:meth:`with_known_flags`).
    """

    channel: Channel
    items: tuple[Mapping[str, Any], ...]
    added: tuple[str, ...] = ()
    changes: tuple[FieldChange, ...] = ()

    @property
    def attributes(self) -> dict[str, Any]:
        """Return the attributes of the PUT.

        A phone list goes with ``phoneNumber``: a record that still holds an old national number answers 400
        otherwise (specification, espocrm.md B1 6).
        """
        if self.channel is Channel.EMAIL:
            return {"emailAddressData": [dict(item) for item in self.items]}
        primary = next((item["phoneNumber"] for item in self.items if item["primary"]), None)
        return {"phoneNumberData": [dict(item) for item in self.items], "phoneNumber": primary}

    @property
    def value_name(self) -> str:
        """The name of an item's value."""
        return _NAMES[self.channel]

    @property
    def keys(self) -> frozenset[str]:
        """The normal forms of the values sent."""
        return frozenset(self.channel.normal(item[self.value_name]) or "" for item in self.items)

    def with_known_flags(self, known: Mapping[str, EspoEntry]) -> "EspoList":
        """Return the list with flags and type of added values as other records show them (by normal form)."""
        items = []
        for item in self.items:
            key = self.channel.normal(item[self.value_name]) or ""
            row = known.get(key) if key in self.added else None
            if row is None:
                items.append(item)
                continue
            flags: dict[str, Any] = {"optOut": row.opt_out or item["optOut"], "invalid": row.invalid}
            if self.channel is Channel.PHONE and row.type:
                flags["type"] = row.type
            items.append({**item, **flags})
        return replace(self, items=tuple(items))


@dataclass(frozen=True, slots=True, repr=False)
class PairChange:
    """One pair before and after. ``needs`` names the steps that must have succeeded.

    ``created_by`` is the create whose new id belongs into ``after``. ``refused`` is what to store instead when one
    of the steps was refused for the value itself.
    """

    before: Pair | None
    after: Pair | None
    needs: frozenset[str] = frozenset()
    created_by: str | None = None
    refused: Pair | None = None


@dataclass(frozen=True, slots=True, repr=False)
class PairDelta:
    """What to do to the stored pairs: ``removed`` leave the table, ``stored`` are written (by Advoware id)."""

    removed: tuple[Pair, ...]
    stored: tuple[Pair, ...]

    def apply(self, pairs: Collection[Pair]) -> tuple[Pair, ...]:
        """Return the whole set of pairs after the change."""
        ids = {pair.advoware_id for pair in self.stored if pair.advoware_id is not None}
        kept = [pair for pair in pairs if pair not in self.removed and pair.advoware_id not in ids]
        return (*kept, *self.stored)


@dataclass(frozen=True, slots=True, repr=False)
class Quarantined:
    """A value that stays on its side; ``new`` is false when the pair table already knew it."""

    field: str
    side: Side
    value: str
    refusal: Refusal
    new: bool


@dataclass(frozen=True, slots=True, repr=False)
class KommunikationPlan:
    """All that is going to be done to a party's phones and e-mails.

    ``suspicious_empty`` names sides that read as empty although several pairs exist; the plan then does nothing
    until a second read has confirmed it (``Options.confirmed_empty``).
    """

    tasks: tuple[TaskWanted, ...] = ()
    writes: tuple[EntryWrite, ...] = ()
    emails: EspoList | None = None
    phones: EspoList | None = None
    pairs: tuple[PairChange, ...] = ()
    conflicts: tuple[FieldChange, ...] = ()
    findings: tuple[Finding, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    suspicious_empty: frozenset[Side] = field(default_factory=frozenset)

    @property
    def lists(self) -> tuple[EspoList, ...]:
        """The EspoCRM lists to send."""
        return tuple(one for one in (self.emails, self.phones) if one is not None)

    @property
    def writes_nothing(self) -> bool:
        """Whether neither side is written to."""
        return not self.writes and not self.lists

    @property
    def only_marks(self) -> bool:
        """Whether nothing but markers is written."""
        return bool(self.writes) and not self.lists and all(w.operation.reason == MARKER_ONLY for w in self.writes)

    @property
    def base_moves(self) -> bool:
        """Whether pairs are to be stored."""
        return bool(self.pairs)

    def espocrm_attributes(self) -> dict[str, Any]:
        """Return the attributes of the one PUT to the party, empty when both lists stay."""
        merged: dict[str, Any] = {}
        for one in self.lists:
            merged.update(one.attributes)
        return merged

    def operations(self, espo_id: str | None = None) -> tuple[Operation, ...]:
        """Return the writes of both sides in order, for the plan view and the guards."""
        changes = tuple(change for one in self.lists for change in one.changes)
        espo = Operation(
            side=Side.ESPOCRM,
            action=Action.UPDATE,
            entity="CBeteiligte",
            key=espo_id,
            payload=self.espocrm_attributes(),
            changes=changes,
        )
        advoware = tuple(write.operation for write in self.writes)
        return (*advoware, espo) if self.lists else advoware

    def pairs_after(
        self, done: Mapping[str, int | None], refused: Mapping[str, str] | None = None, ignored: Collection[str] = ()
    ) -> PairDelta:
        """Return the pairs to store.

        ``done`` maps each step that succeeded to the id of the created entry (``None`` for other steps); ``refused``
        names steps that the target rejected for the value (400, 422), with its own reason. Pairs of other failed steps
        stay as they were. ``ignored`` names steps that EspoCRM took without showing the value afterwards.
        """
        removed: list[Pair] = []
        stored: list[Pair] = []
        for change in self.pairs:
            reasons = [said for step, said in sorted((refused or {}).items()) if step in change.needs]
            if change.refused is not None and reasons:
                after: Pair | None = replace(change.refused, said=reasons[0])
            elif change.refused is not None and not change.needs.isdisjoint(ignored):
                after = replace(change.refused, refusal=Refusal.ESPOCRM_IGNORED.value)
            elif change.needs <= done.keys():
                after = change.after
                if after is not None and change.created_by is not None:
                    after = replace(after, advoware_id=done[change.created_by])
            else:
                continue
            if after == change.before:
                continue
            if change.before is not None and (after is None or change.before.advoware_id != after.advoware_id):
                removed.append(change.before)
            if after is not None:
                stored.append(after)
        return PairDelta(tuple(removed), tuple(stored))
