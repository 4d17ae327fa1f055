"""What a person at the command line reads when something is down: one German sentence, never a stack trace."""

import asyncio
import json
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from vmh_sync.cli import main
from vmh_sync.doctor.examination import examine
from vmh_sync.systems.circuit import PERSON_GAP_SECONDS
from vmh_sync_tests.fixtures.firm import Firm, ShiftedClock

DATABASE = {"VMH_DATABASE_URL": "postgresql://x:y@127.0.0.1:1/z"}
REDIS = {"REDIS_URL": "redis://127.0.0.1:1"}
NO_DATABASE = "Die Datenbank ist nicht erreichbar: Läuft der Datenbankserver, und stimmt VMH_DATABASE_URL?"
NO_REDIS = "Redis ist nicht erreichbar: Läuft der Server, und stimmt REDIS_URL?"
Vmh = Callable[[str], tuple[object, str, str]]


@pytest.fixture
def vmh(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Vmh:
    """Run the command as a terminal does; returns exit code, stdout and stderr."""

    def run(command: str) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["vmh-sync", *command.split()])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capfd.readouterr()

    return run


@pytest.mark.parametrize(
    ("command", "setting", "sentence"),
    [
        ("sync beteiligte --all", DATABASE, NO_DATABASE),
        ("sync kalender --all", DATABASE, NO_DATABASE),
        ("audit show 1", DATABASE, NO_DATABASE),
        ("reconcile", DATABASE, NO_DATABASE),
        ("db upgrade", DATABASE, NO_DATABASE),
        ("sync beteiligte --all", REDIS, NO_REDIS),
        ("sync kalender --all", REDIS, NO_REDIS),
        ("audit kalender verify", REDIS, NO_REDIS),
    ],
)
def test_our_own_house_is_down(
    firm: Firm,
    firm_environment: pytest.MonkeyPatch,
    vmh: Vmh,
    command: str,
    setting: dict[str, str],
    sentence: str,
) -> None:
    firm.office.seed(beteiligte=[{"betNr": 1}])
    firm.crm_party(lastName="Wartend", betnr=1)
    for name, value in setting.items():
        firm_environment.setenv(name, value)
    code, _, told = vmh(command)
    assert (code, told) == (1, f"{sentence}\n")


def test_programs_get_the_reason_as_json(firm: Firm, firm_environment: pytest.MonkeyPatch, vmh: Vmh) -> None:
    firm_environment.setenv("VMH_DATABASE_URL", DATABASE["VMH_DATABASE_URL"])
    for command in ("sync beteiligte --all --json", "sync kalender --all --json"):
        code, said, _ = vmh(command)
        assert (code, json.loads(said)) == (1, {"error": NO_DATABASE})


@pytest.mark.parametrize("command", ["sync kalender --all", "reconcile", "audit kalender verify"])
def test_advoware_is_down(firm: Firm, vmh: Vmh, command: str) -> None:
    firm.office.fault(".*", "status", status=503)
    code, _, told = vmh(command)
    assert (code, told) == (1, "Advoware antwortet gerade nicht; der Abgleich wird automatisch wiederholt.\n")


def test_espocrm_refuses_the_login(firm: Firm, vmh: Vmh) -> None:
    espo_id = firm.crm_party(lastName="Wartend")
    firm.crm.fault(".*", "status", status=401)
    code, _, told = vmh(f"sync beteiligte --id {espo_id}")
    assert code == 1
    assert told.splitlines()[-1] == (
        "EspoCRM lehnt die Anmeldung ab; bitte den API-Schlüssel in den Einstellungen prüfen. "
        "Bis dahin wartet der Abgleich; der nächste Versuch folgt von selbst in etwa einer Minute. "
        "Ist das berichtigt, prüft `vmh-sync doctor` die Anmeldung sofort und gibt sie frei."
    )
    assert "Trace" not in told


def test_a_good_look_of_the_doctor_lets_the_next_pass_through_at_once(firm: Firm, vmh: Vmh) -> None:
    espo_id = firm.crm_party(lastName="Wartend")
    command = f"sync beteiligte --id {espo_id}"
    firm.crm.fault(".*", "status", status=401)
    assert vmh(command)[0] == 1
    firm.crm.clear_faults()
    firm.crm.clear_calls()
    assert (vmh(command)[0], firm.crm.calls()["total"]) == (1, 0), "no pass tries before the pause is over"
    told = [line.text for line in asyncio.run(examine(firm.clock)) if "EspoCRM lehnt die Anmeldung ab" in line.text]
    assert all("wurde nicht noch einmal geprüft" in text for text in told) and told, "what is old is called old"
    assert firm.crm.calls()["total"] == 0
    firm.clock.shift += timedelta(seconds=PERSON_GAP_SECONDS)
    asyncio.run(examine(firm.clock))
    assert vmh(command)[0] == 0


