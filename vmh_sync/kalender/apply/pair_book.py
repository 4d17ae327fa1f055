"""The pair table as the executor writes it: one transaction per step, with its audit rows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.decision.operations import Finding, FindingKind, Operation, side_written
from vmh_sync.kalender.model import BaseForm, PairState, Source
from vmh_sync.kalender.state.audit_values import logged, plain
from vmh_sync.kalender.state.pair_rows import ENTITY, FAILED, KEPT, LEAVING, pair_state, record_id, with_base
from vmh_sync.kalender.telling.notice_texts import appointment, notice_text, task_kind
from vmh_sync.kalender.telling.notices import Notice, note
from vmh_sync.store.calendars.calendar import CalendarPair
from vmh_sync.store.history.audit import Change, ChangeKind
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.store.store import Transaction

T = TypeVar("T")

_KINDS: dict[FindingKind, ChangeKind] = {
    FindingKind.CONFLICT: "conflict",
    FindingKind.DELETED_AGAINST_CHANGE: "conflict",
    FindingKind.WRITE_PROTECTED: "refused",
    FindingKind.READ_ONLY: "refused",
    FindingKind.ONE_WAY: "refused",
    FindingKind.DEADLINE: "refused",
}


@dataclass(slots=True, repr=False)
class PairBook:
    """The living pairs and open intents of one employee, kept equal to the database."""

    context: CalendarContext
    kuerzel: str
    rows: dict[int, CalendarPair]
    intents: dict[str, Intent]

    def state(self, fr_nr: int | None) -> PairState | None:
        """Return the living pair of a number as the decision needs it."""
        row = self.rows.get(fr_nr) if fr_nr is not None else None
        return pair_state(row, self.context.rules) if row is not None else None

    def is_of_another(self, event_id: str, fr_nr: int) -> bool:
        """Tell whether an event belongs to the pair of another number."""
        return any(row.event_id == event_id and row.frnr != fr_nr for row in self.rows.values())

    async def link(
        self, fr_nr: int, event_id: str, generation: int, source: Source, base: BaseForm | None = None
    ) -> None:
        """Store a living pair in place of what the number had, without a base if none is known; its intent is done."""
        row = self.rows.get(fr_nr) or self._new(fr_nr, source)
        row = replace(row, event_id=event_id, generation=generation, base={}, base_hash=None, etag=None, guarded=None)
        row = row if base is None else with_base(row, base, "", self.context.clock.now())
        intent = self.intents.get(event_id)

        def work(tx: Transaction) -> CalendarPair:
            if intent is not None:
                tx.intents.complete(intent.id, str(fr_nr))
            return tx.calendar_pairs.save(row)

        self.rows[fr_nr] = await self._do(work)
        self.intents.pop(event_id, None)

    async def agree(
        self,
        fr_nr: int,
        base: BaseForm,
        etag: str,
        *,
        event_id: str,
        generation: int | None,
        source: Source,
        guarded: Mapping[str, object] | None = None,
    ) -> None:
        """Store a new agreed state of a pair, which is created if there is none; ``guarded`` ``None``: as it was."""
        row = self.rows.get(fr_nr) or self._new(fr_nr, source)
        row = replace(row, event_id=event_id, generation=row.generation if generation is None else generation)
        row = with_base(row, base, etag, self.context.clock.now())
        if guarded is not None:
            row = replace(row, guarded=dict(guarded) or None)
        self.rows[fr_nr] = await self._do(lambda tx: tx.calendar_pairs.save(row))

    async def sending(self, fr_nr: int, fields: Mapping[str, Any]) -> None:
        """Note what Advoware is about to be told: nobody may hear what becomes of it."""
        row, pair = self.rows.get(fr_nr), self.state(fr_nr)
        if row is not None and pair is not None and pair.base is not None:
            told = replace(pair.base.sent or pair.base.advoware, **fields)
            sending = replace(row, base=replace(pair.base, sent=told).to_json())
            self.rows[fr_nr] = await self._do(lambda tx: tx.calendar_pairs.save(sending))

    async def not_sent(self, fr_nr: int, earlier: PairState | None) -> None:
        """Forget that again: certainly nothing of it arrived. ``earlier``: the pair before it was noted."""
        row, pair = self.rows.get(fr_nr), self.state(fr_nr)
        if row is not None and pair is not None and pair.base is not None and pair.base.sent is not None:
            known = earlier.base.sent if earlier is not None and earlier.base is not None else None
            forgotten = replace(row, base=replace(pair.base, sent=known).to_json())
            self.rows[fr_nr] = await self._do(lambda tx: tx.calendar_pairs.save(forgotten))

    async def hinder(self, fr_nr: int, obstacle: str) -> None:
        """Note that the pair cannot be represented, and why."""
        row = self.rows[fr_nr]
        row = replace(row, status="not_representable", obstacle=obstacle, error_text=None)
        self.rows[fr_nr] = await self._do(lambda tx: tx.calendar_pairs.save(row))

    async def leave(self, fr_nr: int) -> None:
        """Note that we delete the event now; killed after that nobody takes the deletion for a person's."""
        row = self.rows.get(fr_nr)
        if row is not None:
            leaving = replace(row, status=LEAVING)
            self.rows[fr_nr] = await self._do(lambda tx: tx.calendar_pairs.save(leaving))

    async def keep(self, fr_nr: int) -> None:
        """Note that Advoware keeps a Termin that it says it deleted: whoever edits it there, edits one that lives."""
        kept = replace(self.rows[fr_nr], status=KEPT)
        self.rows[fr_nr] = await self._do(lambda tx: tx.calendar_pairs.save(kept))

    async def fail(self, fr_nr: int, message: str) -> None:
        """Note why an appointment could not be synced (German, no personal values), on the pair as it stands now."""

        def work(tx: Transaction) -> list[CalendarPair]:
            return tx.calendar_pairs.save_many(
                replace(row, status=row.status if row.status in (LEAVING, KEPT) else FAILED, error_text=message)
                for row in tx.calendar_pairs.by_frnr(fr_nr, self.kuerzel)
            )

        for row in await self._do(work):
            self.rows[fr_nr] = row

    async def reload(self) -> None:
        """Read pairs and intents anew: somebody else has changed one of them."""

        def work(tx: Transaction) -> tuple[list[CalendarPair], list[Intent]]:
            return tx.calendar_pairs.of(self.kuerzel), tx.intents.open_for(ENTITY, self.kuerzel)

        pairs, intents = await self._do(work)
        self.rows = {row.frnr: row for row in pairs if row.frnr is not None}
        self.intents = by_event(intents)

    async def close(self, fr_nr: int) -> None:
        """Take a pair out of the living."""
        row = self.rows.pop(fr_nr, None)
        if row is not None and row.id is not None:
            row_id = row.id
            await self._do(lambda tx: tx.calendar_pairs.mark_deleted([row_id], self.context.clock.now()))

    async def close_all_but(self, kept: Iterable[CalendarPair]) -> None:
        """Take every pair out of the living that is not among these."""
        numbers = {row.frnr for row in kept}
        over = {fr_nr: row.id for fr_nr, row in self.rows.items() if fr_nr not in numbers}
        if ids := [row_id for row_id in over.values() if row_id is not None]:
            await self._do(lambda tx: tx.calendar_pairs.mark_deleted(ids, self.context.clock.now()))
        self.rows = {fr_nr: row for fr_nr, row in self.rows.items() if fr_nr not in over}

    async def created(
        self, intent: Intent, event_id: str, fr_nr: int, *, replaces: int | None, base: BaseForm | None
    ) -> None:
        """Link a Termin that was just created; the pair that ends and the intent are settled with it."""
        old = self.rows.get(replaces) if replaces is not None else None
        row = replace(self._new(fr_nr, Source.GOOGLE), event_id=event_id)
        row = row if base is None else with_base(row, base, "", self.context.clock.now())

        def work(tx: Transaction) -> CalendarPair:
            if old is not None and old.id is not None:
                tx.calendar_pairs.mark_deleted([old.id], self.context.clock.now())
            tx.intents.complete(intent.id, str(fr_nr))
            return tx.calendar_pairs.save(row)

        saved = await self._do(work)
        if replaces is not None:
            self.rows.pop(replaces, None)
        self.intents.pop(event_id, None)
        self.rows[fr_nr] = saved

    async def take_over(self, fr_nr: int, event_id: str, from_kuerzel: str) -> None:
        """Make a colleague's pair ours, with its base if one was stored: hold both leases."""

        def work(tx: Transaction) -> CalendarPair:
            rows = [row for row in tx.calendar_pairs.by_frnr(fr_nr) if row.kuerzel.upper() == from_kuerzel.upper()]
            old = rows[0] if rows else self._new(fr_nr, Source.ADVOWARE)
            if old.id is not None:
                tx.calendar_pairs.mark_deleted([old.id], self.context.clock.now())
            moved = replace(old, id=None, revision=0, kuerzel=self.kuerzel, event_id=event_id, etag=None)
            if moved.status == FAILED:  # their pass could not do anything about it but wait for this one
                moved = replace(moved, status="synced", error_text=None)
            return tx.calendar_pairs.save(moved)

        self.rows[fr_nr] = await self._do(work)

    def colleagues(self, fr_nr: int, event_id: str, shared: Callable[[str], bool]) -> list[str]:
        """Return the other employees to whose calendar the event of this number may have been moved.

        Not those who have it as their own already, nor those with whom the Termin is ``shared`` and who have theirs.
        """
        with self.context.store.reading() as tx:
            has = {row.kuerzel.upper(): row.event_id for row in tx.calendar_pairs.by_frnr(fr_nr)}
        names = self.other_employees()
        return [one for one in names if one.upper() not in has or not (has[one.upper()] == event_id or shared(one))]

    def elsewhere(self, fr_nr: int) -> dict[str, PairState]:
        """Return the colleagues' living pairs of a number, by Kürzel."""
        with self.context.store.reading() as tx:
            rows = [row for row in tx.calendar_pairs.by_frnr(fr_nr) if row.kuerzel.upper() != self.kuerzel.upper()]
        return {row.kuerzel: pair for row in rows if (pair := pair_state(row, self.context.rules)) is not None}

    def pair_of(self, kuerzel: str, fr_nr: int) -> PairState | None:
        """Return a colleague's living pair of a number."""
        return next((one for of, one in self.elsewhere(fr_nr).items() if of.upper() == kuerzel.upper()), None)

    def other_employees(self) -> list[str]:
        """Return the Kürzel of everybody else whose calendar is known."""
        with self.context.store.reading() as tx:
            names = [one.kuerzel for one in tx.calendar_states.all()]
        return [one for one in names if one.upper() != self.kuerzel.upper()]

    def calendar_of(self, kuerzel: str) -> str | None:
        """Return the id of an employee's calendar, if it is known."""
        with self.context.store.reading() as tx:
            state = tx.calendar_states.get(kuerzel)
        return state.calendar_id if state is not None else None

    async def next_generation(self, fr_nr: int) -> int:
        """Return the first generation that no earlier pair of this number has used."""
        last = await self._do(lambda tx: tx.calendar_pairs.last_generation(self.kuerzel, fr_nr))
        return 0 if last is None else last + 1

    async def applied(self, operations: Iterable[Operation]) -> None:
        """Append what was done to the audit log."""
        changes = [row for operation in operations for row in self._applied(operation)]
        if changes:
            await self._do(lambda tx: tx.audit.append(changes))

    async def lose(self, findings: Iterable[Finding]) -> None:
        """Append what loses to the audit log, and note who is to be told, before anything is overwritten.

        After a crash it is neither logged nor told twice.
        """
        every = tuple(findings)
        changes = [(row, self._since(finding.fr_nr)) for finding in every for row in self._lost(finding)]
        notices = [notice for finding in every if (notice := self._notice(finding)) is not None]

        def work(tx: Transaction) -> None:
            tx.audit.append([row for row, since in changes if not _is_told(tx, row, since)])
            for notice in notices:
                note(tx, notice)

        if changes or notices:
            await self._do(work)

    def _notice(self, finding: Finding) -> Notice | None:
        kind = task_kind(finding)
        if kind is None:
            return None
        state = self.state(finding.fr_nr)
        form = state.base.advoware if state is not None and state.base is not None else None
        record = record_id(self.kuerzel, finding.fr_nr, finding.event_id)
        name = appointment(form, self.kuerzel, finding.fr_nr, finding.event_id)
        return Notice(
            kuerzel=self.kuerzel,
            record=record,
            kind=kind,
            text=notice_text(finding, name),
            fields=tuple(sorted({change.name for change in finding.changes})),
            situation=str(self._since(finding.fr_nr)),
        )

    def _since(self, fr_nr: int | None) -> datetime | None:
        row = self.rows.get(fr_nr) if fr_nr is not None else None
        return row.last_sync_at if row is not None else None

    def _applied(self, operation: Operation) -> Iterable[Change]:
        side = side_written(operation)
        if side is None:
            return
        fr_nr = getattr(operation, "fr_nr", None) or self._number_of(operation.event_id)
        details = getattr(operation, "changes", ()) or (None,)
        for change in details:
            old, new = logged(operation, change)
            yield Change(
                entity=ENTITY,
                kind="applied",
                reason=f"{type(operation).__name__}: {operation.reason}",
                espo_id=record_id(self.kuerzel, fr_nr, operation.event_id),
                advoware_id=str(fr_nr) if fr_nr is not None else None,
                field=change.name if change else None,
                old=old,
                new=new,
                side_written=side,
                run_id=self.context.run_id,
            )

    def _number_of(self, event_id: str) -> int | None:
        """Return the number of the Termin that was just made of an event."""
        return next((row.frnr for row in self.rows.values() if row.event_id == event_id), None)

    def _lost(self, finding: Finding) -> Iterable[Change]:
        for change in finding.changes:
            yield Change(
                entity=ENTITY,
                kind=_KINDS.get(finding.kind, "ignored"),
                reason=finding.text,
                espo_id=record_id(self.kuerzel, finding.fr_nr, finding.event_id),
                advoware_id=str(finding.fr_nr) if finding.fr_nr is not None else None,
                field=change.name,
                old=plain(change.old),
                new=plain(change.new),
                losing_value=plain(change.old),
                run_id=self.context.run_id,
            )

    def _new(self, fr_nr: int, source: Source) -> CalendarPair:
        rules = self.context.rules
        return CalendarPair(
            kuerzel=self.kuerzel,
            frnr=fr_nr,
            event_id=None,
            source_system="google" if source is Source.GOOGLE else "advoware",
            strategy=rules.default_strategy.value,
            write_allowed=rules.write_allowed_default,
        )

    async def _do(self, work: Callable[[Transaction], T]) -> T:
        return await self.context.store.write(work)


def by_event(intents: Iterable[Intent]) -> dict[str, Intent]:
    """Return intents by the event whose Termin they create."""
    return {str(intent.natural_key["event_id"]): intent for intent in intents}


def _is_told(tx: Transaction, row: Change, since: datetime | None) -> bool:
    """Tell whether this loss stands in the audit log already, since both sides last agreed."""
    if since is None or row.espo_id is None:
        return False
    return any(
        told.at is not None
        and told.at >= since
        and (told.kind, told.field, told.new, told.losing_value) == (row.kind, row.field, row.new, row.losing_value)
        for told in tx.audit.for_record(row.espo_id)
    )
