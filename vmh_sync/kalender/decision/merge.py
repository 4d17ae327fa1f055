"""Three-way merge of one pair that is present on both sides (specification, kalender.md 5)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from vmh_sync.kalender.decision.operations import (
    ORGANISERS,
    Decision,
    FieldChange,
    Finding,
    FindingKind,
    LinkPair,
    Operation,
    SaveBase,
    UpdateAdvoware,
    UpdateGoogle,
)
from vmh_sync.kalender.decision.read_back import compare
from vmh_sync.kalender.decision.sides import DecisionContext
from vmh_sync.kalender.form.advoware_form import changed_at, decoration_of
from vmh_sync.kalender.form.advoware_overlay import overlay
from vmh_sync.kalender.form.anonymise import must_anonymise, shown_form
from vmh_sync.kalender.form.content_hash import content_hash
from vmh_sync.kalender.form.fixed_content import CONTENT, WRITABLE
from vmh_sync.kalender.form.google_form import ReadEvent
from vmh_sync.kalender.model import (
    FLOWING_FIELDS,
    TEXT_FIELDS,
    TIME_FIELDS,
    Appointment,
    BaseForm,
    Decoration,
    PairState,
    Source,
    Strategy,
    TerminFields,
    changed_fields,
)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Both sides of a pair as they are now, and how the event is to be shown."""

    state: PairState
    termin: TerminFields
    advoware: Appointment
    google: Appointment
    event: ReadEvent | None
    anonymise: bool
    decoration: Decoration

    @property
    def fixed(self) -> bool:
        """Whether only the event's organiser may change its content."""
        return self.event is not None and self.event.fixed


