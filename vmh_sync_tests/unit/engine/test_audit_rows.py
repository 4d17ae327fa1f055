"""Losers in the audit log, for every entity alike (specification, sync-semantics.md 7)."""

import pytest

from vmh_sync.engine.writing.audit_rows import Audited, append_losers
from vmh_sync.store.history.audit import Change, ChangeKind
from vmh_sync.store.store import Store
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import FieldChange, TaskKind, TaskWanted

NAME = FieldChange("name", "Alt", "Neu", "conflict", losing="Alt")
TITLE = FieldChange("titel", "Dr.", "Prof.", "first_contact", losing="Dr.")


def rows(*conflicts: FieldChange, entity: str = "beteiligte", run_id: str = "one") -> list[Change]:
    return Audited(entity, "a1", 7, run_id).losers(conflicts, [NAME])


def kept(store: Store) -> list[tuple[str, str | None, str | None]]:
    with store.reading() as tx:
        return [(row.entity, row.field, row.run_id) for row in reversed(tx.audit.for_record("a1"))]


def lose(store: Store, some: list[Change]) -> None:
    with store.transaction() as tx:
        append_losers(tx, "a1", some)


def test_what_loses_is_named_with_its_side_and_why() -> None:
    (name, title) = rows(NAME, TITLE)
    assert (name.kind, name.losing_side, name.losing_value) == ("conflict", "advoware", "Alt")
    assert (title.kind, title.losing_side, title.losing_value) == ("first_contact", "espocrm", "Dr.")


def test_a_pass_that_runs_again_after_a_crash_says_it_once(store: Store) -> None:
    lose(store, rows(NAME))
    lose(store, rows(NAME, TITLE, run_id="two"))
    assert kept(store) == [("beteiligte", "name", "one"), ("beteiligte", "titel", "two")]


@pytest.mark.parametrize("kind", ["applied", "created", "undo"])
def test_once_the_field_was_written_the_same_loss_is_another_one(store: Store, kind: ChangeKind) -> None:
    lose(store, rows(NAME))
    with store.transaction() as tx:
        tx.audit.append([Audited("beteiligte", "a1", 7, "one").row(NAME, Side.ADVOWARE, kind)])
    lose(store, rows(NAME, run_id="two"))
    assert [run for _, _, run in kept(store)] == ["one", "one", "two"]


def test_a_refusal_in_between_changes_nothing(store: Store) -> None:
    lose(store, rows(NAME))
    with store.transaction() as tx:
        tx.audit.append([Audited("beteiligte", "a1", 7, "one").row(NAME, None, "refused")])
    lose(store, rows(NAME, run_id="two"))
    assert [run for _, _, run in kept(store)] == ["one", "one"]


def test_what_one_entity_says_is_not_said_of_another(store: Store) -> None:
    lose(store, rows(NAME))
    lose(store, rows(NAME, entity="adressen"))
    assert [entity for entity, _, _ in kept(store)] == ["beteiligte", "adressen"]


def test_what_tasks_say_is_told_field_by_field_and_one_without_a_field_is_told_too() -> None:
    details = {"standing": "Alt", "wanted": "Neu", "why": "zu lang"}
    refused = TaskWanted(TaskKind.VALUE_REFUSED, ("name",), details)
    told = Audited("beteiligte", "a1", 7, "one").tasks([refused, TaskWanted(TaskKind.MISSING_IN_ADVOWARE, ())])
    assert [(row.kind, row.field, row.old, row.new, row.reason) for row in told] == [
        ("task", "name", "Alt", "Neu", f"{TaskKind.VALUE_REFUSED}: zu lang"),
        ("task", None, None, None, str(TaskKind.MISSING_IN_ADVOWARE)),
    ]
