"""The fingerprint never hides a change: whatever single thing is different makes it another one."""

import copy
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vmh_sync.adressen.part import PART as ADRESSEN
from vmh_sync.bankverbindungen.part import PART as BANKVERBINDUNGEN
from vmh_sync.beteiligte.composition import PARTS
from vmh_sync.beteiligte.fields import FIELDS, list_attributes
from vmh_sync.beteiligte.party import PartyRead
from vmh_sync.beteiligte.reading.recognise import Recognition
from vmh_sync.children.kind import ChildKind
from vmh_sync.children.listing import ListedChildren
from vmh_sync.clock import ManualClock
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting.fingerprint import canonical, fingerprint, rules_mark
from vmh_sync.sandbox.made_up.population import populate
from vmh_sync.settings import SyncSettings
from vmh_sync.store.pairs.fingerprints import PartyRows
from vmh_sync.store.pairs.links import Link
from vmh_sync.systems.advoware.answers import PartyAnswer
from vmh_sync.systems.espocrm.records import EspoRecord

Json = dict[str, Any]
Row = tuple[str, str, int, int]
NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
WORLD = populate(7, 40, now=NOW, calendar=False)
ROWS = [
    ("beteiligte", "p", 1, 4),
    ("kommunikation", "p", 2, 1),
    ("kommunikation", "p", 3, 2),
    ("adressen", "a", 4, 3),
]
KINDS = {kind.espo_entity: kind for kind in (ADRESSEN.kind, BANKVERBINDUNGEN.kind)}


def sides() -> Iterator[tuple[Json, Json]]:
    """Both sides of every linked party as one JSON each: Advoware's answer, and EspoCRM's rows by entity."""
    there = {party["betNr"]: party for party in WORLD.office["beteiligte"]}
    records = WORLD.crm["records"]
    for party in records["CBeteiligte"]:
        if party.get("betnr") in there:
            children = {name: [row for row in records[name] if row["beteiligteId"] == party["id"]] for name in KINDS}
            yield (
                there[party["betnr"]],
                {"CBeteiligte": [_listed(party, list_attributes(FIELDS))], **_children(children)},
            )


def _listed(row: Json, names: tuple[str, ...]) -> Json:
    return {"id": row["id"], **{name: row.get(name) for name in names}}


def _children(rows: dict[str, list[Json]]) -> dict[str, list[Json]]:
    return {
        name: [_listed(row, KINDS[name].attributes(KINDS[name].table)) for row in some] for name, some in rows.items()
    }


RICH = max(sides(), key=lambda both: len(json.dumps(both)))


def context() -> PassContext:
    """As much of a pass as a fingerprint needs."""
    made = SimpleNamespace(
        clock=ManualClock(NOW), zone=ZoneInfo("Europe/Berlin"), rules=SyncSettings(), field_changes={}
    )
    return cast("PassContext", made)


NOT_RECOGNISED = "an answer without the lists of the children says nothing of them: compared as ever"
USUAL = context()
USUAL_RULES = rules_mark(USUAL)


def look(there: Json, here: Json, rows: Sequence[Row] = ROWS, made: PassContext | None = None) -> str:
    """Return the fingerprint of a party of which both sides say this."""
    rules = USUAL_RULES if made is None else rules_mark(made)
    (attributes,) = here["CBeteiligte"]
    link = Link(entity="beteiligte", espo_id="p", betnr=1)
    party = PartyRead("p", espo=EspoRecord("CBeteiligte", "p", attributes), link=link)
    asked = {KINDS[name].entity: _asked(KINDS[name], here[name]) for name in KINDS}
    recognition = Recognition(made or USUAL, PARTS, {"p": PartyRows(None, list(rows))}, dict(asked), rules)
    answer = PartyAnswer(1, httpx.Response(200, content=json.dumps(there).encode()))
    recognition.look(party, answer)
    return party.fingerprint or NOT_RECOGNISED


def test_a_party_as_usual_has_a_fingerprint_and_one_without_child_lists_has_none() -> None:
    there, here = RICH
    assert look(there, here) != NOT_RECOGNISED
    for name in ("kommunikation", "adressen", "bankverbindungen"):
        assert look({**there, name: None}, here) == NOT_RECOGNISED


def _asked(kind: ChildKind, rows: list[Json]) -> ListedChildren:
    return ListedChildren({"p": [EspoRecord(kind.espo_entity, row["id"], row) for row in rows]})


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place of a JSON value, lists and objects among them."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from paths(one, (*path, key))


def changed(value: Json, path: tuple[str | int, ...], change: Any) -> Json:
    """Return a copy in which what stands at ``path`` was changed by ``change(container, key)``."""
    made = copy.deepcopy(value)
    container: Any = made
    for key in path[:-1]:
        container = container[key]
    change(container, path[-1])
    return made


