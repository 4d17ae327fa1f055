"""What EspoCRM lists of the parts of a party whose turn has come: asked for with the others whose turn it is."""

from collections.abc import Mapping, Sequence
from types import TracebackType

from vmh_sync.engine.passes.part import Asked, Part
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.passes.together import Asking

MOST_TOGETHER = 100


class PartsAsked:
    """The lists of one party's parts, each told from a request that began inside of the ``with`` block."""

    def __init__(self, context: PassContext, parts: Sequence[Part], espo_id: str) -> None:
        self._asking: dict[str, Asking[Asked]] = {
            part.entity: _soon(context, part, espo_id) for part in parts if part.has_records
        }

    def __enter__(self) -> "PartsAsked":
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ask no more for what was not needed."""
        for asking in self._asking.values():
            asking.withdraw()

    async def of(self, part: Part) -> Asked | None:
        """Return what was listed of a part; ``None`` where it has no records. Raises a ``ForeignSystemError``."""
        asking = self._asking.get(part.entity)
        return await asking.told() if asking is not None else None


def _soon(context: PassContext, part: Part, espo_id: str) -> Asking[Asked]:
    async def ask(ids: Sequence[str]) -> Mapping[str, Asked]:
        asked = await part.ask(context, ids)
        return dict.fromkeys(ids, asked) if asked is not None else {}

    return context.together.soon(f"lists of {part.entity}", espo_id, ask, most=MOST_TOGETHER)
