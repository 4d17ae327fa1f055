"""What the watch over EspoCRM takes for news: every edit of a person once, and nothing that we did ourselves."""

from datetime import timedelta

import pytest

from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting.crowd import MOST_TYPED
from vmh_sync.entities import BETEILIGTE
from vmh_sync.store.queue.inbox import Lane
from vmh_sync.tasks.assignee import own_user
from vmh_sync.watch.look import PAGE, EntityWatch
from vmh_sync_tests.fixtures.firm import Firm


@pytest.fixture(autouse=True)
def versions(firm: Firm) -> None:
    """EspoCRM counts versions, as ``crm setup`` leaves it: stamps have whole seconds only."""
    firm.crm.do("set_switch", optimistic={"CBeteiligte": True})


def in_inbox(firm: Firm, *ids: str, lane: Lane | None = None) -> set[str]:
    with firm.store.reading() as tx:
        return set(tx.inbox.waiting_ids("beteiligte", ids, lane))


def claim(firm: Firm, worker: str) -> list[int]:
    with firm.store.transaction() as tx:
        return [item.id for item in tx.inbox.claim("beteiligte", worker, 100, firm.clock.now(), 60)]


def acknowledge(firm: Firm, rows: list[int], worker: str) -> None:
    with firm.store.transaction() as tx:
        tx.inbox.acknowledge(rows, worker)


async def opened(context: PassContext, rung: list[str]) -> EntityWatch:
    return EntityWatch(context, BETEILIGTE, rung.append, await own_user(context))


def test_an_edit_is_news_once_and_what_we_wrote_ourselves_never(firm: Firm) -> None:
    espo_id, _ = firm.linked_party(lastName="Muster")
    rung: list[str] = []

    async def looks(context: PassContext) -> list[int]:
        watch = await opened(context, rung)
        counts = [await watch.look()]
        firm.crm_edit(espo_id, lastName="Anders")
        counts += [await watch.look(), await watch.look()]
        acknowledge(firm, claim(firm, "a run that leaves no trace"), "a run that leaves no trace")
        return [*counts, await watch.look()]

    assert firm.run(looks) == [0, 1, 0, 0]
    assert rung == ["beteiligte"]


def test_an_edit_during_the_sync_of_its_record_is_news_when_that_sync_has_ended(firm: Firm) -> None:
    espo_id, _ = firm.linked_party(lastName="Muster")

    async def looks(context: PassContext) -> list[int]:
        watch = await opened(context, [])
        firm.crm_edit(espo_id, lastName="Eins")
        counts = [await watch.look()]
        rows = claim(firm, "run")
        firm.crm_edit(espo_id, lastName="Zwei")
        counts.append(await watch.look())
        acknowledge(firm, rows, "run")
        return [*counts, await watch.look()]

    assert firm.run(looks) == [1, 0, 1]
    assert in_inbox(firm, espo_id) == {espo_id}


def test_a_watch_that_starts_again_finds_what_was_edited_meanwhile(firm: Firm) -> None:
    espo_id, _ = firm.linked_party(lastName="Muster")

    async def before(context: PassContext) -> None:
        watch = await opened(context, [])
        await watch.look()
        watch.keep_cursor()

    async def after(context: PassContext) -> int:
        return await (await opened(context, [])).look()

    firm.run(before)
    firm.crm_edit(espo_id, lastName="Inzwischen")
    assert firm.run(after) == 1
    assert in_inbox(firm, espo_id) == {espo_id}


@pytest.mark.parametrize("hours", [-5, 5])
def test_clocks_that_disagree_hide_no_edit(firm: Firm, hours: int) -> None:
    espo_id, _ = firm.linked_party(lastName="Muster")
    firm.clock.shift = timedelta(hours=hours)

    async def looks(context: PassContext) -> list[int]:
        watch = await opened(context, [])
        counts = [await watch.look()]
        firm.crm_edit(espo_id, lastName="Anders")
        return [*counts, await watch.look()]

    assert firm.run(looks) == [0, 1]


def test_an_import_waits_where_it_is_in_nobodys_way_and_an_edit_beside_it_does_not(firm: Firm) -> None:
    espo_id, _ = firm.linked_party(lastName="Muster")
    now = firm.clock.now().strftime("%Y-%m-%d %H:%M:%S")
    imported = [f"{number:017x}" for number in range(MOST_TYPED + 1)]
    rung: list[str] = []

    async def looks(context: PassContext) -> list[int]:
        watch = await opened(context, rung)
        counts = [await watch.look()]
        firm.crm.seed(
            records={"CBeteiligte": [{"id": one, "lastName": "Import", "modifiedAt": now} for one in imported]}
        )
        counts.append(await watch.look())
        assert rung == [], "nobody waits for that"
        firm.crm_edit(espo_id, lastName="Anders")
        return [*counts, await watch.look()]

    assert firm.run(looks) == [0, len(imported), 1]
    assert rung == ["beteiligte"]
    assert in_inbox(firm, espo_id, *imported, lane=Lane.LIVE) == {espo_id}
    assert in_inbox(firm, espo_id, *imported, lane=Lane.BULK) == set(imported)


def test_a_look_is_one_list_however_much_there_is(firm: Firm) -> None:
    rows = [{"id": f"{number:017x}", "lastName": f"P{number}"} for number in range(PAGE + 50)]
    firm.crm.seed(records={"CBeteiligte": rows})

    async def look(context: PassContext) -> int:
        watch = EntityWatch(context, BETEILIGTE, lambda _: None, None)
        firm.crm.clear_calls()
        return await watch.look()

    assert firm.run(look) <= PAGE
    assert firm.crm.calls()["total"] == 1
