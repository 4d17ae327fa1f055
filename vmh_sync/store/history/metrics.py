"""Numbers for the metrics page: what each pass did, and totals that only grow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select

from vmh_sync.store.models import CallCountRow, OutcomeTotalRow, PassRow
from vmh_sync.store.repository import Repository, columns_of, replacing, table_of, values_of

_PASSES = table_of(PassRow)
_TOTALS = table_of(OutcomeTotalRow)
_CALLS = table_of(CallCountRow)
_RECORD = replacing(_PASSES, "run_id", "entity")


@dataclass(frozen=True, slots=True, kw_only=True)
class PassSummary:
    """What one run did for one entity: ``counts`` per outcome (for example ``synced``), ``calls`` per system."""

    run_id: str
    entity: str
    trigger: str
    started_at: datetime
    finished_at: datetime | None = None
    counts: dict[str, int] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)


class CallKey(NamedTuple):
    """Which foreign calls are counted together; ``route`` is a pattern without ids, ``status_class`` like ``2xx``."""

    system: str
    method: str
    route: str
    status_class: str


class Passes(Repository):
    """Summaries per run and totals per outcome."""

    def record(self, summary: PassSummary) -> None:
        """Store a summary. Storing the same run and entity again replaces it; the totals grow by the difference."""
        key = (PassRow.run_id == summary.run_id, PassRow.entity == summary.entity)
        before = self._connection.execute(select(PassRow.counts).where(*key)).scalar_one_or_none() or {}
        _RECORD.changed(self._connection, values_of(summary))
        for outcome in sorted(before.keys() | summary.counts.keys()):
            delta = summary.counts.get(outcome, 0) - before.get(outcome, 0)
            add = self._insert(_TOTALS).values(entity=summary.entity, outcome=outcome, n=delta)
            self._connection.execute(
                add.on_conflict_do_update(
                    index_elements=["entity", "outcome"], set_={"n": _TOTALS.c.n + add.excluded["n"]}
                )
            )

    def recent(self, entity: str, limit: int = 20) -> list[PassSummary]:
        """Return the last summaries of an entity, newest first."""
        statement = (
            select(*columns_of(PassRow))
            .where(PassRow.entity == entity)
            .order_by(PassRow.started_at.desc(), PassRow.run_id)
            .limit(limit)
        )
        return [PassSummary(**row._asdict()) for row in self._connection.execute(statement)]

    def totals(self) -> dict[tuple[str, str], int]:
        """Return the number of records per (entity, outcome) since the database exists."""
        rows = self._connection.execute(select(OutcomeTotalRow.entity, OutcomeTotalRow.outcome, OutcomeTotalRow.n))
        return {(entity, outcome): n for entity, outcome, n in rows}

    def purge(self, before: datetime) -> int:
        """Delete summaries of runs started before ``before``; the totals stay. Returns the number deleted."""
        return self._connection.execute(delete(_PASSES).where(_PASSES.c.started_at < before)).rowcount


class CallCounts(Repository):
    """Foreign calls since the database exists."""

    def add(self, deltas: Mapping[CallKey, int]) -> None:
        """Add to the counters, all in one statement."""
        if not deltas:
            return
        rows = [{**key._asdict(), "n": deltas[key]} for key in sorted(deltas)]
        statement = self._insert(_CALLS).values(rows)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=list(CallKey._fields), set_={"n": _CALLS.c.n + statement.excluded["n"]}
            )
        )

    def read(self) -> dict[CallKey, int]:
        """Return all counters."""
        rows = self._connection.execute(select(*columns_of(CallCountRow)))
        return {CallKey(row.system, row.method, row.route, row.status_class): row.n for row in rows}
