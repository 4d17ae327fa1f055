"""One side of a pair is gone: what becomes of the other (specification, kalender.md 5)."""

from dataclasses import replace

from vmh_sync.kalender.decision.operations import (
    CreateAdvoware,
    Decision,
    DeleteAdvoware,
    DeleteGoogle,
    FieldChange,
    Finding,
    FindingKind,
    InsertGoogle,
    MarkNotRepresentable,
)
from vmh_sync.kalender.decision.sides import DecisionContext
from vmh_sync.kalender.form.advoware_form import decoration_of, is_for_everybody
from vmh_sync.kalender.form.advoware_overlay import new_termin
from vmh_sync.kalender.form.anonymise import must_anonymise, shown_form
from vmh_sync.kalender.form.content_hash import content_hash
from vmh_sync.kalender.form.google_form import ReadEvent
from vmh_sync.kalender.model import (
    FLOWING_FIELDS,
    TEXT_FIELDS,
    Appointment,
    BaseForm,
    PairState,
    Source,
    Strategy,
    TerminFields,
    changed_fields,
)


def edits_of(now: Appointment, before: Appointment | None, *, without_text: bool) -> tuple[FieldChange, ...]:
    """Return what an appointment says ``now`` and did not say ``before``, as what is lost with it."""
    if before is None:
        return ()
    fields = changed_fields(now, before) & (FLOWING_FIELDS - TEXT_FIELDS if without_text else FLOWING_FIELDS)
    return tuple(FieldChange(name, getattr(now, name), None) for name in sorted(fields))


def typed_since(event: ReadEvent, base: BaseForm | None) -> tuple[FieldChange, ...]:
    """Return what a person has typed into an event since it was agreed on, or else since we marked it."""
    if base is not None:
        return edits_of(event.form, base.google, without_text=base.anonymised)
    if event.mark is not None and event.mark.content_hash != content_hash(event.form):
        return _everything(event.form)
    return ()


def _everything(now: Appointment) -> tuple[FieldChange, ...]:
    """Name all that an event says of which nobody knows what it said before."""
    said = {name: getattr(now, name) for name in sorted(FLOWING_FIELDS)}
    return tuple(FieldChange(name, value, None) for name, value in said.items() if value)


def gone_in_advoware(pair: PairState, event: ReadEvent | None, ctx: DecisionContext) -> Decision:
    """Decide about a pair whose Termin was deleted; ``event`` is ``None`` if it is as the base says."""
    base = pair.base
    edits = typed_since(event, base) if event is not None else ()
    from_google = pair.source is Source.GOOGLE and not pair.leaving  # its event was to go: the Termin is a colleague's
    keep = from_google or (bool(edits) and pair.strategy is Strategy.LAST_CHANGE_WINS)
    if keep and ctx.may_write(pair):
        return _create_again(pair, event, ctx)
    if from_google:
        text = "In Advoware gelöscht, stammt aus Google; Advoware darf nicht beschrieben werden: bleibt in Google"
        return Decision(findings=(Finding(FindingKind.MISSING_IN_ADVOWARE, text, pair.fr_nr, pair.event_id),))
    findings: tuple[Finding, ...] = ()
    if edits:
        text = "In Advoware gelöscht, in Google noch geändert: gelöscht"
        findings = (Finding(FindingKind.DELETED_AGAINST_CHANGE, text, pair.fr_nr, pair.event_id, edits),)
    was = base.advoware if base is not None else (event.form if event is not None else None)
    delete = DeleteGoogle(pair.fr_nr, pair.event_id, "In Advoware gelöscht", was=was, obstacle=_obstacle(pair, event))
    return Decision((delete,), findings)


def _obstacle(pair: PairState, event: ReadEvent | None) -> str | None:
    return event.obstacle if event is not None else pair.obstacle


