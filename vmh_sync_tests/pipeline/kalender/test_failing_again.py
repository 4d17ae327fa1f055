"""An appointment that fails is tried again after growing delays and anew after a day (sync-semantics.md 4).

Scheduled passes keep the delays, a person's pass does not.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from vmh_sync.clock import SystemClock
from vmh_sync.overview.house import read_house
from vmh_sync.store.pairs.records import SyncRecord
from vmh_sync.sync.reporting.outcome import PassSummary, Result
from vmh_sync_tests.fixtures.chancery import Chancery, marked

DELAYS = (1, 5, 15, 60, 240)


def tick(chancery: Chancery) -> tuple[PassSummary, int, int]:
    """A scheduled pass; returns its counts, and how many requests Advoware and Google got."""
    chancery.office.clear_calls()
    chancery.google.clear_calls()
    summary = PassSummary().add(chancery.outcomes(keeps_delays=True))
    asked = [call for call in chancery.google.calls()["log"] if "/token" not in call["path"]]
    return summary, sum("Termine" in call["path"] for call in chancery.office.calls()["log"]), len(asked)


def make_due(chancery: Chancery) -> None:
    """The moment of the next try comes."""
    now = chancery.clock.now()
    with chancery.store.transaction() as tx:
        tx.records.upsert(
            replace(
                one,
                next_retry_at=now if one.next_retry_at is not None else None,
                auto_reset_at=now if one.auto_reset_at is not None else None,
            )
            for one in tx.records.failed("kalender")
        )


def delay(entry: SyncRecord) -> timedelta:
    """How long a failed one waits, to the minute."""
    moment = entry.next_retry_at or entry.auto_reset_at
    assert moment is not None and entry.updated_at is not None
    return timedelta(minutes=round((moment - entry.updated_at) / timedelta(minutes=1)))


def ledger(chancery: Chancery) -> list[SyncRecord]:
    with chancery.store.reading() as tx:
        return tx.records.failed("kalender")


def refused(chancery: Chancery, way: str) -> str:
    """One appointment that the other side refuses; returns how it is called."""
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.until_quiet()
    side, method, name = chancery.office, "POST", ""
    if way == "created in Google":
        name = f"SB/{chancery.event()}"[:64]
    elif way == "created in Advoware":
        side, name = chancery.google, f"SB/{chancery.termin(text='Neu', offset=12)}"
    elif way == "edited in Google":
        chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], summary="Geändert")
        method, name = "PUT", f"SB/{fr_nr}"
    else:
        chancery.edit_termin(fr_nr, text="Geändert")
        side, method, name = chancery.google, "PUT", f"SB/{fr_nr}"
    path = "Termine" if side is chancery.office else "/events"
    status = 500 if method == "PUT" and side is chancery.office else 400
    side.fault(path, "status", method=method, status=status, times=100)
    return name


WAYS = ["created in Google", "created in Advoware", "edited in Google", "edited in Advoware"]


@pytest.mark.parametrize("way", WAYS)
def test_while_it_waits_it_costs_no_call_and_is_shown_and_a_new_edit_of_it_is_tried_at_once(
    chancery: Chancery, way: str
) -> None:
    name = refused(chancery, way)
    summary, *_ = tick(chancery)
    assert [one["id"] for one in summary.failures] == [name]
    for _ in range(2):
        summary, office, google = tick(chancery)
        assert (summary.failures, office, google) == ([], 1, 1), "one list of each side"
        assert summary.results[Result.SKIPPED] == 1
        assert [one.espo_id for one in ledger(chancery)] == [name]
        assert "1 Termine fehlerhaft" in (chancery.state().last_error or "")
        (shown,) = [one for one in read_house(chancery.store, SystemClock()).failures if one.id == name]
        assert shown.next_try is not None
    chancery.office.clear_faults()
    chancery.google.clear_faults()
    if "Google" in way:
        titles = {event["summary"]: key for key, event in chancery.events().items()}
        chancery.edit_event("SB", titles.get("Geändert") or titles["Ortstermin"], summary="Noch einmal")
    else:
        chancery.edit_termin(int(name.removeprefix("SB/")), text="Noch einmal")
    summary, *_ = tick(chancery)
    assert summary.failures == [] and ledger(chancery) == [] and chancery.state().last_error is None
    said = sorted(row["text"] for row in chancery.termine().values())
    assert said == sorted(event["summary"] for event in chancery.events().values()) and "Noch einmal" in said
    assert {marked(event) for event in chancery.events().values()} == {str(number) for number in chancery.termine()}


def test_the_delays_grow_and_after_a_day_it_begins_anew(chancery: Chancery) -> None:
    name = refused(chancery, "edited in Google")
    for number, minutes in enumerate(DELAYS, 1):
        assert [one["id"] for one in tick(chancery)[0].failures] == [name]
        (entry,) = ledger(chancery)
        assert (entry.status, entry.attempts, delay(entry)) == ("failed", number, timedelta(minutes=minutes))
        assert tick(chancery)[0].failures == []
        make_due(chancery)
    assert len(tick(chancery)[0].failures) == 1
    (entry,) = ledger(chancery)
    assert (entry.status, delay(entry)) == ("permanently_failed", timedelta(hours=24))
    assert tick(chancery)[0].failures == []
    make_due(chancery)
    assert len(tick(chancery)[0].failures) == 1
    assert [(one.status, one.attempts) for one in ledger(chancery)] == [("failed", 1)]


def test_what_no_retry_mends_is_tried_again_daily(chancery: Chancery) -> None:
    refused(chancery, "created in Advoware")
    assert len(tick(chancery)[0].failures) == 1
    (entry,) = ledger(chancery)
    assert (entry.status, delay(entry)) == ("permanently_failed", timedelta(hours=24))
    make_due(chancery)
    chancery.google.clear_faults()
    assert tick(chancery)[0].failures == [] and ledger(chancery) == []
    assert len(chancery.events()) == len(chancery.termine()) == 2


def test_an_edit_on_the_other_side_meanwhile_meets_the_one_that_waits(chancery: Chancery) -> None:
    name = refused(chancery, "edited in Google")
    assert len(tick(chancery)[0].failures) == 1
    chancery.office.clear_faults()
    chancery.edit_termin(int(name.removeprefix("SB/")), ort="Saal 5")
    assert tick(chancery)[0].failures == []
    (termin,) = chancery.termine().values()
    assert (termin["text"], termin["ort"]) == ("Geändert", "Saal 5")


def test_a_person_waits_for_nothing(chancery: Chancery) -> None:
    refused(chancery, "edited in Google")
    assert len(tick(chancery)[0].failures) == 1
    chancery.office.clear_faults()
    assert chancery.sync().failures == []
    assert [row["text"] for row in chancery.termine().values()] == ["Geändert"]
    assert ledger(chancery) == []


def test_one_that_is_deleted_while_it_waits_leaves_the_ledger(chancery: Chancery) -> None:
    refused(chancery, "created in Google")
    assert len(tick(chancery)[0].failures) == 1
    event_id = next(key for key, one in chancery.events().items() if one["summary"] == "Ortstermin")
    chancery.drop_event("SB", event_id)
    assert tick(chancery)[0].failures == []
    assert ledger(chancery) == [] and chancery.state().last_error is None
