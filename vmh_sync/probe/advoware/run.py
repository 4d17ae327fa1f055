"""A whole probe of Advoware: tries everything on the scratch party and puts it back."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from vmh_sync.clock import Clock
from vmh_sync.probe.advoware.appointments import KEYS as TERMIN_KEYS
from vmh_sync.probe.advoware.appointments import try_appointment
from vmh_sync.probe.advoware.assumptions import ASSUMPTIONS
from vmh_sync.probe.advoware.calls import Calls
from vmh_sync.probe.advoware.children import left_behind, try_account, try_address, try_entry
from vmh_sync.probe.advoware.late_commit import try_late_commit
from vmh_sync.probe.advoware.parties import put_back, read_party, try_changes, try_search
from vmh_sync.probe.findings import Probed
from vmh_sync.probe.restore import Restore
from vmh_sync.systems.advoware.client import AdvowareClient

NO_KUERZEL = "kein Kürzel genannt"
PROTECTED = "Schreibschutz ist an (ADVOWARE_WRITE_PROTECTION)"
NO_PARTY = "der Beteiligte ist nicht lesbar"


@dataclass(frozen=True, slots=True)
class Scratch:
    """What may be written on: the number of a party without link, and the Kürzel of an employee's calendar."""

    betnr: int
    kuerzel: str | None = None
    termine_writable: bool = False
    settle_seconds: float = 150.0
    """How long the passes wait for a create without answer (``VMH_CREATE_SETTLE_SECONDS``)."""
    late_budget: float = 180.0
    """How long at most the probe looks for a change without answer, in seconds."""


async def probe(client: AdvowareClient, scratch: Scratch, restore: Restore, clock: Clock, zone: ZoneInfo) -> Probed:
    """Try every assumption. Raises what the client raises; the next call then first puts back what is changed."""
    calls = Calls(client, scratch.betnr)
    if (unfinished := restore.read(scratch.betnr)) is not None:
        await put_back(calls, unfinished)
        restore.forget()
    party = await read_party(calls)
    done = Probed(calls.findings, calls.exchanges)
    if party:
        await try_search(calls, party)
        restore.keep(party)
        try:
            ignored = await try_changes(calls, party, clock, zone)
            await try_late_commit(calls, ignored, scratch.settle_seconds, scratch.late_budget)
        finally:
            done.not_put_back = await put_back(calls, party)
        restore.forget()
        for attempt in (try_entry, try_address, try_account):
            await attempt(calls)
        done.left += await left_behind(calls)
    await _try_calendar(calls, scratch, done, clock, zone)
    calls.rest_not_tried(ASSUMPTIONS, NO_PARTY)
    return done


async def _try_calendar(calls: Calls, scratch: Scratch, done: Probed, clock: Clock, zone: ZoneInfo) -> None:
    why = NO_KUERZEL if scratch.kuerzel is None else None if scratch.termine_writable else PROTECTED
    if why is not None or scratch.kuerzel is None:
        for key in TERMIN_KEYS:
            calls.not_tried(key, why or NO_KUERZEL)
        return
    left = await try_appointment(calls, scratch.kuerzel, clock.now().astimezone(zone).date())
    if left is not None:
        done.left.append(left)
