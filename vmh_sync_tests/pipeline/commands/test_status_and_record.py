"""What the person who runs the house sees: `status`, `record`, `audit show`, in process, over real HTTP."""

import json
from datetime import timedelta
from typing import Any

import pytest
from dagster import DagsterRun, DagsterRunStatus
from dagster._daemon.types import DaemonHeartbeat
from typer.testing import CliRunner, Result

from vmh_sync.cli import app
from vmh_sync.clock import SystemClock
from vmh_sync.engine.counting.pass_history import record_pass
from vmh_sync.orchestration.dagster_home import ensure_dagster_home, home_of, open_home
from vmh_sync.orchestration.next_ticks import DAEMONS
from vmh_sync.services.sole_process import sole_holder
from vmh_sync.settings import VmhSettings, load
from vmh_sync.sync.reporting.outcome import RecordOutcome
from vmh_sync.sync.reporting.outcome import Result as Ended
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.kommunikation.sides import mail

PERSONAL = {"Kanarienvogel", "Erika", "kanarien@geheim.example", "c/o Käfig"}


def vmh(*arguments: object, columns: int | None = None) -> Result:
    env = {"COLUMNS": str(columns), "FORCE_COLOR": "1", "NO_COLOR": "1"} if columns else {}
    return CliRunner(env=env).invoke(app, [str(argument) for argument in arguments])


def answer(result: Result) -> dict[str, Any]:
    return dict(json.loads(result.stdout.strip().splitlines()[-1]))


def party(firm: Firm) -> tuple[str, int]:
    """A party with an e-mail that was renamed in EspoCRM and synced."""
    mails = [mail("kanarien@geheim.example", primary=True)]
    espo_id, betnr = firm.linked_party(lastName="Alt", firstName="Erika", emailAddressData=mails)
    firm.crm_edit(espo_id, lastName="Kanarienvogel")
    firm.sync(espo_id)
    return espo_id, betnr


def note_pass(firm: Firm) -> None:
    """Enter a pass into the books as the job does."""
    ended = [RecordOutcome("x", Ended.SYNCED), RecordOutcome("y", Ended.UNCHANGED)]
    firm.run(lambda context: record_pass(context, "beteiligte", "webhook", ended, seconds=1, calls={}))


def test_a_healthy_house_ends_with_0_and_fits_on_60_columns(firm: Firm) -> None:
    party(firm)
    note_pass(firm)
    shown = vmh("status", columns=60)
    assert shown.exit_code == 0, shown.output
    assert "Alles in Ordnung." in shown.stdout
    assert "ok       EspoCRM: Antwortet." in shown.stdout
    assert "ok       Advoware: Antwortet." in shown.stdout
    assert "letzter Durchgang" in shown.stdout
    assert "(Webhook): 1 abgeglichen, 1" in " ".join(shown.stdout.split())
    assert not [line for line in shown.stdout.splitlines() if len(line) > 60]
    assert not any(value in shown.stdout for value in PERSONAL)


def test_a_failed_record_ends_with_1_and_says_which_why_and_what_to_do(firm: Firm) -> None:
    espo_id, betnr = party(firm)
    note_pass(firm)
    firm.crm_edit(espo_id, zusatz="c/o Käfig")
    firm.office.fault("Beteiligte", "status", status=500, method="PUT")
    assert firm.sync(espo_id).failures
    shown = vmh("status", "--offline")
    assert shown.exit_code == 1
    assert "Beteiligte: 1 fehlerhaft" in shown.stdout
    assert "vmh-sync sync beteiligte --failed" in shown.stdout
    line = next(line for line in shown.stdout.splitlines() if f"{espo_id} (betnr {betnr})" in line)
    assert "fehlerhaft: Advoware hat eine Änderung nicht bestätigt" in line
    assert "Nächster Versuch ab " in line
    found = answer(vmh("status", "--offline", "--json"))
    assert (found["ok"], found["failures"][0]["id"], found["entities"][0]["failed"]) == (False, espo_id, 1)
    assert found["problems"][0]["next_step"].endswith("--failed")
    assert not any(value in json.dumps(found, ensure_ascii=False) for value in PERSONAL)


