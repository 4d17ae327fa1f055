"""A create of a party that was sent and never answered: which party in Advoware it may have made, and what it was sent.

A person may have edited that party before anybody looks for it, in any of its fields. So what tells it from others is
that it was not there before: its number is higher than all that were known then, and it was changed since.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from vmh_sync.beteiligte.master_data.diff import CREATE_MARK
from vmh_sync.beteiligte.party import ENTITY, PartyRead, carries
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.store.pairs.links import NumbersAround
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Base, Fields, Side
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.values import alike, is_empty
from vmh_sync.systems.advoware import wire
from vmh_sync.systems.advoware.records import Beteiligter

_CLOCKS_APART = timedelta(minutes=95)
"""How far Advoware's clock may be behind ours: some minutes, and the doubled hour in autumn, read as the first one."""


@dataclass(frozen=True, slots=True, repr=False)
class SentCreate:
    """What was sent, and the numbers of parties that were known around that moment."""

    intent: Intent
    numbers: NumbersAround

    @property
    def fields(self) -> Fields:
        """The canonical fields that were sent."""
        return dict(self.intent.natural_key.get("fields", {}))

    def may_have_made(self, party: Beteiligter, zone: ZoneInfo) -> bool:
        """Whether the party is new since. ``zone`` is the zone of Advoware's local times."""
        if self.numbers.before is not None and party.bet_nr <= self.numbers.before:
            return False
        changed = wire.local_moment(party.geaendert_am, zone)
        return changed is None or changed >= self.intent.created_at - _CLOCKS_APART

    def recall(self, party: PartyRead, table: FieldTable, zone: ZoneInfo) -> None:
        """Note on a party whose number a person has entered that it was sent, and what of that is known to be its base.

        That is what was sent only where our mark tells that it was made of it: a person may have typed it by hand.
        """
        party.unanswered = self.intent
        if party.advoware is not None and self.may_have_made(party.advoware, zone):
            marked = carries(party.advoware, CREATE_MARK.format(espo_id=party.espo_id))
            party.made_from = base_of_found(self.fields if marked else {}, party.advoware, table)


def base_of_found(sent: Fields, party: Beteiligter, table: FieldTable) -> Base:
    """Return what stands for the base of a party that people may have edited before it was found.

    Where it says anything, both said what was ``sent`` or nothing: what both say differently since is a conflict, whose
    loser is told. Of a field that is empty in Advoware nothing is known: it may not have been taken.
    """
    told = table.read(Side.ADVOWARE, party.model_dump(), missing_is_empty=True)
    known = {name: sent.get(name) for name, value in told.items() if not is_empty(value)}
    spelled = {
        name: told[name] if alike(table[name].kind, told[name], value) else value for name, value in known.items()
    }
    return Base(known, spelled)


def sent_creates(tx: Transaction, espo_ids: Iterable[str]) -> dict[str, SentCreate]:
    """Return the creates of parties that were sent and are not settled, by EspoCRM id."""
    found = tx.intents.open_for_many(ENTITY, espo_ids)
    last = {espo_id: intents[-1] for espo_id, intents in found.items()}
    return {espo_id: sent_create(tx, intent) for espo_id, intent in last.items() if intent.sent_at is not None}


def sent_create(tx: Transaction, intent: Intent) -> SentCreate:
    """Add to a create which numbers of parties were known around the moment it was announced."""
    return SentCreate(intent, tx.links.numbers_around(intent.created_at))
