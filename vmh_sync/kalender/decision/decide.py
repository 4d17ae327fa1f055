"""The decision about one pair, or one appointment that has no pair yet. Pure, total, one answer for every case."""

from vmh_sync.kalender.decision.deletions import gone_in_advoware, gone_in_google, insert_event
from vmh_sync.kalender.decision.merge import merge_pair
from vmh_sync.kalender.decision.operations import (
    NOTHING,
    ClosePair,
    CreateAdvoware,
    Decision,
    FieldChange,
    Finding,
    FindingKind,
    MarkNotRepresentable,
    TakeOver,
)
from vmh_sync.kalender.decision.sides import AdvowareView, DecisionContext, GoogleView, Presence
from vmh_sync.kalender.form.advoware_overlay import new_termin
from vmh_sync.kalender.form.content_hash import content_hash
from vmh_sync.kalender.form.google_form import ReadEvent
from vmh_sync.kalender.form.recurrence import OBSTACLE_TEXTS
from vmh_sync.kalender.model import Appointment, PairState, TerminFields, changed_fields


def decide_pair(pair: PairState, advoware: AdvowareView, google: GoogleView, ctx: DecisionContext) -> Decision:
    """Return what to do about a living pair.

    Nothing follows from a side that could not be read. An appointment that is missing counts as deleted only if its
    stored time lies inside the window of a complete read.
    """
    if Presence.UNKNOWN in (advoware.presence, google.presence):
        return NOTHING
    google_gone = _is_gone_in_google(pair, advoware, google, ctx)
    if advoware.termin is None or advoware.form is None:
        return _without_termin(pair, google, ctx, google_gone=google_gone)
    if google_gone:
        confirm = google.presence is Presence.MISSING
        return gone_in_google(pair, advoware.termin, advoware.form, ctx, confirm=confirm)
    if google.presence is Presence.DELETED:
        return NOTHING
    return _on_both_sides(pair, advoware.termin, advoware.form, google.event, ctx)


def _is_gone_in_google(pair: PairState, advoware: AdvowareView, google: GoogleView, ctx: DecisionContext) -> bool:
    if google.presence not in (Presence.DELETED, Presence.MISSING):
        return False
    stored = pair.base.google if pair.base is not None else advoware.form
    listed = stored is not None and ctx.window.surely_lists(stored)
    if google.presence is Presence.MISSING:
        return listed
    # Expressly deleted: the event is gone for certain, it matters if the Termin is in the window, now or before.
    return listed or (advoware.form is not None and ctx.window.touches(advoware.form))


def _without_termin(pair: PairState, google: GoogleView, ctx: DecisionContext, *, google_gone: bool) -> Decision:
    stored = pair.base.advoware if pair.base is not None else (google.event.form if google.event else None)
    if stored is None or not ctx.window.surely_lists(stored):
        return NOTHING
    if google_gone:
        return Decision((ClosePair(pair.fr_nr, pair.event_id, "Auf beiden Seiten gelöscht"),))
    if google.event is None and google.presence is not Presence.UNCHANGED:
        return NOTHING
    return gone_in_advoware(pair, google.event, ctx)


def _on_both_sides(
    pair: PairState, termin: TerminFields, form: Appointment, event: ReadEvent | None, ctx: DecisionContext
) -> Decision:
    obstacle = event.obstacle if event is not None else pair.obstacle
    if obstacle is not None:
        return _not_representable(pair, form, event, obstacle)
    if event is None and pair.base is None:
        return NOTHING
    return merge_pair(pair, termin, form, event, ctx)


def _not_representable(pair: PairState, form: Appointment, event: ReadEvent | None, obstacle: str) -> Decision:
    """Write to neither side; say so, and say what waits on each."""
    waiting: tuple[FieldChange, ...] = ()
    text = "In Advoware nicht darstellbar: " + OBSTACLE_TEXTS.get(obstacle, obstacle)
    if pair.base is not None:
        waiting = _waiting(pair.base.advoware, form)
        if waiting:
            text += " Eine Änderung in Advoware wartet darauf."
        if event is not None:
            waiting += _waiting(pair.base.google, event.form)
    finding = Finding(FindingKind.NOT_REPRESENTABLE, text, pair.fr_nr, pair.event_id, waiting)
    if pair.obstacle == obstacle and not pair.unsettled:
        return Decision(findings=(finding,))
    return Decision((MarkNotRepresentable(pair.fr_nr, pair.event_id, obstacle, text),), (finding,))


def _waiting(before: Appointment, now: Appointment) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(name, getattr(before, name), getattr(now, name)) for name in sorted(changed_fields(now, before))
    )


def decide_new_termin(
    termin: TerminFields, form: Appointment, ctx: DecisionContext, *, generation: int = 0
) -> Decision:
    """Return the insert for a Termin that has no pair; nothing if it lies outside the window."""
    if not ctx.window.touches(form):
        return NOTHING
    return Decision((insert_event(termin.fr_nr, termin, form, ctx, generation=generation, reason="Neu in Advoware"),))


WAITING_TEXT = "Neu in Google; wartet, bis Advoware beschrieben werden darf"


def decide_new_event(event: ReadEvent, ctx: DecisionContext, *, reason: str = "Neu in Google") -> Decision:
    """Return what to do about an event that belongs to no pair."""
    if not event.ours_to_take or not ctx.window.touches(event.form):
        return NOTHING
    if event.obstacle is not None:
        text = "In Advoware nicht darstellbar: " + OBSTACLE_TEXTS.get(event.obstacle, event.obstacle)
        return Decision(findings=(Finding(FindingKind.NOT_REPRESENTABLE, text, event_id=event.event_id),))
    if not ctx.may_create:
        return Decision(findings=(Finding(FindingKind.WRITE_PROTECTED, WAITING_TEXT, event_id=event.event_id),))
    values = new_termin(event.form, ctx.kuerzel, ctx.rules)
    return Decision((CreateAdvoware(event.event_id, event.form, values, reason),))


def decide_moved_in(
    event: ReadEvent, fr_nr: int, from_kuerzel: str, ctx: DecisionContext, *, left_as: str | None = None
) -> Decision:
    """Return what to do about an event that a person has moved here from a colleague's calendar."""
    if not ctx.may_create or fr_nr < 0:
        return Decision(findings=(Finding(FindingKind.WRITE_PROTECTED, WAITING_TEXT, event_id=event.event_id),))
    reason = f"Aus dem Kalender {from_kuerzel} hierher verschoben"
    created = decide_new_event(event, ctx, reason=reason).operations
    return Decision((TakeOver(fr_nr, event.event_id, from_kuerzel, reason, created, left_as),))


def decide_orphan(event: ReadEvent, fr_nr: int, ctx: DecisionContext) -> Decision:
    """Return what to do about an event that carries the mark of a Termin that is gone, and that we did not make.

    What a person has typed into it since it was marked makes it an appointment of its own; an equal copy is only told.
    """
    mark = event.mark
    if mark is not None and mark.content_hash and not mark.anonymised and mark.content_hash != content_hash(event.form):
        return decide_new_event(event, ctx, reason="Kopie eines Termins, den es nicht mehr gibt")
    text = "Ereignis mit unserer Kennzeichnung, aber ohne Termin in Advoware"
    return Decision(findings=(Finding(FindingKind.ORPHAN, text, fr_nr, event.event_id),))
