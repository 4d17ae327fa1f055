"""Reads both sides as they are, for the comparison."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from vmh_sync.background import all_of, both
from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.engine.failures.outage import concerns_all
from vmh_sync.engine.installation.field_tables import field_tables
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting.erased import Erased, erased_of
from vmh_sync.entities import BETEILIGTE
from vmh_sync.reconcile import marks
from vmh_sync.reconcile.children import ADRESSEN, KONTEN, compare_children
from vmh_sync.reconcile.compare import Fields, compare_kommunikation, compare_party, fields_of
from vmh_sync.reconcile.difference import Difference, Json
from vmh_sync.reconcile.reasons import Reason
from vmh_sync.reconcile.reported import Reported, read_reported
from vmh_sync.sync.reporting.comparison import EntityComparison
from vmh_sync.systems.advoware.errors import CapabilityMissing
from vmh_sync.systems.advoware.records import Beteiligter
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm.records import EspoRecord, SpoiltRow
from vmh_sync.systems.spoilt_row import SpoiltRow as AdvowareRow
from vmh_sync.whole_number import whole_number

AT_ONCE = 200
NO_SEARCH = (
    "Advoware bietet hier keine Suche an: Beteiligte, die es nur in Advoware gibt oder dort doppelt, "
    "wurden nicht gesucht."
)

UNEXPECTED = "Beim Vergleich dieses Beteiligten ist ein unerwarteter Fehler aufgetreten."


@dataclass(slots=True)
class Report:
    """What the comparison found. ``compared`` counts parties that both sides have.

    ``only_*`` is not explained; of ``only_*_explained`` a task or the record itself says why. ``doubled`` names EspoCRM
    ids or Advoware numbers, ``unreadable`` records that could not be compared; ``entities``: what a firm's own say.
    """

    compared: int = 0
    differing: set[str] = field(default_factory=set)
    differences: list[Difference] = field(default_factory=list)
    only_espocrm: list[str] = field(default_factory=list)
    only_espocrm_explained: dict[str, Reason] = field(default_factory=dict)
    only_advoware: list[int] = field(default_factory=list)
    only_advoware_explained: dict[int, Reason] = field(default_factory=dict)
    doubled: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    entities: dict[str, EntityComparison] = field(default_factory=dict)

    @property
    def unexplained(self) -> list[Difference]:
        """The differences for which no task is open."""
        return [difference for difference in self.differences if not difference.explained]

    @property
    def agrees(self) -> bool:
        """Whether every party exists once on both sides and every difference is explained."""
        missing = self.only_espocrm or self.only_advoware
        others = all(one.agrees for one in self.entities.values())
        return others and not (self.unexplained or missing or self.doubled or self.unreadable)

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        different = {difference.id for difference in self.unexplained}
        return {
            "compared": self.compared,
            "equal": self.compared - len(self.differing),
            "different": len(different),
            "explained": len(self.differing - different),
            "differences": [difference.to_json() for difference in self.differences],
            "only_espocrm": self.only_espocrm,
            "only_espocrm_explained": list(self.only_espocrm_explained),
            "only_espocrm_reasons": _reasons(self.only_espocrm_explained),
            "only_advoware": self.only_advoware,
            "only_advoware_explained": list(self.only_advoware_explained),
            "only_advoware_reasons": _reasons(self.only_advoware_explained),
            "doubled": self.doubled,
            "unreadable": self.unreadable,
            "notes": self.notes,
            "entities": {name: one.to_json() for name, one in self.entities.items()},
        }


def _reasons(explained: Mapping[str, Reason] | Mapping[int, Reason]) -> list[dict[str, Any]]:
    return [{"id": id_, "reason": reason.why, "next_step": reason.next_step} for id_, reason in explained.items()]


async def reconcile(context: PassContext) -> Report:
    """Read everything on both sides and compare it; nothing is written anywhere."""
    report = Report()
    erased = await erased_of(context.store)
    listed = await _all(context, "CBeteiligte", report)
    parties = [record for record in listed if not erased.covers(record.id, _number(record))]
    children = {name: await _by_party(context, name, report) for name in ("CAdressen", "CBankverbindungen")}
    reported = await asyncio.to_thread(read_reported, context.store)
    numbers = Counter(_number(record) for record in parties)
    report.doubled = [str(number) for number, count in numbers.items() if number is not None and count > 1]
    await _look_for_marks(context, parties, erased, reported, report)
    for start in range(0, len(parties), AT_ONCE):
        chunk = parties[start : start + AT_ONCE]
        await all_of(*(_compare_alone(context, record, children, reported, report) for record in chunk))
    report.differences.sort(key=lambda difference: (difference.betnr, difference.field))
    return report


async def _all(context: PassContext, entity: str, report: Report) -> list[EspoRecord]:
    rows: list[SpoiltRow] = []
    records = [record async for record in context.espo.list_all(entity, spoilt=rows)]
    for row in rows:
        report.unreadable.append(f"{entity} {row.id or '?'}: {row.error.message_for_people}")
    return records


async def _by_party(context: PassContext, entity: str, report: Report) -> dict[str, list[EspoRecord]]:
    found: dict[str, list[EspoRecord]] = {}
    for record in await _all(context, entity, report):
        found.setdefault(str(record.attributes.get("beteiligteId")), []).append(record)
    return found


async def _look_for_marks(
    context: PassContext, parties: Sequence[EspoRecord], erased: Erased, reported: Reported, report: Report
) -> None:
    """Find what the product created in Advoware and EspoCRM does not know, or knows twice; no erased person."""
    try:
        spoilt: list[AdvowareRow] = []
        found = await context.advoware.search_beteiligte(marks.MARK, spoilt)
        report.unreadable += [
            f"Advoware {row.attributes.get('betNr', '?')}: {row.error.message_for_people}" for row in spoilt
        ]
    except CapabilityMissing:
        report.notes.append(NO_SEARCH)
        return
    looked_for = (party for party in found if not erased.covers(betnr=party.bet_nr))
    by_id = marks.marked((party.bet_nr, party.bemerkung) for party in looked_for)
    report.doubled += marks.doubled(by_id)
    living = {record.id: _number(record) for record in parties}
    for betnr, espo_id in marks.strays(by_id, living):
        reason = (reported.absent if espo_id in living else reported.deleted).get(espo_id)
        if reason is None:
            report.only_advoware.append(betnr)
        else:
            report.only_advoware_explained[betnr] = reason


def _number(record: EspoRecord) -> int | None:
    betnr = record.attributes.get("betnr")
    return whole_number(betnr) or None


async def _compare_alone(
    context: PassContext,
    listed: EspoRecord,
    children: dict[str, dict[str, list[EspoRecord]]],
    reported: Reported,
    report: Report,
) -> None:
    """Compare one party; what cannot be read is named in the report, and the others are compared."""

    def blame(error: Exception) -> None:
        if concerns_all(error):
            raise error
        said = error.message_for_people if isinstance(error, ForeignSystemError) else UNEXPECTED
        report.unreadable.append(f"CBeteiligte {listed.id}: {said}")

    with isolated(f"reconcile {listed.id}", blame):
        await _compare_one(context, listed, children, reported, report)


async def _compare_one(
    context: PassContext,
    listed: EspoRecord,
    children: dict[str, dict[str, list[EspoRecord]]],
    reported: Reported,
    report: Report,
) -> None:
    betnr = _number(listed)
    espocrm, advoware = await both(
        context.espo.read("CBeteiligte", listed.id),
        context.advoware.read_beteiligter(betnr) if betnr else _nothing(),
    )
    if espocrm is None:
        return
    if advoware is None:
        reason = reported.absent.get(espocrm.id) or reported.refused.get((BETEILIGTE.name, espocrm.id))
        if reason is None:
            report.only_espocrm.append(espocrm.id)
        else:
            report.only_espocrm_explained[espocrm.id] = reason
        return
    for unusable in (*(row.error for rows in advoware.spoilt.values() for row in rows), *espocrm.unusable.values()):
        raise unusable  # what was set apart cannot be compared
    report.compared += 1
    whole = await _whole(context, advoware)
    today = context.clock.now().astimezone(context.zone).date()
    found = [
        *compare_party(espocrm.attributes, whole, changed_fields(context)),
        *compare_kommunikation(espocrm.attributes, whole),
        *compare_children(
            ADRESSEN, espocrm.attributes, _rows(children["CAdressen"], espocrm.id), whole["adressen"], today=today
        ),
        *compare_children(
            KONTEN,
            espocrm.attributes,
            _rows(children["CBankverbindungen"], espocrm.id),
            whole["bankverbindungen"],
            today=today,
            imports=context.rules.import_bank_accounts,
        ),
    ]
    report.differences += [replace(item, reason=reported.reason(item.told_by)) for item in found]
    if found:
        report.differing.add(espocrm.id)


def changed_fields(context: PassContext) -> Fields:
    """Return the fields of a party as the operator's changes leave them."""
    own = field_tables()["beteiligte"]
    return fields_of(own, context.table("beteiligte", own))


async def _whole(context: PassContext, advoware: Beteiligter) -> dict[str, Any]:
    """Return Advoware's JSON of a party with its children, which some installations do not embed."""
    whole = dict(advoware.raw)
    if advoware.adressen is None:
        whole["adressen"] = [row.raw for row in await context.advoware.list_adressen(advoware.bet_nr)]
    if advoware.bankverbindungen is None:
        whole["bankverbindungen"] = [row.raw for row in await context.advoware.list_bankverbindungen(advoware.bet_nr)]
    return whole


def _rows(children: dict[str, list[EspoRecord]], party: str) -> list[Json]:
    return [{**row.attributes, "id": row.id} for row in children.get(party, ())]


async def _nothing() -> None:
    return None
