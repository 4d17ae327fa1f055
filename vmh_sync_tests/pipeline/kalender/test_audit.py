"""The audit finds what was planted on purpose, mends it when asked, and leaves everything else alone."""

import json
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner

from vmh_sync.commands.audits.audit_kalender import kalender_app
from vmh_sync.definitions import build_defs
from vmh_sync.kalender.audits import audit
from vmh_sync_tests.fixtures.chancery import Chancery, marked

Reported = list[tuple[str, int | None, bool]]


def told(troubles: list[audit.Trouble]) -> Reported:
    return [(trouble.kind, trouble.fr_nr, trouble.mended) for trouble in troubles]


def mark(fr_nr: int, source: str = "advoware") -> dict[str, Any]:
    return {"extendedProperties": {"private": {"frNr": str(fr_nr), "source": source}}}


def test_a_chancery_in_order_has_no_findings(chancery: Chancery) -> None:
    chancery.employee()
    chancery.termin()
    chancery.sync()
    for look in (audit.verify, audit.duplicates, audit.orphans, audit.rebuild_pairs):
        assert chancery.run(look) == []


def test_a_mistyped_kuerzel_is_named_and_does_not_look_as_if_all_were_well(chancery: Chancery) -> None:
    chancery.employee()
    chancery.sync()
    for look in (audit.verify, audit.duplicates, audit.orphans, audit.rebuild_pairs):
        (trouble,) = chancery.run(lambda context, look=look: look(context, ["XX"]))  # type: ignore[misc]
        assert (trouble.kuerzel, trouble.kind) == ("XX", "unknown_kuerzel")


def test_a_planted_duplicate_is_found_and_mended_and_the_paired_event_stays(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    paired = chancery.event_of(fr_nr)["id"]
    extra = chancery.copy_event("SB", paired)
    assert told(chancery.run(audit.duplicates)) == [("duplicate", fr_nr, False)]
    assert extra in chancery.events(), "a look changes nothing"
    assert told(chancery.run(lambda context: audit.duplicates(context, fix=True))) == [("duplicate", fr_nr, True)]
    assert set(chancery.events()) == {paired}
    assert chancery.run(audit.duplicates) == []
    assert chancery.until_quiet() == 1


def test_a_planted_orphan_is_found_and_mended_but_a_persons_own_event_stays(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    ours = chancery.event(**mark(4711))
    theirs = chancery.event(**mark(4712, "google"))
    found = told(chancery.run(audit.orphans))
    assert found == [("orphan", 4711, False), ("orphan", 4712, False)]
    chancery.run(lambda context: audit.orphans(context, fix=True))
    assert ours not in chancery.events() and theirs in chancery.events()
    assert chancery.event_of(fr_nr)


def test_orphans_are_not_deleted_when_advoware_lists_nothing(chancery: Chancery) -> None:
    chancery.employee()
    for number in range(7):
        chancery.termin(text=f"Termin {number}")
    chancery.sync()
    for fr_nr in list(chancery.termine()):
        chancery.drop_termin(fr_nr)
    assert told(chancery.run(lambda context: audit.orphans(context, fix=True))) == [("stopped", None, False)]
    assert len(chancery.events()) == 7


def test_lost_pairs_are_rebuilt_from_the_calendars_without_a_single_foreign_write(chancery: Chancery) -> None:
    chancery.employee()
    numbers = {chancery.termin(text=f"Termin {number}") for number in range(4)}
    chancery.sync()
    chancery.sync()  # from here on a delta does not name the events again
    before = {pair.event_id for pair in chancery.pairs().values()}
    with chancery.store.transaction() as tx:
        tx.calendar_pairs.mark_deleted(
            [pair.id for pair in tx.calendar_pairs.of("SB") if pair.id], chancery.clock.now()
        )
    assert {kind for kind, _, _ in told(chancery.run(audit.rebuild_pairs))} == {"unpaired"}
    assert not chancery.pairs()
    chancery.run(lambda context: audit.rebuild_pairs(context, fix=True))
    assert set(chancery.pairs()) == numbers
    assert {pair.event_id for pair in chancery.pairs().values()} == before
    assert not any(chancery.sync().writes.values())
    assert all(pair.base for pair in chancery.pairs().values())


def test_verify_tells_what_is_pending_and_writes_nothing(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    chancery.edit_termin(fr_nr, text="Neu")
    assert told(chancery.run(audit.verify)) == [("pending:update_google", fr_nr, False)]
    assert chancery.event_of(fr_nr)["summary"] == "Verhandlung"


def test_the_command_line_looks_up_pairs_and_ends_with_3_when_something_is_found(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    event_id = chancery.event_of(fr_nr)["id"]
    for option, value in (("--frnr", str(fr_nr)), ("--event", event_id)):
        answer = CliRunner().invoke(kalender_app, ["lookup", option, value, "--json"])
        (pair,) = json.loads(answer.stdout.splitlines()[-1])["pairs"]
        assert (pair["kuerzel"], pair["frNr"], pair["event"]) == ("SB", fr_nr, event_id)
    chancery.copy_event("SB", event_id)
    assert CliRunner().invoke(kalender_app, ["duplicates", "--json"]).exit_code == 3
    assert CliRunner().invoke(kalender_app, ["duplicates", "--fix", "--json"]).exit_code == 0
    assert [marked(event) for event in chancery.events().values()] == [str(fr_nr)]


@pytest.mark.parametrize(("name", "passed"), [("duplicates", False), ("orphans", True)])
def test_the_checks_in_dagster_tell_the_same(chancery: Chancery, name: str, passed: bool) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    chancery.copy_event("SB", chancery.event_of(fr_nr)["id"])
    key = dg.AssetCheckKey(dg.AssetKey("kalender"), name)
    job = dg.define_asset_job("checks", dg.AssetSelection.checks(key))
    defs = dg.Definitions.merge(build_defs(), dg.Definitions(jobs=[job]))
    with dg.instance_for_test() as instance:
        result = defs.resolve_job_def("checks").execute_in_process(instance=instance)
        (check,) = result.get_asset_check_evaluations()
    assert check.passed is passed
