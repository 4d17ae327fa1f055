"""The mark by which a gateway and a Dagster recognise that they work on the same database."""

from pathlib import Path

import pytest

from vmh_sync.definitions import build_defs
from vmh_sync.engine.installation.installation_mark import HOUSE, HOUSE_JOB, installation_mark
from vmh_sync.settings import VmhSettings, load


def _mark(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    with monkeypatch.context() as patch:
        patch.delenv("VMH_DATABASE_URL", raising=False)
        for name, value in variables.items():
            patch.setenv(name, value)
        return installation_mark(load(VmhSettings))


def test_another_home_is_another_house_and_another_spelling_of_it_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "one")
    one = _mark(monkeypatch, VMH_HOME=str(tmp_path / "one"))

    assert _mark(monkeypatch, VMH_HOME=str(tmp_path / "two")) != one
    assert _mark(monkeypatch, VMH_HOME=str(tmp_path / "link")) == one
    assert _mark(monkeypatch, VMH_DATABASE_URL=f"sqlite:///{tmp_path}/one/vmh_sync.sqlite3") == one


def test_users_and_passwords_of_one_database_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    one = _mark(monkeypatch, VMH_DATABASE_URL="postgresql://app:geheim@DB.example/vmh")

    assert _mark(monkeypatch, VMH_DATABASE_URL="postgresql+psycopg2://other@db.example:5432/vmh") == one
    assert _mark(monkeypatch, VMH_DATABASE_URL="postgresql://app:geheim@db.example/firm2") != one
    assert _mark(monkeypatch, VMH_DATABASE_URL="postgresql://app:geheim@db.example:5433/vmh") != one


def test_our_code_location_shows_the_mark_of_its_house(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VMH_HOME", str(tmp_path))
    monkeypatch.delenv("VMH_DATABASE_URL", raising=False)

    definitions = build_defs()

    assert definitions.resolve_job_def(HOUSE_JOB).metadata[HOUSE].value == installation_mark(load(VmhSettings))
    assert definitions.resolve_schedule_def("housekeeping").job_name == HOUSE_JOB
