"""Names of entries for people, and when a stamp proves that nothing changed."""

from datetime import UTC, datetime, timedelta

import pytest

from vmh_sync.engine.passes.modified_stamps import settled
from vmh_sync.kommunikation.task_texts import EntryLabels, for_people, is_entry
from vmh_sync.sync.planning.plan import TaskKind, TaskWanted

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(("seconds", "safe"), [(0, False), (1, False), (2, True), (60, True), (-5, False)])
def test_a_stamp_is_safe_two_seconds_later(seconds: int, safe: bool) -> None:
    assert settled(link_read_at=NOW + timedelta(seconds=seconds), modified_at=NOW) is safe


def test_without_a_read_nothing_is_safe() -> None:
    assert not settled(link_read_at=None, modified_at=NOW)
    assert not settled(link_read_at=NOW, modified_at=None)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("email/17", "E-Mail"),
        ("phone/17/online", "Telefon (Kennzeichen online)"),
        ("phone/list", "Telefonnummern"),
        ("email/primary", "E-Mail (Haupteintrag)"),
        ("email/new-1a2b3c4d", "E-Mail"),
    ],
)
def test_fields_have_german_names(name: str, label: str) -> None:
    assert EntryLabels().get(name, name) == label


def test_other_fields_are_not_ours() -> None:
    assert EntryLabels().get("zusatz", "zusatz") == "zusatz"
    assert not is_entry("name")
    assert not is_entry("email")


def test_two_values_without_an_entry_get_a_task_each() -> None:
    details = {"reason": "advoware_answered", "message": "Nein.", "side": "espocrm"}
    wanted = [
        TaskWanted(TaskKind.VALUE_REFUSED, ("email/new",), {"value": value, **details})
        for value in ("a@huber.example", "b@huber.example")
    ]
    told = for_people(wanted)
    assert len({task.fields for task in told}) == 2
    assert {task.details["side"] for task in told} == {"advoware"}
