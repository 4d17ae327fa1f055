"""An entry that a system tells unusably holds up itself, and what might be doubled because of it; no other. Pure.

In Advoware's list the entry stands for what its pair says was agreed last, so that nothing follows from it, and nothing
is written to it. EspoCRM's lists are replaced as a whole: one with an unusable item is left alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from vmh_sync.kommunikation.model import AdvowareEntry, Pair
from vmh_sync.kommunikation.plan import KommunikationPlan
from vmh_sync.systems.advoware.records import Beteiligter, Kommunikation
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync.systems.spoilt_row import SpoiltRow

LIST = "kommunikation"


def _rows(party: Beteiligter) -> Sequence[SpoiltRow]:
    return party.spoilt.get(LIST, ())


def _numbers(party: Beteiligter) -> set[int | None]:
    return {row.number(Kommunikation.FIELDS["id"]) for row in _rows(party)}


def as_agreed(party: Beteiligter, pairs: Iterable[Pair]) -> tuple[AdvowareEntry, ...]:
    """Return the unusable entries as their pairs know them; one without a number may be any pair's that is missing."""
    numbers, told = _numbers(party), {one.id for one in party.kommunikation}
    return tuple(
        AdvowareEntry(pair.advoware_id, pair.advoware_base, None, pair.kind, bool(pair.online_base))
        for pair in pairs
        if pair.advoware_id is not None
        and pair.advoware_id not in told
        and (None in numbers or pair.advoware_id in numbers)
    )


def without_unreadable(plan: KommunikationPlan, party: Beteiligter, pairs: Sequence[Pair]) -> KommunikationPlan:
    """Return the plan without the writes to unusable entries, and without creates while one may be what is missing."""
    if not _rows(party):
        return plan
    frozen = {str(one.id) for one in as_agreed(party, pairs)}
    strange = may_be_new(party, {pair.advoware_id for pair in pairs}) is not None
    return replace(
        plan,
        writes=tuple(
            write
            for write in plan.writes
            if (not strange if write.operation.key is None else write.operation.key not in frozen)
        ),
    )


def may_be_new(party: Beteiligter, known: set[int | None]) -> Exception | None:
    """Return the unusable entry that may be one that was just created, ``None`` if every one has a pair."""
    rows = ((row.number(Kommunikation.FIELDS["id"]), row.error) for row in _rows(party))
    return next((error for number, error in rows if number is None or number not in known), None)


def problem_of(espo: EspoRecord, party: Beteiligter) -> Exception | None:
    """Return why a part of the entries was left alone, ``None`` if all can be used."""
    return next((row.error for row in _rows(party)), None) or next(iter(espo.unusable.values()), None)
