"""What is sent after a whole create was refused: everything but the one bad value, else only what is needed."""

from collections.abc import Mapping
from typing import Any

import pytest

from vmh_sync.engine.passes.pass_context import WriteGate
from vmh_sync.engine.writing.create_what_is_taken import Needed, create_what_is_taken
from vmh_sync.sync.base import Side
from vmh_sync.systems.advoware.errors import NotOffered, Rejected, Transient

VALUES = {"name": "Muster", "titel": "Dr.", "b_anrede": "Lieber", "bemerkung": "Mark, und mehr"}
NEEDED = Needed({"bemerkung": "Mark"}, ("name",))


class Lease:
    """Ours all the time."""

    async def ensure(self) -> None:
        """Nothing to do."""

    async def confirm(self) -> None:
        """Nothing to do."""


class Office:
    """Refuses a request that holds a bad value."""

    def __init__(self, *bad: str, said: str = "") -> None:
        self.bad, self.said = set(bad), said
        self.sent: list[Mapping[str, Any]] = []

    async def create(self, values: Mapping[str, Any]) -> int:
        self.sent.append(values)
        if self.bad & {*values, *map(str, values.values())}:
            refusal = Rejected("refused", status=400)
            refusal.said = self.said
            raise refusal
        return len(self.sent)


async def created(office: Office) -> WriteGate:
    gate = WriteGate(lease=Lease())
    await create_what_is_taken(gate, VALUES, NEEDED, office.create)
    return gate


@pytest.mark.parametrize("bad", ["name", "titel", "b_anrede"])
async def test_only_the_bad_value_is_left_out_and_one_write_counts(bad: str) -> None:
    office = Office(bad)
    gate = await created(office)
    assert office.sent[-1] == {name: value for name, value in VALUES.items() if name != bad}
    assert gate.writes[Side.ADVOWARE] == 1


async def test_what_the_refusal_names_is_left_out_first() -> None:
    office = Office("b_anrede", said="Das Feld bAnrede ist zu lang")
    await created(office)
    assert len(office.sent) == 2


async def test_of_a_bad_value_that_is_needed_its_core_stays() -> None:
    office = Office("Mark, und mehr")
    await created(office)
    assert office.sent[-1] == {**VALUES, "bemerkung": "Mark"}


async def test_of_several_bad_values_only_the_needed_ones_are_sent() -> None:
    office = Office("titel", "b_anrede")
    await created(office)
    assert office.sent[-1] == {"name": "Muster", "bemerkung": "Mark"}


async def test_where_nothing_is_taken_the_first_refusal_is_told() -> None:
    office = Office("bemerkung", said="Nein")
    with pytest.raises(Rejected) as told:
        await created(office)
    assert told.value.said == "Nein"


@pytest.mark.parametrize(
    "error", [Transient("502", status=502), NotOffered("403", status=403), Rejected("409", status=409)]
)
async def test_no_other_answer_is_followed_by_another_request(error: Exception) -> None:
    sent = []

    async def create(values: Mapping[str, Any]) -> None:
        sent.append(values)
        raise error

    with pytest.raises(type(error)):
        await create_what_is_taken(WriteGate(lease=Lease()), VALUES, NEEDED, create)
    assert sent == [VALUES]
