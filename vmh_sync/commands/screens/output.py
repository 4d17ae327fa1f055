"""What commands print: tables for people, one JSON object for programs, errors on stderr."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console

from vmh_sync.clock import FIRM_ZONE
from vmh_sync.commands.screens.screen import print_rows, print_some, screen, sentences
from vmh_sync.sync.reporting.plan_in_words import HEADINGS, in_words
from vmh_sync.sync.reporting.words_de import SIDES

if TYPE_CHECKING:  # brings the canonical values along, and phone numbers with them: not for --help
    from vmh_sync.sync.reporting.outcome import PassSummary, RecordOutcome

RECORDS_FAILED = 3
PASS_FAILED = 1
SHOWN_FAILURES = 20
_YES = ("j", "ja", "y", "yes")


def fail(message: str, *, code: int = PASS_FAILED) -> NoReturn:
    """Print ``message`` on stderr and end the process with ``code``."""
    if message:
        sys.stderr.write(f"{message}\n")
    raise SystemExit(code)


def ask(question: str, otherwise: str) -> None:
    """Ask a person; ends the process with ``otherwise`` unless the answer is yes."""
    sys.stdout.write(f"{question} [j/N]: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().casefold() not in _YES:
        fail(otherwise)


def fail_pass(reason: str, *, as_json: bool, code: int = PASS_FAILED) -> NoReturn:
    """End the process because the pass itself failed; programs get the reason as a JSON object too."""
    if as_json:
        print_json({"error": reason})
    fail(reason, code=code)


def print_json(value: object) -> None:
    """Print one JSON object on one line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def print_summary(entity: str, summary: "PassSummary") -> None:
    """Print a pass in two lines, failures below them."""
    from vmh_sync.sync.reporting.outcome import Result

    console = sentences()
    results = summary.results
    console.print(
        f"Abgleich {entity}: {_records(summary)}: {results[Result.SYNCED]} abgeglichen, "
        f"{results[Result.UNCHANGED]} unverändert, {results[Result.SKIPPED]} übersprungen, "
        f"{results[Result.FAILED]} fehlerhaft, {summary.conflicts} Konflikte{_different(summary)}."
    )
    console.print("  geschrieben: " + ", ".join(f"{SIDES[side]} {count}" for side, count in summary.writes.items()))
    _print_failures(console, summary)


def print_dry_summary(entity: str, summary: "PassSummary", planned: int) -> None:
    """Print what a dry run found in one line, failures below it; ``planned`` is how many records would be changed.

    The counts of the pass do not say it: parties that would be changed count as skipped, appointments as synced.
    """
    from vmh_sync.sync.reporting.outcome import Result

    console = sentences()
    console.print(
        f"Probelauf {entity}: {_records(summary)} angesehen, {planned} zu ändern, "
        f"{summary.results[Result.FAILED]} fehlerhaft{_different(summary)}. Es wurde nichts geschrieben."
    )
    _print_failures(console, summary)


def _different(summary: "PassSummary") -> str:
    return f", {summary.different} verschieden (Aufgabe offen)" if summary.different else ""


def _records(summary: "PassSummary") -> str:
    return "1 Datensatz" if summary.records == 1 else f"{summary.records} Datensätze"


def _print_failures(console: Console, summary: "PassSummary") -> None:
    _print_reasons(console, [(one["id"], one["error"]) for one in summary.failures])


def print_skipped(summary: "PassSummary") -> None:
    """Print why records were left alone, where a pass of calendars has notes of its own."""
    _print_reasons(sentences(), [(one["id"], one["reason"]) for one in summary.skipped])


def _print_reasons(console: Console, reasons: Sequence[tuple[str, str]]) -> None:
    print_some(console, [f"{record}: {reason}" for record, reason in reasons], SHOWN_FAILURES)


def firm_time(at: datetime) -> str:
    """Return a moment as the firm's clocks show it."""
    return at.astimezone(FIRM_ZONE).strftime("%d.%m.%Y %H:%M:%S")


def print_plan(outcomes: Sequence["RecordOutcome"], *, show_values: bool) -> None:
    """Print a dry run's plan as a table."""
    from vmh_sync.sync.reporting.outcome import different_lines, nothing_planned
    from vmh_sync.sync.reporting.plan_rows import plan_rows

    console = screen()
    rows = plan_rows(outcomes, show_values=show_values)
    apart = different_lines(outcomes)
    for line in apart:
        console.print(line, soft_wrap=True)
    if not rows:
        if not apart:
            console.print(nothing_planned(outcomes))
        return
    cells = [(str(row["id"]), *in_words(row)) for row in rows]
    print_rows(console, "Plan (es wurde nichts geschrieben)", HEADINGS, cells)
