"""The decision is total, comes to an end, and loses no edit."""

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from vmh_sync.kalender.decision.decide import decide_pair
from vmh_sync.kalender.decision.operations import (
    ADVOWARE_WRITES,
    DeleteAdvoware,
    DeleteGoogle,
    MarkNotRepresentable,
    side_written,
)
from vmh_sync.kalender.decision.reads import GoogleRead
from vmh_sync.kalender.decision.sides import AdvowareView, DecisionContext, GoogleView, Presence
from vmh_sync.kalender.form.advoware_form import read_termin
from vmh_sync.kalender.form.google_form import read_event, to_event
from vmh_sync.kalender.form.window import window_at
from vmh_sync.kalender.model import BaseForm, CalendarRules, PairState, Source, Strategy, TerminFields
from vmh_sync_tests.property.kalender.appointment_strategies import spans, termine
from vmh_sync_tests.property.kalender.simulated_sides import NOW, Sides

ADVOWARE_PRESENCES = st.sampled_from([Presence.PRESENT, Presence.MISSING, Presence.UNKNOWN])
RULE_SETS = st.builds(
    CalendarRules,
    write_protection=st.booleans(),
    attach_file_number=st.booleans(),
    stretch_by_preparation=st.booleans(),
    default_strategy=st.sampled_from(Strategy),
)


@st.composite
def situations(draw: st.DrawFn) -> tuple[PairState, AdvowareView, GoogleView, DecisionContext]:
    rules = draw(RULE_SETS)
    before, now = draw(termine()), draw(termine())
    number = draw(st.sampled_from([1, -1]))
    before, now = (
        replace(before, fr_nr=number),
        replace(now, fr_nr=number, anwalt=draw(st.sampled_from(["SB", "ALLE", "XY"]))),
    )
    if draw(st.booleans()):
        now = before
    base_form = read_termin(before, rules)
    event = {"id": "e", **to_event(base_form, rules, fr_nr=number, anonymised=draw(st.booleans()))}
    if draw(st.booleans()):
        event |= draw(spans())
    google = draw(st.sampled_from(Presence))
    anonymised = draw(st.booleans())
    pair = PairState(
        number,
        "e",
        draw(st.sampled_from(Source)),
        draw(st.sampled_from(Strategy)),
        draw(st.booleans()),
        draw(st.sampled_from([None, BaseForm(base_form, base_form, anonymised)])),
        obstacle=draw(st.sampled_from([None, None, "weekdays", "moved_occurrence"])),
    )
    advoware = draw(ADVOWARE_PRESENCES)
    return (
        pair,
        AdvowareView(advoware, now, read_termin(now, rules))
        if advoware is Presence.PRESENT
        else AdvowareView(advoware),
        GoogleView(google, read_event(event, rules)) if google is Presence.PRESENT else GoogleView(google),
        DecisionContext("SB", window_at(NOW, rules), rules, "K", draw(st.booleans()), draw(st.booleans())),
    )


@settings(max_examples=400)
@given(situations())
def test_every_situation_has_one_safe_answer(
    situation: tuple[PairState, AdvowareView, GoogleView, DecisionContext],
) -> None:
    pair, advoware, google, ctx = situation
    decision = decide_pair(pair, advoware, google, ctx)
    writes = Counter(side_written(operation) for operation in decision.operations)
    assert writes["google"] <= 1
    assert writes["advoware"] <= 1
    if Presence.UNKNOWN in (advoware.presence, google.presence):
        assert not decision.operations, "nothing follows from a side that was not read"
    if ctx.rules.write_protection or not pair.write_allowed or pair.fr_nr < 0:
        assert not any(isinstance(operation, ADVOWARE_WRITES) for operation in decision.operations)
    for operation in decision.operations:
        assert operation.reason
        if isinstance(operation, DeleteGoogle):
            assert advoware.presence is Presence.MISSING
        if isinstance(operation, DeleteAdvoware):
            assert google.presence in (Presence.MISSING, Presence.DELETED)
            assert pair.source is Source.GOOGLE
        if isinstance(operation, MarkNotRepresentable):
            assert not writes["google"]
            assert not writes["advoware"]


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["text", "notiz", "ort", "time", "move google", "series google", "delete"]),
        st.sampled_from(["advoware", "google"]),
        st.integers(0, 3),
    ),
    max_size=6,
)


