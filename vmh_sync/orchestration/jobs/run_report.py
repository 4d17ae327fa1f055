"""What a run tells about itself in the Dagster UI: a warning first, counts, the records, what was changed in them.

German, for people; no personal values unless a person asked for them (``show_values``).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from vmh_sync.engine.installation.people_links import PeopleLinks
from vmh_sync.store.history.audit import Change
from vmh_sync.sync.reporting.outcome import PassSummary, RecordOutcome, Result, different_lines, nothing_planned
from vmh_sync.sync.reporting.plan_in_words import in_words
from vmh_sync.sync.reporting.plan_rows import plan_rows
from vmh_sync.sync.reporting.reported_text import encodable
from vmh_sync.sync.reporting.words_de import CHANGES, RESULTS, SIDES, reason_in_words, word

ROWS = 200
"""Rows of a table; failures come first."""
LINKED = 20
"""Records that get a link of their own."""
WARNING_TAG = "vmh/achtung"
"""What is not right in a run that went through, in a few words."""

_ORDER = {Result.FAILED: 0, Result.SYNCED: 1, Result.SKIPPED: 2, Result.UNCHANGED: 3}


def table(rows: Sequence[Mapping[str, str | int]], columns: Iterable[str]) -> dg.TableMetadataValue:
    """Return a table that Dagster shows in the page itself, without a click; appointments have no betnr to show."""
    if not any(row.get("betnr") for row in rows):
        rows = [{name: value for name, value in row.items() if name != "betnr"} for row in rows]
        columns = [name for name in columns if name != "betnr"]
    return dg.MetadataValue.table(
        records=[dg.TableRecord(dict(row)) for row in rows[:ROWS]],
        schema=dg.TableSchema(columns=[dg.TableColumn(name) for name in columns]),
    )


def outcome_metadata(
    outcomes: Sequence[RecordOutcome], *, seconds: float, calls: Mapping[str, int], entity: str
) -> dict[str, Any]:
    """Return the metadata of a run's write step: what needs a person first."""
    summary = PassSummary().add(outcomes)
    warning = warning_of(summary)
    replanned = sum(outcome.replanned for outcome in outcomes)
    written = {f"geschrieben nach {word(SIDES, side)}": count for side, count in summary.writes.items() if count}
    return {
        **({"Achtung": warning} if warning else {}),
        "Datensätze": summary.records,
        **{word(RESULTS, str(result)): count for result, count in summary.results.items()},
        "Konflikte": summary.conflicts,
        "verschieden mit Aufgabe": summary.different,
        **({"anders geplant als gezeigt": replanned} if replanned else {}),
        **written,
        "Dauer (s)": round(seconds, 2),
        **{f"Aufrufe {word(SIDES, name)}": count for name, count in sorted(calls.items())},
        "Ergebnisse": table([_row(outcome) for outcome in _failures_first(outcomes)], _row(_EMPTY)),
        **_links(entity, outcomes),
    }


def warning_of(summary: PassSummary) -> str | None:
    """Return what is not right although the run went through, in a few words; ``None`` when all is well."""
    said = [
        f"{count} {name}"
        for count, name in (
            (summary.results[Result.FAILED], "fehlgeschlagen"),
            (summary.different, "verschieden mit Aufgabe"),
        )
        if count
    ]
    return ", ".join(said) or None


def warn(context: dg.OpExecutionContext | dg.AssetExecutionContext, summary: PassSummary) -> None:
    """Mark a run that went through although not all is well: a tag in the list of runs, and a warning in its log.

    The run itself stays a success. Dagster has no third colour for runs, and red means "this has to be done again":
    it would be retried and reported, while each failed record has a retry, a status and a reason of its own. What is
    wrong with the data is said as Dagster says it of data: by checks of the asset.
    """
    warning = warning_of(summary)
    if warning:
        context.instance.add_run_tags(context.run.run_id, {WARNING_TAG: warning})
        context.log.warning("Nicht alles in Ordnung: %s.", warning)


def _failures_first(outcomes: Sequence[RecordOutcome]) -> list[RecordOutcome]:
    return sorted(outcomes, key=lambda outcome: (_ORDER[outcome.result], not outcome.different))


_EMPTY = RecordOutcome("", Result.UNCHANGED)


