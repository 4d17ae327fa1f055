"""Takes back changes of appointments, see :mod:`vmh_sync.engine.writing.undo`.

Advoware is the side that is written: the Termin says again what it said, is deleted again, or is entered again with
all that the audit log holds of it. The pass that follows carries that to Google. So nothing can be taken back while
Advoware may not be written, and a change is never half taken back: until that pass it is an edit like any other.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from vmh_sync.coordination.leases import Lease
from vmh_sync.engine.writing.undo import (
    Chain,
    Undo,
    Undone,
    UndoRefused,
    ids_of,
    moved,
    note_undone,
    stored_change,
    take_back_each,
    written,
)
from vmh_sync.kalender.apply.advoware_writes import AdvowareWrites
from vmh_sync.kalender.apply.pair_book import PairBook
from vmh_sync.kalender.apply.undo_deletion import Reentry
from vmh_sync.kalender.context import CalendarContext, CalendarSettings, open_calendar
from vmh_sync.kalender.decision.deadlines import is_held
from vmh_sync.kalender.decision.guards import is_mass_change
from vmh_sync.kalender.decision.operations import DeleteAdvoware, FieldChange, FindingKind, UpdateAdvoware
from vmh_sync.kalender.decision.sides import DecisionContext
from vmh_sync.kalender.employee.sync_employee import employee_lease
from vmh_sync.kalender.errors import PlanAgain
from vmh_sync.kalender.failure import EMPLOYEE_FAILURES, ITEM_FAILURES, explain
from vmh_sync.kalender.form.advoware_form import is_for_everybody, read_termin
from vmh_sync.kalender.form.advoware_overlay import overlay
from vmh_sync.kalender.form.google_form import ReadEvent, read_event
from vmh_sync.kalender.form.window import window_at
from vmh_sync.kalender.model import Appointment, BaseForm, PairState, TerminFields
from vmh_sync.kalender.reading.live_sides import LiveSides
from vmh_sync.kalender.state.audit_values import whole
from vmh_sync.kalender.state.pair_rows import ENTITY, pair_state, read_stored
from vmh_sync.kalender.state.undo_chains import (
    FieldUndo,
    belongs_with,
    came,
    chains_of,
    folded,
    is_of_a_field,
    is_whole,
    stood_before,
    whose,
)
from vmh_sync.kalender.telling.notice_texts import label
from vmh_sync.store.history.audit import AuditQuery, Change
from vmh_sync.store.store import Transaction
from vmh_sync.systems.errors import OutcomeUnknown

LEASE_WAIT_SECONDS = 30.0
ADVOWARE = "Advoware"
WRITE_PROTECTED = (
    "Advoware darf nicht beschrieben werden (ADVOWARE_WRITE_PROTECTION, CALENDAR_SYNC_WRITE_ALLOWED); bitte von Hand "
    "ändern."
)


class AppointmentUndo:
    """Takes back changes of appointments."""

    entities = frozenset({ENTITY})

    def chains(self, changes: Sequence[Change]) -> list[Chain]:
        """Return changes of one field, of the times, or of an appointment that came or went, together."""
        return chains_of(written(changes))

    async def take_back(self, run_id: str, chains: Sequence[Chain], *, dry_run: bool) -> Undone:
        """Write what stood there before to Advoware, unless ``dry_run``. Raises ``SettingsError``."""
        async with open_calendar(run_id, CalendarSettings.read()) as context:
            too_many = await context.store.read(_too_many, context, chains)

            async def take(chain: Chain) -> Undo:
                if came(chain) and chain[0].espo_id in too_many:
                    raise UndoRefused(
                        "So würden ungewöhnlich viele Termine dieses Kalenders gelöscht; bitte einzeln zurücknehmen."
                    )
                return await take_back(context, chain, dry_run=dry_run)

            return await take_back_each(chains, take, (*EMPLOYEE_FAILURES, *ITEM_FAILURES, PlanAgain), _in_words)


UNDO = AppointmentUndo()


def _in_words(error: Exception) -> str:
    if isinstance(error, PlanAgain):
        return "Der Termin wurde in diesem Augenblick geändert; bitte noch einmal versuchen."
    return explain(error).message


def _too_many(tx: Transaction, context: CalendarContext, chains: Iterable[Chain]) -> set[str]:
    """Return the records that would be deleted, of calendars that would lose too much at once."""
    going = [str(chain[0].espo_id) for chain in chains if came(chain)]
    living = tx.calendar_pairs.counts()
    per_calendar = Counter(name.rpartition("/")[0] for name in going)
    stopped = {k for k, n in per_calendar.items() if is_mass_change(n, living.get(k, 0), context.rules)}
    return {name for name in going if name.rpartition("/")[0] in stopped}


async def take_back(context: CalendarContext, chain: Chain, *, dry_run: bool) -> Undo:
    """Take back changes that belong together, newest first, unless ``dry_run``; returns what was done or would be.

    Raises :class:`UndoRefused`, ``PlanAgain`` when the Termin moves this very moment, and the clients' errors.
    """
    kuerzel, fr_nr = whose(chain)
    async with employee_lease(context, kuerzel, wait=LEASE_WAIT_SECONDS) as lease:
        if lease is None:
            raise UndoRefused("Der Kalender wird gerade abgeglichen; bitte gleich noch einmal versuchen.")
        # Another undo may have been quicker.
        chain = await asyncio.to_thread(_stored, context, chain)
        stands = came(chain)
        if stands is False:
            return await _enter_again(context, lease, chain, (kuerzel, fr_nr), dry_run=dry_run)
        place = await _find(context, lease, kuerzel, fr_nr)
        if stands:
            return await _take_away(place, chain, dry_run=dry_run)
        return await _set_back(place, folded(chain, context.rules.zone), dry_run=dry_run)


def _stored(context: CalendarContext, chain: Chain) -> Chain:
    changes = [stored_change(context, change_id) for change_id in ids_of(chain)]
    if not all(is_whole(change) or is_of_a_field(change) for change in changes):
        raise UndoRefused("Diese Änderung lässt sich nicht automatisch zurücknehmen; bitte von Hand ändern.")
    first = changes[0]
    with context.store.reading() as tx:
        query = AuditQuery(espo_ids=(str(first.espo_id),), run_id=first.run_id, kinds=("applied",))
        others = [change for change in tx.audit.find(query) if belongs_with(first, change)]
    known = {change.id for change in changes}
    changes += [change for change in others if change.id not in known and change.undone_by is None]
    return tuple(sorted(changes, key=lambda change: change.id or 0, reverse=True))


@dataclass(slots=True, repr=False)
class _Writer(AdvowareWrites):
    """Writes to Advoware alone: the pair and its base stay, so that the next pass sees an edit."""

    async def put(self, operation: UpdateAdvoware) -> None:
        try:
            await self._set_advoware(operation, [])
        except OutcomeUnknown:
            if not await self._arrived(operation):
                raise
        if any(finding.kind is FindingKind.IGNORED for finding in self.done.findings):
            raise UndoRefused("Advoware hat den früheren Wert nicht angenommen; bitte dort von Hand ändern.")

    async def _arrived(self, operation: UpdateAdvoware) -> bool:
        record = await self.sides.fresh_termin(operation.fr_nr)
        return record is not None and all(
            getattr(self._form(operation.fr_nr), change.name) == change.new for change in operation.changes
        )

    async def drop(self, operation: DeleteAdvoware) -> None:
        try:
            await self._drop_termin(operation)
        except OutcomeUnknown:
            if await self.sides.fresh_termin(operation.fr_nr) is not None:
                raise


@dataclass(frozen=True, slots=True, repr=False)
class _Place:
    """One appointment on both sides as it is now, and as it was when both last agreed."""

    context: CalendarContext
    decision: DecisionContext
    writer: _Writer
    state: PairState
    base: BaseForm
    termin: TerminFields
    form: Appointment
    event: ReadEvent

    @property
    def record(self) -> str:
        """How it is called in a sentence, in the genitive."""
        return f"des Termins {self.decision.kuerzel}/{self.state.fr_nr}"

    def require_unmoved(self, names: Iterable[str]) -> None:
        """Raise :class:`UndoRefused` for a field that a person has edited since both sides last agreed."""
        for name in names:
            for system, now, agreed in (
                (ADVOWARE, self.form, self.base.advoware),
                ("Google", self.event.form, self.base.google),
            ):
                if getattr(now, name) != getattr(agreed, name):
                    raise moved(label(name), system)

    def in_calendars(self) -> tuple[str, ...]:
        """Return whose calendars the Termin stands in."""
        with self.context.store.reading() as tx:
            rows = tx.calendar_pairs.by_frnr(self.state.fr_nr)
        return tuple(dict.fromkeys((self.decision.kuerzel, *(row.kuerzel for row in rows))))


async def _find(context: CalendarContext, lease: Lease, kuerzel: str, fr_nr: int) -> _Place:
    stored, rules = await context.store.read(read_stored, kuerzel), context.rules
    rows = {row.frnr: row for row in stored.pairs if row.frnr is not None}
    state = pair_state(rows[fr_nr], rules) if fr_nr in rows else None
    calendar = stored.state.calendar_id
    if state is None or state.base is None or calendar is None:
        raise UndoRefused("Der Termin ist nicht (mehr) verknüpft; bitte in Advoware und in Google von Hand ändern.")
    decision = _decision(context, kuerzel)
    if not decision.may_write(state):
        raise UndoRefused("Diesen Eintrag errechnet Advoware selbst." if fr_nr < 0 else WRITE_PROTECTED)
    sides = LiveSides(context, kuerzel, calendar, {}, {})
    if await sides.fresh_termin(fr_nr) is None:
        raise UndoRefused("Den Termin gibt es in Advoware nicht (mehr).")
    event = await sides.fresh_event(state.event_id)
    if event is None:
        raise UndoRefused("Das Ereignis gibt es in Google nicht (mehr).")
    termin, read = sides.termine[fr_nr], read_event(event.raw, rules)
    form = read_termin(termin, rules)
    if state.obstacle or read.obstacle or read.fixed:
        raise UndoRefused("Das Ereignis in Google lässt sich von hier aus nicht ändern; bitte dort von Hand ändern.")
    if is_held(termin, form, rules):
        raise UndoRefused("Der Termin ist eine Frist; Fristen werden nur in Advoware geändert, von Hand.")
    writer = _Writer(
        context=context,
        decision=decision,
        sides=sides,
        lease=lease,
        book=PairBook(context=context, kuerzel=kuerzel, rows=rows, intents={}),
    )
    return _Place(context, decision, writer, state, state.base, termin, form, read)


def _decision(context: CalendarContext, kuerzel: str) -> DecisionContext:
    return DecisionContext(
        kuerzel=kuerzel,
        window=window_at(context.clock.now(), context.rules),
        rules=context.rules,
        kanzlei=context.kanzlei,
        full_content=context.wants_full_content(kuerzel, None),
    )


# A field goes back to what it said


async def _set_back(place: _Place, fields: Sequence[FieldUndo], *, dry_run: bool) -> Undo:
    for one in fields:
        if getattr(place.form, one.name) != one.stands:
            raise moved(label(one.name), ADVOWARE)
    place.require_unmoved(one.name for one in fields)
    wanted = replace(place.form, **{one.name: one.before for one in fields})
    if wanted.end <= wanted.start:
        raise moved(label("end"), ADVOWARE)
    names = {one.name for one in fields}
    values = overlay(place.termin, wanted, names, place.context.rules)
    if "private" in names:
        values["privat"] = int(wanted.private)
    first = fields[0]
    if not dry_run:
        await place.writer.put(
            UpdateAdvoware(
                fr_nr=place.state.fr_nr,
                event_id=place.state.event_id,
                form=wanted,
                values=values,
                changes=tuple(FieldChange(one.name, one.stands, one.before) for one in fields),
                reason=f"undo of change {first.newest.id}",
            )
        )
        await note_undone(place.context, [one.row for one in fields], "advoware")
    return Undo(
        change_id=first.newest.id or 0,
        espo_id=str(first.newest.espo_id),
        resync=place.in_calendars(),
        record=place.record,
        field=", ".join(one.name for one in fields),
        label=", ".join(label(one.name) for one in fields),
        old=first.newest.new if len(fields) == 1 else {one.name: one.newest.new for one in fields},
        new=first.newest.old if len(fields) == 1 else {one.name: one.newest.old for one in fields},
        written=ADVOWARE,
    )


# An appointment that came goes again


async def _take_away(place: _Place, chain: Chain, *, dry_run: bool) -> Undo:
    """Delete the Termin; what an undo deletes stands in the audit log as a whole."""
    await place.context.store.read(_require_nothing_since, chain)
    if came(tuple(reversed(chain))) is False:
        raise UndoRefused("Der Termin wurde gelöscht und wieder angelegt; bitte die Änderungen einzeln zurücknehmen.")
    place.require_unmoved(Appointment.__slots__)
    if is_for_everybody(place.termin) or len(place.in_calendars()) > 1:
        raise UndoRefused("Der Termin steht auch in anderen Kalendern; bitte in Advoware von Hand löschen.")
    if not place.decision.window.surely_lists(place.form):
        raise UndoRefused("Der Termin liegt außerhalb der abgeglichenen Zeit; bitte auf beiden Seiten löschen.")
    said = whole(place.form, place.termin)
    if not dry_run:
        await _count_as_ours(place)
        await place.writer.drop(DeleteAdvoware(place.state.fr_nr, place.state.event_id, "undo"))
        await note_undone(place.context, [(replace(chain[0], old=None, new=said), ids_of(chain))], "advoware")
    return _whole_undo(chain[0], place.decision.kuerzel, "gelöscht", said, None)


def _require_nothing_since(tx: Transaction, chain: Chain) -> None:
    began, known = min(ids_of(chain)), set(ids_of(chain))
    rows = tx.audit.find(AuditQuery(espo_ids=(str(chain[0].espo_id),), kinds=("applied",)))
    for row in rows:
        if (row.id or 0) > began and row.id not in known and row.undone_by is None and is_of_a_field(row):
            raise UndoRefused(f"Der Termin wurde seitdem geändert (Nr. {row.id}); bitte zuerst das zurücknehmen.")


async def _count_as_ours(place: _Place) -> None:
    """Let the pass carry the deletion to Google, also where the appointment comes from there."""
    book, fr_nr = place.writer.book, place.state.fr_nr
    row = replace(book.rows[fr_nr], source_system="advoware")

    def save(tx: Transaction) -> None:
        tx.calendar_pairs.save(row)

    await place.context.store.write(save)


# An appointment that went comes back


async def _enter_again(
    context: CalendarContext, lease: Lease, chain: Chain, of: tuple[str, int], *, dry_run: bool
) -> Undo:
    kuerzel, fr_nr = of
    form, kept = stood_before(chain, context.rules.zone)
    if not _decision(context, kuerzel).may_create:
        raise UndoRefused(WRITE_PROTECTED)
    went = next(change for change in chain if is_whole(change))
    reentry = Reentry(context, lease, kuerzel, fr_nr, form, went, kept)
    await reentry.look()
    said = whole(form)
    if dry_run:
        await reentry.typed_again()
    else:
        creation = await reentry.create()
        number = str(creation.record.key)
        row = replace(went, advoware_id=number, new=None, old=said)
        await note_undone(
            context, [(row, ids_of(chain))], "advoware", lambda tx: tx.intents.complete(creation.intent.id, number)
        )
    return _whole_undo(went, kuerzel, "wieder angelegt", None, said)


def _whole_undo(change: Change, kuerzel: str, became: str, old: object, new: object) -> Undo:
    return Undo(
        change_id=change.id or 0,
        espo_id=str(change.espo_id),
        resync=(kuerzel,),
        record=f"Der Termin {change.espo_id}",
        field=str(change.field or "termin"),
        label="",
        old=old,
        new=new,
        written=ADVOWARE,
        became=became,
    )
