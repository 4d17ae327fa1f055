"""Random edits by people on both sides, then passes until quiet (specification, sync-semantics.md; design.md 3)."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from vmh_sync.kommunikation.kinds import UNTOUCHED, channel_of
from vmh_sync.kommunikation.markers import parse
from vmh_sync.kommunikation.model import Channel, Options
from vmh_sync.kommunikation.notation import for_espo
from vmh_sync.sync.merge import ConflictRule
from vmh_sync_tests.property.kommunikation.sides import World

GOOD_PHONES = ["0511/123", "+49511123", "0511 124", "0171 2345678", "+43 1 234567", "0511/99 88-77", "+49 (0)711 1234"]
BAD_PHONES = ["0511 123 App. 12", "App. 12", "1234567", "0511 123456 / 78", "siehe Akte", "+49711123456789012345"]
GOOD_EMAILS = ["a@huber.example", "A@Huber.example", "b@huber.example", "info@bau.example", "x.y@bau.example"]
BAD_EMAILS = ["jürgen@müller.example", "kein at", "a@b"]
ESPO_PHONES = ["+49511123", "+49 511 124", "+491712345678", "+12125550100", "+49 (0)711 1234"]
TYPES = ["Office", "Mobile", "Fax", "Home", "Other"]
REMARKS = [
    None,
    "",
    "Zentrale",
    "[ESPOCRM:kaputt:4] Text",
    "[ESPOCRM:YUBodWJlci5leGFtcGxl:4] Büro",
    "[ESPOCRM-SLOT:1] x",
]

flags = st.booleans()
crm_edit = st.fixed_dictionaries(
    {
        "side": st.just("crm"),
        "channel": st.sampled_from(list(Channel)),
        "what": st.sampled_from(["add", "change", "remove", "primary", "flags"]),
        "place": st.integers(0, 9),
        "email": st.sampled_from(GOOD_EMAILS),
        "phone": st.sampled_from(ESPO_PHONES),
        "type": st.sampled_from(TYPES),
        "flag": flags,
    }
)
office_edit = st.fixed_dictionaries(
    {
        "side": st.just("office"),
        "what": st.sampled_from(["add", "change", "empty", "delete", "online", "remark"]),
        "place": st.integers(0, 9),
        "kind": st.sampled_from([1, 2, 3, 4, 6, 7, 8, 9, 10, 5, 11, 12]),
        "email": st.sampled_from(GOOD_EMAILS + BAD_EMAILS),
        "phone": st.sampled_from(GOOD_PHONES + BAD_PHONES),
        "remark": st.sampled_from(REMARKS),
        "flag": flags,
    }
)
edits = st.lists(st.one_of(crm_edit, office_edit), max_size=6)
rounds = st.lists(edits, min_size=1, max_size=4)


def _edit_crm(world: World, edit: dict[str, Any]) -> list[tuple[Channel, str]]:
    channel: Channel = edit["channel"]
    name = "emailAddress" if channel is Channel.EMAIL else "phoneNumber"
    data = world.crm.data(channel)
    value = edit[channel.value]
    place = edit["place"] % len(data) if data else 0
    typed = []
    if edit["what"] == "add" or not data:
        # The form warns of a number that the record has already; nobody saves it twice.
        data.append({name: value, "primary": not data, "type": edit["type"], "optOut": edit["flag"]})
        typed.append((channel, value))
    elif edit["what"] == "change":
        data[place][name] = value
        typed.append((channel, value))
    elif edit["what"] == "remove":
        del data[place]
    elif edit["what"] == "primary":
        for number, item in enumerate(data):
            item["primary"] = number == place
    else:
        data[place]["optOut"] = edit["flag"]
    world.crm.edit(channel, data)
    return typed


def _edit_office(world: World, edit: dict[str, Any]) -> list[tuple[Channel, str]]:
    office = world.office
    ids = list(office.entries)
    if edit["what"] == "add" or not ids:
        value = edit["email"] if edit["kind"] in {4, 8} else edit["phone"]
        number = office.create(value, edit["remark"], edit["kind"], edit["flag"])
        return _typed(office.kinds[number], value)
    number = ids[edit["place"] % len(ids)]
    if edit["what"] == "change":
        value = edit["email"] if office.kinds[number] in {4, 8} else edit["phone"]
        office.update(number, tlf=value)
        return _typed(office.kinds[number], value)
    if edit["what"] == "empty":
        office.update(number, tlf="")
    elif edit["what"] == "delete":
        del office.entries[number]
    elif edit["what"] == "online":
        office.update(number, online=edit["flag"])
    else:
        office.update(number, bemerkung=edit["remark"])
    return []


def _typed(kind: int, value: str) -> list[tuple[Channel, str]]:
    channel = channel_of(kind)
    return [(channel, value)] if channel else []


def _check_agreement(world: World, *, tells_kind: bool) -> None:
    """Both sides say the same under normalisation; what differs is quarantined with a task; nothing is doubled."""
    known = {pair.advoware_id: pair for pair in world.pairs}
    here = {channel: {item.key for item in world.crm.read(channel)} for channel in Channel}
    there: dict[Channel, set[str | None]] = {channel: set() for channel in Channel}
    for entry in world.office.read():
        # A marker may say another kind than the entry itself; only an untouched kind is never overruled.
        own = world.office.kinds[entry.id] if tells_kind else None
        kind = known[entry.id].kind if entry.id in known else own
        channel = channel_of(kind) if kind and own not in UNTOUCHED else None
        if entry.is_empty or channel is None:
            continue
        if f"value_refused:{channel.value}/{entry.id}" in world.tasks and entry.id not in known:
            assert len(here[channel]) >= world.crm.limit - 1  # no room when its turn came
            continue
        assert entry.id in known
        if for_espo(channel, entry.tlf or "").value is None:
            assert f"value_refused:{channel.value}/{entry.id}" in world.tasks
            shown = known[entry.id].espo_base
            there[channel].add(channel.normal(shown) if shown else None)
        else:
            there[channel].add(channel.normal(entry.tlf))
    for channel in Channel:
        assert here[channel] == there[channel] - {None}


def _everything_said(world: World) -> set[str | None]:
    values = [item.value for channel in Channel for item in world.crm.read(channel)]
    values += [entry.tlf or "" for entry in world.office.read()]
    return {channel.normal(value) for channel in Channel for value in [*values, *world.lost]}


@settings(max_examples=250, deadline=None)
@given(rounds=rounds, tells_kind=st.booleans(), rule=st.sampled_from(list(ConflictRule)), write=flags)
def test_both_sides_agree_and_nothing_is_lost(
    rounds: list[Any], tells_kind: bool, rule: ConflictRule, write: bool
) -> None:
    world = World(options=Options(conflict=rule, write_markers=write))
    world.office.tells_kind = tells_kind
    typed: list[tuple[Channel, str]] = []
    for edits in rounds:
        # What a person replaces himself is no loss: only what stands when the pass comes counts.
        for edit in edits:
            (_edit_crm if edit["side"] == "crm" else _edit_office)(world, edit)
        typed = [(channel, item.value) for channel in Channel for item in world.crm.read(channel)]
        if tells_kind:
            for entry in world.office.read():
                typed += [] if entry.is_empty else _typed(world.office.kinds[entry.id], entry.tlf or "")
        world.settle()
        said = _everything_said(world)
        assert {channel.normal(value) for channel, value in typed} <= said
    if rule is not ConflictRule.MANUAL or not any("conflict" in task for task in world.tasks):
        _check_agreement(world, tells_kind=tells_kind)
    writes, puts = world.office.writes, world.crm.puts
    assert world.run().writes_nothing
    assert (world.office.writes, world.crm.puts) == (writes, puts)


@settings(max_examples=120, deadline=None)
@given(first=edits, later=edits, kills=st.lists(st.integers(0, 5), max_size=3))
def test_a_killed_pass_doubles_nothing(first: list[Any], later: list[Any], kills: list[int]) -> None:
    world = World()
    world.office.tells_kind = True
    for edit in first:
        (_edit_crm if edit["side"] == "crm" else _edit_office)(world, edit)
    world.settle()
    for edit in later:
        (_edit_crm if edit["side"] == "crm" else _edit_office)(world, edit)
    twin = World(replace_crm(world), replace_office(world), world.pairs)
    for kill in kills:
        world.run(kill_after=kill)
    world.settle()
    twin.settle()
    _check_agreement(world, tells_kind=True)
    assert world.office.posts == twin.office.posts
    for channel in Channel:
        assert {item.key for item in world.crm.read(channel)} == {item.key for item in twin.crm.read(channel)}


@settings(max_examples=120, deadline=None)
@given(first=edits, later=edits)
def test_user_text_and_untouched_kinds_are_kept_byte_for_byte(first: list[Any], later: list[Any]) -> None:
    world = World()
    world.office.tells_kind = True
    for edits_now in (first, later):
        for edit in edits_now:
            (_edit_crm if edit["side"] == "crm" else _edit_office)(world, edit)
        before = {entry.id: entry for entry in world.office.read()}
        world.settle()
        for entry in world.office.read():
            was = before.get(entry.id)
            if was is None:
                continue
            assert entry.bemerkung == was.bemerkung
            if world.office.kinds[entry.id] in UNTOUCHED:
                assert entry == was


@settings(max_examples=120, deadline=None)
@given(first=edits, later=edits)
def test_markers_hold_the_value_and_keep_the_text(first: list[Any], later: list[Any]) -> None:
    world = World(options=Options(write_markers=True))
    world.office.tells_kind = True
    for edits_now in (first, later):
        for edit in edits_now:
            (_edit_crm if edit["side"] == "crm" else _edit_office)(world, edit)
        before = {entry.id: parse(entry.bemerkung) for entry in world.office.read()}
        world.settle()
        for entry in world.office.read():
            was, now = before.get(entry.id), parse(entry.bemerkung)
            if was is None or now == was:
                continue
            assert now.kind is not None
            assert now.is_slot == entry.is_empty
            kept = was.before + was.after
            assert (now.before + now.after).lstrip(" ") == kept.lstrip(" ")


def replace_crm(world: World) -> Any:
    crm = world.crm
    return replace(
        crm,
        values={key: list(value) for key, value in crm.values.items()},
        primary=dict(crm.primary),
        rows=dict(crm.rows),
    )


def replace_office(world: World) -> Any:
    office = world.office
    return replace(office, entries=dict(office.entries), kinds=dict(office.kinds))