def test_a_damaged_database_and_a_folder_that_cannot_be_written_are_one_sentence(
    firm: Firm, firm_environment: pytest.MonkeyPatch, vmh: Vmh, tmp_path: Path
) -> None:
    (tmp_path / "damaged.sqlite3").write_bytes(b"this was a database once" * 400)
    (tmp_path / "file").touch()
    for url, sentence in (
        (f"sqlite:///{tmp_path}/damaged.sqlite3", "damaged.sqlite3 ist beschädigt. Alle Prozesse beenden"),
        (f"sqlite:///{tmp_path}/file/home/vmh.sqlite3", f"In den Ordner {tmp_path}/file kann nicht geschrieben werden"),
    ):
        firm_environment.setenv("VMH_DATABASE_URL", url)
        for command in ("audit show 1", "sync beteiligte --all", "db upgrade"):
            code, _, told = vmh(command)
            assert code == 1
            assert sentence in told
            assert told.count("\n") == 1, "one sentence, no stack trace"


def test_a_damaged_database_of_dagster_is_named_and_status_still_shows_the_rest(
    firm: Firm, vmh: Vmh, firm_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    firm_environment.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    espo_id = firm.crm_party(lastName="Wartend")
    assert vmh(f"sync beteiligte --id {espo_id}")[0] == 0
    (tmp_path / "dagster/history/runs.db").write_bytes(b"this was a database once" * 400)
    sentence = f"Die Datenbankdatei {tmp_path}/dagster/history/runs.db ist beschädigt. Alle Prozesse beenden und die"
    for command in (f"sync beteiligte --id {espo_id}", "up --port 0"):
        code, _, told = vmh(command)
        assert (code, told.count("\n")) == (1, 1), told
        assert told.startswith(sentence)
    code, said, told = vmh("status")
    assert (code, told) == (1, "")
    assert sentence in said and "ok       Advoware: Antwortet." in said


def test_a_dry_run_in_a_pipe_is_not_cut(firm: Firm, vmh: Vmh, firm_environment: pytest.MonkeyPatch) -> None:
    firm_environment.setenv("COLUMNS", "60")
    espo_id = firm.crm_party(firstName="Erika", lastName="Wartend", titel="Dr.", zusatz="c/o", anrede="Frau")
    code, said, _ = vmh(f"sync beteiligte --id {espo_id} --dry-run")
    assert code == 0
    (line,) = [one for one in said.splitlines() if one.startswith(f"  {espo_id}, Ziel: Advoware")]
    assert line.endswith("zusatz"), "one line, with the last field"


@pytest.mark.parametrize("entity", ["beteiligte", "kalender"])
def test_a_pass_that_does_not_reach_advoware_says_what_is_wrong_with_the_way_there(
    firm: Firm, firm_environment: pytest.MonkeyPatch, vmh: Vmh, entity: str
) -> None:
    firm.office.seed(beteiligte=[{"betNr": 1}])
    firm.crm_party(lastName="Muster", betnr=1)
    firm_environment.setenv("ADVOWARE_CONFIGURATOR_URL", "http://127.0.0.1:1/configurator")
    code, said, told = vmh(f"sync {entity} --all")
    assert code == (3 if entity == "beteiligte" else 1), "one record's failure, or the pass's"
    assert "Advoware antwortet gerade nicht" in said + told
    assert "127.0.0.1:1 nimmt keine Verbindung an. Prüfen, ob 127.0.0.1 läuft" in said + told
    assert "(ADVOWARE_CONFIGURATOR_URL)" in said + told


@pytest.mark.parametrize(("days", "told_too"), [(-365, True), (0, False)])
def test_a_login_that_advoware_refuses_is_told_with_a_clock_that_is_wrong(
    firm: Firm, firm_environment: pytest.MonkeyPatch, vmh: Vmh, days: int, told_too: bool
) -> None:
    espo_id = firm.crm_party(lastName="Wartend")
    firm_environment.setenv("ADVOWARE_PASSWORD", "falsch")
    own = ShiftedClock()
    own.shift = timedelta(days=days)
    firm_environment.setattr("vmh_sync.commands.screens.unreachable.SystemClock", lambda: own)
    code, _, told = vmh(f"sync beteiligte --id {espo_id}")
    sentence = told.splitlines()[-1]
    assert code == 1 and sentence.startswith("Advoware lehnt die Anmeldung ab"), told
    assert ("gehen 365 Tage auseinander" in sentence and "Zeitserver (NTP)" in sentence) is told_too
    assert ("Uhren" in sentence) is told_too
