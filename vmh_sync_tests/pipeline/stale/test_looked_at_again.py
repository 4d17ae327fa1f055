"""Somebody else has changed a row of our database since it was read: it is looked at again, the run goes on."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from vmh_sync.kalender.apply.pair_book import PairBook
from vmh_sync.store.calendars.calendar import CalendarPair, CalendarPairs
from vmh_sync.store.errors import LinkTaken, PairTaken, StaleLink, StaleRow
from vmh_sync.store.history.tasks import Tasks
from vmh_sync.store.pairs.intents import Intents
from vmh_sync.store.pairs.links import Link, Links
from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.chancery import Chancery, marked
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.adressen import test_addresses as addresses
from vmh_sync_tests.pipeline.bankverbindungen import test_bank_accounts as accounts
from vmh_sync_tests.pipeline.kommunikation import sides


@pytest.fixture
def struck() -> Iterator[list[str]]:
    """Where a row was found changed; the test must have met it."""
    places: list[str] = []
    yield places
    assert places


def once(struck: list[str], real: Callable[..., Any], error: Exception, concerns: Callable[..., bool]) -> Any:
    """A method that finds the row changed at its first call about the victim."""

    def patched(self: Any, *args: Any, **named: Any) -> Any:
        if not struck and concerns(*args, **named):
            struck.append(type(error).__name__)
            raise error
        return real(self, *args, **named)

    return patched


def everything_of_a_party(firm: Firm) -> tuple[str, int]:
    """A linked party with edits and new children of every kind that wait."""
    espo_id, betnr = firm.linked_party(lastName="Opfer")
    address = addresses.address(firm, espo_id)
    firm.sync(espo_id)
    addresses.edit(firm, address, adresseStreet="Neue Gasse 1")
    accounts.account(firm, espo_id)
    firm.crm_edit(espo_id, titel="Dr.", emailAddressData=[sides.mail("neu@huber.example", primary=True)])
    firm.office_edit(betnr, zusatz="Zusatz")
    return espo_id, betnr


def stands_on_both_sides(firm: Firm, espo_id: str, betnr: int) -> None:
    record, party = firm.crm_record(espo_id), firm.office_record(betnr)
    assert (record["zusatz"], party["titel"], record["syncStatus"]) == ("Zusatz", "Dr.", "clean")
    assert sides.values(firm, betnr) == ["neu@huber.example"]
    assert [one["strasse"] for one in addresses.there(firm, betnr)] == ["Neue Gasse 1"]
    assert [one["iban"] for one in accounts.there(firm, betnr)] == [accounts.IBAN]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(StaleLink("moved"), id="stale"),
        pytest.param(LinkTaken("taken"), id="taken", marks=pytest.mark.proof),
    ],
)
@pytest.mark.parametrize("entity", ["beteiligte", "kommunikation", "adressen", "bankverbindungen"])
def test_a_link_that_somebody_else_has_changed(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, struck: list[str], entity: str, error: Exception
) -> None:
    def concerns(link: Link, *_: Any) -> bool:
        return link.entity == entity

    espo_id, betnr = everything_of_a_party(firm)
    monkeypatch.setattr(Links, "save", once(struck, Links.save, error, concerns))
    (outcome,) = firm.outcomes(espo_id)
    assert (outcome.result, outcome.error) == (Result.SYNCED, None)
    stands_on_both_sides(firm, espo_id, betnr)
    firm.until_quiet()


@pytest.mark.parametrize("entity", ["kommunikation", "bankverbindungen"])
def test_a_create_that_somebody_else_has_settled(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, struck: list[str], entity: str
) -> None:
    firm_id, betnr = everything_of_a_party(firm)

    def concerns(intent_id: str, *_: Any) -> bool:
        with firm.store.reading() as tx:
            intent = tx.intents.get(intent_id)
        return intent is not None and intent.entity == entity

    monkeypatch.setattr(Intents, "complete", once(struck, Intents.complete, StaleRow("settled"), concerns))
    (outcome,) = firm.outcomes(firm_id)
    assert (outcome.result, outcome.error) == (Result.SYNCED, None)
    stands_on_both_sides(firm, firm_id, betnr)


@pytest.mark.parametrize("step", ["ensure", "attach_espo_id"])
def test_a_task_that_somebody_else_has_closed(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, struck: list[str], step: str
) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt")
    firm.crm_edit(espo_id, lastName="AusEspo")
    firm.office_edit(betnr, name="AusAdvoware")
    real = getattr(Tasks, step)
    monkeypatch.setattr(Tasks, step, once(struck, real, StaleRow("closed"), lambda *_, **__: True))
    (outcome,) = firm.outcomes(espo_id)
    assert (outcome.result, outcome.error) == (Result.SYNCED, None)
    assert firm.office_record(betnr)["name"] == "AusEspo"
    assert len(firm.crm_records("Task")) == 1


class Day:
    """An employee with an appointment in which everything happens, and one that only has to be synced."""

    def __init__(self, chancery: Chancery) -> None:
        self.chancery = chancery
        chancery.employee()
        self.victim, self.other = chancery.termin(text="Opfer"), chancery.termin(text="Heil", offset=8)
        chancery.until_quiet()
        chancery.edit_termin(self.victim, ort="Saal 7")
        chancery.edit_event("SB", chancery.event_of(self.victim)["id"], summary="Opfer neu")
        chancery.edit_termin(self.other, text="Heil neu")

    def is_right(self) -> None:
        chancery = self.chancery
        event, termin = chancery.event_of(self.victim), chancery.termine()[self.victim]
        assert (event["summary"], event["location"], termin["text"]) == ("Opfer neu", "Saal 7", "Opfer neu")
        assert chancery.event_of(self.other)["summary"] == "Heil neu"


@pytest.mark.parametrize("error", [StaleRow("moved"), PairTaken("taken")], ids=["stale", "taken"])
def test_a_pair_of_the_calendar_that_somebody_else_has_changed(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch, struck: list[str], error: Exception
) -> None:
    day = Day(chancery)

    def concerns(pair: CalendarPair) -> bool:
        return pair.frnr == day.victim

    monkeypatch.setattr(CalendarPairs, "save", once(struck, CalendarPairs.save, error, concerns))
    assert chancery.sync().failures == []
    day.is_right()
    assert chancery.state().last_error is None


def test_a_termin_whose_create_somebody_else_has_settled(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch, struck: list[str]
) -> None:
    chancery.employee()
    chancery.sync()
    event_id = chancery.event(summary="Aus Google")
    settled = once(struck, Intents.complete, StaleRow("settled"), lambda *_: True)
    monkeypatch.setattr(Intents, "complete", settled)
    assert chancery.sync().failures == []
    chancery.clock.shift = timedelta(minutes=3)
    chancery.until_quiet()
    (fr_nr,) = chancery.termine()
    assert marked(chancery.events()[event_id]) == str(fr_nr)


def test_a_failure_that_cannot_be_noted_on_its_pair_stops_nobody_else(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch, struck: list[str]
) -> None:
    day = Day(chancery)
    real = PairBook.fail

    async def breaks(self: PairBook, fr_nr: int, message: str) -> None:
        if fr_nr == day.victim:
            struck.append(message)
            raise KeyError("geheim")
        await real(self, fr_nr, message)

    monkeypatch.setattr(PairBook, "fail", breaks)
    chancery.office.fault("Termine", "status", method="PUT", status=400, times=1)
    outcomes = {one.id: one for one in chancery.outcomes()}
    assert outcomes[f"SB/{day.victim}"].result is Result.FAILED
    assert outcomes[f"SB/{day.other}"].result is Result.SYNCED
    assert "SB" not in outcomes
