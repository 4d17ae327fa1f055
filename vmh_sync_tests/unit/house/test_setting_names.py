"""Settings: a typing error is named, and what stands in single quotes stays as it is."""

import re
from pathlib import Path

import pytest

from vmh_sync import settings
from vmh_sync.env_file import env_values
from vmh_sync.setting_names import OF_OLD_SYSTEM, known_names, unknown_settings
from vmh_sync.settings import AdvowareSettings
from vmh_sync.stored_settings import StoredSettings

ROOT = Path(__file__).parents[3]


def test_every_setting_that_is_explained_is_known() -> None:
    explained = re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(explained) - known_names() == set()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("VMH_BATCHSIZE", "VMH_BATCH_SIZE"),
        ("ADVOWARE_PASWORD", "ADVOWARE_PASSWORD"),
        ("ESPOCRM_APIKEY", "ESPOCRM_API_KEY"),
        ("CALENDAR_SYNC_WINDOW_YEARS_BAK", "CALENDAR_SYNC_WINDOW_YEARS_BACK"),
        ("REDIS_URI", "REDIS_URL"),
    ],
)
def test_a_mistyped_name_is_told_with_the_one_that_was_meant(typed: str, meant: str) -> None:
    (found,) = unknown_settings({typed: "x", "PATH": "/bin", meant: "y"})
    assert str(found) == f"{typed} ist keine Einstellung von vmh-sync. Meinten Sie {meant}?"


def test_a_foreign_variable_with_our_prefix_is_left_alone_in_the_environment_but_not_in_our_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert unknown_settings({"VMH_SOMETHING_ELSE": "x", "vmh_batch_size": "5"}) == []
    file = tmp_path / ".env"
    file.write_text("VMH_SOMETHING_ELSE=x\nOTHER=1\nVMH_BATCH_SIZE=5\n", encoding="utf-8")
    monkeypatch.setitem(settings.VmhSettings.model_config, "env_file", str(file))
    assert [str(one) for one in unknown_settings({})] == ["VMH_SOMETHING_ELSE ist keine Einstellung von vmh-sync."]


def test_a_name_of_the_system_that_was_there_before_is_told_with_what_to_do_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In our file only: in the environment such general names belong to others."""
    file = tmp_path / ".env"
    file.write_text("POSTGRES_HOST=x\nREDIS_DB_CALENDAR_SYNC=2\nADVOWARE_USER=x\n", encoding="utf-8")
    monkeypatch.setitem(settings.VmhSettings.model_config, "env_file", str(file))
    database, redis = (str(one) for one in unknown_settings({"POSTGRES_USER": "x", "REDIS_HOST": "x"}))
    assert database.startswith("POSTGRES_HOST gehört zum alten System") and "VMH_DATABASE_URL" in database
    assert redis.startswith("REDIS_DB_CALENDAR_SYNC gehört zum alten System") and "REDIS_URL" in redis
    assert OF_OLD_SYSTEM.keys() & known_names() == set()


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A='pa$HOME${HOME}$$'", "pa$HOME${HOME}$$"),
        (r"A='C:\dir\n\\x'", r"C:\dir\n\\x"),
        ("A='C:\\'", "C:\\"),
        ("A='it's'", "it's"),
        ("A='a#b' # it's a comment", "a#b"),
        ("export A = ' x '", " x "),
        ("""A='{"w1": "s\\u00e9"}'""", """{"w1": "s\\u00e9"}"""),
        ("A=''", ""),
        ('A="x${B}\\n"', "xb\n"),
        ("A=${B}y", "by"),
        ("A=${L}y", "$Ly"),
        ("A=plain # comment", "plain"),
    ],
)
def test_single_quotes_keep_a_value_as_it_stands(line: str, value: str) -> None:
    assert env_values(f"B=b\nL='$L'\n{line}\nC='c'\r\n") == {"B": "b", "L": "$L", "A": value, "C": "c"}


def test_a_quoted_password_reaches_the_settings_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    names = ("KANZLEI", "DATABASE", "USER", "APP_ID", "API_KEY")
    lines = [f"ADVOWARE_{name}=x" for name in names]
    file.write_text("\n".join([*lines, r"ADVOWARE_PASSWORD='p$HOME\'"]), encoding="utf-8")
    for name in (*names, "PASSWORD"):
        monkeypatch.delenv(f"ADVOWARE_{name}", raising=False)
    monkeypatch.setitem(AdvowareSettings.model_config, "env_file", str(file))
    assert AdvowareSettings().password.get_secret_value() == "p$HOME\\"


def test_what_was_stored_is_read_as_it_was_kept(tmp_path: Path) -> None:
    stored = StoredSettings(tmp_path)
    stored.keep("ESPOCRM_WEBHOOK_SECRETS", '{"a": "$b\'c\\\\"}')
    stored.keep("ESPOCRM_API_KEY", "k$HOME")
    assert stored.read() == {"ESPOCRM_WEBHOOK_SECRETS": '{"a": "$b\'c\\\\"}', "ESPOCRM_API_KEY": "k$HOME"}
