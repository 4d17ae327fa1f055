"""The plan for one employee's calendar: every appointment of both sides, once, with what to do about it and why."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.kalender.decision.deadlines import decide_deadline, decide_strayed, is_held, rule_for
from vmh_sync.kalender.decision.decide import (
    WAITING_TEXT,
    decide_moved_in,
    decide_new_event,
    decide_new_termin,
    decide_orphan,
    decide_pair,
)
from vmh_sync.kalender.decision.employee_plan import EmployeePlan, PlanItem
from vmh_sync.kalender.decision.guards import stop_on_empty_list, stop_on_mass_change
from vmh_sync.kalender.decision.operations import Decision, Finding, FindingKind, LinkPair, TakePair
from vmh_sync.kalender.decision.reads import (
    EmployeeReads,
    GoogleRead,
    PairElsewhere,
    absent_in_advoware,
    absent_in_google,
    advoware_views,
    google_views,
    nameless,
)
from vmh_sync.kalender.decision.sides import AdvowareView, DecisionContext, GoogleView, Presence
from vmh_sync.kalender.form.event_identity import GENERATIONS_TRIED, LENGTH, ids_of_inserts
from vmh_sync.kalender.form.google_form import ReadEvent, is_cancelled, is_exception, read_mark
from vmh_sync.kalender.model import Appointment, Mark, PairState, Source
from vmh_sync.kalender.pairing.first_contact import Doubt, Unpaired, match
from vmh_sync.kalender.pairing.link_found import link_found
from vmh_sync.kalender.pairing.made_anew import says_the_same
from vmh_sync.kalender.pairing.resume import resume_creates


def plan_employee(reads: EmployeeReads, ctx: DecisionContext) -> EmployeePlan:
    """Return the plan for one employee. Never raises for one bad appointment: that one becomes a finding."""
    living = len(reads.pairs)
    if reads.advoware_complete:
        stop = stop_on_empty_list(ctx.kuerzel, len(reads.termine), living, ctx.rules)
        if stop is not None:
            return EmployeePlan(ctx.kuerzel, stopped=stop)
    if reads.google_read is GoogleRead.FULL and not reads.events and living > ctx.rules.empty_list_tolerance:
        # A calendar that was emptied or made anew: fill it, but take nothing away in Advoware.
        ctx = replace(ctx, google_deletions_trusted=False)
    planner = _Planner(reads, ctx)
    items = tuple(planner.items())
    plan = EmployeePlan(ctx.kuerzel, items, tuple(planner.findings))
    return replace(plan, stopped=stop_on_mass_change(ctx.kuerzel, plan.operations, living, ctx.rules))


def _told(finding: Finding) -> PlanItem:
    return PlanItem(finding.fr_nr, finding.event_id, Decision(findings=(finding,)))


class _Planner:
    """Walks over pairs, marked events, stored intents and newcomers, in this order; each appointment once."""

    def __init__(self, reads: EmployeeReads, ctx: DecisionContext) -> None:
        self._reads = reads
        self._ctx = ctx
        self._advoware, advoware_findings = advoware_views(reads.termine, ctx.rules)
        self._google, google_findings = google_views(reads, ctx.rules)
        self.findings = [*advoware_findings, *google_findings, *nameless(reads)]
        marks = (read_mark(event) for event in reads.nameless_events)
        self._maybe_marked = {mark.fr_nr for mark in marks if mark is not None}
        self._absent_termin = absent_in_advoware(reads)
        self._absent_event = absent_in_google(reads)
        self._pairs: dict[int, PairState] = {pair.fr_nr: pair for pair in reads.pairs}
        self._paired_events = {pair.event_id for pair in reads.pairs}
        self._came_from: dict[int, PairElsewhere] = {}
        self._raw = {str(one.get("id")): one for one in reads.events if not (is_cancelled(one) or is_exception(one))}

    def items(self) -> Iterator[PlanItem]:
        loose = self._loose_events()
        yield from self._adopt(loose)
        resumed = resume_creates(self._reads, self._advoware, self._google, self._pairs, self._ctx)
        done_numbers: set[int] = set()
        done_events: set[str] = set()
        for event_id, fr_nr, decision in resumed:
            done_events.add(event_id)
            item = PlanItem(fr_nr, event_id, decision)
            done_numbers.update(number for number in (fr_nr, *(one.fr_nr for one in item.doubts)) if number is not None)
            yield item
        for pair in self._pairs.values():
            if pair.event_id not in done_events:
                yield self._decided(pair.fr_nr, pair.event_id, partial(self._decide, pair))
        yield from self._come_beside_pairs(loose)
        yield from self._found(done_numbers, done_events)
        yield from self._new_termine(done_numbers)
        yield from self._new_events(done_events)
        yield from self._still_waiting(done_events)

    def _decide(self, pair: PairState) -> Decision:
        termin, event = self._termin(pair.fr_nr), self._event(pair.event_id)
        if is_held(termin.termin, termin.form, self._ctx.rules):
            decision = decide_deadline(pair, termin, event, self._raw.get(pair.event_id), self._ctx)
        else:
            decision = decide_pair(pair, termin, event, self._ctx)
        left = self._came_from.get(pair.fr_nr)
        if pair.base is not None and left is None and pair.event_id not in self._paired_events:
            reason = "In Google neu angelegt, das frühere Ereignis gelöscht: derselbe Termin"
            link = LinkPair(pair.fr_nr, pair.event_id, pair.generation, pair.source, reason, pair.base)
            return replace(decision, operations=(link, *decision.operations))
        if left is None or left.pair is None:
            return decision
        reason = f"Mit seinem Termin aus dem Kalender {left.kuerzel} hierher gekommen"
        take = TakePair(pair.fr_nr, pair.event_id, left.kuerzel, reason, left.pair)
        return replace(decision, operations=(take, *decision.operations))

    def _decided(self, fr_nr: int | None, event_id: str | None, decide: Callable[[], Decision]) -> PlanItem:
        """Decide about one appointment; an error about it becomes a finding, and nothing is done to it."""

        def blame(error: Exception) -> None:
            text = "Über den Termin konnte nicht entschieden werden: übergangen"
            self.findings.append(Finding(FindingKind.UNREADABLE, text, fr_nr, event_id))

        decision = Decision()
        with isolated(f"Termin {fr_nr or event_id}", blame):
            decision = decide()
        return PlanItem(fr_nr, event_id, decision)

    def _termin(self, fr_nr: int) -> AdvowareView:
        return self._advoware.get(fr_nr, self._absent_termin)

    def _event(self, event_id: str) -> GoogleView:
        absent = GoogleView(Presence.UNKNOWN) if event_id in self._reads.held else self._absent_event
        return self._google.get(event_id, absent)

    def _mark(self, event_id: str) -> Mark | None:
        event = self._google[event_id].event
        return event.mark if event is not None else None

    def _loose_events(self) -> dict[int, list[str]]:
        """Return frNr → ids of living events that carry its mark and belong to no pair, the likeliest first."""
        loose: dict[int, list[str]] = {}
        begun = {intent.event_id for intent in self._reads.intents}  # a copy whose creation was begun: resumed
        for event_id in self._google:
            mark = self._mark(event_id)
            if mark is not None and event_id not in self._paired_events | begun:
                loose.setdefault(mark.fr_nr, []).append(event_id)
        for fr_nr, event_id in [*self._unmarked_inserts(begun), *self._made_anew(begun)]:
            loose.setdefault(fr_nr, [event_id])
        for fr_nr, ids in loose.items():
            loose[fr_nr] = sorted(sorted(ids), key=partial(self._likelihood, fr_nr))
        return loose

    def _unmarked_inserts(self, begun: set[str]) -> Iterator[tuple[int, str]]:
        """Yield number and id of events that we put here and that lost their mark before their pair was stored."""
        taken = self._paired_events | begun
        found = {
            event_id
            for event_id, view in self._google.items()
            if view.event is not None and view.event.mark is None and event_id not in taken
            if len(event_id) == LENGTH
        }
        numbers = [n for n in self._advoware if self._termin(n).presence is Presence.PRESENT] if found else []
        for fr_nr in numbers:
            pair = self._pairs.get(fr_nr)
            if pair is None or self._is_gone(pair):
                inserts = ids_of_inserts(self._ctx.kanzlei, self._ctx.kuerzel, fr_nr)
                yield from ((fr_nr, event_id) for event_id in reversed(inserts) if event_id in found)

    def _made_anew(self, begun: set[str]) -> Iterator[tuple[int, str]]:
        """Yield number and id of events that a client made anew in this calendar and whose first one it deleted."""
        taken, gone = self._paired_events | begun, [one for one in self._pairs.values() if self._is_gone(one)]
        living = [view.event for view in self._google.values() if view.event is not None] if gone else []
        for event in (one for one in living if one.mark is None):
            same = [pair.fr_nr for pair in gone if event.event_id not in taken and says_the_same(event, pair)]
            if len(same) == 1:
                yield same[0], event.event_id

    def _is_gone(self, pair: PairState) -> bool:
        return self._event(pair.event_id).presence in (Presence.DELETED, Presence.MISSING)

    def _likelihood(self, fr_nr: int, event_id: str) -> tuple[bool, bool]:
        """Our own insert comes first, then what a colleague's pair names: it was moved here, others are copies."""
        elsewhere = self._reads.elsewhere.get(fr_nr)
        return self._is_foreign(fr_nr, event_id), elsewhere is None or elsewhere.event_id != event_id

    def _is_foreign(self, fr_nr: int, event_id: str) -> bool:
        return self._generation(fr_nr, event_id) is None

    def _generation(self, fr_nr: int, event_id: str) -> int | None:
        tried = range(GENERATIONS_TRIED)
        return next((number for number in tried if self._ctx.new_event_id(fr_nr, number) == event_id), None)

    def _adopt(self, loose: Mapping[int, list[str]]) -> Iterator[PlanItem]:
        """Re-link marked events; report what is left over as duplicate or orphan."""
        for fr_nr, found in loose.items():
            pair = self._pairs.get(fr_nr)
            rest = ids = [one for one in found if not self._comes_beside(fr_nr, one)]
            if not ids:
                continue
            present = self._termin(fr_nr).presence is Presence.PRESENT
            if pair is None and (present or self._is_insert_of_ours(fr_nr, ids[0])):
                self._pairs[fr_nr] = self._relinked(fr_nr, ids[0])
                rest = ids[1:]
            elif pair is not None and self._goes_on_as(pair, ids[0]):
                # The paired event is gone; what we put in its place, or an equal copy of it, lives: it goes on as that.
                generation, event = self._generation(fr_nr, ids[0]), self._google[ids[0]].event
                anew = event is not None and event.mark is None and says_the_same(event, pair)
                self._pairs[fr_nr] = replace(
                    pair,
                    event_id=ids[0],
                    base=pair.base if anew else None,
                    generation=pair.generation if generation is None else generation,
                )
                rest = ids[1:]
            for event_id in rest:
                item = self._leftover(fr_nr, event_id)
                if item is not None:
                    yield item

    def _goes_on_as(self, pair: PairState, event_id: str) -> bool:
        copy = self._google[event_id].event
        if copy is None or not self._is_gone(pair):
            return False
        return copy.mark is None or event_id in self._reads.unstored or self._said_by(pair) in (None, copy.form)

    def _is_insert_of_ours(self, fr_nr: int, event_id: str) -> bool:
        """Tell whether we put the event here for a Termin that is gone: decided like a pair whose Termin is deleted."""
        if self._termin(fr_nr).presence is not Presence.MISSING:
            return False
        if fr_nr in self._reads.elsewhere and event_id not in self._reads.unstored:
            return False
        mark = self._mark(event_id)
        return mark is not None and mark.source is Source.ADVOWARE and not self._is_foreign(fr_nr, event_id)

    def _relinked(self, fr_nr: int, event_id: str) -> PairState:
        left = self._reads.elsewhere.get(fr_nr)
        if left is not None and left.pair is not None and left.event_id == event_id:
            self._came_from[fr_nr] = left
            return left.pair
        mark = self._mark(event_id)
        return PairState(
            fr_nr=fr_nr,
            event_id=event_id,
            source=mark.source if mark is not None else Source.ADVOWARE,
            strategy=self._ctx.rules.default_strategy,
            write_allowed=self._ctx.rules.write_allowed_default,
            generation=self._generation(fr_nr, event_id) or 0,
        )

    def _leftover(self, fr_nr: int, event_id: str) -> PlanItem | None:
        """A marked event that is not the paired one: equal in content a duplicate, else an appointment of its own."""
        event, pair = self._google[event_id].event, self._pairs.get(fr_nr)
        if event is None:
            return None
        if pair is not None:
            if self._strayed(fr_nr, event_id, event.form, self._ctx.kuerzel):
                return PlanItem(None, event_id, decide_strayed(fr_nr, event, self._ctx.kuerzel))  # entered anew
            if self._said_by(pair) in (None, event.form):
                text = "Zweites Ereignis zum selben Termin in diesem Kalender"
                return _told(Finding(FindingKind.DUPLICATE, text, fr_nr, event_id))
            return self._new(event, "Kopie oder abgetrennter Teil einer Serie")
        elsewhere = self._reads.elsewhere.get(fr_nr)
        if elsewhere is not None:
            return self._from_colleague(fr_nr, event, elsewhere)
        certain = self._termin(fr_nr).presence is Presence.MISSING
        if certain and self._ctx.window.surely_lists(event.form):
            if event_id in self._reads.restored:
                return self._new(event, "Aus dem Papierkorb zurückgeholt oder von Kollegen hierher verschoben")
            return PlanItem(None, event_id, decide_orphan(event, fr_nr, self._ctx))
        return None

    def _from_colleague(self, fr_nr: int, event: ReadEvent, elsewhere: PairElsewhere) -> PlanItem | None:
        if self._strayed(fr_nr, event.event_id, event.form, elsewhere.kuerzel):
            return PlanItem(None, event.event_id, decide_strayed(fr_nr, event, elsewhere.kuerzel))
        left = self._reads.made_anew.get(event.event_id, elsewhere)
        if left is not elsewhere or elsewhere.event_id == event.event_id:
            left_as = left.event_id if left is not elsewhere else None
            moved = decide_moved_in(event, fr_nr, left.kuerzel, self._ctx, left_as=left_as)
            return PlanItem(None, event.event_id, moved)
        return self._new(event, "Aus einem anderen Kalender kopiert")

    def _comes_beside(self, fr_nr: int, event_id: str) -> bool:
        """Tell whether it is a colleague's event of a number of which a pair is still here, or is here already."""
        elsewhere = self._reads.elsewhere.get(fr_nr)
        return elsewhere is not None and elsewhere.event_id == event_id and fr_nr in self._pairs

    def _come_beside_pairs(self, loose: Mapping[int, list[str]]) -> Iterator[PlanItem]:
        """Decide about them once their pair is settled: the Termin was reassigned, and its event moved, meanwhile."""
        for fr_nr, elsewhere in self._reads.elsewhere.items():
            view = self._google.get(elsewhere.event_id)
            if view is None or view.event is None or not self._comes_beside(fr_nr, elsewhere.event_id):
                continue
            if self._pairs[fr_nr].event_id == elsewhere.event_id:
                continue  # adopted: the Termin came with its event
            if elsewhere.event_id in loose.get(fr_nr, ()):
                item = self._from_colleague(fr_nr, view.event, elsewhere)
                if item is not None:
                    yield item

    def _strayed(self, fr_nr: int, event_id: str, form: Appointment, kuerzel: str) -> bool:
        """Tell whether it is the event that we wrote into a colleague's calendar, and has to stay there (no copy).

        A deadline has to, and what Advoware computes, of which there is no Termin to give away.
        """
        rules = self._ctx.rules
        if fr_nr >= 0 and (rules.deadlines_from_google or rule_for(form, None, rules) is None):
            return False
        return event_id in ids_of_inserts(self._ctx.kanzlei, kuerzel, fr_nr)

    def _said_by(self, pair: PairState) -> Appointment | None:
        view = self._event(pair.event_id)
        if view.event is not None:
            return view.event.form
        return pair.base.google if pair.base is not None else None

    def _new(self, event: ReadEvent, reason: str) -> PlanItem | None:
        item = self._decided(None, event.event_id, partial(decide_new_event, event, self._ctx, reason=reason))
        return item if item.decision.operations or item.decision.findings else None

    def _found(self, done_numbers: set[int], done_events: set[str]) -> Iterator[PlanItem]:
        """Link what stands on both sides before anything is created; what is doubtful is left to a person."""
        unpaired = self._unpaired(done_numbers, done_events)
        matches = match(unpaired, self._ctx)
        for edge in matches.certain:
            (termin, form), event = unpaired.termine[edge[0]], unpaired.events[edge[1]]
            said = self._reads.decided.get(edge, False)
            yield self._decided(*edge, partial(link_found, termin, form, event, self._ctx, said=said))
        doubts: dict[int, list[Doubt]] = {}
        for doubt in matches.doubtful:
            doubts.setdefault(doubt.fr_nr, []).append(doubt)
        for fr_nr, some in doubts.items():
            findings = tuple(Finding(FindingKind.DOUBTFUL, one.text, fr_nr, one.event_id) for one in some)
            yield PlanItem(fr_nr, None, Decision(findings=findings))
        done_numbers |= {edge[0] for edge in matches.certain} | set(doubts)
        done_events |= {edge[1] for edge in matches.certain} | {doubt.event_id for doubt in matches.doubtful}

    def _unpaired(self, done_numbers: set[int], done_events: set[str]) -> Unpaired:
        touches = self._ctx.window.touches
        termine = {
            fr_nr: (view.termin, view.form)
            for fr_nr, view in self._advoware.items()
            if view.termin is not None and view.form is not None and touches(view.form)
            if fr_nr not in self._pairs and fr_nr not in done_numbers
        }
        taken = {pair.event_id for pair in self._pairs.values()} | self._paired_events | done_events
        events = {
            event_id: view.event
            for event_id, view in self._google.items()
            if view.event is not None and view.event.mark is None and view.event.ours_to_take
            if event_id not in taken and touches(view.event.form)
        }
        return Unpaired(termine, events, self._reads.decided, near=self._reads.first_contact)

    def _new_termine(self, done: set[int]) -> Iterator[PlanItem]:
        if self._reads.google_read is GoogleRead.PARTIAL or (self._reads.first_contact and self._reads.nameless_events):
            # The event may stand on a page that is missing, or be the one without a name: inserting could double it.
            return
        for fr_nr, view in self._advoware.items():
            if fr_nr in self._pairs or fr_nr in done or view.termin is None or view.form is None:
                continue
            if fr_nr in self._maybe_marked:
                continue
            generation = self._reads.next_generations.get(fr_nr, 0)
            decide = partial(decide_new_termin, view.termin, view.form, self._ctx, generation=generation)
            item = self._decided(fr_nr, None, decide)
            if item.decision.operations:
                yield item

    def _new_events(self, done: set[str]) -> Iterator[PlanItem]:
        if self._reads.first_contact and self._reads.nameless_termine:
            return  # the Termin may be the one without a number
        taken = {pair.event_id for pair in self._pairs.values()} | self._paired_events | done
        for event_id, view in self._google.items():
            if view.event is None or event_id in taken or view.event.mark is not None:
                continue
            left = self._reads.made_anew.get(event_id)
            if left is not None and left.pair is not None:
                number, first_id = left.pair.fr_nr, left.event_id
                moved = decide_moved_in(view.event, number, left.kuerzel, self._ctx, left_as=first_id)
                yield PlanItem(None, event_id, moved)
                continue
            item = self._new(view.event, "Neu in Google")
            if item is not None:
                yield item

    def _still_waiting(self, done: set[str]) -> Iterator[PlanItem]:
        """What a delta does not name goes on waiting until Advoware may be written."""
        known = {pair.event_id for pair in self._pairs.values()} | done
        for event_id in self._reads.waiting:
            if self._event(event_id).presence is Presence.UNCHANGED and event_id not in known:
                yield _told(Finding(FindingKind.WRITE_PROTECTED, WAITING_TEXT, event_id=event_id))
