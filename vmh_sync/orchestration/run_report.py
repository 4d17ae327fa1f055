"""What a run tells about itself in the Dagster UI: counts, and a table of outcomes. No personal values."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from vmh_sync.sync.outcome import PassSummary, RecordOutcome, Result, different_lines
from vmh_sync.sync.plan import FieldChange, RecordPlan
from vmh_sync.sync.reported_text import encodable

ROWS = 200
"""Rows of the outcome table; failures come first."""

_ORDER = {Result.FAILED: 0, Result.SYNCED: 1, Result.SKIPPED: 2, Result.UNCHANGED: 3}


def outcome_metadata(outcomes: Sequence[RecordOutcome], *, seconds: float, calls: dict[str, int]) -> dict[str, Any]:
    """Return the metadata of a run's write step."""
    summary = PassSummary().add(outcomes)
    rows = sorted(outcomes, key=lambda outcome: _ORDER[outcome.result])[:ROWS]
    return {
        "records": summary.records,
        **{str(result): count for result, count in summary.results.items()},
        "conflicts": summary.conflicts,
        "different": summary.different,
        "writes_advoware": summary.writes["advoware"],
        "writes_espocrm": summary.writes["espocrm"],
        "seconds": round(seconds, 2),
        "calls": dg.MetadataValue.json(calls),
        "outcomes": dg.MetadataValue.table(
            records=[dg.TableRecord(_row(outcome)) for outcome in rows],
            schema=dg.TableSchema(columns=[dg.TableColumn(name) for name in _row(_EMPTY)]),
        ),
    }


_EMPTY = RecordOutcome("", Result.UNCHANGED)


def _row(outcome: RecordOutcome) -> dict[str, str | int]:
    return {
        "id": outcome.id,
        "betnr": outcome.betnr or 0,
        "ergebnis": str(outcome.result),
        "fehler": encodable(outcome.error or ""),
        "klasse": outcome.error_class or "",
        "verschieden": ", ".join(outcome.different),
        "hinweise": encodable("; ".join(finding.message for finding in outcome.findings)),
    }


def plan_markdown(outcomes: Sequence[RecordOutcome], *, show_values: bool) -> str:
    """Return a dry run's plan as a Markdown table; values only when asked for."""
    lines = ["| Datensatz | Ziel | Was | Felder |", "|---|---|---|---|"]
    for outcome in outcomes:
        for plan in outcome.plans:
            lines += _plan_lines(outcome.id, plan, show_values)
    apart = different_lines(outcomes)
    if len(lines) == 2:
        return "\n".join(apart) or "Nichts zu tun: Beide Seiten stimmen überein."
    return "\n".join([*lines, "", *apart] if apart else lines)


def _plan_lines(record_id: str, plan: RecordPlan, show_values: bool) -> list[str]:
    lines = [
        f"| {record_id} | {operation.side} {operation.entity} {operation.key or '(neu)'} | {operation.action} "
        f"({operation.reason}) | {', '.join(_change(change, show_values) for change in operation.changes)} |"
        for operation in plan.operations
    ]
    lines += [f"| {record_id} | Aufgabe | {task.kind} | {', '.join(task.fields)} |" for task in plan.tasks]
    return lines


def _change(change: FieldChange, show_values: bool) -> str:
    return encodable(f"{change.field}: {change.old!r} → {change.new!r}") if show_values else change.field
