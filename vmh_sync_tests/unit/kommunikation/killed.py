"""A pass that is killed at one of its writes, or whose writes do not arrive."""

from collections.abc import Callable

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync_tests.inmemory.firm import Firm
from vmh_sync_tests.inmemory.network import Fate, Request


def pass_that_ends_so(firm: Firm, espo_id: str, at: Callable[[Request], bool], fate: Fate) -> None:
    """Make one pass over a party; the first request ``at`` which it ends has this fate."""
    wire = firm.world.wire
    usual = wire.fate
    hit: list[Request] = []

    def chosen(request: Request) -> Fate:
        if hit or not at(request):
            return usual(request)
        hit.append(request)
        return fate

    wire.fate = chosen
    firm.run(PartyPipeline(), [espo_id])
    assert hit
    wire.fate = usual


class WritesFail:
    """The fate of a record's first writes that do not arrive."""

    def __init__(self, at: Callable[[Request], bool], answer: int | str, times: int) -> None:
        self.at, self.answer, self.times = at, answer, times
        self.failed = 0

    def __call__(self, request: Request) -> Fate | None:
        if self.failed == self.times or not self.at(request):
            return None
        self.failed += 1
        return Fate(carried_out=False, answer=self.answer, says=b"{}")
