"""A side that refuses a whole create for one of its values gets the record without it.

The refused value is left to the merge of the created record, which sends it once more where it can be changed and tells
a person (specification, sync-semantics.md 1: a refused value is quarantined, everything else of the record goes on).
"""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from vmh_sync.engine.passes.pass_context import WriteGate
from vmh_sync.sync.base import Side
from vmh_sync.systems.advoware.errors import Rejected

T = TypeVar("T")

_WRONG_VALUE = (400, 422)


@dataclass(frozen=True, slots=True)
class Needed:
    """What a record cannot do without.

    ``kept`` goes with every request, and is what is left of such a value where the whole of it is refused: by it an
    unanswered create is found again. ``core`` makes the record what it is: without one of these it may be created, but
    not without all.
    """

    kept: Mapping[str, object]
    core: Collection[str] = ()


async def create_what_is_taken(
    gate: WriteGate,
    values: Mapping[str, object],
    needed: Needed,
    create: Callable[[Mapping[str, object]], Awaitable[T]],
    *,
    whole: bool = False,
) -> T:
    """Create a record in Advoware with all ``values``, else without the one that it refuses.

    If none of them alone is to blame, only what is ``needed`` is sent. Nothing but a refused request is followed by
    another, so that nothing is created twice. Raises the refusal of the whole where nothing of it is taken, and
    whatever else ``create`` raises. ``whole``: nothing else is tried (``CreateOrder.post_whole``).
    """

    async def send(sent: Mapping[str, object]) -> T:
        async with gate.sending(Side.ADVOWARE):
            return await create(sent)

    try:
        return await send(values)
    except Rejected as refusal:
        told = refusal
    if told.status in _WRONG_VALUE and not whole:
        for less in _with_less(values, needed, told.said):
            try:
                return await send(less)
            except Rejected:
                continue
    raise told


def _with_less(values: Mapping[str, object], needed: Needed, said: str) -> Iterator[Mapping[str, object]]:
    """Yield the values without one of them, first those that the refusal names; at last only the needed ones."""
    text = said.casefold()
    shortened = [name for name, kept in needed.kept.items() if values.get(name) != kept]
    spare = [name for name in values if name not in needed.kept]
    for name in sorted((*spare, *shortened), key=lambda name: name.replace("_", "") not in text):
        rest = {key: value for key, value in values.items() if key != name}
        yield {**rest, **(needed.kept if name in shortened else {})}
    if len(spare) + len(shortened) > 1:
        yield {**{key: value for key, value in values.items() if key in needed.core}, **needed.kept}
