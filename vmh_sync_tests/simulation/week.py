"""A deterministic simulation, as FoundationDB and TigerBeetle test themselves.

Several workers, sensors, schedules, the gateway, leases, our database, both systems, people and faults live in one
process on virtual time; a seed decides everything. What went wrong once goes wrong again with the same seed, to the
letter: the trace of two plays is the same.
"""

import hashlib
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from vmh_sync.engine.selecting import selection
from vmh_sync.settings import SyncSettings
from vmh_sync_tests.inmemory.loop import Process
from vmh_sync_tests.inmemory.network import Fate, Request
from vmh_sync_tests.property.beteiligte.game import CRM, NEW, NEW_PHONE, OFFICE, PartyGame
from vmh_sync_tests.simulation.house import PIPELINES, House

HOUR, DAY = 3600.0, 86400.0
OFFICE_HOURS = 10
"""From the beginning of the play, eight in the morning."""
WORDS = {
    "espocrm": ("titel", "zusatz", "briefAnrede", "firstName"),
    "advoware": ("titel", "zusatz", "bAnrede", "vorname"),
}
PERSON_AT_NIGHT = 0.05
BATCH = 4
"""Records a run takes; what one run of edits leaves is a crowd, so that crowds come in each play."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How much happens: seconds between two of each."""

    sensor: float = 600.0
    delivery: float = 300.0
    sweep: float = 2 * HOUR
    rolling: float = 3 * HOUR
    edit: float = 1200.0
    chaos: float = 2400.0
    parties: int = 6


