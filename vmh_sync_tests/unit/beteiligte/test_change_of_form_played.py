"""A party changes its form in one save or two, passes in between, in both real systems in memory (entities.md 1)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.settings import SyncSettings
from vmh_sync.store.models import ChangeRow
from vmh_sync_tests.inmemory.database import rows
from vmh_sync_tests.inmemory.firm import Firm
from vmh_sync_tests.inmemory.world import World
from vmh_sync_tests.unit.beteiligte.form_orders import COMPANY, Order, orders

CRM, OFFICE = "CBeteiligte", "Beteiligte"
HUBER_BAU, ERIKA = ("Huber Bau", "Huber Bau", "", "Huber Bau", ""), ("", "Huber", "Erika", "Huber", "Erika")
ALL = [*orders(to_company=False), *orders(to_company=True)]
HARD = ("rechtsform+name-then-vorname", "firmenname+lastName+firstName-then-rechtsform", "name+vorname-then-rechtsform")


@pytest.fixture
def firm() -> Iterator[Firm]:
    firm = Firm(World(rules=SyncSettings(_env_file=None)))
    yield firm
    firm.world.close()


def play(firm: Firm, order: Order) -> tuple[str, ...]:
    """Return both homes of the name and the first name in EspoCRM, then name and first name in Advoware."""
    espo_id = firm.crm_create(CRM, order.was)
    firm.settle(PartyPipeline(), [espo_id])
    (number,) = firm.office_rows(OFFICE)
    for save in filter(None, order.saves):
        firm.world.loop.pass_time(60)
        firm.crm_edit(CRM, espo_id, save) if order.here else firm.office_edit(OFFICE, number, save)
        firm.settle(PartyPipeline(), [espo_id])
    here, there = firm.crm_row(CRM, espo_id) or {}, firm.office_rows(OFFICE)[number]
    said = [here[name] for name in ("firmenname", "lastName", "firstName")] + [
        there[name] for name in ("name", "vorname")
    ]
    return tuple(value or "" for value in said)


def expected(order: Order) -> tuple[str, ...]:
    return ERIKA if order.was is COMPANY else HUBER_BAU


@pytest.mark.parametrize("order", [one for one in ALL if str(one).partition("-")[2] in HARD], ids=str)
def test_both_sides_say_the_new_form_and_nobody_is_asked(firm: Firm, order: Order) -> None:
    assert play(firm, order) == expected(order)
    assert not firm.tasks()
    cleared = [row for row in rows(firm.world.store, ChangeRow) if row.field == "_firmenname"]
    assert len(cleared) == (order.was is COMPANY and not order.here), "the audit log tells what was cleared"
    firm.check_nothing_is_lost()


def test_an_espocrm_that_does_not_let_go_of_the_firms_name_takes_all_else(firm: Firm) -> None:
    espo_id = firm.crm_create(CRM, COMPANY)
    firm.settle(PartyPipeline(), [espo_id])
    (number,) = firm.office_rows(OFFICE)
    demanded = firm.world.crm.crm.schema[CRM].fields["firmenname"]
    demanded["required"] = True
    firm.office_edit(OFFICE, number, {"rechtsform": "", "name": "Huber", "vorname": "Erika"})
    firm.settle(PartyPipeline(), [espo_id])
    row = firm.crm_row(CRM, espo_id) or {}
    assert (row["firmenname"], row["lastName"], row["firstName"]) == ("Huber Bau", "Huber", "Erika")
    assert (row["syncStatus"], [task.fields for task in firm.tasks()]) == ("conflict", [("_firmenname",)])
    demanded["required"] = False
    firm.world.loop.pass_time(timedelta(days=1).total_seconds())
    firm.settle(PartyPipeline(), [espo_id])
    row = firm.crm_row(CRM, espo_id) or {}
    assert (row["firmenname"], row["syncStatus"], firm.tasks()) == (None, "clean", [])


@pytest.mark.proof
@pytest.mark.parametrize("ignores", [(), ("rechtsform",)])
@pytest.mark.parametrize("order", ALL, ids=str)
def test_every_order_also_at_an_office_that_ignores_legal_forms(
    firm: Firm, order: Order, ignores: tuple[str, ...]
) -> None:
    firm.world.office.command("switches", {"put_ignores": list(ignores)})
    assert play(firm, order) == expected(order)
    assert [task.fields for task in firm.tasks()] == [("rechtsform",)] * (bool(ignores) and order.here)
