"""One person is erased from every store of ours, and nothing brings anything back (Art. 17 DSGVO)."""

import asyncio
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.scheduler.instigation import InstigatorType, TickData, TickStatus
from sqlalchemy import create_engine, inspect
from typer.testing import CliRunner, Result

from vmh_sync import entities
from vmh_sync.beteiligte.writing import first_plan
from vmh_sync.children import pipeline
from vmh_sync.cli import app
from vmh_sync.commands.passes.instance import open_instance
from vmh_sync.commands.person.erase import records_in_espocrm
from vmh_sync.coordination.connection import connect_sync
from vmh_sync.engine.passes.opening import PassSettings, open_database
from vmh_sync.engine.selecting.erased import SAYS
from vmh_sync.erasure import run as erasure
from vmh_sync.erasure.run import Stores, plan_erasure
from vmh_sync.settings import VmhSettings, load
from vmh_sync.store.database import reclaim
from vmh_sync.store.database.engine import normalised_url
from vmh_sync.store.history.audit import AuditQuery
from vmh_sync.sync.reporting.outcome import Result as Outcome
from vmh_sync_tests.fixtures.everything_written import contents, found_in
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.postgres import PostgresServer
from vmh_sync_tests.fixtures.sandbox import Sandbox
from vmh_sync_tests.pipeline.kommunikation.sides import mail
from vmh_sync_tests.pipeline.repair.test_children import Ui, sync

CANARIES = {
    "name": "Kanarienvogel-Wichtig",
    "former name": "Frueherdings-Canary",
    "e-mail": "kanarie@geheim.example",
    "street": "Kanarienweg 17",
    "IBAN": "DE89370400440532013000",
    "conflict": "Kanarienkonflikt",
    "zusatz": "Kanarienzusatz",
}


@pytest.fixture(autouse=True)
def _dagster_of_this_test(firm_environment: pytest.MonkeyPatch) -> None:
    """Opening Dagster leaves its home in the environment: what an earlier test opened is searched by nobody here."""
    firm_environment.setenv("DAGSTER_HOME", str(home() / "dagster"))