def _create_again(pair: PairState, event: ReadEvent | None, ctx: DecisionContext) -> Decision:
    base = pair.base
    obstacle = _obstacle(pair, event)
    form = event.form if event is not None else (base.google if base is not None else None)
    if obstacle is not None or form is None:
        text = "In Advoware gelöscht; das Ereignis in Google kann dort nicht wieder angelegt werden"
        finding = Finding(FindingKind.NOT_REPRESENTABLE, text, pair.fr_nr, pair.event_id)
        if obstacle is None or obstacle == pair.obstacle:
            return Decision(findings=(finding,))
        return Decision((MarkNotRepresentable(pair.fr_nr, pair.event_id, obstacle, text),), (finding,))
    if base is not None and base.anonymised:
        # The event itself shows nothing: the content is what Advoware last said.
        form = replace(form, text=base.advoware.text, notiz=base.advoware.notiz, ort=base.advoware.ort)
    values = new_termin(form, ctx.kuerzel, ctx.rules)
    reason = "In Advoware gelöscht, gilt aber nach Google"
    finding = Finding(FindingKind.RESTORED, "In Advoware wieder angelegt", pair.fr_nr, pair.event_id)
    return Decision((CreateAdvoware(pair.event_id, form, values, reason, pair.fr_nr),), (finding,))


def gone_in_google(
    pair: PairState, termin: TerminFields, form: Appointment, ctx: DecisionContext, *, confirm: bool
) -> Decision:
    """Decide about a pair whose event was deleted; ``confirm`` if it was only missing from a complete list."""
    edits = edits_of(form, pair.base.advoware if pair.base else None, without_text=False)
    keep_edit = bool(edits) and (pair.kept or pair.strategy is Strategy.LAST_CHANGE_WINS)
    may_delete = (
        pair.source is Source.GOOGLE
        and not pair.leaving  # it was us who deleted the event
        and ctx.may_write(pair)
        and ctx.google_deletions_trusted
        and not is_for_everybody(termin)
    )
    if may_delete and not keep_edit:
        findings: tuple[Finding, ...] = ()
        if edits:
            text = "In Google gelöscht, in Advoware noch geändert: gelöscht"
            findings = (Finding(FindingKind.DELETED_AGAINST_CHANGE, text, pair.fr_nr, pair.event_id, edits),)
        delete = DeleteAdvoware(pair.fr_nr, pair.event_id, "In Google gelöscht", confirm, form, termin)
        return Decision((delete,), findings)
    insert = insert_event(
        pair.fr_nr,
        termin,
        form,
        ctx,
        generation=pair.generation + 1,
        reason="In Google gelöscht, in Advoware noch da",
    )
    computed = pair.fr_nr < 0  # wherever a person moved its event, it is this employee's
    insert = replace(insert, source=pair.source, replaces=pair.event_id, confirm=confirm, stays=computed)
    text, still = "In Google wieder eingetragen", tuple[FieldChange, ...]()
    if pair.kept and edits:  # the edits were told as lost, or nobody was told that the deletion does not hold
        text = "In Google gelöscht, von Advoware behalten und dort geändert: in Google wieder eingetragen"
        still = tuple(FieldChange(edit.name, None, edit.old) for edit in edits)
    finding = Finding(FindingKind.RESTORED, text, pair.fr_nr, insert.event_id, still)
    return Decision((insert,), (finding,))


def insert_event(
    fr_nr: int, termin: TerminFields, form: Appointment, ctx: DecisionContext, *, generation: int, reason: str
) -> InsertGoogle:
    """Return the insert of a Termin into this calendar, shown as it has to be."""
    anonymise = must_anonymise(termin, ctx.kuerzel, full_content=ctx.full_content)
    return InsertGoogle(
        fr_nr=fr_nr,
        event_id=ctx.new_event_id(fr_nr, generation),
        generation=generation,
        form=shown_form(form, anonymised=anonymise, rules=ctx.rules),
        anonymised=anonymise,
        decoration=decoration_of(termin, anonymised=anonymise, rules=ctx.rules),
        source=Source.ADVOWARE,
        reason=reason,
    )
