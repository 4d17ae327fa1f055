"""What became of each record of a pass, and of the pass as a whole. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from vmh_sync.sync.planning.plan import Finding, RecordPlan


class Result(StrEnum):
    """How a record ended."""

    SYNCED = "synced"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """How one record ended; texts are German and free of personal values."""

    id: str
    result: Result
    betnr: int | None = None
    error: str | None = None
    error_class: str | None = None
    part: str | None = None
    retryable: bool = True
    later: bool = False  # nothing was decided: somebody else has the record, or it may not be written yet
    concerns_all: bool = False  # the fault lies with a system or a setting: no record is to be blamed
    advoware_writes: int = 0
    espocrm_writes: int = 0
    google_writes: int = 0
    conflicts: int = 0
    findings: tuple[Finding, ...] = ()
    different: tuple[str, ...] = ()  # fields in which both sides stay apart, each with an open task
    plans: tuple[RecordPlan, ...] = ()  # what would be done, in a dry run
    replanned: bool = False  # something moved before it was written: another plan was carried out than was shown
    edited_at: datetime | None = None  # when a person made the change that was written, as its system says


@dataclass(slots=True)
class PassSummary:
    """The counts of a pass (specification, design.md 5, ``--json``)."""

    records: int = 0
    results: dict[Result, int] = field(default_factory=lambda: dict.fromkeys(Result, 0))
    writes: dict[str, int] = field(default_factory=lambda: {"advoware": 0, "espocrm": 0, "google": 0})
    conflicts: int = 0
    different: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)
    skipped: list[dict[str, str]] = field(default_factory=list)  # those that say why

    def add(self, outcomes: Iterable[RecordOutcome]) -> "PassSummary":
        """Count more outcomes in; returns itself."""
        for outcome in outcomes:
            self.records += 1
            self.results[outcome.result] += 1
            self.writes["advoware"] += outcome.advoware_writes
            self.writes["espocrm"] += outcome.espocrm_writes
            self.writes["google"] += outcome.google_writes
            self.conflicts += outcome.conflicts
            self.different += bool(outcome.different)
            if outcome.result is Result.FAILED:
                self.failures.append({"id": outcome.id, "error": outcome.error or "unbekannter Fehler"})
            elif outcome.result is Result.SKIPPED and outcome.error:
                self.skipped.append({"id": outcome.id, "reason": outcome.error})
        return self

    def merge(self, other: "PassSummary") -> "PassSummary":
        """Count another pass in; returns itself."""
        self.records += other.records
        self.results.update(other.results)
        for system, count in other.writes.items():
            self.writes[system] += count
        self.conflicts += other.conflicts
        self.different += other.different
        self.failures += other.failures
        self.skipped += other.skipped
        return self

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return {
            "records": self.records,
            **{str(result): count for result, count in self.results.items()},
            "writes": dict(self.writes),
            "conflicts": self.conflicts,
            "different": self.different,
            "failures": self.failures,
        }


LONGEST_LATENCY = 86_400.0
"""Older edits were no edits just now: the first load, or a backlog, which the age of what waits shows."""


def edit_to_write(outcomes: Iterable[RecordOutcome], now: datetime) -> float | None:
    """Return the longest time in seconds from a person's edit until it was written; ``None`` when nothing was."""
    ages = [(now - one.edited_at).total_seconds() for one in outcomes if one.edited_at and one.result is Result.SYNCED]
    return max((age for age in ages if 0 <= age <= LONGEST_LATENCY), default=None)


def different_lines(outcomes: Iterable[RecordOutcome]) -> list[str]:
    """Return one line per record whose sides stay apart: they are neither equal nor to be written."""
    return [
        f"{outcome.id}: verschieden, Aufgabe offen ({', '.join(outcome.different)})"
        for outcome in outcomes
        if outcome.different
    ]


def nothing_planned(outcomes: Iterable[RecordOutcome]) -> str:
    """Return the sentence of a dry run without a step; of what could not be read it claims nothing."""
    if any(outcome.result is Result.FAILED for outcome in outcomes):
        return "Nichts geplant: Was gelesen werden konnte, stimmt überein."
    return "Nichts zu tun: Beide Seiten stimmen überein."