def test_a_system_that_does_not_answer_is_named_with_what_to_do(firm: Firm) -> None:
    party(firm)
    note_pass(firm)
    firm.crm.fault(".*", "status", status=503)
    shown = vmh("status")
    assert shown.exit_code == 1
    assert "Problem  EspoCRM: " in shown.stdout
    assert "→ `vmh-sync doctor` sagt, was zu tun ist." in shown.stdout


def test_a_way_that_is_closed_is_named_by_status_and_record(firm: Firm, firm_environment: pytest.MonkeyPatch) -> None:
    espo_id, _ = party(firm)
    firm_environment.setenv("http_proxy", "http://127.0.0.1:9")
    firm_environment.setattr("urllib.request.proxy_bypass", lambda _host: False)
    for shown in (vmh("status").stdout, vmh("record", espo_id).stdout):
        assert "EspoCRM antwortet gerade nicht" in shown
        assert "Der Proxy 127.0.0.1:9 (Umgebung, http_proxy) nimmt keine Verbindung an." in " ".join(shown.split())


def test_without_a_database_status_still_answers(firm: Firm, firm_environment: pytest.MonkeyPatch) -> None:
    firm_environment.setenv("VMH_DATABASE_URL", "postgresql://x:y@127.0.0.1:1/z")
    shown = vmh("status")
    assert shown.exit_code == 1
    assert "Problem  Datenbank: Die Datenbank auf 127.0.0.1:1 ist nicht erreichbar." in shown.stdout
    assert answer(vmh("status", "--json"))["entities"] == []


@pytest.mark.parametrize("how", ["id", "betnr", "name"])
def test_a_record_is_found_by_id_number_and_name_and_told_without_values(firm: Firm, how: str) -> None:
    espo_id, betnr = party(firm)
    firm.crm_edit(espo_id, zusatz="c/o Käfig")
    what = {"id": espo_id, "betnr": betnr, "name": "erika KANARIEN"}[how]
    shown = vmh("record", what)
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith(f"beteiligte {espo_id}, betnr {betnr}: abgeglichen")
    assert "in Advoware ändern: zusatz" in shown.stdout
    assert "Verschiedene Felder: Zusatz" in shown.stdout
    assert "kommunikation: 1 verknüpft" in shown.stdout
    assert "beteiligte name: übernommen in Advoware (in EspoCRM geändert) [Lauf test-2]" in shown.stdout
    assert "angelegt in Advoware (noch ohne betnr)" in shown.stdout
    assert not any(value in shown.stdout for value in PERSONAL)
    as_data = answer(vmh("record", what, "--json"))
    assert not any(value in json.dumps(as_data, ensure_ascii=False) for value in PERSONAL)
    assert as_data["sides"]["plan"][0]["fields"] == ["zusatz"]
    assert as_data["runs"] == ["test-2", "test-1"]


def test_the_values_of_both_sides_and_of_the_base_are_shown_when_asked_for(firm: Firm) -> None:
    espo_id, betnr = party(firm)
    firm.crm_edit(espo_id, zusatz="c/o Käfig")
    shown = vmh("record", betnr, "--values").stdout
    assert "Zusatz, EspoCRM: c/o Käfig, Advoware: (leer), zuletzt gleich: (leer)" in shown
    assert "neu: kanarien@geheim.example" in shown
    (field,) = [
        one for one in answer(vmh("record", betnr, "--values", "--json"))["sides"]["fields"] if not one["equal"]
    ]
    assert (field["field"], field["espocrm"], field["advoware"]) == ("Zusatz", "c/o Käfig", None)
    assert field["changed_in"] == ["EspoCRM"]


def test_a_record_that_is_deleted_on_one_side_is_not_called_equal(firm: Firm) -> None:
    espo_id, _ = party(firm)
    firm.crm.edit("CBeteiligte", "delete", id=espo_id)
    firm.sync(espo_id)
    shown = vmh("record", espo_id)
    assert shown.exit_code == 0, shown.output
    assert "nicht zu vergleichen, in EspoCRM gelöscht." in " ".join(shown.stdout.split())
    sides = answer(vmh("record", espo_id, "--json"))["sides"]
    assert (sides["equal"], sides["gone"]) == (False, "deleted_in_espocrm")


