"""Values that the other side would not take stay, are reported, and everything else goes on (sync-semantics.md 1)."""

import pytest

from vmh_sync.kommunikation.model import PairState
from vmh_sync.kommunikation.notation import Refusal
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import TaskKind
from vmh_sync_tests.unit.kommunikation.builders import (
    MAIL,
    PHONE,
    entry,
    mail,
    pair,
    plan,
    stored,
    tel,
    values,
    written,
)

EXT = "0511/123 App. 12"


@pytest.mark.parametrize(
    ("value", "kind", "refusal"),
    [
        (EXT, 1, Refusal.PHONE_EXTENSION),
        ("0511/123 privat", 1, Refusal.PHONE_LETTERS),
        ("jürgen@müller.example", 4, Refusal.EMAIL_CHARACTERS),
        ("0511/123", 4, Refusal.EMAIL_FORM),
    ],
)
def test_a_refused_value_stays_and_the_rest_goes_on(value: str, kind: int, refusal: Refusal) -> None:
    result = plan(entries=[entry(1, value, kind), entry(2, "0171/2345678", 3), entry(3, "a@b.example", 4)])
    assert values(result, PHONE) == ["+491712345678"]
    assert values(result, MAIL) == ["a@b.example"]
    (held,) = result.quarantined
    assert (held.value, held.refusal, held.side, held.new) == (value, refusal, Side.ADVOWARE, True)
    (task,) = result.tasks
    assert (task.kind, task.details["value"]) == (TaskKind.VALUE_REFUSED, value)
    assert value not in result.findings[0].message
    kept = stored(result)[1]
    assert (kept.state, kept.espo_base, kept.advoware_base) == (PairState.REFUSED, None, value)
    assert "1" not in written(result)


def test_a_refused_value_is_new_only_once_and_goes_when_it_changes() -> None:
    known = stored(plan(entries=[entry(1, EXT, 1)]))[1]
    again = plan(entries=[entry(1, EXT, 1)], pairs=[known])
    assert [held.new for held in again.quarantined] == [False]
    assert [task.fields for task in again.tasks] == [("phone/1",)]
    assert not again.base_moves
    other = plan(entries=[entry(1, "0511/123 App. 13", 1)], pairs=[known])
    assert [held.new for held in other.quarantined] == [True]
    mended = plan(entries=[entry(1, "0511/12312", 1, online=True)], pairs=[known])
    assert values(mended, PHONE) == ["+4951112312"]
    assert mended.tasks == ()


def test_an_edit_to_a_refused_value_leaves_espocrm_as_it_is() -> None:
    known = pair(1, 1, "+49511123", "0511/123", primary_base=True, online_base=True)
    here = [tel("+49511123", primary=True)]
    first = plan(phones=here, entries=[entry(1, EXT, online=True)], pairs=[known])
    assert first.writes_nothing
    kept = stored(first)[1]
    assert (kept.espo_base, kept.advoware_base, kept.state) == ("+49511123", EXT, PairState.REFUSED)
    second = plan(phones=here, entries=[entry(1, EXT, online=True)], pairs=[kept])
    assert second.writes_nothing
    assert not second.base_moves
    assert [held.new for held in second.quarantined] == [False]
    back = plan(phones=here, entries=[entry(1, "0511 123", online=True)], pairs=[kept])
    assert back.writes_nothing
    assert stored(back)[1].state is PairState.ACTIVE
    later = plan(phones=[tel("+49511124", primary=True)], entries=[entry(1, EXT, online=True)], pairs=[kept])
    assert written(later)["1"]["tlf"] == "+49511124"
    assert later.writes[0].operation.changes[0].old == EXT
    survives = plan(entries=[entry(1, EXT, online=True)], pairs=[kept])
    assert survives.writes_nothing
    assert stored(survives)[1].espo_base is None
    assert [held.new for held in survives.quarantined] == [False]
    gone = plan(phones=here, entries=[entry(1, "")], pairs=[kept])
    assert values(gone, PHONE) == []


