"""How late something is still written whose answer never came (sync-semantics.md 3, creates).

A change of the scratch party is sent and its answer not waited for; then the party is read until the change shows.
"""

import asyncio
import time
from collections.abc import Iterator

from vmh_sync.fence import put_up, take_down
from vmh_sync.probe.advoware.calls import Calls, Json, same
from vmh_sync.probe.recording import Exchange
from vmh_sync.probe.texts import TEXT
from vmh_sync.systems.advoware import wire

KEY = "late_commit"
_CUTS = (0.3, 0.05, 0.005)
"""How many seconds after sending the connection is given up; the longest that is too short for Advoware counts."""
_FIELDS = ("zusatz", "titel", "vorname")
_ASKED_WHEN_SENT = 2
_FOR_EVER = 3600.0


class _Leaving:
    """A fence that never ends and tells when the request leaves: it is asked before, and when the connection stands."""

    def __init__(self) -> None:
        self._asked = 0
        self.sent = asyncio.Event()

    def seconds_left(self) -> float:
        self._asked += 1
        if self._asked >= _ASKED_WHEN_SENT:
            self.sent.set()
        return _FOR_EVER


async def try_late_commit(calls: Calls, ignored: tuple[str, ...], settle_seconds: float, budget: float) -> None:
    """Measure it, for ``budget`` seconds at most; ``ignored`` are the fields that a PUT does not change.

    The caller puts the party back.
    """
    name = next((name for name in _FIELDS if name not in ignored), None)
    if name is None:
        calls.not_tried(KEY, "keine Änderung wurde übernommen")
        return
    for cut in _CUTS:
        party = await _read(calls)
        value = f"{TEXT} 2" if same(TEXT, party.get(name)) else TEXT
        sent = time.monotonic()
        if await _lost(calls, wire.without_children(party) | {name: value}, cut):
            await _watch(calls, name, value, sent, settle_seconds, budget)
            return
    calls.not_tried(KEY, "Advoware antwortet schneller, als eine Antwort verlorengehen kann")


async def _lost(calls: Calls, body: Json, seconds: float) -> bool:
    """Send a PUT and give its connection up; False: the answer was faster. Raises what the client raises."""
    fence = _Leaving()
    put_up(fence)
    try:
        sending = asyncio.create_task(calls.client.exchange("PUT", wire.BETEILIGTER.path(betnr=calls.betnr), json=body))
    finally:
        take_down(fence)
    leaving = asyncio.create_task(fence.sent.wait())
    try:
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        done, _ = await asyncio.wait({sending}, timeout=seconds)
    finally:
        for task in (sending, leaving):
            task.cancel()
        await asyncio.wait({sending, leaving})
    if done:
        sending.result()
    return not done


async def _watch(calls: Calls, name: str, value: str, sent: float, settle_seconds: float, budget: float) -> None:
    for pause in _pauses():
        if same(value, (await _read(calls)).get(name)):
            seconds = time.monotonic() - sent
            calls.found(KEY, seconds <= settle_seconds, f"nach {seconds:.1f} Sekunden", number=seconds)
            return
        if time.monotonic() - sent > budget:
            break
        await asyncio.sleep(pause)
    calls.not_tried(KEY, f"in {budget:.0f} Sekunden ist nichts angekommen")


def _pauses() -> Iterator[float]:
    pause = 0.05
    while True:
        yield pause
        pause = min(2 * pause, 2.0)


async def _read(calls: Calls) -> Json:
    # Not in the recording: how often is asked depends on the time.
    path = wire.BETEILIGTER.path(betnr=calls.betnr)
    return Exchange(KEY, "GET", path, await calls.client.exchange("GET", path)).record
