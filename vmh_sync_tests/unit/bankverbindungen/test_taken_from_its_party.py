"""An account or address that a person takes away from its party in EspoCRM (unlink) still stands in Advoware."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from vmh_sync.children.commit import Outcome
from vmh_sync.children.write import ChildWriter
from vmh_sync.store.pairs.links import Link
from vmh_sync_tests.inmemory.loop import own_process
from vmh_sync_tests.inmemory.network import Answer, Request
from vmh_sync_tests.unit.bankverbindungen.test_entered_again import VALUES, Entered

FAR = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture(params=VALUES)
def entered(request: pytest.FixtureRequest) -> Iterator[Entered]:
    one = Entered(request.param)
    yield one
    one.game.firm.world.close()


def hang_on(entered: Entered, party: str | None) -> None:
    # As EspoCRM does it from the panel of the party: neither the stamp nor the status of the record moves.
    table = entered.game.firm.world.crm.crm.tables[entered.game.kind.espo_entity]
    table.update(table.rows[entered.first], {"beteiligteId": party})


def own_record(entered: Entered) -> dict[str, Any]:
    row = entered.game.firm.crm_row(entered.game.kind.espo_entity, entered.first)
    assert row is not None
    return row


def test_a_person_is_asked_to_delete_it_and_its_record_says_what_is_missing(entered: Entered) -> None:
    hang_on(entered, None)
    entered.settle()
    assert entered.tasks() == [entered.game.kind.delete_task]
    (task,) = entered.game.firm.crm_rows("Task").values()
    assert "von diesem Beteiligten gelöst" in task["description"]
    assert waiting(entered)[1] == {entered.first}
    entered.game.firm.settle(entered.game.passes[1], [entered.first])
    assert "gehört zu keinem Beteiligten" in own_record(entered)["syncErrorMessage"]


def waiting(entered: Entered) -> tuple[set[str], set[str]]:
    """What waits in the inbox: which of the parties, and whether the record itself."""
    with entered.game.firm.world.store.reading() as tx:
        parties = tx.inbox.waiting_ids("beteiligte", entered.game.parties)
        return parties, tx.inbox.waiting_ids(entered.game.kind.entity, [entered.first])


def test_its_own_pass_sends_for_the_party_once(entered: Entered) -> None:
    """Who empties the field in the record is told of it at once, and the party has not changed at all."""
    hang_on(entered, None)
    entered.game.firm.settle(entered.game.passes[1], [entered.first])
    assert waiting(entered)[0] == {entered.game.parties[0]}
    assert "gehört zu keinem Beteiligten" in own_record(entered)["syncErrorMessage"]
    entered.settle()
    assert entered.tasks() == [entered.game.kind.delete_task]
    with entered.game.firm.world.store.transaction() as tx:
        tx.inbox.acknowledge([item.id for item in tx.inbox.claim("beteiligte", "x", 9, FAR, 60)], "x")
    entered.game.firm.settle(entered.game.passes[1], [entered.first])
    assert waiting(entered)[0] == set()


def test_its_record_is_told_also_where_the_pass_dies_after_its_link(
    entered: Entered, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang_on(entered, None)
    usual = ChildWriter.store

    async def dying(writer: ChildWriter, done: Outcome, intent: str | None = None) -> Link:
        link = await usual(writer, done, intent)
        process = own_process()
        assert process is not None
        process.kill()
        await asyncio.get_running_loop().create_future()
        return link

    with monkeypatch.context() as patched:
        patched.setattr(ChildWriter, "store", dying)
        entered.game.firm.run(entered.game.passes[0], entered.game.parties)
    entered.settle()
    assert waiting(entered)[1] == {entered.first}
    assert entered.tasks() == [entered.game.kind.delete_task]


@pytest.mark.parametrize("told", [False, True], ids=["at once", "after its task"])
def test_given_back_it_is_what_it_was_with_all_that_was_typed_since(entered: Entered, *, told: bool) -> None:
    hang_on(entered, None)
    if told:
        entered.settle()
        entered.game.firm.settle(entered.game.passes[1], [entered.first])
    (key,) = entered.game.there()
    entered.game.change_there(
        key, {"ort": "Celle <new>"} if "adresseStreet" in entered.values else {"bank": "Bank <new>"}
    )
    hang_on(entered, entered.game.parties[0])
    entered.settle()
    assert (entered.statuses(), entered.tasks()) == ([("clean", None)], [])
    entered.game.firm.check_nothing_is_lost()
    entered.game.delete_here(entered.first)
    entered.settle()
    assert entered.tasks() == [entered.game.kind.delete_task]
    assert "gelöscht" in list(entered.game.firm.crm_rows("Task").values())[-1]["description"].partition("\n")[0]


def test_hung_on_another_party_afterwards_it_moves_there(entered: Entered) -> None:
    hang_on(entered, None)
    entered.settle()
    hang_on(entered, entered.game.parties[1])
    entered.settle()
    assert own_record(entered)["syncStatus"] == "clean"
    assert [task.kind for task in entered.game.firm.tasks()] == [entered.game.kind.delete_task]


def test_one_whose_party_is_hidden_is_not_taken_away(entered: Entered) -> None:
    usual = entered.game.firm.world.wire.carry_out

    def hiding(request: Request, url: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        status, told, content = usual(request, url, headers, body)
        alone = request.method == "GET" and request.path.endswith(entered.first)
        return status, told, content.replace(b'"beteiligteId"', b'"hidden"') if alone else content

    entered.game.firm.world.wire.carry_out = hiding  # type: ignore[method-assign]
    hang_on(entered, None)
    entered.settle()
    assert entered.tasks() == []
