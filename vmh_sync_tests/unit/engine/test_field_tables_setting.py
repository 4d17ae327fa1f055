"""``VMH_FIELD_TABLES`` is checked before anything starts: what cannot be obeyed is refused in a German sentence."""

import json
from pathlib import Path
from typing import Any

import pytest

from vmh_sync.engine.installation.field_tables import field_changes, field_tables
from vmh_sync.settings import SettingsError


def read(tmp_path: Path, changes: Any, *packages: str) -> Any:
    path = tmp_path / "felder.json"
    path.write_text(json.dumps(changes), encoding="utf-8")
    return field_changes(path, packages)


def test_every_entity_with_a_table_is_found() -> None:
    assert {"beteiligte", "adressen", "bankverbindungen"} <= set(field_tables())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"beteiligte": {"kurzname": {}, "geburtsname": {"espo": "cGeburtsname"}, "titel": None}},
        {"beteiligte": {"titel": {"conflict": "newest_wins"}}},
        {"adressen": {"land": {"conflict": "manual"}}, "kommunikation": {"tlf": {"conflict": "advoware_wins"}}},
        {"beteiligte": {"geburtsdatum": {"advoware": "gebDatum"}}},
    ],
)
def test_what_can_be_obeyed_is_taken(tmp_path: Path, changes: Any) -> None:
    assert read(tmp_path, changes) == changes


@pytest.mark.parametrize("entity", ["adressen", "bankverbindungen", "kommunikation"])
def test_newest_wins_is_refused_where_nobody_tells_when_a_value_was_changed(tmp_path: Path, entity: str) -> None:
    name = {"adressen": "ort", "bankverbindungen": "bank", "kommunikation": "tlf"}[entity]
    with pytest.raises(SettingsError, match=r"newest_wins geht nur bei Beteiligten.*möglich sind espocrm_wins"):
        read(tmp_path, {entity: {name: {"conflict": "newest_wins"}}})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ([], "muss ein Objekt enthalten"),
        ({"beteiligte": []}, "muss ein Objekt enthalten"),
        ({"beteiligte": {"titel": "nein"}}, "titel braucht ein Objekt"),
        ({"beteiligter": {}}, "bekannt sind beteiligte, adressen, bankverbindungen, kommunikation"),
        ({"beteiligte": {"titl": {}}}, "Ein Feld titl gibt es nicht"),
        ({"beteiligte": {"neu": {"espo": "cNeu", "advoware": "geburtsort"}}}, "kein Feld geburtsort bekannt"),
        ({"beteiligte": {"neu": {"espo": "syncStatus", "advoware": "kurzname"}}}, "syncStatus gehört schon"),
        ({"beteiligte": {"neu": {"espo": "cNeu", "advoware": "bemerkung"}}}, "bemerkung gehört schon"),
        ({"kommunikation": {"online": {"conflict": "manual"}}}, "tlf"),
        ({"kommunikation": {"tlf": {"conflict": "immer"}}}, "tlf: conflict ist"),
    ],
)
def test_what_cannot_be_obeyed_is_named(tmp_path: Path, changes: Any, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        read(tmp_path, changes)


def test_an_entity_of_the_firms_own_may_be_named_before_it_is_loaded(tmp_path: Path) -> None:
    changes = {"vollmachten": {"text": {"conflict": "manual"}}}
    assert read(tmp_path, changes, "kanzlei.vollmachten") == changes