def _other(value: Any) -> list[Any]:
    """Values that say something else, the look-alikes among them."""
    others: list[Any] = [None, "", 0, 1, False, True, "0", "x", [], {}, str(value), f"{value} "]
    return [one for one in others if json.dumps(one) != json.dumps(value)]


def _put(new: Any) -> Any:
    return lambda container, key: container.__setitem__(key, new)


def _get(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


@pytest.mark.parametrize("side", ["advoware", "espocrm"])
def test_every_single_field_of_either_side_counts(side: str) -> None:
    there, here = RICH
    whole = there if side == "advoware" else here
    before = look(there, here)
    for path in paths(whole):
        if side == "espocrm" and (len(path) < 3 or path[-1] == "id"):
            continue  # a place in EspoCRM's lists is an attribute of a row; rows come below
        for new in _other(_get(whole, path)):
            made = changed(whole, path, _put(new))
            after = look(made, here) if side == "advoware" else look(there, made)
            assert after != before, (path, new)


def test_entries_that_come_go_or_change_places_count() -> None:
    there, here = RICH
    before = look(there, here)
    lists = [path for path in paths(there) if isinstance(_get(there, path), list) and _get(there, path)]
    assert {path[-1] for path in lists} >= {"kommunikation", "adressen"}
    for path in lists:
        items = _get(there, path)
        for new in (items[1:], [*items, items[0]], []):
            assert look(changed(there, path, _put(new)), here) != before
        if len(items) > 1:
            assert look(changed(there, path, _put(items[::-1])), here) != before
    for name in KINDS:
        rows = here[name]
        for new in ([*rows, {"id": "new"}], *([rows[1:], []] if rows else [])):
            assert look(there, {**here, name: new}) != before
        # EspoCRM's lists have no order: how they come tells nothing.
        assert look(there, {**here, name: rows[::-1]}) == before
    moved = {**here, "CAdressen": here["CBankverbindungen"], "CBankverbindungen": here["CAdressen"]}
    assert look(there, moved) != before, "an address is no account"


def test_every_revision_and_row_of_our_database_counts() -> None:
    there, here = RICH
    before = look(there, here)
    for place, (entity, espo_id, link_id, revision) in enumerate(ROWS):
        for row in ((entity, espo_id, link_id, revision + 1), (entity, espo_id, link_id + 10, revision)):
            assert look(there, here, [*ROWS[:place], row, *ROWS[place + 1 :]]) != before
        assert look(there, here, [*ROWS[:place], *ROWS[place + 1 :]]) != before
    assert look(there, here, [*ROWS, ("adressen", "b", 5, 1)]) != before


@pytest.mark.parametrize(
    "setting", ["write_markers", "import_bank_accounts", "reactivate_addresses", "batch_size", "create_settle_seconds"]
)
def test_every_setting_of_the_sync_counts(setting: str) -> None:
    there, here = RICH
    value = getattr(SyncSettings(), setting)
    other = not value if isinstance(value, bool) else "create" if isinstance(value, str) else value + 1
    made = cast("Any", context())
    made.rules = SyncSettings().model_copy(update={setting: other})
    assert look(there, here, made=made) != look(there, here)


def test_field_tables_the_zone_and_the_day_count() -> None:
    there, here = RICH
    seen = {look(there, here)}
    for name, value in (
        ("field_changes", {"beteiligte": {"zusatz": {"conflict": "advoware_wins"}}}),
        ("field_changes", {"beteiligte": {"zusatz": {"conflict": "manual"}}}),
        ("zone", ZoneInfo("Europe/Lisbon")),
        ("clock", ManualClock(datetime(2026, 11, 28, 9, 0, tzinfo=UTC))),
    ):
        made = context()
        setattr(made, name, value)
        seen.add(look(there, here, made=made))
    assert len(seen) == 5


def test_other_code_or_other_packages_count(monkeypatch: pytest.MonkeyPatch) -> None:
    there, here = RICH
    before = look(there, here)
    monkeypatch.setattr("vmh_sync.engine.selecting.fingerprint.code_mark", lambda: b"another version")
    assert look(there, here, made=context()) != before


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(one=st.lists(json_values, max_size=3), other=st.lists(json_values, max_size=3))
def test_two_different_comparisons_never_have_one_fingerprint(one: list[Any], other: list[Any]) -> None:
    prints = [fingerprint(b"r", date(2026, 11, 27), [canonical(part) for part in parts]) for parts in (one, other)]
    texts = [[json.dumps(part, sort_keys=True) for part in parts] for parts in (one, other)]
    assert (prints[0] == prints[1]) == (texts[0] == texts[1])
