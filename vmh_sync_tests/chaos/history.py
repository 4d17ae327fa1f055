"""One random history: people edit, workers make passes, and everything under them is killed, stopped and cut off."""

import random
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.context import ForkServerContext

from vmh_sync_tests.chaos.people import People, violations
from vmh_sync_tests.chaos.services import Stoppable, Valkey, postgres_fault
from vmh_sync_tests.chaos.worker import Worker
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.postgres import PostgresServer

WORKERS = 2
END_SECONDS = 120
ANY_CALL = r"/api/v1/(?!Token)"
WEIGHTS = {"edit": 10, "pass": 6, "pause": 4, "heal": 2, "kill_in_write": 4, "network": 2}
WEIGHTS |= dict.fromkeys(("kill", "freeze", "valkey", "postgres"), 1)


@dataclass
class Chaos:
    """What a history is made on; services live longer than one history."""

    firm: Firm
    postgres: PostgresServer
    valkey: Valkey
    server: ForkServerContext
    environment: Mapping[str, str]


@dataclass
class History:
    """One seeded history. ``counts`` tells what happened in it."""

    chaos: Chaos
    seed: int
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._people = People(self.chaos.firm, self._rng)
        self._frozen = Stoppable()
        self._ends: list[Callable[[], object]] = []
        self._workers: list[Worker] = []
        self._database_away = False
        self._broken = 0

    def run(self, steps: int) -> list[str]:
        """Play the history, let everything come to rest, and return what is wrong then."""
        self._people.new_party()
        try:
            for _ in range(steps):
                self._step(self._rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0])
            self._heal()
            if broken := self._broken + sum(worker.broke for worker in self._workers):
                return [f"{broken} workers broke"]
            if hanging := [worker for worker in self._workers if worker.lives and not worker.notice(END_SECONDS)]:
                return [f"{len(hanging)} workers hang"]
        finally:
            self._heal()
            for worker in self._workers:
                self.counts += worker.ends
                worker.kill()
        self.counts["edits"] += self._people.edits
        return self._rest()

    def _rest(self) -> list[str]:
        firm = self.chaos.firm
        # Unanswered creates are settled; more than the office allows a login to be off would be refused.
        firm.clock.shift = timedelta(minutes=4)
        try:
            self.counts["passes to quiet"] += firm.until_quiet(8)
        except AssertionError as error:
            return [str(error)]
        return violations(firm, self._people)

    def _step(self, what: str) -> None:
        self.counts[what] += 1
        getattr(self, f"_{what}")()

    def _edit(self) -> None:
        self._people.act()

    def _pass(self) -> None:
        self._broken += sum(worker.broke for worker in self._workers)
        self.counts["killed in a write"] += sum(not worker.lives and not worker.broke for worker in self._workers)
        self._workers = [worker for worker in self._workers if worker.lives]
        while len(self._workers) < WORKERS:
            self._workers.append(Worker(self.chaos.server, self.chaos.environment))
        self._rng.choice(self._workers).ask()

    def _pause(self) -> None:
        """Let the passes go on for a while, most often to their end."""
        longest = self._rng.uniform(0.2, 4)
        for worker in self._workers:
            worker.notice(longest)

    def _kill(self) -> None:
        if self._workers:
            victim = self._rng.choice(self._workers)
            self.counts += victim.ends
            self._workers.remove(victim)
            victim.kill()

    def _kill_in_write(self) -> None:
        """Kill a worker at one of the next writes of its pass, before it is carried out or after."""
        self._pass()
        victim = self._rng.choice(self._workers)
        system = self._rng.choice((self.chaos.firm.office, self.chaos.firm.crm))
        action = self._rng.choice(("kill_before", "kill_after", "kill_after"))
        method, skip = self._rng.choice(("POST", "PUT")), self._rng.randrange(3)
        system.fault(ANY_CALL, action, method=method, skip=skip, times=1, pid=victim.pid)
        victim.ask()
        victim.notice(self._rng.uniform(0.5, 4))

    def _freeze(self) -> None:
        if self._workers:
            self._frozen.freeze(self._rng.choice(self._workers).pid)

    def _valkey(self) -> None:
        if self._rng.random() < 0.5:
            self.chaos.valkey.kill_and_start()
        else:
            self.chaos.valkey.signal(signal.SIGSTOP)
            self._ends.append(lambda: self.chaos.valkey.signal(signal.SIGCONT))

    def _postgres(self) -> None:
        kind = self._rng.choice(("kill", "stop"))
        if not self._database_away:
            self._database_away = True
            self._ends.append(postgres_fault(self.chaos.postgres, kind))

    def _network(self) -> None:
        system = self._rng.choice((self.chaos.firm.office, self.chaos.firm.crm))
        # Mostly writes whose answer is lost: they are what doubles things.
        lost = ("drop_after", "drop_after", "malformed", "hang")
        action = self._rng.choice(("latency", "drop_before", "status", *lost))
        seconds = self._rng.uniform(0.05, 1.0)
        method = self._rng.choice((None, "POST", "POST", "PUT"))
        system.fault(ANY_CALL, action, method=method, seconds=seconds, times=self._rng.randrange(1, 4))

    def _heal(self) -> None:
        while self._ends:
            self._ends.pop()()
        self._database_away = False
        self._frozen.thaw()
        self.chaos.firm.office.clear_faults()
        self.chaos.firm.crm.clear_faults()
