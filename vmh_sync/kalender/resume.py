"""Termine whose creation was begun and whose outcome is not known: find them before anything is created again.

Creating is not idempotent in Advoware (specification, sync-semantics.md 3): the intent is stored before the POST.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from vmh_sync.kalender.advoware_form import decoration_of
from vmh_sync.kalender.advoware_overlay import new_termin
from vmh_sync.kalender.anonymise import must_anonymise, shown_form
from vmh_sync.kalender.google_form import ReadEvent
from vmh_sync.kalender.likeness import plain_title
from vmh_sync.kalender.merge import merge_pair
from vmh_sync.kalender.model import (
    FLOWING_FIELDS,
    TEXT_FIELDS,
    TIME_FIELDS,
    Appointment,
    BaseForm,
    PairState,
    Source,
    TerminFields,
    changed_fields,
)
from vmh_sync.kalender.operations import (
    ClosePair,
    CreateAdvoware,
    Decision,
    Finding,
    FindingKind,
    LinkPair,
    SaveBase,
    UpdateGoogle,
)
from vmh_sync.kalender.reads import EmployeeReads, PendingCreate
from vmh_sync.kalender.sides import AdvowareView, DecisionContext, GoogleView, Presence


def resume_creates(
    reads: EmployeeReads,
    advoware: Mapping[int, AdvowareView],
    google: Mapping[str, GoogleView],
    pairs: Mapping[int, PairState],
    ctx: DecisionContext,
) -> Iterator[tuple[str, int | None, Decision]]:
    """Yield (event id, frNr if found, decision) for each stored intent whose Termin is not linked yet."""
    linked = {pair.event_id: pair for pair in pairs.values()}
    free = {fr_nr for fr_nr in advoware if fr_nr > 0 and fr_nr not in pairs}
    for intent in reads.intents:
        pair = linked.get(intent.event_id)
        if pair is not None and advoware.get(pair.fr_nr) is not None:
            continue
        fr_nr = created_by(intent, {number: advoware[number].form for number in free})
        doubts: tuple[Finding, ...] = ()
        if fr_nr is None:
            fr_nr, doubts = _edited(intent, {number: advoware[number].form for number in free}, reads.decided)
        if fr_nr is not None:
            free.discard(fr_nr)
        if doubts:
            for doubt in doubts:
                yield intent.event_id, doubt.fr_nr, Decision(findings=(doubt,))
            continue
        yield intent.event_id, fr_nr, _decide(intent, fr_nr, reads, advoware, google, pair, ctx)


def created_by(intent: PendingCreate, free: Mapping[int, Appointment | None]) -> int | None:
    """Return which of the Termine without a pair here (number → form) says what the intent was sent with.

    Somebody may have edited it before it is looked for: with the same times and title it is the same (kalender.md 5).
    """
    for told in (FLOWING_FIELDS, TIME_FIELDS | {"text"}):
        for fr_nr, form in sorted(free.items()):
            if form is not None and not changed_fields(form, intent.form) & told:
                return fr_nr
    return None


def _edited(
    intent: PendingCreate, free: Mapping[int, Appointment | None], decided: Mapping[tuple[int, str], bool]
) -> tuple[int | None, tuple[Finding, ...]]:
    """Look for the Termin among those that somebody moved or gave another title since, as a person has said or may say.

    It is created once more only when no Termin without a pair can be it: the create is not known to have failed.
    """
    likely = [fr_nr for fr_nr, form in sorted(free.items()) if form is not None and _may_be(form, intent.form)]
    said = next((fr_nr for fr_nr in likely if decided.get((fr_nr, intent.event_id))), None)
    if said is not None:
        return said, ()
    open_ones = [fr_nr for fr_nr in likely if (fr_nr, intent.event_id) not in decided]
    text = f"Vielleicht der Termin, der aus Ereignis {intent.event_id} angelegt wurde; nicht noch einmal angelegt"
    return None, tuple(Finding(FindingKind.DOUBTFUL, text, fr_nr, intent.event_id) for fr_nr in open_ones)


def _may_be(form: Appointment, sent: Appointment) -> bool:
    title = plain_title(form.text)
    return not changed_fields(form, sent) & TIME_FIELDS or (bool(title) and title == plain_title(sent.text))


def _as_sent(form: Appointment, sent: Appointment) -> Appointment:
    """Return what Advoware said before anybody edited the Termin; what the server shortened is no edit."""
    before = {name: getattr(sent, name) for name in TEXT_FIELDS}
    shown = replace(form, **{name: old for name, old in before.items() if not old.startswith(getattr(form, name))})
    return replace(shown, **{name: getattr(sent, name) for name in TIME_FIELDS})


def _decide(
    intent: PendingCreate,
    fr_nr: int | None,
    reads: EmployeeReads,
    advoware: Mapping[int, AdvowareView],
    google: Mapping[str, GoogleView],
    pair: PairState | None,
    ctx: DecisionContext,
) -> Decision:
    view = google.get(intent.event_id)
    event = view.event if view is not None else None
    gone = view is not None and view.presence is Presence.DELETED
    found = advoware[fr_nr] if fr_nr is not None else None
    if found is not None and found.termin is not None and found.form is not None:
        linked = _link(intent, found.termin, found.form, event, ctx, gone=gone)
        if pair is None:
            return linked
        # The event belonged to a number that is gone: an event has one living pair.
        close = ClosePair(pair.fr_nr, pair.event_id, "In Advoware unter neuer Nummer angelegt")
        return replace(linked, operations=(close, *linked.operations))
    may_write = not ctx.rules.write_protection
    if reads.advoware_complete and ctx.window.surely_lists(intent.form) and may_write and not gone:
        shows_content = event is not None and not (event.mark is not None and event.mark.anonymised)
        form = event.form if event is not None and shows_content else intent.form
        values = new_termin(form, ctx.kuerzel, ctx.rules)
        replaces = pair.fr_nr if pair is not None else None
        reason = "Angefangene Anlage ist in Advoware nicht angekommen"
        return Decision((CreateAdvoware(intent.event_id, form, values, reason, replaces),))
    text = "Ob der Termin in Advoware angelegt wurde, ist noch nicht sicher"
    return Decision(findings=(Finding(FindingKind.OUTCOME_UNKNOWN, text, event_id=intent.event_id),))


def _link(
    intent: PendingCreate,
    termin: TerminFields,
    form: Appointment,
    event: ReadEvent | None,
    ctx: DecisionContext,
    *,
    gone: bool,
) -> Decision:
    """Link the Termin that was found; what was typed into the event since the intent goes the usual way."""
    reason = "Angefangene Anlage in Advoware gefunden"
    link = LinkPair(termin.fr_nr, intent.event_id, 0, Source.GOOGLE, reason)
    if gone:
        return Decision((link,))
    state = PairState(
        fr_nr=termin.fr_nr,
        event_id=intent.event_id,
        source=Source.GOOGLE,
        strategy=ctx.rules.default_strategy,
        write_allowed=ctx.rules.write_allowed_default,
        base=BaseForm(_as_sent(form, intent.form), intent.form),
    )
    merged = merge_pair(state, termin, form, event, ctx)
    writes = [operation for operation in merged.operations if not isinstance(operation, SaveBase)]
    if not any(isinstance(operation, UpdateGoogle) for operation in writes):
        says = event.form if event is not None else intent.form
        writes.append(stamp(intent.event_id, termin, says, ctx))
    return Decision((link, *writes), merged.findings)


def stamp(event_id: str, termin: TerminFields, form: Appointment, ctx: DecisionContext) -> UpdateGoogle:
    """Return the update that puts our mark on an event whose Termin has just been created.

    ``form`` is what the event says, not what Advoware made of it: a text that Advoware shortens stays whole in Google.
    In anonymised mode this also takes the content out of the event.
    """
    anonymise = must_anonymise(termin, ctx.kuerzel, full_content=ctx.full_content)
    return UpdateGoogle(
        fr_nr=termin.fr_nr,
        event_id=event_id,
        form=shown_form(form, anonymised=anonymise, rules=ctx.rules),
        anonymised=anonymise,
        decoration=decoration_of(termin, anonymised=anonymise, rules=ctx.rules),
        source=Source.GOOGLE,
        changes=(),
        reason="Kennzeichnung nach der Anlage in Advoware",
    )
