"""The first day on a copy: the report is true, and the real systems are only read."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from vmh_sync_tests.fixtures.chancery import Chancery
from vmh_sync_tests.fixtures.firm import Firm


def full_calendar(firm: Firm) -> None:
    """Twice the same, once nearly the same, one only in Google, one only in Advoware, a series with an odd week."""
    chancery = Chancery(firm.sandbox, firm.store)
    chancery.employee()
    chancery.employee("AB")
    chancery.google.seed(calendars=[{"summary": "AW-SB"}])
    for offset in (7, 8):
        chancery.termin(text="Besprechung", offset=offset, uhrzeitVon="14:00:00", uhrzeitBis="15:00:00")
        chancery.event(summary="Besprechung", offset=offset)
    chancery.termin(text="Anhörung Meier", offset=20, uhrzeitVon="14:00:00", uhrzeitBis="15:00:00")
    chancery.event(summary="Anhörung Maier", offset=20)
    chancery.event(summary="Nur Google", offset=30)
    chancery.termin(kuerzel="AB", text="Nur Advoware", offset=30)
    series = chancery.event(summary="Jour fixe", offset=40, recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"])
    odd = f"{series}_{chancery.events()[series]['start']['dateTime'][:19].replace('-', '').replace(':', '')}"
    odd_utc = datetime.strptime(odd[-15:], "%Y%m%dT%H%M%S").replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    chancery.edit_event("SB", f"{series}_{odd_utc:%Y%m%dT%H%M%SZ}", summary="Jour fixe, anders")


def test_a_rehearsal_reports_what_the_first_day_would_do_and_writes_nothing(firm: Firm, tmp_path: Path) -> None:
    full_calendar(firm)
    firm.office_party(name="Zwilling", vorname="Anna", geburtsdatum="1980-05-17T00:00:00")
    firm.crm_party(lastName="Zwilling", firstName="Anna", dateOfBirth="1980-05-17")
    firm.crm_party(lastName="Neumann", firstName="Ina")
    firm.crm_party(lastName="Alt", firstName="Otto", betnr=firm.office_party(name="Alt", vorname="Otto"))
    sides = (firm.sandbox.office, firm.sandbox.crm, firm.sandbox.google)
    for system in sides:
        system.clear_calls()
    answer = subprocess.run(
        [sys.executable, "-c", "from vmh_sync.cli import main; main()", "rehearse", "--json"],
        cwd=tmp_path,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    report = json.loads(answer.stdout)
    assert report["copied"] == {"espocrm": 3, "advoware": 2}
    assert report["sync"]["writes"]["advoware"] > 0 and report["quiet"] and report["failures"] == []
    assert report["linked"] + report["questions"] == 1
    calendars = report["calendars"]
    assert calendars["copied"] == {"employees": 2, "termine": 4, "events": 5}
    # Two are marked, what stood on one side is made on the other; a series with an odd week cannot be said there.
    assert calendars["sync"]["writes"] == {"advoware": 1, "espocrm": 0, "google": 4}
    assert calendars["doubtful"] == 1 and calendars["failures"] == [] and report["unreadable"] == []
    assert not any(system.calls()["writes"] for system in sides)
    assert not any(name in answer.stdout for name in ("Zwilling", "Besprechung", "Meier"))
