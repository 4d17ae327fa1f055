"""Recognises the parties that nothing has happened to since both sides agreed (``engine.fingerprint``).

What a comparison is made from, a list entry at a time: Advoware's answer byte by byte, EspoCRM's list entries of the
party and of its addresses and accounts, the revisions of all links of the party, the rules and the day. While a task,
an unanswered create or a refused value is open, or the record failed, nothing is recognised: every pass compares.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from vmh_sync.background import all_of
from vmh_sync.beteiligte.party import PartyRead
from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.engine.passes.part import Asked, Part
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting.fingerprint import canonical, fingerprint, rules_mark
from vmh_sync.store.pairs.fingerprints import PartyRows
from vmh_sync.store.store import Transaction
from vmh_sync.systems.advoware.answers import PartyAnswer
from vmh_sync.systems.advoware.records import Beteiligter
from vmh_sync.systems.errors import ForeignSystemError

_CHILDREN_TOLD = tuple(
    re.compile(rb'"%b"\s*:\s*\[' % Beteiligter.FIELDS[name].encode()) for name in Beteiligter.CHILDREN
)
"""What stands in an answer that holds the lists of a party's children."""


@dataclass(slots=True, repr=False)
class Recognition:
    """What is known of the linked parties of a batch besides their records: our rows, and EspoCRM's lists by part."""

    context: PassContext
    parts: Sequence[Part]
    rows: dict[str, PartyRows] = field(default_factory=dict)
    asked: dict[str, Asked] = field(default_factory=dict)
    _rules: bytes = b""

    async def prepare(self, parties: Iterable[PartyRead]) -> None:
        """Read our rows of the parties that may be recognised, and EspoCRM's lists of the parts of all linked ones.

        Raises a ``ForeignSystemError`` when EspoCRM cannot list.
        """
        linked = [party for party in parties if party.link is not None and party.betnr is not None]
        if not linked:
            return
        ids = [party.espo_id for party in linked]
        await all_of(self.remember(linked), *(self._ask(part, ids) for part in self.parts))

    async def remember(self, parties: Iterable[PartyRead]) -> None:
        """Read our rows of parties that have a number."""
        self._rules = rules_mark(self.context)
        numbers = {party.espo_id: party.betnr for party in parties if party.betnr is not None and party.is_calm}
        self.rows |= await calm_rows(self.context, self.parts, numbers)

    async def _ask(self, part: Part, ids: Sequence[str]) -> None:
        failed: list[Exception] = []
        with isolated(f"{part.entity} of parties ({len(ids)} together)", failed.append):
            asked = await part.ask(self.context, ids)
            if asked is not None:
                self.asked[part.entity] = asked
        # Any other error is one record's: the part asks for each alone, so that one suffers.
        if failed and isinstance(failed[0], ForeignSystemError):
            raise failed[0]

    def look(self, party: PartyRead, answer: PartyAnswer | None) -> bool:
        """Note a party's fingerprint; returns whether it is recognised."""
        rows = self.rows.get(party.espo_id)
        linked = party.link is not None and party.link.state == "active"
        if rows is None or not linked or answer is None or party.espo is None or party.problem is not None:
            return False
        if not all(told.search(answer.content) for told in _CHILDREN_TOLD):
            return False  # this office tells the children by calls of their own: the answer says nothing of them
        said = [[party.espo.attributes]]
        for part in self.parts:
            if not part.has_records:
                continue
            asked = self.asked.get(part.entity)
            records = asked.said(party.espo_id) if asked is not None else None
            if records is None:
                return False
            said.append(records)
        today = self.context.clock.now().astimezone(self.context.zone).date()
        parts = (answer.content, canonical(said), canonical(rows.links))
        party.fingerprint = fingerprint(self._rules, today, parts)
        return party.fingerprint == rows.fingerprint


async def calm_rows(context: PassContext, parts: Sequence[Part], numbers: Mapping[str, int]) -> dict[str, PartyRows]:
    """Return the rows of those parties (EspoCRM id -> betnr) about which nothing is open in our database.

    Open are tasks, unanswered creates and ledger entries of trouble, also about a part.
    """
    return await context.store.read(_calm_rows, parts, numbers) if numbers else {}


def _calm_rows(tx: Transaction, parts: Sequence[Part], numbers: Mapping[str, int]) -> dict[str, PartyRows]:
    own = [entity for part in parts if not part.has_records for entity in part.link_entities]
    records = [entity for part in parts if part.has_records for entity in part.link_entities]
    rows = tx.fingerprints.rows_of(numbers, own, records)
    still_open = _open(tx, rows, own, records)
    return {espo_id: row for espo_id, row in rows.items() if espo_id not in still_open}


def _open(tx: Transaction, rows: Mapping[str, PartyRows], own: Sequence[str], records: Sequence[str]) -> set[str]:
    found = tx.fingerprints.in_trouble(rows, own)
    for entity in records:
        party_of = {record: espo_id for espo_id, one in rows.items() for record in one.records_of(entity)}
        told = [*tx.tasks.open_for_many(entity, party_of), *tx.records.get_many(entity, party_of)]
        found |= {party_of[record] for record in told}
    return found


def fingerprints_to_keep(reads: Iterable[PartyRead]) -> dict[str, tuple[str, int]]:
    """Return the fingerprints to be stored of parties that agree: by EspoCRM id, with the revision of their link."""
    return {
        read.espo_id: (read.fingerprint, read.link.revision)
        for read in reads
        if read.fingerprint is not None and read.link is not None and not read.recognised
    }
