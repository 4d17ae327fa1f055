"""Reads both sides as they are, for the comparison."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from vmh_sync.reconcile.compare import (
    Difference,
    compare_adressen,
    compare_kommunikation,
    compare_konten,
    compare_party,
)
from vmh_sync.runtime.context import PassContext
from vmh_sync.systems.espocrm.records import EspoRecord

OUR_TASKS = "Vorgang vmh-"
_SETTLED = frozenset({"Completed", "Canceled"})
AT_ONCE = 200


@dataclass(slots=True)
class Report:
    """What the comparison found. ``compared`` counts parties that both sides have."""

    compared: int = 0
    differing: set[str] = field(default_factory=set)
    differences: list[Difference] = field(default_factory=list)
    only_espocrm: list[str] = field(default_factory=list)
    only_advoware: list[int] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)

    @property
    def unexplained(self) -> list[Difference]:
        """The differences for which no task is open."""
        return [difference for difference in self.differences if not difference.explained]

    @property
    def agrees(self) -> bool:
        """Whether every party exists once on both sides and every difference is explained."""
        return not (self.unexplained or self.only_espocrm or self.only_advoware or self.doubled)

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        different = {difference.id for difference in self.unexplained}
        return {
            "compared": self.compared,
            "equal": self.compared - len(self.differing),
            "different": len(different),
            "explained": len(self.differing - different),
            "differences": [
                {"id": d.id, "betnr": d.betnr, "field": d.field, "why": d.why, "explained": d.explained}
                for d in self.differences
            ],
            "only_espocrm": self.only_espocrm,
            "only_advoware": self.only_advoware,
            "doubled": self.doubled,
        }


async def reconcile(context: PassContext) -> Report:
    """Read everything on both sides and compare it; nothing is written anywhere."""
    parties = [record async for record in context.espo.list_all("CBeteiligte")]
    children = {name: await _by_party(context, name) for name in ("CAdressen", "CBankverbindungen")}
    told = await _open_tasks(context)
    report = Report()
    numbers = Counter(record.attributes.get("betnr") for record in parties)
    report.doubled = [str(number) for number, count in numbers.items() if number is not None and count > 1]
    for start in range(0, len(parties), AT_ONCE):
        chunk = parties[start : start + AT_ONCE]
        await asyncio.gather(*(_compare_one(context, record, children, told, report) for record in chunk))
    report.differences.sort(key=lambda difference: (difference.betnr, difference.field))
    return report


async def _by_party(context: PassContext, entity: str) -> dict[str, list[EspoRecord]]:
    found: dict[str, list[EspoRecord]] = {}
    async for record in context.espo.list_all(entity):
        found.setdefault(str(record.attributes.get("beteiligteId")), []).append(record)
    return found


async def _open_tasks(context: PassContext) -> dict[str, list[str]]:
    """Return the texts of our open tasks by the id of the record they hang on."""
    found: dict[str, list[str]] = {}
    async for task in context.espo.list_all("Task"):
        text = f"{task.attributes.get('name')} {task.attributes.get('description')}"
        if OUR_TASKS in text and task.attributes.get("status") not in _SETTLED:
            found.setdefault(str(task.attributes.get("parentId")), []).append(text)
    return found


async def _compare_one(
    context: PassContext,
    listed: EspoRecord,
    children: dict[str, dict[str, list[EspoRecord]]],
    told: dict[str, list[str]],
    report: Report,
) -> None:
    betnr = listed.attributes.get("betnr")
    crm, office = await asyncio.gather(
        context.espo.read("CBeteiligte", listed.id),
        context.advoware.read_beteiligter(int(betnr)) if betnr else _nothing(),
    )
    if crm is None:
        return
    if office is None:
        if not told.get(crm.id):
            report.only_espocrm.append(crm.id)
        return
    report.compared += 1
    addresses = children["CAdressen"].get(crm.id, [])
    accounts = children["CBankverbindungen"].get(crm.id, [])
    there = dict(office.raw)
    if office.adressen is None:
        there["adressen"] = [row.raw for row in await context.advoware.list_adressen(office.bet_nr)]
    if office.bankverbindungen is None:
        there["bankverbindungen"] = [row.raw for row in await context.advoware.list_bankverbindungen(office.bet_nr)]
    here = crm.attributes
    found = [
        *compare_party(here, there),
        *compare_kommunikation(here, there),
        *compare_adressen(here, [row.attributes for row in addresses], there),
        *compare_konten(here, [row.attributes for row in accounts], there),
    ]
    texts = " ".join(
        text for key in (crm.id, *(row.id for row in (*addresses, *accounts))) for text in told.get(key, ())
    )
    report.differences += [replace(item, explained=item.label in texts) for item in found]
    if found:
        report.differing.add(crm.id)


async def _nothing() -> None:
    return None