@dataclass
class Simulation:
    """One seeded play. ``counts`` tells what happened in it."""

    seed: int
    pace: Pace = field(default_factory=Pace)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        rules = SyncSettings(_env_file=None, batch_size=BATCH)
        self.game = PartyGame(seed=self.seed, rules=rules)
        self.firm, self.world = self.game.firm, self.game.firm.world
        self.loop = self.world.loop
        self.rng = random.Random(f"{self.seed}-what happens")
        self.processes: list[Process] = []
        self.house = House(self.world, self._born)
        self.world.wire.fate = self._fate
        self._calm = self._over = False
        self.play_hash = ""
        self._outages: dict[str, float] = {}
        for number in range(self.pace.parties - 1):
            self.game.add_party({"lastName": f"Partei {NEW}", "titel": "Dr." if number % 2 else None})

    def play(self, seconds: float) -> str:
        """Play so long, let everybody come to rest and check everything; returns the hash of the trace."""
        try:
            with self.house.sensors_in_memory(), mock.patch.object(selection, "MOST_EDITS", BATCH):
                self._schedule()
                self.loop.run_until(seconds)
                self._rest()
            self.game.check()
            self.play_hash = hashlib.sha256("\n".join(self.world.trace).encode()).hexdigest()
            return self.play_hash
        finally:
            self._over = True
            self.world.close()

    # What happens when

    def _schedule(self) -> None:
        pace = self.pace
        for place, entity in enumerate(PIPELINES):
            self._every(pace.sensor, lambda entity=entity: self.house.tick_sensor(entity), place)
            sweep = lambda entity=entity: self.house.tick_schedule(entity, "due")  # noqa: E731
            self._every(pace.sweep, sweep, 7.0 * place)
        self._every(pace.rolling, lambda: self.house.tick_schedule("beteiligte", "rolling"), 11.0)
        self._every(pace.delivery, lambda: self.house.deliver(away=not self._calm and self.rng.random() < 0.1), 3.0)
        self._every(10.0, self.house.dagster.turn, 1.0)
        self._every(pace.edit, self._somebody_types, 40.0)
        self._every(pace.chaos, self._something_breaks, 100.0)

    def _every(self, seconds: float, act: Any, first: float) -> None:
        def again() -> None:
            if self._over:
                return
            act()
            self.loop.call_later(seconds * (0.9 + 0.2 * self.rng.random()), again)

        self.loop.call_later(seconds * self.rng.random() + first, again)

    def _rest(self) -> None:
        """People and faults stop; the product goes on until nothing waits, and everybody has been looked at."""
        self._calm = True
        self._outages.clear()
        self.world.memory.away = False
        for process in self.processes:
            process.dies_at, process.stopped_until = None, 0.0
        for _ in range(48):
            self.loop.run_until(self.loop.time() + HOUR / 2)
            if not self.house.waits():
                break
        else:
            raise AssertionError("something still waits a day after everybody stopped")
        for _ in range(4):
            before = self.world.wire.writes
            self.house.tick_schedule("beteiligte", "all")
            self.loop.run_until(self.loop.time() + HOUR)
            if self.world.wire.writes == before:
                return
        raise AssertionError(f"still writing: {self.world.trace[-12:]}")

    # People

    def _somebody_types(self) -> None:
        hour = (self.loop.time() / HOUR) % 24
        if self._calm or (hour > OFFICE_HOURS and self.rng.random() > PERSON_AT_NIGHT):
            return
        party = self.rng.choice(self.game.parties)
        act = self.rng.choice((self._master, self._master, self._mail, self._entry, self._address, self._account))
        for _ in range(self.rng.choice((1, 1, 2))):
            self.counts["edits"] += 1
            act(party)

    def _side(self) -> str:
        return self.rng.choice(("espocrm", "advoware"))

    def _master(self, party: str) -> None:
        side = self._side()
        values = dict.fromkeys(self.rng.sample(WORDS[side], 2), f"Wort {NEW}")
        (self.game.edit_here if side == "espocrm" else self.game.edit_there)(party, values)

    def _mail(self, party: str) -> None:
        what = self.rng.choice(("add", "change", "remove", "primary"))
        if self.rng.random() < 0.5:
            item = {"emailAddress": f"{NEW}@huber.example"}
            self.game.edit_list(party, "emailAddressData", what, self.rng.randrange(4), item)
        else:
            item = {"phoneNumber": f"+49511{NEW_PHONE}", "type": self.rng.choice(("Office", "Mobile"))}
            self.game.edit_list(party, "phoneNumberData", what, self.rng.randrange(4), item)

    def _entry(self, party: str) -> None:
        values = {"kommKz": self.rng.choice((1, 3, 4)), "mail": f"{NEW}@bau.example", "phone": f"0511 {NEW_PHONE}"}
        values |= {"bemerkung": "Zentrale", "online": False}
        self.game.edit_entry(party, self.rng.choice(("add", "change", "remark")), self.rng.randrange(4), values)

    def _address(self, party: str) -> None:
        token, number = self.firm.typed.token(), self.game.number(party)
        known = self.firm.crm_rows("CAdressen", beteiligteId=party)
        if self._side() == "espocrm":
            if known and self.rng.random() < 0.7:
                self.firm.crm_edit("CAdressen", self.rng.choice(list(known)), {"adresseStreet": f"Weg {token}"})
            else:
                values = {"adresseStreet": f"Weg {token}", "adresseCity": "Hannover", "beteiligteId": party}
                self.firm.crm_create("CAdressen", {"name": "Adresse", **values})
        elif number is not None:
            there = self.firm.office_rows(OFFICE)[number]["adressen"]
            linked = {link.advoware_id for link in self.firm.links("adressen").values()}
            mine = [str(row["id"]) for row in there if str(row["id"]) in linked]
            if mine and self.rng.random() < 0.7:
                self.firm.office_edit("Adressen", self.rng.choice(mine), {"strasse": f"Weg {token}"})
            else:
                self.firm.office_create("Adressen", {"strasse": f"Weg {token}", "ort": "Hannover"}, int(number))

    def _account(self, party: str) -> None:
        number = self.game.number(party)
        self.counts["accounts"] += 1
        iban = _iban(self.counts["accounts"])
        if self._side() == "espocrm":
            self.firm.crm_create("CBankverbindungen", {"name": "Konto", "iban": iban, "beteiligteId": party})
        elif number is not None:
            self.firm.office_create("Bankverbindungen", {"iban": iban}, int(number))

    # Faults

    def _born(self, process: Process) -> None:
        if not self._calm and self.rng.random() < 0.06:
            process.dies_at = self.rng.randrange(1, 300)
            self.counts["doomed"] += 1
        self.processes = [one for one in self.processes[-40:] if not one.dead] + [process]

    def _something_breaks(self) -> None:
        if self._calm:
            return
        what = self.rng.choice(("kill", "kill", "pause", "outage", "redis away", "redis empty"))
        self.counts[what] += 1
        if what == "kill":
            self.rng.choice(self.processes).kill()
        elif what == "pause":
            self.rng.choice(self.processes).stopped_until = self.loop.time() + self.rng.uniform(5, 120)
        elif what == "outage":
            self._outages[self._side()] = self.loop.time() + self.rng.uniform(60, 1200)
        elif what == "redis empty":
            self.world.memory.values.clear()
        else:
            self.world.memory.away = True
            self.loop.call_later(self.rng.uniform(1, 300), self._redis_is_back)

    def _redis_is_back(self) -> None:
        self.world.memory.away = False

    def _fate(self, request: Request) -> Fate:
        if self._calm:
            return Fate(seconds=0.01)
        if self._outages.get(request.system, 0.0) > self.loop.time():
            return Fate(seconds=0.01, carried_out=False, answer=503)
        seconds = self.rng.uniform(0.01, 0.4)
        if self.rng.random() < 0.985:
            return Fate(seconds=seconds)
        self.counts["bad answers"] += 1
        return self.rng.choice(
            (
                Fate(seconds=seconds, answer="lost"),
                Fate(seconds=seconds, answer="lost", carried_out=False),
                Fate(seconds=seconds, answer="lost", carried_out=False, later=60.0),
                Fate(answer="refused"),
                Fate(seconds=seconds, answer=500),
                Fate(seconds=40.0),
            )
        )


def _iban(number: int) -> str:
    """Return a valid German IBAN of its own."""
    body = f"370400440{number:09d}"
    check = 98 - int(f"{body}131400") % 97
    return f"DE{check:02d}{body}"


__all__ = ["CRM", "Pace", "Simulation"]
