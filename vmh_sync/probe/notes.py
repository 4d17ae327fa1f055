"""What a probe writes down: the verdicts, and the calls with their answers as they came."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from vmh_sync.probe.assumptions import Assumption, Finding, Verdict
from vmh_sync.probe.recording import Exchange


@dataclass(slots=True, kw_only=True)
class Notes:
    """Verdicts and calls of the probe of one system."""

    exchanges: list[Exchange] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def found(
        self, key: str, right: bool, detail: str = "", fields: tuple[str, ...] = (), number: float | None = None
    ) -> None:
        """Note a verdict."""
        verdict = Verdict.CONFIRMED if right else Verdict.REFUTED
        self.findings.append(Finding(key, verdict, detail, fields, number))

    def not_tried(self, key: str, why: str) -> None:
        """Note that something could not be tried."""
        self.findings.append(Finding(key, Verdict.NOT_TRIED, why))

    def fields(self, key: str, wrong: tuple[str, ...], what: str) -> None:
        """Note a verdict about fields: refuted if some are concerned."""
        self.found(key, not wrong, f"{what}: {', '.join(wrong)}" if wrong else "", wrong)

    def rest_not_tried(self, assumptions: Iterable[Assumption], why: str) -> None:
        """Note of every assumption without a verdict that it was not tried."""
        tried = {finding.key for finding in self.findings}
        for assumption in assumptions:
            if assumption.key not in tried:
                self.not_tried(assumption.key, why)
