"""One appointment on its way through the executor: what was written, and what both sides have agreed on."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from vmh_sync.engine.passes.pass_context import OwnedLease
from vmh_sync.kalender.apply.pair_book import PairBook
from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.decision.deadlines import guarded_fields, is_held
from vmh_sync.kalender.decision.operations import Finding, Operation
from vmh_sync.kalender.decision.read_back import compare
from vmh_sync.kalender.decision.sides import DecisionContext
from vmh_sync.kalender.errors import PlanAgain
from vmh_sync.kalender.form.advoware_form import read_termin
from vmh_sync.kalender.form.google_form import read_event, read_mark
from vmh_sync.kalender.model import Appointment, BaseForm, Decoration, Source
from vmh_sync.kalender.reading.live_sides import LiveSides
from vmh_sync.systems.google_calendar.events import Event


@dataclass(slots=True, repr=False)
class Done:
    """What became of one item."""

    writes: Counter[str] = field(default_factory=Counter)
    operations: list[Operation] = field(default_factory=list)
    findings: tuple[Finding, ...] = ()
    noted: bool = False  # something was written to our own table

    @property
    def changed(self) -> bool:
        """Whether anything was written anywhere."""
        return self.noted or bool(self.writes)


@dataclass(slots=True, repr=False)
class Agreement:
    """Stores what both sides agree on; the writers of either side build on it."""

    context: CalendarContext
    decision: DecisionContext
    sides: LiveSides
    lease: OwnedLease
    book: PairBook
    done: Done = field(default_factory=Done)
    _agreed: dict[int, Appointment] = field(default_factory=dict)  # by frNr: what Advoware agreed to by our own write

    async def _before_write(self, side: str, operation: Operation) -> None:
        await self.lease.ensure()
        self._count(side, operation)

    def _count(self, side: str, operation: Operation) -> None:
        self.done.writes[side] += 1
        self.done.operations.append(operation)

    async def _agree_as_read(self, fr_nr: int, event_id: str) -> None:
        """Store what both sides say now, as far as a side was not read: what it last said."""
        pair = self.book.state(fr_nr)
        old = pair.base if pair is not None else None
        event = self.sides.events.get(event_id)
        if event is None and old is not None:
            await self._store_base(fr_nr, event_id, replace(old, advoware=self._form(fr_nr), sent=None), "")
            return
        event = event or await self.sides.fresh_event(event_id)
        if event is None:
            raise PlanAgain
        read = read_event(event.raw, self.context.rules)
        anonymised = old.anonymised if old is not None else bool(read.mark and read.mark.anonymised)
        decoration = old.decoration if old is not None else read.decoration
        base = BaseForm(self._form(fr_nr), read.form, anonymised, decoration, _mark_hash(event))
        await self._store_base(fr_nr, event_id, base, event.etag, guarded=self._guarded(fr_nr, base, event))

    async def _agree(
        self,
        fr_nr: int,
        event: Event,
        anonymised: bool,
        decoration: Decoration,
        generation: int | None,
        *,
        sent: Mapping[str, object] | None = None,
    ) -> None:
        """Store what Google keeps of our write. ``sent``: the answer may be older than a person's edit, so compare."""
        form = read_event(event.raw, self.context.rules).form
        if sent is not None:
            form = compare(read_event(sent, self.context.rules).form, form, None).agreed
        base = BaseForm(self._form(fr_nr), form, anonymised, decoration, _mark_hash(event))
        guarded = self._guarded(fr_nr, base, event)
        await self._store_base(fr_nr, event.id, base, event.etag, generation, guarded=guarded)

    async def _store_base(
        self,
        fr_nr: int,
        event_id: str,
        base: BaseForm,
        etag: str,
        generation: int | None = None,
        *,
        guarded: Mapping[str, object] | None = None,
    ) -> None:
        row = self.book.rows.get(fr_nr)
        source = Source(row.source_system) if row is not None else Source.ADVOWARE
        await self.book.agree(
            fr_nr, base, etag, event_id=event_id, generation=generation, source=source, guarded=guarded
        )

    def _guarded(self, fr_nr: int, base: BaseForm, event: Event) -> dict[str, object]:
        """Return all that a deadline's event says, so that any change in Google is noticed; else nothing."""
        held = is_held(self.sides.termine.get(fr_nr), base.advoware, self.context.rules)
        return guarded_fields(event.raw) if held else {}

    def _form(self, fr_nr: int) -> Appointment:
        if fr_nr not in self.sides.termine:
            raise PlanAgain
        if fr_nr in self._agreed:
            return self._agreed[fr_nr]
        return read_termin(self.sides.termine[fr_nr], self.context.rules)


def _mark_hash(event: Event) -> str:
    mark = read_mark(event.raw)
    return mark.content_hash if mark is not None else ""
