"""What a person reads who typed something that does not exist, or reads a result in an unusual way."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vmh_sync.cli import main
from vmh_sync.commands.screens.unreachable import explained as why
from vmh_sync.env_file import read_env_file
from vmh_sync.services.file_errors import explained
from vmh_sync.settings import AdvowareSettings, SettingsError, SyncSettings, VmhSettings, load
from vmh_sync.systems.espocrm.errors import Transient

COMMAND = [sys.executable, "-c", "from vmh_sync.entry import main; main()"]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("nix", "Den Befehl „nix“ gibt es nicht. `vmh-sync --help` zeigt, was möglich ist."),
        ("sync beteiligt", "Den Befehl „beteiligt“ gibt es nicht. Meinten Sie beteiligte? `vmh-sync sync --help` "),
        ("sync beteiligte --foo", "Die Option --foo gibt es nicht. `vmh-sync sync beteiligte --help` "),
        ("sync beteiligte", "Bitte genau eines angeben: --id, --dirty, --failed, --all oder --since. `vmh-sync sync "),
        ("sync beteiligte --id", "Zu --id gehört ein Wert."),
        ("status --json=1", "Zu --json gehört kein Wert."),
        ("status x y", "„x y“ ist zu viel."),
        ("record", "Es fehlt: WAS."),
        ("up --port abc", "--port: erwartet wird eine ganze Zahl."),
        ("up --port 99999", "--port: erwartet wird höchstens 65535."),
        ("probe --betnr 0", "--betnr: erwartet wird mindestens 1."),
        ("person erase x --ended morgen", "--ended: erwartet wird ein Datum wie 2026-01-31."),
    ],
)
def test_wrong_usage_is_one_german_sentence_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], typed: str, sentence: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["vmh-sync", *typed.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    said, told = capfd.readouterr()
    assert (ended.value.code, said, told.count("\n")) == (2, "", 1)
    assert told.startswith(sentence)


@pytest.mark.parametrize("typed", ["--help", "sync", "sync beteiligte --help", "record --help", "audit undo --help"])
def test_help_speaks_one_language(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], typed: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["vmh-sync", *typed.split()])
    monkeypatch.setenv("COLUMNS", "60")
    with pytest.raises(SystemExit):
        main()
    said, told = capfd.readouterr()
    assert told == "" and "Aufruf: vmh-sync" in said and "Diese Hilfe zeigen" in said
    assert not [
        word for word in ("Usage", "Options", "Commands", "Arguments", "Show", "default", "Install") if word in said
    ]
    assert max(len(line) for line in said.splitlines()) <= 60


def test_a_reader_who_leaves_changes_neither_the_exit_code_nor_says_anything() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run([*COMMAND, "--help"], stdout=writing, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_terminal_that_lacks_letters_gets_question_marks() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*COMMAND, "record", "--foo"], capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"zeigt, was m?glich ist." in done.stderr


def test_a_full_disk_under_the_output_is_one_sentence() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*COMMAND, "--help"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr.decode() == "Der Datenträger ist voll. Platz schaffen, dann noch einmal aufrufen.\n"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "Der Datenträger ist voll. Platz schaffen"),
        (OSError(errno.ENOSPC, "", "/s/x.json"), "Der Datenträger ist voll (/s/x.json). Platz schaffen"),
        (PermissionError(errno.EACCES, "", "/nowhere/x"), "In den Ordner /nowhere kann nicht geschrieben werden. Besi"),
        (PermissionError(errno.EACCES, "", "/etc/hosts"), "Die Datei /etc/hosts darf dieser Benutzer nicht lesen ode"),
        (PermissionError(errno.EACCES, "", "/etc"), "Auf den Ordner /etc darf dieser Benutzer nicht zugreifen. Be"),
        (OSError(errno.EROFS, "", "/nowhere/x"), "In den Ordner /nowhere kann nicht geschrieben werden."),
        (FileExistsError(errno.EEXIST, "", "/s"), "/s ist eine Datei, gebraucht wird ein Ordner."),
        (NotADirectoryError(errno.ENOTDIR, "", "/s/x"), "/s/x liegt unter einer Datei, gebraucht wird ein Ordner."),
        (FileNotFoundError(errno.ENOENT, "", "/s/x"), "/s/x gibt es nicht. Den Pfad prüfen."),
        (OSError(errno.EMFILE, ""), "Dieser Prozess hat zu viele Dateien offen. Die Grenze erhöhen"),
        (OSError(errno.EIO, "", "/s"), "Der Zugriff auf /s ist gescheitert (EIO). `vmh-sync doctor`"),
    ],
)
def test_an_error_of_the_operating_system_is_told_with_cause_and_remedy(error: OSError, sentence: str) -> None:
    assert explained(error).startswith(sentence)


def test_an_env_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_bytes("ADVOWARE_KANZLEI=Müller\n".encode("latin-1"))
    with pytest.raises(SettingsError, match=r"\.env ist kein Text in UTF-8"):
        read_env_file(file)
    file.write_bytes("ADVOWARE_KANZLEI=Müller\n".encode("utf-8-sig"))
    assert read_env_file(file) == {"ADVOWARE_KANZLEI": "Müller"}

    def locked(*_: object, **__: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(file))

    monkeypatch.setattr(Path, "read_text", locked)
    with pytest.raises(SettingsError, match=r"\.env ist für diesen Benutzer nicht lesbar"):
        read_env_file(file)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("VMH_BATCH_SIZE", "abc", "VMH_BATCH_SIZE ist unbrauchbar (erwartet wird eine ganze Zahl)"),
        ("VMH_BATCH_SIZE", "-1", "VMH_BATCH_SIZE ist unbrauchbar (erwartet wird mindestens 1)"),
        ("VMH_GATEWAY_PORT", "99999", "VMH_GATEWAY_PORT ist unbrauchbar (erwartet wird höchstens 65535)"),
        ("VMH_SHADOW", "vielleicht", "VMH_SHADOW ist unbrauchbar (erwartet wird true oder false)"),
        ("REDIS_URL", "http://x", "REDIS_URL ist unbrauchbar (möglich sind redis://, rediss:// und unix://)"),
        (
            "VMH_DATABASE_URL",
            "sqlite:///file:x?uri=true",
            "VMH_DATABASE_URL ist unbrauchbar (die Datei von SQLite als Pfad nennen: sqlite:////ordner/datei.sqlite3)",
        ),
    ],
)
def test_a_bad_setting_is_told_in_one_language(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as problem:
        load(VmhSettings)
        load(SyncSettings)
    assert str(problem.value).startswith(said)


def test_a_zone_that_does_not_exist_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVOWARE_TIMEZONE", "Mars/Phobos")
    with pytest.raises(SettingsError, match=r"ADVOWARE_TIMEZONE ist unbrauchbar \(diese Zeitzone gibt es nicht\)"):
        load(AdvowareSettings)


@pytest.mark.parametrize(
    ("address", "cause"),
    [
        (
            "crm.example/api/v1",
            "ESPOCRM_API_BASE_URL beginnt nicht mit https:// oder http://. https:// davor schreiben.",
        ),
        ("http://127.0.0.1:1/api/v1", "127.0.0.1:1 nimmt keine Verbindung an. Prüfen, ob 127.0.0.1 läuft, der Port "),
    ],
)
def test_a_system_that_cannot_be_reached_is_told_with_the_cause(
    monkeypatch: pytest.MonkeyPatch, address: str, cause: str
) -> None:
    monkeypatch.setenv("ESPOCRM_API_BASE_URL", address)
    monkeypatch.setenv("ESPOCRM_API_KEY", "x")
    monkeypatch.setenv("NO_PROXY", "*")
    told = why(Transient("ConnectError"))
    assert told.startswith(f"{Transient.people} {cause}")
    assert why(Transient("HTTP 503", status=503)) == Transient.people, "it has answered: the way is open"