def _edit(sides: Sides, kind: str, side: str, index: int, value: str, span: dict[str, object]) -> str | None:
    """Carry out one person's edit on the pair with this index; return the typed text if there is one."""
    numbers = sorted(sides.pairs)
    if not numbers:
        return None
    fr_nr = numbers[index % len(numbers)]
    event_id = sides.pairs[fr_nr].event_id
    there = fr_nr in sides.termine if side == "advoware" else sides.events[event_id].get("status") == "confirmed"
    if not there:
        return None
    if kind == "delete":
        if side == "advoware":
            del sides.termine[fr_nr]
        else:
            sides.drop_event(event_id)
        return None
    if kind in ("text", "notiz", "ort"):
        names = {"text": "summary", "notiz": "description", "ort": "location"}
        if side == "advoware":
            sides.put_termin(fr_nr, **{kind: value})
        else:
            sides.put_event(event_id, **{names[kind]: value})
        return value
    if side == "advoware":
        sides.put_termin(
            fr_nr, datum="2026-08-03", uhrzeit_von="08:15:00", uhrzeit_bis="09:00:00", datum_bis="2026-08-03"
        )
    else:
        event = {key: item for key, item in sides.events[event_id].items() if key != "recurrence"}
        extended = event.get("extendedProperties")
        sides.events[event_id] = event if kind == "series google" else {**event, "extendedProperties": extended}
        sides.put_event(event_id, **(span if kind == "series google" else {"start": span["start"], "end": span["end"]}))
    return None


def _stands(sides: Sides, value: str) -> bool:
    """Tell whether a typed value is on both sides, or is named by a finding as the one that lost."""
    in_advoware = any(value in (item.text, item.notiz, item.ort) for item in sides.termine.values())
    in_google = any(
        str(event.get(name, "")).startswith(value)
        for event in sides.living_events().values()
        for name in ("summary", "description", "location")
    )
    named = any(value == change.old or value == change.new for found in sides.findings for change in found.changes)
    return (in_advoware and in_google) or named


@settings(max_examples=150, deadline=None)
@given(
    rules=RULE_SETS,
    given_termine=st.lists(termine(), max_size=3),
    given_spans=st.lists(spans(), max_size=2),
    edits=EDITS,
    span=spans(),
    read=st.sampled_from([GoogleRead.FULL, GoogleRead.DELTA]),
    later_anonymised=st.booleans(),
)
def test_passes_come_to_an_end_and_no_edit_is_lost(
    rules: CalendarRules,
    given_termine: list[TerminFields],
    given_spans: list[dict[str, object]],
    edits: list[tuple[str, str, int]],
    span: dict[str, object],
    read: GoogleRead,
    later_anonymised: bool,
) -> None:
    sides = Sides(rules)
    for number, termin in enumerate(given_termine, start=1):
        sides.termine[number] = replace(termin, fr_nr=number)
    for number, fields in enumerate(given_spans):
        sides.put_event(f"g{number}", summary=f"Aus Google {number}", **fields)
    assert sides.settle() <= 1
    for fr_nr, pair in sides.pairs.items():
        sides.pairs[fr_nr] = replace(pair, strategy=rules.default_strategy)
    sides.read = read
    sides.findings.clear()
    typed = {}
    for number, (kind, side, index) in enumerate(edits):
        value = f"Getippt-{number}"
        numbers = sorted(sides.pairs)
        place = (kind, side, numbers[index % len(numbers)]) if numbers else None
        if _edit(sides, kind, side, index, value, span) is not None:
            typed[place] = value  # a later edit of the same field on the same side takes its place
    deleted = {place for place in edits if place[0] == "delete"}
    sides.full_content = not later_anonymised
    assert sides.settle() <= 2
    sides.read = GoogleRead.FULL
    assert sides.settle() == 0, "reading everything again finds nothing to do"
    _assert_same(sides)
    if not later_anonymised and not deleted:
        lost = [value for value in typed.values() if not _stands(sides, value)]
        assert not lost


def _assert_same(sides: Sides) -> None:
    for fr_nr, pair in sides.pairs.items():
        if pair.obstacle is not None or fr_nr not in sides.termine:
            continue
        event = read_event(sides.events[pair.event_id], sides.rules)
        form = read_termin(sides.termine[fr_nr], sides.rules)
        if pair.base is not None and pair.base.anonymised:
            form = replace(form, text="Termin", notiz="", ort="")
        assert event.form == form
    marks = Counter(event.mark.fr_nr for event in _living(sides) if event.mark)
    assert all(number == 1 for number in marks.values()), "no duplicate"


def _living(sides: Sides) -> list[Any]:
    return [read_event(event, sides.rules) for event in sides.living_events().values()]
