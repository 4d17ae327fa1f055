"""Deadlines are sacred: what a person does to one in Google is taken back and told, never carried to Advoware.

No field of Advoware's interface is known to tell a deadline from another Termin, so the firm names them by rules over
text, note, place, file number and whole days. Pure.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from vmh_sync.kalender.decision.decide import decide_pair
from vmh_sync.kalender.decision.deletions import insert_event, typed_since
from vmh_sync.kalender.decision.operations import (
    Decision,
    DeleteGoogle,
    FieldChange,
    Finding,
    FindingKind,
    InsertGoogle,
    Operation,
    RestoreEvent,
    SaveBase,
    UpdateGoogle,
)
from vmh_sync.kalender.decision.sides import AdvowareView, DecisionContext, GoogleView, Presence
from vmh_sync.kalender.form.google_form import OUR_KEYS, ReadEvent
from vmh_sync.kalender.form.text_form import clean_text
from vmh_sync.kalender.model import Appointment, CalendarRules, DeadlineRule, PairState, Source, TerminFields
from vmh_sync.systems.google_calendar.event_changes import READ_ONLY

_OWN_OF_GOOGLE = READ_ONLY | {"sequence", "iCalUID", "eventType", "recurringEventId", "originalStartTime"}
_PROPERTIES = "extendedProperties"
_SAID_BY: Mapping[str, frozenset[str]] = {
    "summary": frozenset({"text"}),
    "description": frozenset({"notiz"}),
    "location": frozenset({"ort"}),
    "start": frozenset({"start", "all_day"}),
    "end": frozenset({"end", "all_day"}),
    "recurrence": frozenset({"recurrence"}),
    "visibility": frozenset({"private"}),
}
"""Field of an event → the fields of the normal form that tell a change of it in people's words."""

TAKEN_BACK = "In Google geändert; die Änderung wurde zurückgenommen, es gilt Advoware"
ENTERED_AGAIN = "In Google gelöscht oder in einen anderen Kalender verschoben; wieder eingetragen, es gilt Advoware"
SERIES_AGAIN = "In Google wurden einzelne Termine der Serie geändert; die Serie wurde neu eingetragen, es gilt Advoware"
SENT_BACK = "In Google hierher verschoben; hier gelöscht, der Termin bleibt im Kalender"


def rule_for(form: Appointment, file_number: str | None, rules: CalendarRules) -> DeadlineRule | None:
    """Return the first rule that makes an appointment a deadline, ``None`` if none does."""
    if not rules.deadlines:
        return None
    shown = {"text": form.text, "notiz": form.notiz, "ort": form.ort, "akte": clean_text(file_number)}
    folded = {name: value.casefold() for name, value in shown.items()}
    return next((rule for rule in rules.deadlines if _meets(rule, folded, all_day=form.all_day)), None)


def _meets(rule: DeadlineRule, shown: Mapping[str, str], *, all_day: bool) -> bool:
    if rule.ganztags is not None and rule.ganztags != all_day:
        return False
    asked = {"text": rule.text, "notiz": rule.notiz, "ort": rule.ort, "akte": rule.akte}
    return all(any(word.casefold() in shown[name] for word in words) for name, words in asked.items() if words)


def is_held(termin: TerminFields | None, form: Appointment | None, rules: CalendarRules) -> bool:
    """Tell whether a Termin is a deadline that Google may not change."""
    if rules.deadlines_from_google or termin is None or form is None:
        return False
    return rule_for(form, termin.az_rubrum, rules) is not None


def fingerprint(rules: CalendarRules) -> str:
    """Return what changes with the rules and the window: calendars are read as a whole after a change."""
    guarded = () if rules.deadlines_from_google else rules.deadlines
    said = (guarded, rules.window_years_back, rules.window_years_ahead)
    return hashlib.sha256(repr(said).encode()).hexdigest()


def guarded_fields(event: Mapping[str, object]) -> dict[str, object]:
    """Return everything of an event (API JSON) that people could change, to compare and to put back."""
    fields = {name: value for name, value in event.items() if name not in _OWN_OF_GOOGLE and name != _PROPERTIES}
    extended = event.get(_PROPERTIES)
    private = extended.get("private") if isinstance(extended, Mapping) else None
    own = private if isinstance(private, Mapping) else {}
    return fields | {_PROPERTIES: {name: value for name, value in own.items() if name in OUR_KEYS}}


def decide_deadline(
    pair: PairState, advoware: AdvowareView, google: GoogleView, raw: Mapping[str, object] | None, ctx: DecisionContext
) -> Decision:
    """Return what to do about a deadline; like :func:`decide_pair`, but nothing goes from Google to Advoware.

    ``raw`` is the event as Google sent it, ``None`` if it was not named.
    """
    held = replace(pair, write_allowed=False, source=Source.ADVOWARE)
    if google.presence in (Presence.DELETED, Presence.MISSING):
        return _entered_again(pair, decide_pair(held, advoware, google, ctx))
    event = google.event
    if event is not None and event.obstacle == "moved_occurrence" and advoware.presence is Presence.PRESENT:
        return _series_again(pair, advoware, ctx)
    if raw is None or pair.guarded is None or pair.base is None or _is_unstored_write(pair, event):
        return _remembered(pair, raw, _told(_as_before(pair, decide_pair(held, advoware, google, ctx))))
    changed = _changed(raw, pair.guarded)
    if not changed:
        return _as_before(pair, decide_pair(held, advoware, google, ctx))
    changes = tuple(_said(changed, event, pair, pair.base.google))
    restore = _restore(pair, changed, pair.guarded, changes)
    follows = _as_before(pair, decide_pair(held, advoware, GoogleView(Presence.UNCHANGED), ctx))
    writes = tuple(one for one in follows.operations if not isinstance(one, SaveBase))
    finding = Finding(FindingKind.DEADLINE, TAKEN_BACK, pair.fr_nr, pair.event_id, changes)
    return Decision((restore, *writes), (finding, *follows.findings))


