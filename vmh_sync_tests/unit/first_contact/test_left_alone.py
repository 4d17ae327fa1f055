"""Why first contact left a party alone, in the words that its list shows."""

import pytest

from vmh_sync.coordination.errors import LeaseLost
from vmh_sync.first_contact.carry_out import BUSY, MOVED, LeftAlone
from vmh_sync.first_contact.run import each
from vmh_sync.store.errors import LinkTaken, StaleLink


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (LeaseLost("beteiligte:a"), BUSY),
        (StaleLink("a"), MOVED),
        (LinkTaken("a"), MOVED),
        (LeftAlone("ist inzwischen verknüpft"), "ist inzwischen verknüpft"),
        (KeyError("a"), "unerwarteter Fehler"),
    ],
)
async def test_the_others_go_on_and_the_reason_is_told(error: Exception, says: str) -> None:
    done: list[str] = []

    async def fails() -> None:
        raise error

    async def works() -> None:
        done.append("b")

    failures: dict[str, str] = {}
    await each([("a", fails), ("b", works)], failures, lambda *_: None)
    assert (failures, done) == ({"a": says}, ["b"])