def vmh(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def home() -> Path:
    return Path(os.environ["VMH_HOME"])


def canaries_written() -> set[str]:
    """The canaries that stand anywhere in our files, raw bytes and rows, and in Redis."""
    found = set[str]()
    for _, content in contents(home().parent):
        found |= found_in(content, CANARIES)
    redis = connect_sync(os.environ["REDIS_URL"])
    for key in redis.scan_iter("*"):
        text = str(redis.get(key)) if redis.type(key) == "string" else ""
        found |= found_in(f"{key} {text}".encode(), CANARIES)
    redis.close()
    return found


def rows_holding_canaries(url: str) -> set[str]:
    """The canaries that stand in any row of any table of a PostgreSQL database."""
    found = set[str]()
    engine = create_engine(normalised_url(url))
    with engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            for (row,) in connection.exec_driver_sql(f'SELECT CAST(t AS text) FROM "{table}" t'):
                found |= found_in(str(row).encode(), CANARIES)
    engine.dispose()
    return found


def a_person_everywhere(firm: Firm) -> tuple[str, int]:
    """A party whose values stand in links, audit, tasks, a stored plan, a run that shows values, Redis, a log."""
    espo_id, betnr = firm.linked_party(
        lastName=CANARIES["former name"],
        firstName="Erika",
        emailAddressData=[mail(CANARIES["e-mail"], primary=True)],
    )
    street = {"adresseStreet": CANARIES["street"], "adressePostalCode": "30159", "adresseCity": "Hannover"}
    firm.crm.edit("CAdressen", "create", values={"name": "A", "beteiligteId": espo_id, **street})
    account = {"name": "K", "beteiligteId": espo_id, "iban": CANARIES["IBAN"]}
    firm.crm.edit("CBankverbindungen", "create", values=account)
    firm.crm_edit(espo_id, lastName=CANARIES["name"])
    firm.sync(espo_id)
    firm.crm_edit(espo_id, zusatz=CANARIES["zusatz"])
    firm.office_edit(betnr, zusatz=CANARIES["conflict"])
    firm.sync(espo_id)
    firm.crm_edit(espo_id, titel="Dr.")
    shown = vmh("sync", "beteiligte", "--id", espo_id, "--dry-run", "--show-values", "--save")
    assert shown.exit_code == 0, shown.output
    redis = connect_sync(os.environ["REDIS_URL"])
    redis.set(f"vmh:bell:{espo_id}", CANARIES["e-mail"])
    redis.close()
    log = home() / "logs" / "dagster.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(f"vorher\n{espo_id} {CANARIES['e-mail']} {CANARIES['IBAN']}\nnachher\n", encoding="utf-8")
    return espo_id, betnr


@pytest.fixture
def person(firm: Firm) -> tuple[str, int]:
    """Who is to be erased; somebody else is there who must stay as he is."""
    return a_person_everywhere(firm)


def test_nothing_of_an_erased_person_is_left_and_nobody_else_is_touched(firm: Firm, person: tuple[str, int]) -> None:
    espo_id, betnr = person
    other, _ = firm.linked_party(lastName="Fremder")
    assert canaries_written() == set(CANARIES), "a canary that was never written proves nothing"
    before = (firm.crm_record(espo_id), firm.office_records())
    firm.crm.clear_calls()
    firm.office.clear_calls()

    plan = vmh("person", "erase", espo_id, "--plan", "--json")
    assert plan.exit_code == 0, plan.output
    told = json.loads(plan.output)
    assert set(told["rows"]) >= {"links", "changes", "manual_tasks"}
    assert told["dagster_runs"]
    assert told["stored_plans_and_books"] >= 1
    assert (told["redis_keys"], len(told["files"])) == (1, 1)
    assert canaries_written() == set(CANARIES), "a plan changes nothing"
    assert found_in(plan.output.encode(), CANARIES) == set()

    done = vmh("person", "erase", betnr, "--yes")

    assert done.exit_code == 0, done.output
    assert found_in(done.output.encode(), CANARIES) == set()
    assert canaries_written() == set()
    assert (firm.crm.calls()["writes"], firm.office.calls()["writes"]) == (0, 0)
    assert (firm.crm_record(espo_id), firm.office_records()) == before
    with firm.store.reading() as tx:
        (row,) = tx.audit.find(AuditQuery(espo_ids=(espo_id,)))
        assert (row.kind, row.betnr, row.old, row.new, row.losing_value) == ("erased", betnr, None, None, None)
        assert tx.links.get_by_espo("beteiligte", other) is not None
    assert "vorher\n" in (home() / "logs" / "dagster.log").read_text()
    again = vmh("person", "erase", espo_id, "--yes")
    assert again.exit_code == 0, again.output


def places_in_dagster(espo_id: str) -> list[str]:
    """The files of Dagster in which a record is named."""
    return [str(path) for path, content in contents(home() / "dagster") if espo_id.encode() in content]


def test_dagster_names_an_erased_person_nowhere_neither_in_repairs_nor_in_ticks(firm: Firm) -> None:
    espo_id, _ = firm.linked_party(lastName="Kanarienvogel")
    firm.crm_edit(espo_id, zusatz="neu")
    firm.office.fault("Beteiligte", "status", status=500, method="PUT")
    with open_instance(load(VmhSettings)) as instance:
        sync(firm, instance, "beteiligte", espo_id)
        firm.office.clear_faults()
        ui = Ui(instance, "beteiligte")
        assert ui.look() == [espo_id]
        assert ui.repair(espo_id).success
        tick = TickData("o", "s", InstigatorType.SENSOR, TickStatus.SUCCESS, 1.0, [], [espo_id], selector_id="s")
        instance.create_tick(tick)
        instance.add_backfill(
            PartitionBackfill(
                backfill_id="b1",
                status=BulkActionStatus.COMPLETED_SUCCESS,
                from_failure=False,
                tags={"key": espo_id},
                backfill_timestamp=0.0,
            )
        )
    assert len(places_in_dagster(espo_id)) > 6, "a place that never named the person proves nothing"

    erased = vmh("person", "erase", espo_id, "--yes", "--json")

    assert erased.exit_code == 0, erased.output
    assert json.loads(erased.output)["dagster_rows"] >= 4
    assert places_in_dagster(espo_id) == []
    assert json.loads(vmh("person", "erase", espo_id, "--yes", "--json").output)["dagster_rows"] == 0


def test_remains_that_could_not_be_overwritten_are_named_and_the_next_call_does_it(
    firm: Firm, person: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reclaim, "BUSY_SECONDS", 0.05)
    espo_id, _ = person
    file = str(load(VmhSettings).database_url).removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM links").fetchone()
        done = vmh("person", "erase", espo_id, "--yes")
    assert done.exit_code == 3, "something is left"
    assert "In vmh_sync.sqlite3 stehen noch Reste gelöschter Zeilen" in done.output
    assert vmh("person", "erase", espo_id, "--yes").exit_code == 0
    assert canaries_written() == set()


def test_an_erased_person_is_not_revived(firm: Firm, person: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    espo_id, betnr = person
    assert vmh("person", "erase", espo_id, "--yes").exit_code == 0
    firm.crm.clear_calls()
    firm.office.clear_calls()
    firm.crm_edit(espo_id, syncStatus="dirty", titel="Prof.")

    assert [outcome.result for outcome in firm.outcomes(espo_id)] == [Outcome.SKIPPED]
    assert [outcome.result for outcome in firm.outcomes(espo_id)] == [Outcome.SKIPPED]
    for entity in ("beteiligte", "adressen", "bankverbindungen"):
        assert vmh("sync", entity, "--all").exit_code == 0
    named = ("sync", "beteiligte", "--id", espo_id)
    assert f"{espo_id}: {SAYS}" in vmh(*named).stdout, "who names it is told why nothing is done"
    assert json.loads(vmh(*named, "--json").stdout)["skipped_because"] == [{"id": espo_id, "reason": SAYS}]
    compared = json.loads(vmh("reconcile", "--json").stdout.strip().splitlines()[-1])
    assert (compared["only_espocrm"], compared["only_advoware"]) == ([], []), "nobody looks for an erased person"
    reborn = firm.crm_party(lastName="Wiedergänger", betnr=betnr)
    assert [outcome.result for outcome in firm.outcomes(reborn)] == [Outcome.SKIPPED]
    monkeypatch.setenv("VMH_IMPORT_PARTIES", "true")
    imported = vmh("import", "beteiligte", "--nummern", betnr, "--json")
    assert json.loads(imported.output)["left"][0]["betnr"] == betnr
    assert (firm.crm.calls()["writes"], firm.office.calls()["writes"]) == (0, 0)
    assert canaries_written() == set()

    assert vmh("person", "readmit", espo_id).exit_code == 0
    firm.crm.edit("CBeteiligte", "delete", id=reborn)
    firm.sync(espo_id)
    assert canaries_written() >= {"name", "e-mail"}


@pytest.fixture
def stores(firm: Firm) -> Iterator[Stores]:
    """All stores of the house."""
    redis = connect_sync(os.environ["REDIS_URL"])
    with open_instance(load(VmhSettings)) as instance:
        yield Stores(firm.store, redis, instance, home(), Path(instance.root_directory), firm.clock)
    redis.close()


def test_an_erasure_that_is_killed_after_any_step_is_finished_by_the_next(
    firm: Firm, person: tuple[str, int], stores: Stores
) -> None:
    espo_id, betnr = person
    number, steps = 0, 1
    while number < steps:
        every = list(erasure.steps_of(stores, plan_erasure(stores, espo_id, betnr), "Löschung"))
        for _, work in every[:number]:
            work()
        if number:
            left = firm.outcomes(espo_id)
            assert [outcome.result for outcome in left] == [Outcome.SKIPPED], "nothing comes back between"
        number, steps = number + 1, len(every)
    assert number >= 4

    assert vmh("person", "erase", espo_id, "--yes").exit_code == 0

    assert canaries_written() == set()
    with firm.store.reading() as tx:
        assert [row.kind for row in tx.audit.find(AuditQuery(espo_ids=(espo_id,)))] == ["erased"]


def test_a_pass_that_waits_for_its_turn_while_a_person_is_erased_brings_nothing_back(
    firm: Firm, person: tuple[str, int], stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    espo_id, betnr = person
    (address,) = firm.crm_records("CAdressen")
    firm.crm.edit("CAdressen", "update", id=address["id"], values={"adresseStreet": "Kanarienweg 18"})
    looked = pipeline._still_stands

    async def erased_meanwhile(*arguments: Any) -> bool:
        plan = await asyncio.to_thread(plan_erasure, stores, espo_id, betnr)
        await asyncio.to_thread(erasure.carry_out, stores, plan, "Löschung")
        return await looked(*arguments)

    monkeypatch.setattr(pipeline, "_still_stands", erased_meanwhile)
    firm.crm.clear_calls()
    firm.office.clear_calls()

    vmh("sync", "adressen", "--id", address["id"])

    assert (firm.crm.calls()["writes"], firm.office.calls()["writes"]) == (0, 0)
    with firm.store.reading() as tx:
        assert tx.links.children_of("adressen", [betnr]) == {}
        assert [row.kind for row in tx.audit.find(AuditQuery(betnr=betnr))] == ["erased"]


def test_a_first_contact_that_waits_for_its_turn_while_a_person_is_erased_is_none(
    firm: Firm, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    betnr = firm.office_party(name=CANARIES["name"])
    espo_id = firm.crm_party(lastName=CANARIES["name"], zusatz=CANARIES["zusatz"], betnr=betnr)
    looked = first_plan.still_stands

    async def erased_meanwhile(*arguments: Any) -> bool:
        plan = await asyncio.to_thread(plan_erasure, stores, espo_id, betnr)
        await asyncio.to_thread(erasure.carry_out, stores, plan, "Löschung")
        return await looked(*arguments)

    monkeypatch.setattr("vmh_sync.beteiligte.writing.write.still_stands", erased_meanwhile)
    firm.crm.clear_calls()
    firm.office.clear_calls()

    firm.outcomes(espo_id)

    assert (firm.crm.calls()["writes"], firm.office.calls()["writes"]) == (0, 0)
    with firm.store.reading() as tx:
        assert tx.links.get_by_espo("beteiligte", espo_id) is None
        assert [row.kind for row in tx.audit.find(AuditQuery(betnr=betnr))] == ["erased"]


@pytest.mark.parametrize("espocrm", ["Task", "CFristen"], ids=["no child", "unknown there"])
def test_an_entity_of_the_firms_own_hides_nothing_of_a_person(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, espocrm: str
) -> None:
    espo_id, _ = firm.linked_party(lastName="Huber")
    address = str(firm.crm.edit("CAdressen", "create", values={"name": "A", "beteiligteId": espo_id})["id"])
    monkeypatch.setattr(entities, "_added", {"eigenes": entities.Entity("eigenes", "Eigenes", espocrm, room="eigenes")})
    assert records_in_espocrm(PassSettings.read(), espo_id) == [address]
    told = vmh("person", "export", espo_id)
    assert told.exit_code == 0, told.output
    assert [row["id"] for row in json.loads(told.stdout)["espocrm"]["adressen"]] == [address]


def test_what_espocrm_does_not_list_of_one_entity_hides_nothing_of_the_others(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    espo_id, _ = firm.linked_party(lastName="Huber")
    account = {"name": "K", "beteiligteId": espo_id, "iban": CANARIES["IBAN"]}
    account_id = str(firm.crm.edit("CBankverbindungen", "create", values=account)["id"])
    without = entities.Entity("adressen", "Adressen", "CGibtEsNicht")
    known = [without if one.name == "adressen" else one for one in entities.every()]
    monkeypatch.setattr(entities, "_BUILT_IN", tuple(known))
    assert records_in_espocrm(PassSettings.read(), espo_id) == [account_id]


def test_nothing_is_erased_without_a_yes(firm: Firm) -> None:
    espo_id, _ = firm.linked_party(lastName="Muster")
    refused = vmh("person", "erase", espo_id)
    assert refused.exit_code == 1
    assert "--yes" in refused.output
    assert vmh("person", "erase", "Niemand", "--yes").exit_code == 1
    with firm.store.reading() as tx:
        assert tx.links.get_by_espo("beteiligte", espo_id) is not None


def test_nothing_is_left_in_postgresql_either(
    sandbox: Sandbox, firm_environment: pytest.MonkeyPatch, postgres_url: str, postgres_server: PostgresServer
) -> None:
    firm_environment.setenv("VMH_DATABASE_URL", postgres_url)
    store = open_database(load(VmhSettings))
    firm = Firm(sandbox, store)
    espo_id, _ = a_person_everywhere(firm)
    other, _ = firm.linked_party(lastName="Fremder")
    assert rows_holding_canaries(postgres_url) == set(CANARIES), "a canary that was never written proves nothing"

    assert vmh("person", "erase", espo_id, "--yes").exit_code == 0

    assert rows_holding_canaries(postgres_url) == set()
    assert canaries_written() == set()
    assert postgres_server.holding(postgres_url, CANARIES.values()) == set(), "nor in what deleted rows left behind"
    with store.reading() as tx:
        assert tx.links.get_by_espo("beteiligte", other) is not None
    assert [outcome.result for outcome in firm.outcomes(espo_id)] == [Outcome.SKIPPED]
    store.close()