@dataclass(frozen=True, slots=True)
class _Changes:
    """Which fields each side has changed since both last agreed."""

    advoware: frozenset[str]
    google: frozenset[str]
    was_anonymised: bool
    shown_differently: bool
    unstored_write: bool = False

    @property
    def flowable(self) -> frozenset[str]:
        return FLOWING_FIELDS - TEXT_FIELDS if self.was_anonymised else FLOWING_FIELDS


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What both sides shall say (``wanted``, Advoware's full form), and what is lost or refused on the way.

    ``reason`` is why Google is written, ``reason_over`` why Advoware is, where that is another.
    ``waits``: an edit in Google cannot go over yet, so the state that both sides agreed on stays.
    """

    wanted: Appointment
    findings: tuple[Finding, ...] = ()
    reason: str = "In Advoware geändert"
    reason_over: str | None = None
    waits: bool = False


def merge_pair(
    state: PairState, termin: TerminFields, advoware: Appointment, event: ReadEvent | None, ctx: DecisionContext
) -> Decision:
    """Return the decision for a pair with both sides there and no obstacle.

    ``event`` is ``None`` when a delta list did not name it; then ``state.base`` must be there and stands for it.
    """
    if event is not None:
        google = event.form
    elif state.base is not None:
        google = state.base.google
    else:
        raise ValueError("merge_pair needs the event or the base")
    anonymise = must_anonymise(termin, ctx.kuerzel, full_content=ctx.full_content)
    decoration = decoration_of(termin, anonymised=anonymise, rules=ctx.rules)
    pair = _Pair(state, termin, advoware, google, event, anonymise, decoration)
    changes = _changes(pair, ctx)
    outcome = _outcome(pair, changes, ctx)
    operations = [*_advoware_writes(pair, outcome, ctx), *_google_writes(pair, changes, outcome, ctx)]
    if not any(isinstance(operation, UpdateGoogle) for operation in operations):
        operations += _missing_mark(pair)
    if state.base is None:
        link = LinkPair(
            state.fr_nr, state.event_id, state.generation, state.source, "Ereignis trägt unsere Kennzeichnung"
        )
        operations = [link, *operations]
    settled = len(operations) == (1 if state.base is None else 0)
    moved = changes.advoware or changes.google or changes.unstored_write or _never_arrived(pair)
    if settled and not outcome.waits and (moved or state.base is None or state.obstacle or state.unsettled):
        operations.append(SaveBase(state.fr_nr, state.event_id, "Beide Seiten sagen dasselbe"))
    return Decision(tuple(operations), (*outcome.findings, *_one_way_findings(pair, changes, ctx)))


def _changes(pair: _Pair, ctx: DecisionContext) -> _Changes:
    base = pair.state.base
    if base is not None:
        unheard = _arrived_unheard(pair, base)
        set_back = frozenset(name for name in unheard if getattr(pair.google, name) != getattr(base.sent, name))
        return _own_write(pair, base, ctx) or _Changes(
            advoware=changed_fields(pair.advoware, base.advoware) - unheard,
            google=changed_fields(pair.google, base.google) | set_back,
            was_anonymised=base.anonymised,
            shown_differently=pair.anonymise != base.anonymised or pair.decoration != base.decoration,
        )
    return _changes_by_mark(pair, ctx)


def _arrived_unheard(pair: _Pair, base: BaseForm) -> frozenset[str]:
    """Return the fields in which Advoware says what we told it, as nobody heard: no edit of anybody in Advoware."""
    if base.sent is None or pair.event is None:
        return frozenset()
    read = compare(base.sent, pair.advoware, base.advoware)
    return changed_fields(base.sent, base.advoware) - read.edited - read.ignored


def _never_arrived(pair: _Pair) -> bool:
    """Tell whether nothing asks any more for what Advoware was once told and does not say: it is to be forgotten."""
    return pair.event is not None and pair.state.base is not None and pair.state.base.sent is not None


def _own_write(pair: _Pair, base: BaseForm, ctx: DecisionContext) -> _Changes | None:
    """Tell what changed when the mark says that our last write arrived although its outcome was never stored.

    Then both sides agreed on what Advoware says now, and only what differs from that in Google is somebody's edit.
    """
    mark = pair.event.mark if pair.event is not None else None
    if mark is None or mark.fr_nr != pair.state.fr_nr or not base.mark_hash or mark.content_hash == base.mark_hash:
        return None
    sent = shown_form(pair.advoware, anonymised=mark.anonymised, rules=ctx.rules)
    if mark.content_hash != content_hash(sent):
        return None
    return _Changes(
        advoware=frozenset(),
        google=compare(sent, pair.google, None).edited,
        was_anonymised=mark.anonymised,
        shown_differently=pair.anonymise != mark.anonymised
        or (pair.event is not None and pair.event.decoration != pair.decoration),
        unstored_write=True,
    )


def _changes_by_mark(pair: _Pair, ctx: DecisionContext) -> _Changes:
    """Without a base the content hash in the event's mark tells which side has moved since we last wrote."""
    event = pair.event
    mark = event.mark if event is not None else None
    if mark is not None and mark.fr_nr != pair.state.fr_nr:
        mark = None  # it was copied together with the event
    was_anonymised = mark.anonymised if mark is not None else pair.anonymise
    shown = shown_form(pair.advoware, anonymised=was_anonymised, rules=ctx.rules)
    differing = changed_fields(shown, pair.google)
    known = mark.content_hash if mark is not None else ""
    return _Changes(
        advoware=frozenset() if known == content_hash(shown) else differing,
        google=frozenset() if known == content_hash(pair.google) else differing,
        was_anonymised=was_anonymised,
        shown_differently=pair.anonymise != was_anonymised
        or (event is not None and event.decoration != pair.decoration),
    )


def _outcome(pair: _Pair, changes: _Changes, ctx: DecisionContext) -> _Outcome:
    google_edit = changes.google & changes.flowable
    advoware_edit = changes.advoware & changes.flowable
    if pair.fixed:
        return _organisers_word(pair, google_edit, advoware_edit, ctx)
    from_google = _differing(pair.google, pair.advoware, google_edit)
    if not from_google:
        return _Outcome(pair.advoware, reason=_advoware_reason(changes))
    if not ctx.may_write(pair.state):
        return _put_back(pair, google_edit & from_google, ctx)
    contested = from_google & _together(advoware_edit)
    if not contested:
        return _Outcome(with_fields(pair.advoware, pair.google, from_google), reason="In Google geändert")
    return _by_strategy(pair, contested, from_google - contested, ctx)


def _organisers_word(
    pair: _Pair, google_edit: frozenset[str], advoware_edit: frozenset[str], ctx: DecisionContext
) -> _Outcome:
    """What the organiser says holds; an edit in Advoware cannot go over, and is told."""
    lost = _losses(pair.advoware, pair.google, _differing(pair.google, pair.advoware, advoware_edit) & CONTENT)
    state, findings = pair.state, []
    may_write = ctx.may_write(state)
    if lost:
        holds = "Google gilt" if may_write else "die Änderung bleibt in Advoware allein"
        text = f"{ORGANISERS}: {holds}"
        findings.append(Finding(FindingKind.CONFLICT, text, state.fr_nr, state.event_id, lost))
    coming = _differing(pair.google, pair.advoware, google_edit)
    if coming and not may_write:
        text = "Vom Organisator in Google geändert; wartet, bis Advoware beschrieben werden darf"
        findings.append(Finding(FindingKind.WRITE_PROTECTED, text, state.fr_nr, state.event_id))
        return _Outcome(pair.advoware, tuple(findings), text, waits=True)
    wanted = pair.advoware
    if may_write:
        wanted = with_fields(wanted, pair.google, coming | _differing(pair.google, pair.advoware, advoware_edit))
    return _Outcome(wanted, tuple(findings), findings[0].text if findings else "In Google geändert")


def _advoware_reason(changes: _Changes) -> str:
    if changes.shown_differently and not changes.advoware:
        return "Darstellung geändert (anonymisiert oder Zusätze)"
    if changes.google and not changes.advoware:
        return "Google auf den Stand von Advoware gebracht"
    return "In Advoware geändert"


def _differing(one: Appointment, other: Appointment, among: Iterable[str]) -> frozenset[str]:
    """Return those fields that differ; start, end, all_day and series go together."""
    return changed_fields(one, other) & _together(frozenset(among))


def _together(names: frozenset[str]) -> frozenset[str]:
    return names | TIME_FIELDS if names & TIME_FIELDS else names


def with_fields(form: Appointment, other: Appointment, names: frozenset[str]) -> Appointment:
    """Return ``form`` with these fields as ``other`` has them."""
    return replace(form, **{name: getattr(other, name) for name in names})


def _put_back(pair: _Pair, fields: frozenset[str], ctx: DecisionContext) -> _Outcome:
    if pair.state.fr_nr < 0:
        kind, text = FindingKind.READ_ONLY, "Von Advoware errechneter Eintrag: die Änderung in Google gilt nicht"
    elif ctx.rules.write_protection:
        kind, text = FindingKind.WRITE_PROTECTED, "Schreibschutz für Advoware: die Änderung in Google gilt nicht"
    else:
        kind, text = FindingKind.WRITE_PROTECTED, "Für diesen Termin gesperrt: die Änderung in Google gilt nicht"
    lost = _losses(pair.google, pair.advoware, fields)
    finding = Finding(kind, text, pair.state.fr_nr, pair.state.event_id, lost)
    return _Outcome(pair.advoware, (finding,) if lost else (), "Google auf den Stand von Advoware gebracht")


def _losses(loser: Appointment, winner: Appointment, fields: frozenset[str]) -> tuple[FieldChange, ...]:
    return tuple(FieldChange(name, getattr(loser, name), getattr(winner, name)) for name in sorted(fields))


def _by_strategy(pair: _Pair, contested: frozenset[str], only_google: frozenset[str], ctx: DecisionContext) -> _Outcome:
    """Both sides changed the same fields: there one side wins, and what the other had typed is reported.

    What only Google changed flows all the same (specification, sync-semantics.md 1: field by field).
    """
    winner, why = _winner(pair, ctx)
    wanted = with_fields(pair.advoware, pair.google, only_google)
    if winner is Source.ADVOWARE:
        lost = _losses(pair.google, pair.advoware, contested)
        text = f"Auf beiden Seiten geändert: Advoware gilt ({why})"
        reason, over = text, "In Google geändert"
    else:
        lost = _losses(pair.advoware, pair.google, contested)
        wanted = with_fields(wanted, pair.google, contested)
        text = f"Auf beiden Seiten geändert: Google gilt ({why})"
        reason, over = "In Advoware geändert", text
    finding = Finding(FindingKind.CONFLICT, text, pair.state.fr_nr, pair.state.event_id, lost)
    return _Outcome(wanted, (finding,), reason, over)


def _winner(pair: _Pair, ctx: DecisionContext) -> tuple[Source, str]:
    if pair.state.strategy is Strategy.LAST_CHANGE_WINS:
        in_advoware = changed_at(pair.termin, ctx.rules)
        in_google = pair.event.updated if pair.event is not None else None
        if in_advoware is not None and in_google is not None and in_advoware != in_google:
            return (Source.ADVOWARE if in_advoware > in_google else Source.GOOGLE), "letzte Änderung"
    return pair.state.source, "Ursprung des Termins"


def _advoware_writes(pair: _Pair, outcome: _Outcome, ctx: DecisionContext) -> list[Operation]:
    fields = changed_fields(outcome.wanted, pair.advoware)
    if not fields:
        return []
    return [
        UpdateAdvoware(
            fr_nr=pair.state.fr_nr,
            event_id=pair.state.event_id,
            form=outcome.wanted,
            values=overlay(pair.termin, outcome.wanted, fields, ctx.rules),
            changes=_losses(pair.advoware, outcome.wanted, fields),
            reason=outcome.reason_over or outcome.reason,
        )
    ]


def _google_writes(pair: _Pair, changes: _Changes, outcome: _Outcome, ctx: DecisionContext) -> list[Operation]:
    """Write what the event ought to say and does not; a field that no side has touched is a server's spelling."""
    target = _target(pair, changes, outcome.wanted, ctx)
    differing = changed_fields(target, pair.google)
    if not changes.shown_differently:
        differing = _differing(target, pair.google, changes.advoware | changes.google)
    if pair.fixed:
        target = with_fields(pair.google, target, WRITABLE)
        differing &= WRITABLE
    if not differing and (pair.fixed or not changes.shown_differently):
        return []
    return [
        UpdateGoogle(
            fr_nr=pair.state.fr_nr,
            event_id=pair.state.event_id,
            form=target,
            anonymised=pair.anonymise,
            decoration=pair.event.decoration if pair.event is not None and pair.fixed else pair.decoration,
            source=pair.state.source,
            changes=_losses(pair.google, target, differing),
            reason=outcome.reason,
        )
    ]


def _target(pair: _Pair, changes: _Changes, wanted: Appointment, ctx: DecisionContext) -> Appointment:
    """Return what the event shall say; who may see it is a person's choice in Google until Advoware changes it.

    Only what Advoware itself marks as private is not shown to others by an edit in Google.
    """
    target = shown_form(wanted, anonymised=pair.anonymise, rules=ctx.rules)
    anonymised = pair.anonymise or changes.was_anonymised
    if pair.state.base is None or anonymised or "private" in changes.advoware:
        return target
    if pair.state.source is Source.GOOGLE or pair.google.private:
        return replace(target, private=pair.google.private)
    return target


def _missing_mark(pair: _Pair) -> list[Operation]:
    """Mark an event that carries no mark of this Termin.

    A crash came before it, the event is a copy, or somebody's client has dropped the properties. Where the list does
    not name the event, the base says whether the mark was seen on it.
    """
    mark, base = pair.event.mark if pair.event is not None else None, pair.state.base
    known = bool(base is not None and base.mark_hash) if pair.event is None else mark is not None
    if known and (mark is None or mark.fr_nr == pair.state.fr_nr):
        return []
    return [
        UpdateGoogle(
            fr_nr=pair.state.fr_nr,
            event_id=pair.state.event_id,
            form=pair.google,
            anonymised=base.anonymised if base is not None else pair.anonymise,
            decoration=base.decoration if base is not None else pair.decoration,
            source=pair.state.source,
            changes=(),
            reason="Kennzeichnung nachgetragen",
        )
    ]


def _one_way_findings(pair: _Pair, changes: _Changes, ctx: DecisionContext) -> tuple[Finding, ...]:
    """Edits in Google that can never go to Advoware: privacy, and the content of an anonymised event."""
    target = _target(pair, changes, pair.advoware, ctx)
    refused = _differing(pair.google, target, changes.google - changes.flowable)
    if not refused:
        return ()
    text = "Diese Angaben gehen nur von Advoware nach Google"
    lost = _losses(pair.google, target, refused)
    return (Finding(FindingKind.ONE_WAY, text, pair.state.fr_nr, pair.state.event_id, lost),)
