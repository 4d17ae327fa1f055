"""What the tests of situations share: sides that are settled, and what a pass did."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from vmh_sync.kalender.decision.operations import FindingKind
from vmh_sync.kalender.decision.reads import GoogleRead
from vmh_sync.kalender.model import CalendarRules, Strategy
from vmh_sync_tests.property.kalender.simulated_sides import OPEN_RULES, Sides

PROTECTED = CalendarRules()


def names(operations: Iterable[object]) -> list[str]:
    return [type(operation).__name__ for operation in operations]


def run(sides: Sides) -> list[str]:
    return names(sides.run().operations)


def linked(rules: CalendarRules = OPEN_RULES, read: GoogleRead = GoogleRead.FULL, **fields: object) -> Sides:
    """One Termin, already in Google and settled."""
    sides = Sides(rules)
    given = {"text": "Verhandlung", "uhrzeit_von": "10:30:00", "uhrzeit_bis": "11:30:00", "datum_bis": "2026-06-01"}
    sides.put_termin(1, **{**given, **fields})
    assert run(sides) == ["InsertGoogle"]
    sides.read = read
    assert run(sides) == []
    return sides


def from_google(strategy: Strategy = Strategy.SOURCE_SYSTEM_WINS, **fields: object) -> tuple[Sides, int]:
    """One event made in Google, already in Advoware and settled."""
    sides = Sides(replace(OPEN_RULES, default_strategy=strategy))
    sides.put_event("g1", summary="Mittagessen", **fields)
    assert run(sides) == ["CreateAdvoware"]
    (fr_nr,) = sides.termine
    sides.pairs[fr_nr] = replace(sides.pairs[fr_nr], strategy=strategy)
    assert run(sides) == []
    return sides, fr_nr


def kinds(sides: Sides) -> list[FindingKind]:
    return [finding.kind for finding in sides.findings]


BOTH_READS = pytest.mark.parametrize("read", [GoogleRead.FULL, GoogleRead.DELTA])