def _row(outcome: RecordOutcome) -> dict[str, str | int]:
    return {
        "Datensatz": outcome.id,
        "betnr": outcome.betnr or 0,
        "Ergebnis": word(RESULTS, str(outcome.result)),
        "Grund": encodable(outcome.error or ("Probelauf: siehe Plan" if outcome.plans else "")),
        "Fehlerart": outcome.error_class or "",
        "verschieden": ", ".join(outcome.different),
        "Hinweise": encodable("; ".join(finding.message for finding in outcome.findings)),
    }


def _links(entity: str, outcomes: Sequence[RecordOutcome]) -> dict[str, Any]:
    """Links into both systems, for the records that a person may want to look at."""
    links = PeopleLinks.read()
    worth = [one for one in _failures_first(outcomes) if one.result is not Result.UNCHANGED or one.different]
    found: dict[str, Any] = {}
    for one in worth[:LINKED]:
        if address := links.record(entity, one.id):
            found[f"EspoCRM {one.id}"] = dg.MetadataValue.url(address)
        if address := links.party(one.betnr):
            found[f"Advoware {one.betnr}"] = dg.MetadataValue.url(address)
    return found


def changes_metadata(changes: Sequence[Change], *, show_values: bool) -> dict[str, Any]:
    """Return what a run changed, field by field and why, as our audit log says; values only when asked for."""
    if not changes:
        return {}
    rows = [_changed(change, show_values) for change in changes[:ROWS]]
    more = {"weitere Änderungen": len(changes) - ROWS} if len(changes) > ROWS else {}
    return {"Änderungen": table(rows, rows[0]), **more}


def _changed(change: Change, show_values: bool) -> dict[str, str | int]:
    row: dict[str, str | int] = {
        "Datensatz": change.espo_id or "",
        "betnr": change.betnr or 0,
        "Bereich": change.entity,
        "Feld": change.field or "",
        "Was": word(CHANGES, change.kind),
        "geschrieben in": word(SIDES, change.side_written),
        "Warum": encodable(reason_in_words(change.reason)),
    }
    if show_values:
        row |= {"alt": encodable(repr(change.old)), "neu": encodable(repr(change.new))}
    return row


def plan_metadata(outcomes: Sequence[RecordOutcome], *, show_values: bool) -> dict[str, Any]:
    """Return a dry run's plan, to stand before everything else; values only when asked for."""
    rows = plan_table(outcomes, show_values=show_values)
    apart = different_lines(outcomes)
    told = {
        "Probelauf": f"{len(rows)} Schritte geplant; es wurde nichts verändert." if rows else nothing_planned(outcomes)
    }
    if apart:
        told["Probelauf"] = f"{len(rows)} Schritte geplant, {len(apart)} verschieden mit Aufgabe."
        told["verschieden"] = "; ".join(apart[:ROWS])
    return {**told, **({"Plan": table(rows, rows[0])} if rows else {})}


def plan_table(outcomes: Sequence[RecordOutcome], *, show_values: bool) -> list[dict[str, str | int]]:
    """Return one row for each operation and task that is planned."""
    return [_planned(one, row) for one in outcomes for row in plan_rows([one], show_values=show_values)]


def _planned(outcome: RecordOutcome, row: Mapping[str, Any]) -> dict[str, str | int]:
    where, what, why, fields = map(encodable, in_words(row))
    record: dict[str, str | int] = {"Datensatz": outcome.id, "betnr": outcome.betnr or 0}
    return record | {"Ziel": where, "Was": what, "Felder": fields, "Warum": why}


_SOURCES = {
    "webhook": "Webhook von EspoCRM",
    "watch": "vom Beobachter in EspoCRM gefunden",
    "sensor": "beim Nachsehen in EspoCRM gefunden",
    "due": "fällige Wiederholung",
    "rolling": "laufende Prüfung in Advoware",
    "all": "alle angefordert",
    "dirty": "als geändert gemeldet",
    "failed": "fehlerhafte angefordert",
}
_RUNG = {"create": "angelegt", "update": "geändert", "delete": "gelöscht", "dirty": "geändert"}


def rang_text(rang: Counter[tuple[str, str]]) -> str:
    """Return what called a run, for people: how many events of which source."""
    return ", ".join(
        f"{count} × {_SOURCES.get(source, source)}" + (f" ({_RUNG[action]})" if action in _RUNG else "")
        for (source, action), count in rang.most_common()
    )
