"""Links a Termin and an unmarked event that are the same appointment (specification, kalender.md 5, first contact).

Only our private properties are added. What stands on one side alone is carried over like any edit; where both sides
say something different, both stay as they are and the difference is told.
"""

from dataclasses import replace

from vmh_sync.kalender.decision.merge import merge_pair, with_fields
from vmh_sync.kalender.decision.operations import (
    Decision,
    FieldChange,
    Finding,
    FindingKind,
    LinkFound,
    MarkNotRepresentable,
)
from vmh_sync.kalender.decision.sides import DecisionContext
from vmh_sync.kalender.form.advoware_form import decoration_of
from vmh_sync.kalender.form.anonymise import must_anonymise
from vmh_sync.kalender.form.google_form import ReadEvent, without_suffix
from vmh_sync.kalender.form.recurrence import OBSTACLE_TEXTS
from vmh_sync.kalender.form.text_form import cut_tail
from vmh_sync.kalender.model import (
    PLAIN,
    TIME_FIELDS,
    Appointment,
    BaseForm,
    Decoration,
    PairState,
    Source,
    TerminFields,
    changed_fields,
)

REASON = "Steht auf beiden Seiten: verknüpft"
_DETAILS = ("notiz", "ort")


def link_found(
    termin: TerminFields, form: Appointment, event: ReadEvent, ctx: DecisionContext, *, said: bool = False
) -> Decision:
    """Return the decision that makes both a pair. ``said``: a person says that they are the same.

    Then also what differs in time and title comes to agree: Advoware's holds, the other is told.
    """
    pair = PairState(
        fr_nr=termin.fr_nr,
        event_id=event.event_id,
        source=Source.ADVOWARE,
        strategy=ctx.rules.default_strategy,
        write_allowed=ctx.rules.write_allowed_default,
    )
    if event.obstacle is not None:
        text = "In Advoware nicht darstellbar: " + OBSTACLE_TEXTS.get(event.obstacle, event.obstacle)
        finding = Finding(FindingKind.NOT_REPRESENTABLE, text, pair.fr_nr, pair.event_id)
        return Decision((MarkNotRepresentable(pair.fr_nr, pair.event_id, event.obstacle, text),), (finding,))
    anonymised = must_anonymise(termin, ctx.kuerzel, full_content=ctx.full_content)
    shown = decoration_of(termin, anonymised=anonymised, rules=ctx.rules)
    event, shows = _as_ours(event, form, shown)
    is_anonymous = anonymised and event.form.text == ctx.rules.neutral_title
    base, findings = _base(pair, form, event.form, ctx, said=said, anonymised=is_anonymous)
    if any(finding.kind is FindingKind.DIFFERENT for finding in findings):
        shows = shown  # a description that stays as it is gets no lines of ours either
    base = replace(base, anonymised=is_anonymous, decoration=shows)
    merged = merge_pair(replace(pair, base=base), termin, form, event, ctx)
    link = LinkFound(pair.fr_nr, pair.event_id, base, pair.source, REASON)
    return Decision((link, *merged.operations), (*findings, *merged.findings))


def _as_ours(event: ReadEvent, form: Appointment, shown: Decoration) -> tuple[ReadEvent, Decoration]:
    """Take off what an event shows besides its content as we would show it; tell whether it does."""
    text = event.form.text if event.form.text == form.text else without_suffix(event.form.text, shown.title_suffix)
    notiz = cut_tail(event.form.notiz, shown.description_tail)
    shows_all = (text == event.form.text) == (not shown.title_suffix) and (notiz == event.form.notiz) == (
        not shown.description_tail
    )
    if not shows_all:
        return event, PLAIN
    return replace(event, form=replace(event.form, text=text, notiz=notiz)), shown


def _base(
    pair: PairState,
    form: Appointment,
    google: Appointment,
    ctx: DecisionContext,
    *,
    said: bool,
    anonymised: bool,
) -> tuple[BaseForm, tuple[Finding, ...]]:
    """Return the state from which the merge leaves both sides as they are, but for what stands on one side alone."""
    from_advoware, from_google = form, google
    differing = frozenset() if anonymised else changed_fields(form, google)
    if form.private and not google.private:
        from_advoware = replace(from_advoware, private=False)  # privacy goes from Advoware to Google
    told: list[FieldChange] = []
    for name in sorted(differing & set(_DETAILS)):
        if not getattr(google, name):
            from_advoware = with_fields(from_advoware, google, frozenset({name}))
        elif not getattr(form, name) and ctx.may_write(pair):
            from_google = with_fields(from_google, form, frozenset({name}))
        else:
            told.append(FieldChange(name, getattr(google, name), getattr(form, name)))
    findings: tuple[Finding, ...] = ()
    if told:
        text = "Bei der Verknüpfung verschieden: beides bleibt stehen, bis jemand es ändert"
        findings = (Finding(FindingKind.DIFFERENT, text, pair.fr_nr, pair.event_id, tuple(told)),)
    wrong = differing & (TIME_FIELDS | {"text"})
    if said and wrong:
        from_advoware = with_fields(from_advoware, google, wrong)
        lost = tuple(FieldChange(name, getattr(google, name), getattr(form, name)) for name in sorted(wrong))
        text = "Von Hand verknüpft: Advoware gilt"
        findings += (Finding(FindingKind.CONFLICT, text, pair.fr_nr, pair.event_id, lost),)
    return BaseForm(from_advoware, from_google), findings
