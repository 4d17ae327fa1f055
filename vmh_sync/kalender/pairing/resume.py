"""Termine whose creation was begun and whose outcome is not known: find them before anything is created again.

Creating is not idempotent in Advoware (specification, sync-semantics.md 3): the intent is stored before the POST.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from vmh_sync.kalender.decision.merge import merge_pair
from vmh_sync.kalender.decision.operations import (
    ClosePair,
    CreateAdvoware,
    Decision,
    DeleteGoogle,
    FieldChange,
    Finding,
    FindingKind,
    LinkPair,
    SaveBase,
    UpdateGoogle,
)
from vmh_sync.kalender.decision.reads import EmployeeReads, PendingCreate, advoware_views
from vmh_sync.kalender.decision.sides import AdvowareView, DecisionContext, GoogleView, Presence
from vmh_sync.kalender.form.advoware_form import decoration_of
from vmh_sync.kalender.form.advoware_overlay import new_termin
from vmh_sync.kalender.form.anonymise import must_anonymise, shown_form
from vmh_sync.kalender.form.google_form import ReadEvent
from vmh_sync.kalender.form.window import Window
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
from vmh_sync.kalender.pairing.likeness import plain_title


def resume_creates(
    reads: EmployeeReads,
    advoware: Mapping[int, AdvowareView],
    google: Mapping[str, GoogleView],
    pairs: Mapping[int, PairState],
    ctx: DecisionContext,
) -> Iterator[tuple[str, int | None, Decision]]:
    """Yield (event id, frNr if found, decision) for each stored intent whose Termin is not linked yet."""
    search = _Search(reads, advoware, pairs, ctx)
    linked = {pair.event_id: pair for pair in pairs.values()}
    for intent, fr_nr in search.found():
        decision = search.question(intent) if fr_nr is None else None
        if decision is None:
            decision = _decide(intent, fr_nr, reads, advoware, google, linked.get(intent.event_id), ctx)
        yield intent.event_id, fr_nr, decision


class _Search:
    """Looks among the Termine that are nobody's for what the intents have made.

    Its number is nobody's choice and Advoware keeps no mark of ours, so everything that a person can change may have
    been changed. Who is certain is taken first; whatever appeared since an intent was stored may be its Termin, and a
    person says so before anything is created (sync-semantics.md 3).
    """

    def __init__(
        self,
        reads: EmployeeReads,
        advoware: Mapping[int, AdvowareView],
        pairs: Mapping[int, PairState],
        ctx: DecisionContext,
    ) -> None:
        linked = {pair.event_id for pair in pairs.values() if advoware.get(pair.fr_nr) is not None}
        self._intents = [intent for intent in reads.intents if intent.event_id not in linked]
        self._free = {number: view.form for number, view in advoware.items() if number > 0 and number not in pairs}
        away, _ = advoware_views(reads.colleagues or (), ctx.rules)
        self._away = {number: view.form for number, view in away.items()}
        self._decided, self._window = reads.decided, ctx.window

    def found(self) -> list[tuple[PendingCreate, int | None]]:
        """Return each open intent with the number that is certainly its Termin's, one number for one intent."""
        certain: dict[str, int] = {}
        for look in (self._said, self._equal):
            for intent in self._intents:
                if intent.event_id not in certain and (number := look(intent)) is not None:
                    certain[intent.event_id] = number
                    self._free.pop(number, None)
        return [(intent, certain.get(intent.event_id)) for intent in self._intents]

    def _said(self, intent: PendingCreate) -> int | None:
        numbers = [*sorted(self._free), *sorted(self._away)]
        return next((number for number in numbers if self._decided.get((number, intent.event_id))), None)

    def _equal(self, intent: PendingCreate) -> int | None:
        return created_by(intent, self._free)

    def question(self, intent: PendingCreate) -> Decision | None:
        """Return what a person has to say first, ``None`` if no Termin can be the intent's."""
        possible = [number for number, form in self._free.items() if may_be(intent, number, form, self._window)]
        others = [number for number, form in self._away.items() if went_to_colleague(intent, number, form)]
        asked = [number for number in sorted({*possible, *others}) if (number, intent.event_id) not in self._decided]
        text = f"Vielleicht der Termin, der aus Ereignis {intent.event_id} angelegt wurde; nicht noch einmal angelegt"
        findings = tuple(Finding(FindingKind.DOUBTFUL, text, number, intent.event_id) for number in asked)
        return Decision(findings=findings) if findings else None


def created_by(intent: PendingCreate, free: Mapping[int, Appointment | None]) -> int | None:
    """Return which of the Termine without a pair here (number → form) says what the intent was sent with.

    Somebody may have edited it before it is looked for: with the same times and title it is the same (kalender.md 5).
    """
    for told in (FLOWING_FIELDS, TIME_FIELDS | {"text"}):
        for fr_nr, form in sorted(free.items()):
            if form is not None and not changed_fields(form, intent.form) & told:
                return fr_nr
    return None


