"""What ``vmh-sync audit kalender`` tells a person: German lines with whole ids."""

import re

from typer.testing import CliRunner

from vmh_sync.commands.audits.audit_kalender import kalender_app
from vmh_sync_tests.fixtures.chancery import Chancery


def lines(*arguments: str) -> list[str]:
    return CliRunner().invoke(kalender_app, [*arguments]).stdout.splitlines()


def test_findings_and_pairs_are_told_with_whole_ids(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    event_id = chancery.event_of(fr_nr)["id"]
    assert lines("verify") == ["Nichts gefunden."]
    (pair,) = lines("lookup", "--frnr", str(fr_nr))
    assert re.fullmatch(
        rf"SB: frNr {fr_nr} ↔ Ereignis {event_id}; Quelle Advoware, abgeglichen, "
        r"zuletzt abgeglichen \d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d",
        pair,
    )

    chancery.edit_termin(fr_nr, text="Neu")

    (waiting,) = lines("verify")
    assert waiting.startswith("SB: Steht noch aus: in Google ändern (")
    assert waiting.endswith(f" – frNr {fr_nr}, Ereignis {event_id}")


def test_what_was_mended_is_called_mended(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    chancery.office.edit("Termine", "delete", frNr=fr_nr)
    found, mended = lines("orphans"), lines("orphans", "--fix")
    assert found[0].startswith("SB: Ereignis mit unserer Kennzeichnung ohne Termin in Advoware – ")
    assert mended == [f"{line}; behoben" for line in found]