def test_a_record_of_a_system_that_is_away_is_told_from_what_is_known(firm: Firm) -> None:
    espo_id, _ = party(firm)
    firm.office.fault(".*", "status", status=503)
    shown = vmh("record", espo_id)
    assert shown.exit_code == 0
    assert "nicht zu vergleichen. Advoware antwortet gerade nicht" in shown.stdout
    assert "beteiligte name: übernommen" in shown.stdout


def test_several_of_a_name_are_listed_and_an_unknown_one_is_named(firm: Firm) -> None:
    first, second = firm.linked_party(lastName="Zwilling")[0], firm.linked_party(lastName="Zwilling")[0]
    several = vmh("record", "zwilling")
    assert several.exit_code == 2
    assert first in several.stderr
    assert second in several.stderr
    assert "Zwilling (betnr" not in several.stderr
    assert "Zwilling" in vmh("record", "zwilling", "--values").stderr
    unknown = vmh("record", "Niemand")
    assert unknown.exit_code == 1
    assert "„Niemand“ ist nicht bekannt" in unknown.stderr


def test_the_audit_log_is_asked_by_name_time_field_and_run(firm: Firm) -> None:
    espo_id, _ = party(firm)
    firm.linked_party(lastName="Andere")

    def fields(*arguments: object) -> list[tuple[str, str]]:
        rows = answer(vmh("audit", "show", *arguments, "--json"))["changes"]
        return [(row["espo_id"], row["field"]) for row in rows]

    assert fields("Kanarienvogel", "--field", "name") == [(espo_id, "name"), (espo_id, "name")]
    assert fields(espo_id, "--field", "email") == [(espo_id, "email/new")]
    assert fields("--run", "test-2") == [(espo_id, "name")]
    assert fields("--since", "1h", "--field", "vorname") == [(espo_id, "vorname")]
    assert fields("--until", "1h") == []
    assert vmh("audit", "show", "--since", "neulich").exit_code == 2
    assert vmh("audit", "show").exit_code == 2


def test_on_a_wide_terminal_the_log_is_a_table_with_reasons(firm: Firm) -> None:
    espo_id, _ = party(firm)
    table = vmh("audit", "show", espo_id, columns=200).stdout
    assert "Grund" in table
    assert any("│ name" in line and "in EspoCRM geändert" in line for line in table.splitlines())


def test_the_version_is_told() -> None:
    shown = vmh("--version")
    assert (shown.exit_code, shown.stdout) == (0, "vmh-sync 0.1.0\n")


def test_what_starts_passes_by_itself_is_told_only_while_it_lives_and_when_it_does_so_in_vain(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load(VmhSettings)
    home = ensure_dagster_home(home_of(settings))
    with sole_holder(settings.home / "up.lock"):
        with open_home(home) as dagster:
            for daemon in DAEMONS:
                dagster.add_daemon_heartbeat(DaemonHeartbeat(SystemClock().now().timestamp(), daemon, "1"))
        assert "Dagster: Startet Abgleiche von selbst." in vmh("status", "--offline").stdout
        with open_home(home) as dagster:
            tags = {"vmh/trigger": "sensor"}
            dagster.add_run(DagsterRun(job_name="sync_beteiligte", status=DagsterRunStatus.FAILURE, tags=tags))
        assert "gescheitert" not in vmh("status", "--offline").stdout, "the next run may make it good"
        monkeypatch.setattr("vmh_sync.overview.failing_jobs.GRACE", timedelta(0))
        failing = vmh("status", "--offline")
        assert failing.exit_code == 1 and "Der letzte Lauf ist gescheitert" in failing.stdout
    ended = vmh("status", "--offline").stdout
    assert "Dagster: Startet nichts mehr von selbst, letztes Lebenszeichen" in ended
    assert "`vmh-sync up` starten" in ended