def test_a_value_that_espocrm_answered_no_to_is_not_sent_again_until_it_changes() -> None:
    first = plan(entries=[entry(1, "a@b.example", online=True)])
    delta = first.pairs_after({}, refused={"espocrm:email": ""})
    (kept,) = delta.stored
    assert (kept.state, kept.refusal) == (PairState.REFUSED, "espocrm_answered")
    again = plan(entries=[entry(1, "a@b.example", online=True)], pairs=[kept])
    assert again.writes_nothing
    assert [task.kind for task in again.tasks] == [TaskKind.VALUE_REFUSED]
    assert [held.new for held in again.quarantined] == [False]
    assert values(plan(entries=[entry(1, "c@b.example", online=True)], pairs=[kept]), MAIL) == ["c@b.example"]


def test_a_value_that_advoware_answered_no_to_is_not_created_again_until_it_changes() -> None:
    here = [mail("a@b.example", primary=True)]
    first = plan(emails=here)
    (kept,) = first.pairs_after({}, refused={first.writes[0].step: ""}).stored
    assert (kept.advoware_id, kept.espo_base, kept.state) == (None, "a@b.example", PairState.REFUSED)
    again = plan(emails=here, pairs=[kept])
    assert again.writes_nothing
    assert not again.base_moves
    assert [(held.side, held.value, held.new) for held in again.quarantined] == [(Side.ESPOCRM, "a@b.example", False)]
    changed = plan(emails=[mail("c@b.example", primary=True)], pairs=[kept])
    assert [payload["tlf"] for payload in written(changed).values()] == ["c@b.example"]
    assert changed.pairs_after({changed.writes[0].step: 5}).apply([kept])[0].advoware_id == 5
    typed = plan(emails=here, entries=[entry(1, "a@b.example", online=True)], pairs=[kept])
    assert typed.writes_nothing
    assert [one.advoware_id for one in typed.pairs_after({}).apply([kept])] == [1]


def test_an_update_that_advoware_refused_leaves_the_entry_and_follows_a_later_delete() -> None:
    known = pair(1, 4, "a@b.example", "a@b.example", primary_base=True, online_base=True)
    there = [entry(1, "a@b.example", online=True)]
    first = plan(emails=[mail("x@b.example", primary=True)], entries=there, pairs=[known])
    (kept,) = first.pairs_after({}, refused={"advoware:1": ""}).stored
    again = plan(emails=[mail("x@b.example", primary=True)], entries=there, pairs=[kept])
    assert again.writes_nothing
    assert [(held.side, held.value) for held in again.quarantined] == [(Side.ESPOCRM, "x@b.example")]
    assert written(plan(entries=there, pairs=[kept]))["1"]["tlf"] == ""


def test_more_than_ten_stay_in_advoware_as_a_finding() -> None:
    entries = [entry(number, f"0511/{100 + number}") for number in range(1, 13)]
    result = plan(entries=entries)
    assert result.phones is not None
    assert len(result.phones.items) == 10
    assert [finding.field for finding in result.findings] == ["phone/11", "phone/12"]
    assert [(task.kind, task.fields) for task in result.tasks] == [
        (TaskKind.VALUE_REFUSED, ("phone/11",)),
        (TaskKind.VALUE_REFUSED, ("phone/12",)),
    ]
    known = list(stored(result).values())
    assert len(known) == 10
    assert {11, 12}.isdisjoint(stored(result))
    here = [tel(str(item["phoneNumber"]), primary=item["primary"]) for item in result.phones.items]
    online = [entry(1, "0511/101", online=True), *entries[1:]]
    again = plan(phones=here, entries=online, pairs=known)
    assert again.writes_nothing
    assert len(again.tasks) == 2
    room = plan(phones=here, entries=[online[0], entry(2, ""), *online[2:]], pairs=known)
    assert "+49511111" in (values(room, PHONE) or [])
    assert "+49511102" not in (values(room, PHONE) or [])


def test_ten_mails_and_ten_phones_are_counted_apart() -> None:
    mails = [entry(number, f"m{number}@b.example") for number in range(10)]
    phones = [entry(20 + number, f"0511/{100 + number}") for number in range(10)]
    result = plan(entries=[*mails, *phones])
    assert result.findings == ()
    assert len(values(result, MAIL) or []) == len(values(result, PHONE) or []) == 10
