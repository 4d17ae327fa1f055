"""What is decided about a pair or a newcomer, to the letter: every operation, finding, value and sentence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from vmh_sync.kalender.decision.decide import decide_moved_in, decide_new_event, decide_orphan, decide_pair
from vmh_sync.kalender.decision.merge import merge_pair
from vmh_sync.kalender.decision.operations import (
    NOTHING,
    ClosePair,
    CreateAdvoware,
    Decision,
    FieldChange,
    Finding,
    FindingKind,
    LinkPair,
    MarkNotRepresentable,
    SaveBase,
    TakeOver,
    UpdateAdvoware,
    UpdateGoogle,
)
from vmh_sync.kalender.decision.sides import AdvowareView, DecisionContext, GoogleView, Presence
from vmh_sync.kalender.form.advoware_form import read_termin
from vmh_sync.kalender.form.advoware_overlay import new_termin
from vmh_sync.kalender.form.content_hash import content_hash
from vmh_sync.kalender.form.google_form import ReadEvent
from vmh_sync.kalender.form.recurrence import OBSTACLE_TEXTS
from vmh_sync.kalender.form.window import window_at
from vmh_sync.kalender.form.wire_termin import laid_over
from vmh_sync.kalender.model import (
    PLAIN,
    Appointment,
    BaseForm,
    CalendarRules,
    Mark,
    PairState,
    Source,
    Strategy,
    TerminFields,
)

RULES = CalendarRules(write_protection=False)
CTX = DecisionContext("SB", window_at(datetime(2026, 3, 1, tzinfo=UTC), RULES), RULES, "kanzlei")
PROTECTED = replace(CTX, rules=replace(RULES, write_protection=True))
TERMIN = TerminFields(
    7,
    text="Verhandlung",
    notiz="Robe",
    ort="Saal 3",
    datum="2026-03-02",
    datum_bis="2026-03-02",
    uhrzeit_von="10:30:00",
    uhrzeit_bis="11:30:00",
    anwalt="SB",
    sb="SB",
    zuletzt_geaendert_am="2026-02-20T10:00:00",
)
FORM = read_termin(TERMIN, RULES)
OBSTACLE = "moved_occurrence"
HINDERED = "In Advoware nicht darstellbar: " + OBSTACLE_TEXTS[OBSTACLE]


def mark_of(form: Appointment, *, fr_nr: int = 7) -> Mark:
    return Mark(fr_nr, content_hash(form))


BASE = BaseForm(FORM, FORM, mark_hash=content_hash(FORM))
PAIR = PairState(7, "e7", base=BASE)


def event(form: Appointment = FORM, mark: Mark | None = None, **more: object) -> ReadEvent:
    return replace(ReadEvent("e7", form, mark or mark_of(FORM)), **more)  # type: ignore[arg-type]


def typed(**values: str) -> tuple[TerminFields, Appointment]:
    """Advoware says something else."""
    termin = laid_over(TERMIN, values)
    return termin, read_termin(termin, RULES)


def change(name: str, old: object, new: object) -> FieldChange:
    return FieldChange(name, old, new)


def to_google(form: Appointment, changes: tuple[FieldChange, ...], reason: str, **more: object) -> UpdateGoogle:
    return replace(UpdateGoogle(7, "e7", form, False, PLAIN, Source.ADVOWARE, changes, reason), **more)  # type: ignore[arg-type]


def to_advoware(
    form: Appointment, values: dict[str, str | int], changes: tuple[FieldChange, ...], reason: str
) -> UpdateAdvoware:
    return UpdateAdvoware(7, "e7", form, values, changes, reason)


# Pairs


def test_equal_sides_are_left_alone_and_a_respelled_one_is_remembered() -> None:
    assert merge_pair(PAIR, TERMIN, FORM, event(), CTX) == NOTHING
    assert merge_pair(PAIR, TERMIN, FORM, None, CTX) == NOTHING
    both = replace(FORM, text="Beide")
    termin, _ = typed(text="Beide")
    assert merge_pair(PAIR, termin, both, event(both), CTX) == Decision(
        (SaveBase(7, "e7", "Beide Seiten sagen dasselbe"),)
    )
    with pytest.raises(ValueError, match=r"^merge_pair needs the event or the base$"):
        merge_pair(replace(PAIR, base=None), TERMIN, FORM, None, CTX)


def test_what_advoware_changed_goes_to_google() -> None:
    termin, form = typed(text="Neu", ort="Saal 9")
    changes = (change("ort", "Saal 3", "Saal 9"), change("text", "Verhandlung", "Neu"))
    expected = Decision((to_google(form, changes, "In Advoware geändert"),))
    assert merge_pair(PAIR, termin, form, event(), CTX) == expected
    assert merge_pair(PAIR, termin, form, None, CTX) == expected


def test_what_google_changed_goes_to_advoware() -> None:
    said = replace(FORM, text="Neu", start=FORM.start - timedelta(hours=1))
    changes = (change("start", FORM.start, said.start), change("text", "Verhandlung", "Neu"))
    values: dict[str, str | int] = {"text": "Neu", "uhrzeit_von": "09:30:00"}
    assert merge_pair(PAIR, TERMIN, FORM, event(said), CTX) == Decision(
        (to_advoware(said, values, changes, "In Google geändert"),)
    )


@pytest.mark.parametrize(
    ("pair", "ctx", "kind", "text"),
    [
        (PAIR, PROTECTED, FindingKind.WRITE_PROTECTED, "Schreibschutz für Advoware: die Änderung in Google gilt nicht"),
        (
            replace(PAIR, write_allowed=False),
            CTX,
            FindingKind.WRITE_PROTECTED,
            "Für diesen Termin gesperrt: die Änderung in Google gilt nicht",
        ),
        (
            replace(PAIR, fr_nr=-7),
            CTX,
            FindingKind.READ_ONLY,
            "Von Advoware errechneter Eintrag: die Änderung in Google gilt nicht",
        ),
    ],
)
def test_what_may_not_go_to_advoware_is_put_back_and_told(
    pair: PairState, ctx: DecisionContext, kind: FindingKind, text: str
) -> None:
    number = pair.fr_nr
    said = replace(FORM, text="Neu")
    termin, mark = replace(TERMIN, fr_nr=number), mark_of(FORM, fr_nr=number)
    back = to_google(
        FORM, (change("text", "Neu", "Verhandlung"),), "Google auf den Stand von Advoware gebracht", fr_nr=number
    )
    finding = Finding(kind, text, number, "e7", (change("text", "Neu", "Verhandlung"),))
    assert merge_pair(pair, termin, FORM, event(said, mark), ctx) == Decision((back,), (finding,))


@pytest.mark.parametrize(
    ("source", "strategy", "updated", "winner", "why"),
    [
        (Source.ADVOWARE, Strategy.SOURCE_SYSTEM_WINS, None, "Advoware", "Ursprung des Termins"),
        (Source.GOOGLE, Strategy.SOURCE_SYSTEM_WINS, None, "Google", "Ursprung des Termins"),
        (Source.ADVOWARE, Strategy.LAST_CHANGE_WINS, datetime(2026, 2, 21, tzinfo=UTC), "Google", "letzte Änderung"),
        (Source.GOOGLE, Strategy.LAST_CHANGE_WINS, datetime(2026, 2, 19, tzinfo=UTC), "Advoware", "letzte Änderung"),
        (Source.GOOGLE, Strategy.LAST_CHANGE_WINS, None, "Google", "Ursprung des Termins"),
        (
            Source.GOOGLE,
            Strategy.LAST_CHANGE_WINS,
            datetime(2026, 2, 20, 9, tzinfo=UTC),
            "Google",
            "Ursprung des Termins",
        ),
    ],
)
def test_of_two_edits_one_holds_the_other_is_told_and_what_is_not_contested_flows(
    source: Source, strategy: Strategy, updated: datetime | None, winner: str, why: str
) -> None:
    termin, form = typed(text="Aus Advoware")
    said = replace(FORM, text="Aus Google", ort="Saal 9")
    wins = winner == "Google"
    wanted = replace(form, ort="Saal 9", text="Aus Google" if wins else "Aus Advoware")
    reason = f"Auf beiden Seiten geändert: {winner} gilt ({why})"
    lost = change("text", "Aus Advoware", "Aus Google") if wins else change("text", "Aus Google", "Aus Advoware")
    values: dict[str, str | int] = {"ort": "Saal 9"}
    if wins:
        values["text"] = "Aus Google"
    changes = (change("ort", "Saal 3", "Saal 9"), *((lost,) if wins else ()))
    write = to_advoware(wanted, values, changes, reason if wins else "In Google geändert")
    back = to_google(wanted, (change("text", "Aus Google", "Aus Advoware"),), reason, source=source)
    pair = replace(PAIR, source=source, strategy=strategy)
    decision = merge_pair(pair, termin, form, event(said, updated=updated), CTX)
    assert decision.findings == (Finding(FindingKind.CONFLICT, reason, 7, "e7", (lost,)),)
    assert decision.operations == ((write,) if wins else (write, back))


def test_times_are_contested_together() -> None:
    termin, form = typed(uhrzeit_von="08:00:00", uhrzeit_bis="09:00:00")
    said = replace(FORM, end=FORM.end + timedelta(hours=1))
    decision = merge_pair(PAIR, termin, form, event(said), CTX)
    assert [one.name for one in decision.findings[0].changes] == ["end", "start"]
    assert [type(one) for one in decision.operations] == [UpdateGoogle]


def test_without_a_base_the_mark_tells_who_has_changed_something() -> None:
    new = replace(PAIR, base=None, generation=3)
    link = LinkPair(7, "e7", 3, Source.ADVOWARE, "Ereignis trägt unsere Kennzeichnung")
    same = SaveBase(7, "e7", "Beide Seiten sagen dasselbe")
    assert merge_pair(new, TERMIN, FORM, event(), CTX) == Decision((link, same))
    said = replace(FORM, text="Neu")
    changed = (change("text", "Verhandlung", "Neu"),)
    assert merge_pair(new, TERMIN, FORM, event(said), CTX) == Decision(
        (link, to_advoware(said, {"text": "Neu"}, changed, "In Google geändert"))
    )
    termin, form = typed(text="Neu")
    assert merge_pair(new, termin, form, event(), CTX) == Decision(
        (link, to_google(form, changed, "In Advoware geändert"))
    )


def test_a_mark_of_another_termin_tells_nothing_and_is_replaced() -> None:
    copied = event(mark=mark_of(FORM, fr_nr=8))
    assert merge_pair(PAIR, TERMIN, FORM, copied, CTX) == Decision((to_google(FORM, (), "Kennzeichnung nachgetragen"),))
    unmarked = replace(copied, mark=None)
    assert merge_pair(PAIR, TERMIN, FORM, unmarked, CTX) == Decision(
        (to_google(FORM, (), "Kennzeichnung nachgetragen"),)
    )


def test_a_write_of_ours_that_was_never_stored_is_no_edit_and_what_a_person_typed_since_is() -> None:
    termin, form = typed(text="Neu")
    written = event(form, mark_of(form))
    assert merge_pair(PAIR, termin, form, written, CTX) == Decision((SaveBase(7, "e7", "Beide Seiten sagen dasselbe"),))
    said = replace(form, ort="Saal 9")
    assert merge_pair(PAIR, termin, form, event(said, mark_of(form)), CTX) == Decision(
        (to_advoware(said, {"ort": "Saal 9"}, (change("ort", "Saal 3", "Saal 9"),), "In Google geändert"),)
    )
    # Without what proves it, both have typed the same.
    for base, mark in ((replace(BASE, mark_hash=""), mark_of(form)), (BASE, Mark(7, "of something else"))):
        decision = merge_pair(replace(PAIR, base=base), termin, form, event(said, mark), CTX)
        assert decision.operations == (
            to_advoware(said, {"ort": "Saal 9"}, (change("ort", "Saal 3", "Saal 9"),), "In Google geändert"),
        )


def test_what_its_organiser_says_holds_and_an_edit_in_advoware_is_told() -> None:
    said = replace(FORM, text="Vom Gericht")
    fixed = event(said, fixed=True)
    to_us = (change("text", "Verhandlung", "Vom Gericht"),)
    assert merge_pair(PAIR, TERMIN, FORM, fixed, CTX) == Decision(
        (to_advoware(said, {"text": "Vom Gericht"}, to_us, "In Google geändert"),)
    )
    waits = "Vom Organisator in Google geändert; wartet, bis Advoware beschrieben werden darf"
    assert merge_pair(PAIR, TERMIN, FORM, fixed, PROTECTED) == Decision(
        (), (Finding(FindingKind.WRITE_PROTECTED, waits, 7, "e7"),)
    )
    termin, form = typed(ort="Saal 9")
    lost = (change("ort", "Saal 9", "Saal 3"),)
    told = "Nur der Organisator kann das Ereignis ändern: Google gilt"
    assert merge_pair(PAIR, termin, form, event(fixed=True), CTX) == Decision(
        (to_advoware(FORM, {"ort": "Saal 3"}, lost, told),), (Finding(FindingKind.CONFLICT, told, 7, "e7", lost),)
    )
    alone = "Nur der Organisator kann das Ereignis ändern: die Änderung bleibt in Advoware allein"
    decision = merge_pair(PAIR, termin, form, event(fixed=True), PROTECTED)
    assert decision.findings == (Finding(FindingKind.CONFLICT, alone, 7, "e7", lost),)
    assert decision.operations == (SaveBase(7, "e7", "Beide Seiten sagen dasselbe"),)


def test_anonymising_rewrites_and_what_is_typed_into_it_is_told_and_never_flows() -> None:
    ctx = replace(CTX, full_content=False)
    shown = replace(FORM, text="Termin", notiz="", ort="")
    changes = (change("notiz", "Robe", ""), change("ort", "Saal 3", ""), change("text", "Verhandlung", "Termin"))
    hidden = to_google(shown, changes, "Darstellung geändert (anonymisiert oder Zusätze)", anonymised=True)
    assert merge_pair(PAIR, TERMIN, FORM, event(), ctx) == Decision((hidden,))
    base = BaseForm(FORM, shown, anonymised=True, mark_hash=content_hash(shown))
    mark = Mark(7, content_hash(shown), anonymised=True)
    said = replace(shown, text="Getippt")
    lost = (change("text", "Getippt", "Termin"),)
    decision = merge_pair(replace(PAIR, base=base), TERMIN, FORM, event(said, mark), ctx)
    back = to_google(shown, lost, "Google auf den Stand von Advoware gebracht", anonymised=True)
    text = "Diese Angaben gehen nur von Advoware nach Google"
    assert decision == Decision((back,), (Finding(FindingKind.ONE_WAY, text, 7, "e7", lost),))


# What cannot be represented, what is missing


def test_what_advoware_cannot_hold_is_marked_once_and_says_what_waits_on_each_side() -> None:
    there = AdvowareView(Presence.PRESENT, TERMIN, FORM)
    seen = GoogleView(Presence.PRESENT, event(obstacle=OBSTACLE))
    finding = Finding(FindingKind.NOT_REPRESENTABLE, HINDERED, 7, "e7")
    marked = MarkNotRepresentable(7, "e7", OBSTACLE, HINDERED)
    assert decide_pair(PAIR, there, seen, CTX) == Decision((marked,), (finding,))
    known = replace(PAIR, obstacle=OBSTACLE)
    assert decide_pair(known, there, GoogleView(Presence.UNCHANGED), CTX) == Decision((), (finding,))
    assert decide_pair(replace(PAIR, base=None), there, seen, CTX) == Decision((marked,), (finding,))
    termin, form = typed(text="Neu")
    said = GoogleView(Presence.PRESENT, event(replace(FORM, ort="Saal 9"), obstacle=OBSTACLE))
    text = HINDERED + " Eine Änderung in Advoware wartet darauf."
    changes = (change("text", "Verhandlung", "Neu"), change("ort", "Saal 3", "Saal 9"))
    assert decide_pair(PAIR, AdvowareView(Presence.PRESENT, termin, form), said, CTX) == Decision(
        (MarkNotRepresentable(7, "e7", OBSTACLE, text),),
        (Finding(FindingKind.NOT_REPRESENTABLE, text, 7, "e7", changes),),
    )


def test_an_obstacle_that_is_gone_is_forgotten() -> None:
    there = AdvowareView(Presence.PRESENT, TERMIN, FORM)
    decision = decide_pair(replace(PAIR, obstacle=OBSTACLE), there, GoogleView(Presence.PRESENT, event()), CTX)
    assert decision == Decision((SaveBase(7, "e7", "Beide Seiten sagen dasselbe"),))


@pytest.mark.parametrize("gone", [Presence.DELETED, Presence.MISSING])
def test_a_pair_that_is_gone_on_both_sides_ends_if_its_time_lies_in_the_window(gone: Presence) -> None:
    missing = AdvowareView(Presence.MISSING)
    closed = Decision((ClosePair(7, "e7", "Auf beiden Seiten gelöscht"),))
    assert decide_pair(PAIR, missing, GoogleView(gone), CTX) == closed
    far = replace(FORM, start=FORM.start.replace(year=2040), end=FORM.end.replace(year=2040))
    assert decide_pair(replace(PAIR, base=BaseForm(far, far)), missing, GoogleView(gone), CTX) == NOTHING


@pytest.mark.parametrize("unknown", ["advoware", "google"])
def test_nothing_follows_from_a_side_that_could_not_be_read(unknown: str) -> None:
    there = AdvowareView(Presence.UNKNOWN) if unknown == "advoware" else AdvowareView(Presence.MISSING)
    seen = GoogleView(Presence.UNKNOWN) if unknown == "google" else GoogleView(Presence.DELETED)
    assert decide_pair(PAIR, there, seen, CTX) == NOTHING


# Newcomers


def test_a_new_event_is_created_waits_or_is_told() -> None:
    new = replace(event(), mark=None)
    created = CreateAdvoware("e7", FORM, new_termin(FORM, "SB", RULES), "Neu in Google")
    assert decide_new_event(new, CTX) == Decision((created,))
    assert decide_new_event(new, CTX, reason="Kopie") == Decision((replace(created, reason="Kopie"),))
    text = "Neu in Google; wartet, bis Advoware beschrieben werden darf"
    waits = Decision(findings=(Finding(FindingKind.WRITE_PROTECTED, text, event_id="e7"),))
    assert decide_new_event(new, PROTECTED) == waits
    hindered = Decision(findings=(Finding(FindingKind.NOT_REPRESENTABLE, HINDERED, event_id="e7"),))
    assert decide_new_event(replace(new, obstacle=OBSTACLE), CTX) == hindered
    other = Decision(findings=(Finding(FindingKind.NOT_REPRESENTABLE, "In Advoware nicht darstellbar: x", None, "e7"),))
    assert decide_new_event(replace(new, obstacle="x"), CTX) == other
    assert decide_new_event(replace(new, ours_to_take=False), CTX) == NOTHING
    far = replace(FORM, start=FORM.start.replace(year=2040), end=FORM.end.replace(year=2040))
    assert decide_new_event(replace(new, form=far), CTX) == NOTHING
    moved = TakeOver(7, "e7", "LS", "Aus dem Kalender LS hierher verschoben")
    moved = replace(moved, otherwise=(replace(created, reason=moved.reason),))
    assert decide_moved_in(new, 7, "LS", CTX) == Decision((moved,))
    assert decide_moved_in(new, 7, "LS", PROTECTED) == waits
    assert decide_moved_in(new, -7, "LS", CTX) == waits


def test_an_orphan_is_told_and_one_that_a_person_has_changed_is_an_appointment_of_its_own() -> None:
    text = "Ereignis mit unserer Kennzeichnung, aber ohne Termin in Advoware"
    told = Decision(findings=(Finding(FindingKind.ORPHAN, text, 7, "e7"),))
    said = replace(FORM, text="Neu")
    for same in (
        event(),
        event(said, Mark(7)),
        event(said, Mark(7, "x", anonymised=True)),
        replace(event(), mark=None),
    ):
        assert decide_orphan(same, 7, CTX) == told
    reason = "Kopie eines Termins, den es nicht mehr gibt"
    own = CreateAdvoware("e7", said, new_termin(said, "SB", RULES), reason)
    assert decide_orphan(event(said), 7, CTX) == Decision((own,))
