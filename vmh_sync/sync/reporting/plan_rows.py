"""What is planned as plain data, one row for each operation and task. Pure."""

from collections.abc import Sequence

from vmh_sync.sync.reporting.outcome import RecordOutcome


def plan_rows(outcomes: Sequence[RecordOutcome], *, show_values: bool) -> list[dict[str, object]]:
    """Return a dry run's plan as plain data; values only when asked for."""
    rows: list[dict[str, object]] = []
    for outcome in outcomes:
        for plan in outcome.plans:
            for operation in plan.operations:
                row: dict[str, object] = {
                    "id": outcome.id,
                    "side": str(operation.side),
                    "entity": operation.entity,
                    "key": operation.key,
                    "action": str(operation.action),
                    "reason": operation.why,
                    "fields": [change.field for change in operation.changes],
                }
                if show_values:
                    row["changes"] = [
                        {"field": change.field, "old": change.old, "new": change.new} for change in operation.changes
                    ]
                rows.append(row)
            rows += [
                {"id": outcome.id, "action": "open_task", "kind": str(task.kind), "fields": list(task.fields)}
                for task in plan.tasks
            ]
    return rows
