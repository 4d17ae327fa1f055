"""People who work with the parties of a history, at the usual firm (people.py) or at a drawn one."""

import asyncio
import random
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Protocol

import httpx

from vmh_sync.clock import SystemClock
from vmh_sync.sandbox.people.edits import EditRecord
from vmh_sync.sandbox.people.parties import People as SandboxPeople
from vmh_sync_tests.chaos.people import People, violations
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.installations.comparison import Json, Sides, doubled, lost, untold

MOST_CALLS = 5_000
LISTS = ("emailAddressData", "phoneNumberData")
BAD_REQUEST = 400


def _now() -> datetime:
    return SystemClock().now().astimezone(UTC)


def in_known_window(
    edit: EditRecord, began: datetime, ended: datetime, calls: Iterable[Json], *, locked: bool = False
) -> bool:
    """Tell whether somebody edited a party between our last look at it and our PUT, where nobody can notice it.

    Advoware replaces the whole record and shows no version, EspoCRM replaces its lists of e-mails and phones and shows
    one only where locking is on, ``locked`` (docs/guarantees.md). ``calls``: what the edited system was asked for, in
    order.
    """
    if edit["side"] == "office":
        unseen = edit["entity"] == "Beteiligte"
    else:
        unseen = edit["entity"] == "CBeteiligte" and edit["field"] in LISTS and not locked
    looked = None
    for call in calls if unseen else ():
        if not call["path"].endswith(f"/{edit['entity']}/{edit['id']}"):
            continue
        at = datetime.fromisoformat(call["at"])
        if call["method"] == "PUT" and looked is not None and looked <= ended and began <= at:
            return True
        looked = at if call["method"] == "GET" else None if call["method"] == "PUT" else looked
    return False


class PartyPeople(Protocol):
    """Those who edit parties, and who know afterwards what must stand where."""

    def act(self) -> bool:
        """Make one edit; returns whether it was possible."""
        ...

    def remember_calls(self) -> None:
        """Keep what the systems were asked for, before the calls are counted anew."""
        ...

    def typed(self) -> object:
        """What was typed, for people to read."""
        ...

    def violations(self) -> list[str]:
        """Return what is lost, doubled or apart (design.md, section 3)."""
        ...

    def close(self) -> None:
        """Close connections."""
        ...


class UsualPeople:
    """People of the firm that has no quirks: everything must come out exactly."""

    def __init__(self, firm: Firm, rng: random.Random) -> None:
        self._firm = firm
        self._people = People(firm, rng)
        self._people.new_party()

    def act(self) -> bool:
        """Make one edit."""
        return self._people.act()

    def remember_calls(self) -> None:
        """Nothing is needed of them."""

    def typed(self) -> object:
        """What was typed, by kind: where, and the values in order."""
        return {kind: list(values.items()) for kind, values in vars(self._people.typed).items()}

    def violations(self) -> list[str]:
        """Compare both sides with what was typed."""
        return violations(self._firm, self._people)

    def close(self) -> None:
        """Nothing is open."""


class DrawnPeople:
    """People of a drawn firm: what its systems refuse or drop must stand in a task or in the audit log."""

    def __init__(self, firm: Firm, seed: int) -> None:
        self._firm = firm
        self._runner = asyncio.Runner()
        self._people = SandboxPeople(firm.sandbox.urls, seed=seed)
        self._edits: list[tuple[EditRecord, datetime, datetime]] = []
        self._calls: dict[str, list[Json]] = {}

    def act(self) -> bool:
        """Make one edit of the kinds that the sandbox's people make."""
        began = _now()
        try:
            made = self._runner.run(self._people.edit_some(1, fresh=True))
        except httpx.HTTPStatusError as refused:
            if refused.response.status_code != BAD_REQUEST:
                raise
            return False  # the form of this firm does not take the value: nothing was typed
        self._edits += [(edit, began, _now()) for edit in made]
        return bool(made)

    def remember_calls(self) -> None:
        """Keep what both systems were asked for, before the calls are counted anew."""
        systems = {"office": self._firm.office, "crm": self._firm.crm}
        self._calls = {name: system.calls(MOST_CALLS)["log"] for name, system in systems.items()}

    def typed(self) -> object:
        """The edits with the time before and after each, and what the systems were asked for meanwhile."""
        edits = [{"began": began, "ended": ended, **edit} for edit, began, ended in self._edits]
        return {"edits": edits, "calls": self._calls}

    def violations(self) -> list[str]:
        """Compare both sides, and look for every typed value there and in what was told."""
        sides = Sides(self._firm.office.state(), self._firm.crm.state())
        with self._firm.store.reading() as tx:
            rows = [row for record_id in sides.ids() for row in tx.audit.for_record(record_id)]
        traces = [str(value) for row in rows for value in (row.old, row.new, row.losing_value) if value]
        found = [f"untold: {difference}" for difference in untold(sides)]
        found += doubled(sides)
        gone = lost([edit for edit, _, _ in self._edits], sides, traces)
        locked = self._firm.sandbox.description["installation"]["crm"]["optimistic"]["CBeteiligte"]
        unseen = [
            edit
            for edit, began, ended in self._edits
            if in_known_window(edit, began, ended, self._calls.get(edit["side"], ()), locked=locked)
        ]
        return found + [f"lost: {edit}" for edit in gone if edit not in unseen]

    def close(self) -> None:
        """Close the connections to the sandbox."""
        self._runner.run(self._people.close())
        self._runner.close()