def decide_strayed(fr_nr: int, event: ReadEvent, kuerzel: str) -> Decision:
    """Return what to do about an event that has to stay in the calendar of ``kuerzel`` and was moved here.

    It is a deadline's, or of what Advoware computes.
    """
    text = f"{SENT_BACK} {kuerzel}"
    kind = FindingKind.READ_ONLY if fr_nr < 0 else FindingKind.DEADLINE
    finding = Finding(kind, text, fr_nr, event.event_id, typed_since(event, None))
    return Decision((DeleteGoogle(fr_nr, event.event_id, text, confirm=False),), (finding,))


def _is_unstored_write(pair: PairState, event: ReadEvent | None) -> bool:
    """Our last write arrived and was not stored: what differs is ours, and merging tells a person's edit from it."""
    mark, base = event.mark if event is not None else None, pair.base
    if mark is None or base is None or mark.fr_nr != pair.fr_nr:
        return False
    return bool(base.mark_hash) and mark.content_hash != base.mark_hash


def _changed(raw: Mapping[str, object], before: Mapping[str, object]) -> dict[str, object]:
    now = guarded_fields(raw)
    return {name: now.get(name) for name in sorted({*now, *before}) if now.get(name) != before.get(name)}


def _said(
    changed: Mapping[str, object], event: ReadEvent | None, pair: PairState, base: Appointment
) -> Iterable[FieldChange]:
    """Name each change in the fields that people know, where they show it, else by Google's own field."""
    named: set[str] = set()
    for name, value in changed.items():
        form = event.form if event is not None and event.obstacle is None else None
        fields = [one for one in sorted(_SAID_BY.get(name, ())) if form is not None and _differ(form, base, one)]
        if form is None or not fields:
            yield FieldChange(name, value, (pair.guarded or {}).get(name))
            continue
        for field in fields:
            if field not in named:
                named.add(field)
                yield FieldChange(field, getattr(form, field), getattr(base, field))


def _differ(one: Appointment, other: Appointment, field: str) -> bool:
    return bool(getattr(one, field) != getattr(other, field))


def _restore(
    pair: PairState, changed: Mapping[str, object], before: Mapping[str, object], changes: tuple[FieldChange, ...]
) -> RestoreEvent:
    own = before.get(_PROPERTIES)
    return RestoreEvent(
        fr_nr=pair.fr_nr,
        event_id=pair.event_id,
        values={name: before.get(name) for name in changed if name != _PROPERTIES},
        properties={str(name): str(value) for name, value in own.items()} if isinstance(own, Mapping) else {},
        changes=changes,
        reason=TAKEN_BACK,
    )


def _entered_again(pair: PairState, decision: Decision) -> Decision:
    decision = _as_before(pair, decision)
    if not any(isinstance(operation, InsertGoogle) for operation in decision.operations):
        return decision
    return replace(decision, findings=(Finding(FindingKind.DEADLINE, ENTERED_AGAIN, pair.fr_nr, pair.event_id),))


def _series_again(pair: PairState, advoware: AdvowareView, ctx: DecisionContext) -> Decision:
    """A series whose single occurrences were touched is made anew: Google keeps exceptions through every update."""
    if advoware.termin is None or advoware.form is None:
        return Decision()
    generation = pair.generation + 1
    insert = insert_event(pair.fr_nr, advoware.termin, advoware.form, ctx, generation=generation, reason=SERIES_AGAIN)
    delete = DeleteGoogle(pair.fr_nr, pair.event_id, SERIES_AGAIN, confirm=False)
    lost = (FieldChange("occurrences", "geändert oder gelöscht", "wie die Serie"),)
    finding = Finding(FindingKind.DEADLINE, SERIES_AGAIN, pair.fr_nr, pair.event_id, lost)
    return Decision((delete, replace(insert, source=pair.source, stays=True)), (finding,))


def _as_before(pair: PairState, decision: Decision) -> Decision:
    """Let the event's mark go on saying where the appointment came from; it stays in this calendar."""
    return replace(decision, operations=tuple(_with_source(pair, one) for one in decision.operations))


def _with_source(pair: PairState, operation: Operation) -> Operation:
    if isinstance(operation, InsertGoogle):
        return replace(operation, source=pair.source, stays=True)
    return replace(operation, source=pair.source) if isinstance(operation, UpdateGoogle) else operation


def _told(decision: Decision) -> Decision:
    """What is put back is told as what it is: somebody changed a deadline in Google."""
    kinds = (FindingKind.WRITE_PROTECTED, FindingKind.READ_ONLY, FindingKind.ONE_WAY)
    findings = tuple(
        replace(one, kind=FindingKind.DEADLINE, text=TAKEN_BACK) if one.kind in kinds and one.changes else one
        for one in decision.findings
    )
    return replace(decision, findings=findings)


def _remembered(pair: PairState, raw: Mapping[str, object] | None, decision: Decision) -> Decision:
    """Remember what the event says in full when that is not known yet, so that any later change is noticed."""
    if raw is None or pair.base is None or pair.guarded is not None or decision.operations:
        return decision
    save = SaveBase(pair.fr_nr, pair.event_id, "Frist: der Stand in Google wird bewacht")
    return replace(decision, operations=(save,))
