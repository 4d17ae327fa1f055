"""The nightly comparison of both sides, as checks of the assets with a table of what differs. It writes nothing."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from vmh_sync.engine.installation.people_links import PeopleLinks
from vmh_sync.engine.passes.opening import open_context
from vmh_sync.orchestration.entity_room import EntityRoom
from vmh_sync.orchestration.jobs.checks import check_result
from vmh_sync.orchestration.jobs.resources import opening_failures
from vmh_sync.orchestration.jobs.sentences import Stopped
from vmh_sync.overview.verdicts import KOMMUNIKATION, Row, Verdict
from vmh_sync.reconcile.difference import Difference
from vmh_sync.reconcile.read import Report, reconcile
from vmh_sync.sync.reporting.comparison import EntityComparison
from vmh_sync.systems.errors import ForeignSystemError

EQUAL = "gleichstand"
_CHILDREN = ("adressen", "bankverbindungen")
_COMMUNICATION = frozenset({"emailAddressData", "phoneNumberData"})
PARTIES = "beteiligte"
_COMPARED = (PARTIES, KOMMUNIKATION, *_CHILDREN)
_SAYS = "Beide Seiten sind gleich; was verschieden ist, erklärt eine offene Aufgabe. Jede Nacht verglichen."
_NO_TASK = "`vmh-sync sync beteiligte --id` mit dieser ID; bleibt es dabei, beide Seiten ansehen"


def make_comparison(rooms: Sequence[EntityRoom]) -> dg.AssetChecksDefinition:
    """Return the check ``gleichstand`` of all entities that can be compared, as one step: it reads both sides once."""
    own = {room.entity.name: room.compare for room in rooms if room.compare is not None}

    @dg.multi_asset_check(
        name="vergleichen",
        specs=[dg.AssetCheckSpec(EQUAL, asset=name, description=_SAYS) for name in (*_COMPARED, *own)],
    )
    def vergleichen(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        async def compare() -> Report:
            async with open_context(context.run.run_id) as opened:
                report = await reconcile(opened)
                for name, ask in own.items():
                    report.entities[name] = await ask(opened)
                return report

        try:
            with opening_failures():
                report = asyncio.run(compare())
        except ForeignSystemError as problem:
            raise Stopped(problem.message_for_people, allow_retries=True) from problem
        for name, verdict in comparison_verdicts(report, PeopleLinks.read()).items():
            yield check_result(name, verdict)

    return vergleichen


def comparison_verdicts(report: Report, links: PeopleLinks) -> dict[str, Verdict]:
    """Judge the comparison per entity. Pure; ids, field names and reasons only."""
    found = {name: _compared(name, report, links) for name in _COMPARED}
    return found | {name: _own(name, one, links) for name, one in report.entities.items()}


def _compared(name: str, report: Report, links: PeopleLinks) -> Verdict:
    differences = [one for one in report.differences if _entity_of(one) == name]
    rows = [_row(one, links) for one in sorted(differences, key=lambda one: one.explained)]
    wrong = sum(not one.explained for one in differences)
    numbers: dict[str, int | float] = {
        "verglichen": report.compared,
        "verschieden ohne Aufgabe": wrong,
        "verschieden mit Aufgabe": len(differences) - wrong,
    }
    if name == PARTIES:
        rows += _missing(report, links)
        lacking = {
            "nur in EspoCRM": len(report.only_espocrm),
            "nur in Advoware": len(report.only_advoware),
            "doppelt": len(report.doubled),
            "nicht lesbar": len(report.unreadable),
        }
        numbers |= lacking
        wrong += sum(lacking.values())
    return _verdict(wrong, numbers, rows)


def _verdict(wrong: int, numbers: Mapping[str, int | float], rows: Sequence[Row]) -> Verdict:
    text = "Beide Seiten sind gleich, oder eine Aufgabe erklärt den Unterschied."
    if wrong:
        text = f"{wrong} Unterschiede ohne Aufgabe; die Tabelle nennt Datensatz, Feld und nächsten Schritt."
    return Verdict(EQUAL, passed=not wrong, text=text, grave=True, numbers=numbers, rows=rows)


def _entity_of(one: Difference) -> str:
    head = one.field.partition(".")[0]
    if head in _CHILDREN:
        return head
    return KOMMUNIKATION if head in _COMMUNICATION else PARTIES


def _row(one: Difference, links: PeopleLinks) -> Row:
    return {
        "Datensatz": one.id,
        "betnr": one.betnr,
        "Feld": one.label,
        "Warum": one.reason.why if one.reason else one.why,
        "Nächster Schritt": one.reason.next_step if one.reason else _NO_TASK,
        "EspoCRM": links.record(PARTIES, one.id) or "",
        "Advoware": links.party(one.betnr) or "",
    }


def _missing(report: Report, links: PeopleLinks) -> list[Row]:
    def row(espo_id: str, betnr: int, why: str, step: str) -> Row:
        link = links.record(PARTIES, espo_id) if espo_id else None
        return {
            "Datensatz": espo_id,
            "betnr": betnr,
            "Feld": "",
            "Warum": why,
            "Nächster Schritt": step,
            "EspoCRM": link or "",
            "Advoware": links.party(betnr) or "",
        }

    return [
        *(row(id_, 0, "nur in EspoCRM", _NO_TASK) for id_ in report.only_espocrm),
        *(row("", betnr, "nur in Advoware", "prüfen, ob er in EspoCRM fehlt") for betnr in report.only_advoware),
        *(row(one, 0, "doppelt", "prüfen, welcher der richtige ist") for one in report.doubled),
        *(row("", 0, one, "den Datensatz ansehen") for one in report.unreadable),
    ]


def _own(name: str, found: EntityComparison, links: PeopleLinks) -> Verdict:
    rows: list[Row] = [
        {
            "Datensatz": one.id,
            "Schlüssel": one.key,
            "Feld": one.field,
            "Warum": one.why,
            "Nächster Schritt": f"`vmh-sync sync {name} --id {one.id}`",
            "EspoCRM": links.record(name, one.id) or "",
        }
        for one in found.differences
    ]
    numbers = {
        "verglichen": found.compared,
        "verschieden ohne Aufgabe": len(found.differences),
        "nur in EspoCRM": len(found.only_espocrm),
        "nur in Advoware": len(found.only_advoware),
    }
    return _verdict(sum(list(numbers.values())[1:]), numbers, rows)
