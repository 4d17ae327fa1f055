"""First load of a whole firm: addresses and accounts that exist on both sides are linked, the others are created."""

from datetime import UTC, datetime

from vmh_sync.sandbox.made_up.population import populate
from vmh_sync_tests.fixtures.firm import Firm


def test_a_first_load_links_what_is_there_and_doubles_nothing(firm: Firm) -> None:
    made = populate(3, 30, now=datetime(2026, 6, 1, tzinfo=UTC), calendar=False)
    firm.office.seed(**made.office)
    firm.crm.seed(**made.crm)
    before = {entity: len(firm.crm_records(entity)) for entity in ("CAdressen", "CBankverbindungen")}
    firm.until_quiet()
    assert {entity: len(firm.crm_records(entity)) for entity in before} == before
    parties = firm.office_records()
    assert sum(len(party["adressen"]) for party in parties) == before["CAdressen"]
    assert sum(len(party["bankverbindungen"]) for party in parties) == before["CBankverbindungen"]
    assert {record["syncStatus"] for record in firm.crm_records("CBankverbindungen")} == {"clean"}
    kinds = [task["name"] for task in firm.tasks() if "Adresse" in task["name"] or "Bank" in task["name"]]
    assert kinds == [], "a first load must not bury people in tasks"
