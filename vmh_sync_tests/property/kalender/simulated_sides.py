"""Both sides of one employee's calendar in memory, and the plainest executor that carries a plan out.

For tests of the planner alone: what it answers to one situation, and whether its plans come to an end when they are
carried out to the letter; some seventy situations in seconds. It says nothing about writing. The product's executor is
driven over in-memory ports, with faults, lost answers and kills, by ``test_calendar_passes.py`` and its neighbours and
by ``vmh_sync_tests/simulation``. A new kind of operation needs a line in ``Sides.apply``.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from vmh_sync.kalender.decision.employee_plan import EmployeePlan
from vmh_sync.kalender.decision.operations import (
    ClosePair,
    CreateAdvoware,
    DeleteAdvoware,
    DeleteGoogle,
    Finding,
    InsertGoogle,
    LinkPair,
    MarkNotRepresentable,
    Operation,
    SaveBase,
    UpdateAdvoware,
    UpdateGoogle,
)
from vmh_sync.kalender.decision.reads import EmployeeReads, GoogleRead, PendingCreate
from vmh_sync.kalender.decision.sides import DecisionContext
from vmh_sync.kalender.form.advoware_form import read_termin
from vmh_sync.kalender.form.google_form import OUR_KEYS, is_exception, read_event, to_event
from vmh_sync.kalender.form.window import window_at
from vmh_sync.kalender.model import BaseForm, CalendarRules, Decoration, PairState, Source, TerminFields
from vmh_sync.kalender.pairing.resume import stamp
from vmh_sync.kalender.plan import plan_employee

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)
OPEN_RULES = CalendarRules(write_protection=False)


class Sides:
    """Advoware, one Google calendar and the pair table. ``*_limit`` shortens texts as a server may do on its own."""

    def __init__(
        self,
        rules: CalendarRules = OPEN_RULES,
        *,
        kuerzel: str = "SB",
        termine: dict[int, TerminFields] | None = None,
        advoware_limit: int = 10_000,
        google_limit: int = 10_000,
    ) -> None:
        self.rules = rules
        self.kuerzel = kuerzel
        self.full_content = True
        self.termine: dict[int, TerminFields] = {} if termine is None else termine
        self.events: dict[str, dict[str, object]] = {}
        self.pairs: dict[int, PairState] = {}
        self.dead: dict[int, int] = {}
        self.intents: dict[str, PendingCreate] = {}
        self.findings: list[Finding] = []
        self.closed: list[int] = []
        self.read = GoogleRead.FULL
        self._limits = (advoware_limit, google_limit)
        self._numbers = count(9000)
        self.decided: dict[tuple[int, str], bool] = {}
        self._clock = NOW
        self._delta: set[str] = set()

    @property
    def ctx(self) -> DecisionContext:
        return DecisionContext(
            kuerzel=self.kuerzel,
            window=window_at(NOW, self.rules),
            rules=self.rules,
            kanzlei="K",
            full_content=self.full_content,
        )

    def tick(self) -> datetime:
        self._clock += timedelta(minutes=1)
        return self._clock

    # What people do.

    def put_termin(self, fr_nr: int, **fields: Any) -> None:
        given = self.termine.get(fr_nr) or TerminFields(fr_nr, datum="2026-06-01", anwalt=self.kuerzel)
        stamped = self.tick().astimezone(self.rules.advoware_zone).replace(tzinfo=None).isoformat()
        self._store_termin(replace(given, zuletzt_geaendert_am=stamped, **fields))

    def put_event(self, event_id: str, **fields: Any) -> None:
        given = self.events.get(event_id) or {
            "start": {"dateTime": "2026-06-01T09:00:00+02:00", "timeZone": "Europe/Berlin"},
            "end": {"dateTime": "2026-06-01T10:00:00+02:00", "timeZone": "Europe/Berlin"},
        }
        self._store_event(event_id, {**given, **fields})

    def drop_event(self, event_id: str) -> None:
        self._store_event(event_id, {"status": "cancelled"})

    def event_of(self, fr_nr: int) -> dict[str, object]:
        return self.events[self.pairs[fr_nr].event_id]

    def living_events(self) -> dict[str, dict[str, object]]:
        return {key: event for key, event in self.events.items() if event.get("status") != "cancelled"}

    # The servers.

    def _store_termin(self, termin: TerminFields) -> None:
        limit = self._limits[0]
        texts: dict[str, Any] = {name: (getattr(termin, name) or "")[:limit] for name in ("text", "notiz", "ort")}
        self.termine[termin.fr_nr] = replace(termin, **texts)

    def _store_event(self, event_id: str, event: Mapping[str, object]) -> None:
        stored = {
            key: value
            for key, value in event.items()
            if value not in ("", None) and (key, value) != ("visibility", "default")
        }
        for name in ("summary", "description"):
            if isinstance(stored.get(name), str):
                stored[name] = str(stored[name])[: self._limits[1]]
        updated = self.tick().isoformat().replace("+00:00", "Z")
        self.events[event_id] = {"status": "confirmed", **stored, "id": event_id, "updated": updated}
        self._delta.add(event_id)

    # One pass.

    def plan(self) -> EmployeePlan:
        wanted = self._delta if self.read is GoogleRead.DELTA else self.events
        events = [event for key, event in self.events.items() if key in wanted]
        if self.read is GoogleRead.FULL:
            events = [event for event in events if event.get("status") != "cancelled" or is_exception(event)]
        reads = EmployeeReads(
            termine=tuple(self.termine.values()),
            events=tuple(events),
            pairs=tuple(self.pairs.values()),
            google_read=self.read,
            intents=tuple(self.intents.values()),
            next_generations=self.dead,
            decided=self.decided,
        )
        return plan_employee(reads, self.ctx)

    def run(self) -> EmployeePlan:
        plan = self.plan()
        self._delta.clear()
        self.findings.extend(plan.all_findings)
        for item in plan.executable:
            for operation in item.decision.operations:
                self.apply(operation)
        return plan

    def settle(self, passes: int = 4) -> int:
        """Run passes until one writes nothing; return how many wrote. Fails when they do not come to an end."""
        for number in range(passes):
            if not self.run().operations:
                return number
        raise AssertionError(f"still writing after {passes} passes: {self.plan().rows()}")

    def apply(self, operation: Operation) -> None:
        match operation:
            case InsertGoogle():
                self._insert(operation)
            case UpdateGoogle():
                current = self.events[operation.event_id]
                assert current["status"] != "cancelled", "410"
                self._update(operation, current)
                self._save_base(operation.fr_nr, anonymised=operation.anonymised, decoration=operation.decoration)
            case UpdateAdvoware():
                values: dict[str, Any] = dict(operation.values)
                self._store_termin(replace(self.termine[operation.fr_nr], **values))
                self._save_base(operation.fr_nr)
            case LinkPair():
                self._link(operation)
            case SaveBase():
                self._save_base(operation.fr_nr)
            case CreateAdvoware():
                self._create(operation)
            case DeleteAdvoware() | DeleteGoogle() | ClosePair():
                self._end(operation)
            case MarkNotRepresentable():
                self.pairs[operation.fr_nr] = replace(self.pairs[operation.fr_nr], obstacle=operation.obstacle)

    def _insert(self, operation: InsertGoogle) -> None:
        assert operation.event_id not in self.events, "409: this id was used before"
        self._store_event(operation.event_id, self._body(operation))
        old = self.pairs.get(operation.fr_nr) or PairState(operation.fr_nr, "", operation.source)
        self.pairs[operation.fr_nr] = replace(
            old, event_id=operation.event_id, generation=operation.generation, obstacle=None
        )
        self._save_base(operation.fr_nr, anonymised=operation.anonymised, decoration=operation.decoration)

    def _link(self, operation: LinkPair) -> None:
        old = self.pairs.get(operation.fr_nr) or PairState(operation.fr_nr, "", operation.source)
        self.pairs[operation.fr_nr] = replace(
            old, event_id=operation.event_id, generation=operation.generation, base=operation.base
        )
        self.intents.pop(operation.event_id, None)
        assert len({pair.event_id for pair in self.pairs.values()}) == len(self.pairs), "unique (kuerzel, event id)"

    def _end(self, operation: DeleteAdvoware | DeleteGoogle | ClosePair) -> None:
        if isinstance(operation, DeleteAdvoware):
            del self.termine[operation.fr_nr]
        if isinstance(operation, DeleteGoogle):
            self.events[operation.event_id] = {"id": operation.event_id, "status": "cancelled"}
        self._close(operation.fr_nr)

    def _update(self, operation: UpdateGoogle, current: Mapping[str, Any]) -> None:
        """Lay all of our fields over the event; what we do not know of it stays."""
        body = self._body(operation)
        kept = {key: value for key, value in current.items() if key != "recurrence"}
        extended = dict(current.get("extendedProperties") or {})
        others = {key: value for key, value in extended.get("private", {}).items() if key not in OUR_KEYS}
        private = {**others, **body["extendedProperties"]["private"]}
        event = {**kept, **body, "extendedProperties": {**extended, "private": private}}
        self._store_event(operation.event_id, event)

    def _body(self, operation: InsertGoogle | UpdateGoogle) -> dict[str, Any]:
        return to_event(
            operation.form,
            self.rules,
            fr_nr=operation.fr_nr,
            source=operation.source,
            anonymised=operation.anonymised,
            decoration=operation.decoration,
        )

    def _create(self, operation: CreateAdvoware) -> None:
        fr_nr = self.post(operation)
        if operation.replaces_fr_nr is not None:
            self._close(operation.replaces_fr_nr)
        self.intents.pop(operation.event_id)
        self.pairs[fr_nr] = PairState(fr_nr, operation.event_id, Source.GOOGLE)
        self.apply(stamp(operation.event_id, self.termine[fr_nr], operation.form, self.ctx))

    def post(self, operation: Operation) -> int:
        """The part of a creation that a crash may leave behind: intent stored, Termin created, nothing linked."""
        assert isinstance(operation, CreateAdvoware)
        self.intents[operation.event_id] = PendingCreate(operation.event_id, operation.form)
        fr_nr = next(self._numbers)
        values: dict[str, Any] = dict(operation.values)
        self._store_termin(TerminFields(fr_nr, **values))
        return fr_nr

    def _close(self, fr_nr: int) -> None:
        pair = self.pairs.pop(fr_nr, None)
        self.dead[fr_nr] = (pair.generation if pair is not None else 0) + 1
        self.closed.append(fr_nr)

    def _save_base(self, fr_nr: int, *, anonymised: bool | None = None, decoration: Decoration | None = None) -> None:
        pair = self.pairs[fr_nr]
        old = pair.base
        event = read_event(self.events[pair.event_id], self.rules, old)
        if anonymised is None:
            anonymised = old.anonymised if old else bool(event.mark and event.mark.anonymised)
        if decoration is None:
            decoration = old.decoration if old else event.decoration
        form = read_termin(self.termine[fr_nr], self.rules)
        base = BaseForm(form, event.form, anonymised, decoration, event.mark.content_hash if event.mark else "")
        again = BaseForm.from_json(base.to_json(), self.rules.zone)
        self.pairs[fr_nr] = replace(pair, base=again, obstacle=None)
