"""What the firm's people read when one employee's calendar cannot be synced; all others go on (kalender.md 1 and 5)."""

import json
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from vmh_sync.cli import app
from vmh_sync.kalender import batch
from vmh_sync.kalender.batch import CalendarBatch
from vmh_sync.kalender.calendars import Calendars
from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.pipeline import EMPLOYEES
from vmh_sync.kalender.resources import CalendarResources
from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.chancery import Chancery
from vmh_sync_tests.fixtures.jobs import job

Trouble = Callable[[Chancery], None]


def account(chancery: Chancery) -> str:
    return str(json.loads(chancery.sandbox.environment["GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON"])["client_email"])


def forbidden(chancery: Chancery) -> None:
    chancery.google.do("forbid", calendar="AW-AH")


def deleted(chancery: Chancery) -> None:
    chancery.google.do("delete_calendar", calendar="AW-AH")


def unshared(chancery: Chancery) -> None:
    chancery.google.do("unshare", calendar="AW-AH", account=account(chancery))


def read_only(chancery: Chancery) -> None:
    chancery.google.do("share", calendar="AW-AH", account=account(chancery), role="reader")
    chancery.termin("AH", "Neu")


def emptied_in_advoware(chancery: Chancery) -> None:
    for fr_nr, row in chancery.termine().items():
        if row["sb"] == "AH":
            chancery.drop_termin(fr_nr)


@pytest.mark.parametrize(
    ("trouble", "says", "to_do"),
    [
        (forbidden, "fehlt die Berechtigung", "Freigabe für das Dienstkonto prüfen"),
        (
            deleted,
            "wurde gelöscht oder ist nicht mehr freigegeben",
            "freigeben oder neu anlegen lassen (CALENDAR_SYNC_RECREATE_CALENDARS=true)",
        ),
        (
            unshared,
            "wurde gelöscht oder ist nicht mehr freigegeben",
            "freigeben oder neu anlegen lassen (CALENDAR_SYNC_RECREATE_CALENDARS=true)",
        ),
        (read_only, "nur zum Lesen freigegeben", "Schreibrecht erteilen"),
        (emptied_in_advoware, "Advoware meldet keinen einzigen Termin", "Termine in Advoware prüfen"),
    ],
)
def test_one_calendar_that_cannot_be_synced_is_told_in_words_and_the_others_go_on(
    chancery: Chancery, trouble: Trouble, says: str, to_do: str
) -> None:
    for kuerzel in ("AH", "SB"):
        chancery.employee(kuerzel)
    for number in range(6):
        chancery.termin("AH", f"Termin {number}")
    chancery.sync()
    trouble(chancery)
    new = chancery.termin("SB", "Neu")
    (failure,) = [one for one in chancery.outcomes() if one.error]
    assert failure.id == "AH" and failure.error is not None
    assert failure.error.startswith("Kalender AH: ") and failure.error.count("Kalender AH") == 1
    assert says in failure.error and to_do in failure.error
    assert chancery.event_of(new, "SB")
    assert says in (chancery.state("AH").last_error or "")


def test_the_run_itself_stays_green_when_one_calendar_fails(chancery: Chancery) -> None:
    for kuerzel in ("AH", "SB"):
        chancery.termin(chancery.employee(kuerzel))
    chancery.sync()
    forbidden(chancery)
    chancery.termin("SB", "Neu")
    with dg.instance_for_test() as instance:
        result = job("sync_kalender").execute_in_process(instance=instance)
        assert result.success and instance.get_materialized_partitions(EMPLOYEES) == {"SB"}


@pytest.mark.parametrize(
    ("kind", "value", "says"),
    [
        ("JSON", "{broken", "kein gültiges JSON"),
        ("JSON", '{"client_email": "x@example.test"}', "fehlt: private_key, token_uri"),
        (
            "JSON",
            '{"client_email": "x@y.test", "private_key": "-", "token_uri": "-"}',
            "private_key darin ist unbrauchbar",
        ),
        ("PATH", "/nirgendwo/schluessel.json", "nicht lesbar; bitte Pfad und Rechte prüfen"),
        ("PATH", "", "Bitte GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH (Datei) oder"),
    ],
)
async def test_a_broken_key_is_told_in_words_with_the_variable_and_without_its_content(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch, kind: str, value: str, says: str
) -> None:
    monkeypatch.delenv("GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON")
    if value:
        monkeypatch.setenv(f"GOOGLE_CALENDAR_SERVICE_ACCOUNT_{kind}", value)
    with pytest.raises(dg.Failure) as caught:
        async with CalendarResources().open("run"):
            pass
    message = caught.value.description or ""
    assert "GOOGLE_CALENDAR_SERVICE_ACCOUNT_" in message and says in message
    assert not value or value not in message
    assert not [word for word in ("is not", "missing", "cannot", "needed") if word in message], "German throughout"


def test_a_key_that_google_does_not_accept_fails_the_run_with_what_to_do(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The key file is sound, but Google knows no such account: that concerns everybody."""
    chancery.termin(chancery.employee())
    key = json.loads(chancery.sandbox.environment["GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON"])
    path = tmp_path / "key.json"
    path.write_text(json.dumps({**key, "client_email": "jemand@anders.iam.gserviceaccount.com"}))
    monkeypatch.delenv("GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON")
    monkeypatch.setenv("GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH", str(path))
    done = CliRunner().invoke(app, ["sync", "kalender", "--all", "--json"])
    assert done.exit_code == 1
    message = json.loads(done.stdout.splitlines()[-1])["error"]
    assert "Anmeldung bei Google ist fehlgeschlagen" in message and "Schlüssel des Dienstkontos prüfen" in message
    assert "Anmeldung" in (chancery.state().last_error or "")


@pytest.mark.parametrize("named", [False, True])
def test_employees_who_left_are_told_and_their_calendar_stays(chancery: Chancery, named: bool) -> None:
    for kuerzel in ("AH", "SB"):
        chancery.termin(chancery.employee(kuerzel))
    chancery.sync()
    chancery.employee("AH", aktiv=False)
    new = chancery.termin("SB", "Neu")

    async def one_pass(context: CalendarContext) -> CalendarBatch:
        which = Calendars(kuerzel=["AH", "SB"] if named else [])
        return await batch.write(context, batch.diff(batch.map_fields(await batch.fetch(context, which))))

    told = [one for one in chancery.run(one_pass).outcomes if one.id == "AH"]
    assert [one.result for one in told] == [Result.FAILED if named else Result.SKIPPED], "who asked by name is answered"
    assert told[0].error == (
        "Kalender AH: Das Kürzel ist in Advoware nicht (mehr) aktiv; der Kalender bleibt, wie er ist."
    )
    assert chancery.event_of(new) and len(chancery.events("AH")) == 1 == len(chancery.pairs("AH"))