def may_be(intent: PendingCreate, fr_nr: int, form: Appointment | None, window: Window) -> bool:
    """Tell whether a Termin without a pair may be the intent's: it appeared since (``form`` ``None``: unreadable)."""
    if intent.known is None:
        return form is not None and _looks_like(form, intent.form)
    if form is None or window.touches(form):
        return fr_nr not in intent.known
    # What lay beyond the window then was not listed; Advoware numbers upwards.
    return fr_nr > intent.newest


def went_to_colleague(intent: PendingCreate, fr_nr: int, form: Appointment | None) -> bool:
    """Tell whether what a colleague has may be the intent's. Colleagues enter much, so it has to look like it too.

    Two who go to the same hearing have the same entry each: what has a lower number than was known then is older.
    """
    since = intent.known is None or (fr_nr not in intent.known and fr_nr > intent.newest)
    return since and form is not None and _looks_like(form, intent.form)


def _looks_like(form: Appointment, sent: Appointment) -> bool:
    title = plain_title(form.text)
    return not changed_fields(form, sent) & TIME_FIELDS or (bool(title) and title == plain_title(sent.text))


def base_as_sent(form: Appointment, sent: Appointment) -> BaseForm:
    """Return what both agreed on before anybody edited the Termin; what the server shortened is no edit."""
    before = {name: getattr(sent, name) for name in TEXT_FIELDS}
    shown = replace(form, **{name: old for name, old in before.items() if not old.startswith(getattr(form, name))})
    return BaseForm(replace(shown, **{name: getattr(sent, name) for name in TIME_FIELDS}), sent)


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
    found = advoware.get(fr_nr) if fr_nr is not None else None
    linked: Decision | None = None
    if fr_nr is not None and found is None:
        linked = _given_away(intent, fr_nr, event)
    elif found is not None and found.termin is not None and found.form is not None:
        linked = _link(intent, found.termin, found.form, event, ctx, gone=gone)
    if linked is not None:
        if pair is None:
            return linked
        # The event belonged to a number that is gone: an event has one living pair.
        close = ClosePair(pair.fr_nr, pair.event_id, "In Advoware unter neuer Nummer angelegt")
        return replace(linked, operations=(close, *linked.operations))
    may_write = not ctx.rules.write_protection
    if (
        reads.advoware_complete
        and reads.colleagues is not None
        and ctx.window.surely_lists(intent.form)
        and may_write
        and not gone
    ):
        shows_content = event is not None and not (event.mark is not None and event.mark.anonymised)
        form = event.form if event is not None and shows_content else intent.form
        values = new_termin(form, ctx.kuerzel, ctx.rules)
        replaces = pair.fr_nr if pair is not None else None
        reason = "Angefangene Anlage ist in Advoware nicht angekommen"
        return Decision((CreateAdvoware(intent.event_id, form, values, reason, replaces),))
    text = "Ob der Termin in Advoware angelegt wurde, ist noch nicht sicher"
    return Decision(findings=(Finding(FindingKind.OUTCOME_UNKNOWN, text, event_id=intent.event_id),))


def _given_away(intent: PendingCreate, fr_nr: int, event: ReadEvent | None) -> Decision:
    """A person says that it is a colleague's by now: it leaves this calendar, and what was typed here since is told."""
    reason = "In Advoware einem anderen Kürzel zugeordnet"
    link = LinkPair(fr_nr, intent.event_id, 0, Source.GOOGLE, reason)
    if event is None:
        return Decision((link, ClosePair(fr_nr, intent.event_id, reason)))
    names = sorted(changed_fields(event.form, intent.form))
    lost = tuple(FieldChange(name, getattr(event.form, name), getattr(intent.form, name)) for name in names)
    finding = Finding(FindingKind.CONFLICT, f"{reason}: die Änderung in Google gilt nicht", fr_nr, event.event_id, lost)
    delete = DeleteGoogle(fr_nr, event.event_id, reason, confirm=False)
    return Decision((link, delete), (finding,) if lost else ())


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
    base = base_as_sent(form, intent.form)
    link = LinkPair(termin.fr_nr, intent.event_id, 0, Source.GOOGLE, reason, base)
    if gone:
        return Decision((link,))
    state = PairState(
        fr_nr=termin.fr_nr,
        event_id=intent.event_id,
        source=Source.GOOGLE,
        strategy=ctx.rules.default_strategy,
        write_allowed=ctx.rules.write_allowed_default,
        base=base,
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
    shown = shown_form(form, anonymised=anonymise, rules=ctx.rules)
    taken_out = sorted(changed_fields(shown, form))
    return UpdateGoogle(
        fr_nr=termin.fr_nr,
        event_id=event_id,
        form=shown,
        anonymised=anonymise,
        decoration=decoration_of(termin, anonymised=anonymise, rules=ctx.rules),
        source=Source.GOOGLE,
        changes=tuple(FieldChange(name, getattr(form, name), getattr(shown, name)) for name in taken_out),
        reason="Kennzeichnung nach der Anlage in Advoware",
    )
