"""One random history: people edit, workers make passes, and everything under them is killed, stopped and cut off."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.connection import wait
from pathlib import Path
from types import TracebackType
from typing import Self

from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync_tests.chaos.calendars import KUERZEL, CalendarPeople, answer_questions, calendar_violations
from vmh_sync_tests.chaos.evidence import keep
from vmh_sync_tests.chaos.parties import DrawnPeople, PartyPeople, UsualPeople
from vmh_sync_tests.chaos.place import Place, Services, new_place
from vmh_sync_tests.chaos.services import Stoppable, postgres_fault
from vmh_sync_tests.chaos.worker import Job, Worker
from vmh_sync_tests.fixtures.firm import Json
from vmh_sync_tests.fixtures.sandbox import ControlClient

WORKERS = 2
END_SECONDS = 120
MOST_PASSES = 8
PUT_OFF = ["put off"]
ANY_CALL = r"/(api/v1|calendar/v3)/(?!Token)"
WEIGHTS = {"edit": 14, "pass": 6, "pause": 6, "heal": 1, "kill_in_write": 4, "network": 3}
WEIGHTS |= dict.fromkeys(("kill", "freeze", "valkey", "postgres"), 1)
LOST_ANSWERS = ("drop_after", "drop_after", "malformed", "hang")
"""What doubles things."""


def play(
    running: Services, seed: int, steps: int, *, calendars_only: bool = False, keep_in: Path | None = None
) -> "History":
    """Play the history of a seed; the history returned tells what is ``wrong`` in the end and counts its acts.

    ``calendars_only``: nobody touches a party, so that as many steps meet more in the calendars. ``keep_in``: the
    folder in which a violation leaves its evidence.

    One in four is played at the usual firm, where everything must come out exactly; the others each at a firm drawn
    from the seed. In two of five, proxies lie between the workers and all services.
    """
    drawn, networked = seed % 4 != 0, seed % 5 < 2
    with (
        new_place(running, seed, drawn=drawn, networked=networked) as place,
        History(place, seed, calendars_only) as history,
    ):
        history.wrong = history.run(steps)
        if history.wrong and keep_in is not None:
            keep(keep_in / str(seed), place, history.typed())
    return history


@dataclass
class History:
    """One seeded history. ``counts`` tells what happened in it."""

    place: Place
    seed: int
    calendars_only: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        firm = self.place.firm
        usual = firm.sandbox.description["installation"]["seed"] is None
        self._parties: PartyPeople = UsualPeople(firm, self._rng) if usual else DrawnPeople(firm, self.seed)
        self._calendars = CalendarPeople(self.place.chancery, self._rng)
        self._systems = (firm.office, firm.crm, firm.sandbox.google)
        self._frozen = Stoppable()
        self._ends: list[tuple[int, Callable[[], object]]] = []
        self._step = 0
        self._workers: list[Worker] = []
        self._database_away = False
        self._broken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._heal()
        for worker in self._workers:
            self.counts += worker.ends
            worker.kill()
        self._parties.close()

    def run(self, steps: int) -> list[str]:
        """Play the history, let everything come to rest, and return what is wrong then."""
        for self._step in range(steps):
            self._end_what_is_due()
            what = self._rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            self.counts[what] += 1
            getattr(self, f"_{what}")()
        self._heal()
        if [worker for worker in self._workers if worker.lives and not worker.notice(END_SECONDS)]:
            return ["a worker hangs"]
        if broken := self._broken + sum(worker.broke for worker in self._workers):
            return [f"{broken} workers broke"]
        return self._rest()

    def typed(self) -> Json:
        """What people typed, by room."""
        return {"parties": self._parties.typed(), "calendars": self._calendars.appointments}

    def _rest(self) -> list[str]:
        place = self.place
        self._parties.remember_calls()
        # Unanswered creates are settled; more than the office allows a login to be off would be refused.
        place.firm.clock.shift = place.chancery.clock.shift = timedelta(minutes=4)
        wrong = self._until_quiet("parties", place.firm.outcomes)
        wrong = wrong or self._until_quiet("calendars", place.chancery.outcomes)
        if not wrong and (asked := answer_questions(place.chancery)):
            self.counts["calendars: questions answered"] += asked
            wrong = self._until_quiet("calendars", place.chancery.outcomes)
        return wrong or self._parties.violations() + calendar_violations(place.chancery, self._calendars)

    def _until_quiet(self, name: str, make_pass: Callable[[], list[RecordOutcome]]) -> list[str]:
        end = time.monotonic() + END_SECONDS
        number = 0
        while writes := self._written_by(make_pass):
            number += writes != PUT_OFF
            if number == MOST_PASSES or time.monotonic() > end:
                return [f"{name}: still writing after {number} passes: {writes}"]
        self.counts[f"{name}: passes to quiet"] += number + 1
        return []

    def _written_by(self, make_pass: Callable[[], list[RecordOutcome]]) -> list[str]:
        """Make a pass; returns its writes, and ``PUT_OFF`` if it made none because a dead process has a lease yet."""
        for system in self._systems:
            system.clear_calls()
        outcomes = make_pass()
        busy = any(one.later or (one.result is Result.SKIPPED and one.id in KUERZEL) for one in outcomes)
        return self._writes() or (PUT_OFF if busy else [])

    def _writes(self) -> list[str]:
        """What was written since the counts were cleared; what was refused is tried on every run that people start."""
        calls = [call for system in self._systems for call in system.calls(1000)["log"]]
        return [
            f"{call['method']} {call['path']} {call['status']}"
            for call in calls
            if call["method"] != "GET" and "oken" not in call["path"] and call["status"] != 400
        ]

    # What happens

    def _edit(self) -> None:
        people = self._rng.choices((self._parties, self._calendars), (0 if self.calendars_only else 3, 2))[0]
        self.counts["edits"] += people.act()

    def _pass(self) -> None:
        self._ask(self._rng.choice(self._alive()))

    def _alive(self) -> list[Worker]:
        self._broken += sum(worker.broke for worker in self._workers)
        self.counts["killed in a write"] += sum(not worker.lives and not worker.broke for worker in self._workers)
        for worker in self._workers:
            if not worker.lives:
                self.counts += worker.ends
        self._workers = [worker for worker in self._workers if worker.lives]
        while len(self._workers) < WORKERS:
            self._workers.append(Worker(self.place.server, self.place.environment))
        return self._workers

    def _ask(self, worker: Worker) -> str:
        """Ask for a pass of either kind, over everything or one; returns of which kind."""
        jobs: list[Job] = [
            ("parties", ()),
            ("parties", ()),
            ("calendars", ()),
            ("calendars", self._rng.sample(KUERZEL, 1)),
        ]
        worker.ask(self._rng.choice(jobs[2:] if self.calendars_only else jobs))
        return worker.busy[0] if worker.busy else "parties"

    def _pause(self) -> None:
        """Let the passes go on for a while, most often until one of them ends."""
        busy = [worker for worker in self._workers if worker.busy]
        wait([worker.pipe for worker in busy], self._rng.uniform(0.05, 0.8) if busy else 0)
        for worker in busy:
            worker.notice()

    def _kill(self) -> None:
        if self._workers:
            victim = self._rng.choice(self._workers)
            self.counts[f"killed: {victim.busy[0] if victim.busy else 'idle'}"] += 1
            self.counts += victim.ends
            self._workers.remove(victim)
            victim.kill()

    def _kill_in_write(self) -> None:
        """Kill a worker at one of the next writes of its pass, before it is carried out or after."""
        victim = self._rng.choice(self._alive())
        kind = self._ask(victim)
        office, crm, google = self._systems
        system = self._rng.choice((office, crm) if kind == "parties" else (office, google))
        action = self._rng.choice(("kill_before", "kill_after", "kill_after"))
        method, skip = self._rng.choice(("POST", "PUT|PATCH|DELETE")), self._rng.randrange(2)
        system.fault(ANY_CALL, action, method=method, skip=skip, times=1, pid=victim.pid)
        victim.notice(self._rng.uniform(0.1, 0.8))

    def _freeze(self) -> None:
        if self._workers:
            self._frozen.freeze(self._rng.choice(self._workers).pid)
            self._later(self._frozen.thaw)

    def _later(self, end: Callable[[], object]) -> None:
        """End something after a few steps."""
        self._ends.append((self._step + self._rng.randrange(1, 6), end))

    def _end_what_is_due(self) -> None:
        for one in [one for one in self._ends if one[0] <= self._step]:
            self._ends.remove(one)
            one[1]()

    def _valkey(self) -> None:
        valkey = self.place.services.valkey
        if self._rng.random() < 0.5:
            valkey.kill_and_start()
        else:
            valkey.signal(signal.SIGSTOP)
            self._later(lambda: valkey.signal(signal.SIGCONT))

    def _postgres(self) -> None:
        if self._database_away:
            return
        self._database_away = True
        end = postgres_fault(self.place.services.postgres, self._rng.choice(("kill", "stop", "stop")))

        def back() -> None:
            self._database_away = False
            end()

        self._later(back)

    def _network(self) -> None:
        if self.place.network.cables and self._rng.random() < 0.5:
            self._cable()
        else:
            self._answers(self._rng.choice(self._systems))

    def _answers(self, system: ControlClient) -> None:
        # Mostly writes whose answer is lost.
        action = self._rng.choice(("latency", "drop_before", "status", *LOST_ANSWERS))
        seconds, times = self._rng.uniform(0.05, 0.5), self._rng.randrange(1, 4)
        method = self._rng.choice((None, "POST", "POST", "PUT|PATCH"))
        self.counts[f"network: {action}"] += 1
        system.fault(ANY_CALL, action, method=method, seconds=seconds, times=times)

    def _cable(self) -> None:
        network = self.place.network
        cable = self._rng.choice(network.cables)
        what = self._rng.choice(("slow", "held", "cut", "answer lost"))
        self.counts[f"network: {what}"] += 1
        match what:
            case "slow":
                cable.delay = self._rng.uniform(0.005, 0.05)
            case "held":
                network.hold(cable, self._rng.uniform(0.1, 0.6))
            case "cut":
                network.cut(cable)
            case _:
                cable.lost_answers = self._rng.randrange(1, 3)

    def _heal(self) -> None:
        while self._ends:
            self._ends.pop()[1]()
        self.place.network.mend()
        for system in self._systems:
            system.clear_faults()
