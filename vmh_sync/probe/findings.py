"""What a probe writes down: what is assumed, the verdicts, and the calls with their answers as they came."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from vmh_sync.clock import Clock
from vmh_sync.probe.recording import Exchange

CLOCK_TOLERANCE = timedelta(minutes=15)


class Verdict(StrEnum):
    """What a try has shown."""

    CONFIRMED = "bestätigt"
    REFUTED = "widerlegt"
    NOT_TRIED = "nicht geprüft"


class Effect(StrEnum):
    """What a refuted assumption does."""

    NONE = "none"
    """Both ways are handled; nothing follows."""
    ADAPTS = "adapts"
    """The passes behave otherwise from now on."""
    STOPS = "stops"
    """No pass runs until it is put right: to go on would be a guess."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """One assumption: its key, what it says, and what follows if it is refuted (both German, for the operator)."""

    key: str
    says: str
    follows: str
    effect: Effect = Effect.NONE


@dataclass(frozen=True, slots=True)
class Finding:
    """What a try of one assumption has shown; ``detail`` names fields, forms and codes, never a value."""

    key: str
    verdict: Verdict
    detail: str = ""
    fields: tuple[str, ...] = ()
    """The JSON names of the fields that are concerned, where the assumption is about fields."""
    number: float | None = None
    """What was measured, where the assumption is about a number."""


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

    def clock(self, key: str, field: str, told: datetime | None, clock: Clock) -> None:
        """Note whether a moment that a system has just written in ``field`` is right, as far as clocks may differ."""
        if told is None:
            self.found(key, False, f"{field} nennt keine Zeit")
            return
        ahead = told - clock.now()
        minutes = round(ahead.total_seconds() / 60)
        self.found(key, abs(ahead) <= CLOCK_TOLERANCE, f"Abstand zu unserer Uhr: {minutes} Minuten")

    def rest_not_tried(self, assumptions: Iterable[Assumption], why: str) -> None:
        """Note of every assumption without a verdict that it was not tried."""
        tried = {finding.key for finding in self.findings}
        for assumption in assumptions:
            if assumption.key not in tried:
                self.not_tried(assumption.key, why)


@dataclass(slots=True)
class Probed:
    """What was found out, what was said, and what is left behind (German)."""

    findings: list[Finding]
    exchanges: list[Exchange]
    left: list[str] = field(default_factory=list)
    not_put_back: tuple[str, ...] = ()
    """Fields of the scratch party that could not be put back."""
    own_words: frozenset[str] = frozenset()
    """What of this probe a recording may show as it is."""
