"""One employee from end to end: first load, edits on both sides, and a pass with nothing to do."""

from vmh_sync_tests.fixtures.chancery import Chancery, marked


def test_first_load_puts_every_appointment_into_the_calendar_once(chancery: Chancery) -> None:
    chancery.employee()
    numbers = {chancery.termin(text=f"Termin {n}", offset=n) for n in range(1, 6)}
    summary = chancery.sync()
    assert summary.to_json()["writes"] == {"advoware": 0, "espocrm": 0, "google": 5}
    assert {int(marked(event) or 0) for event in chancery.events().values()} == numbers
    assert set(chancery.pairs()) == numbers
    assert all(row.status == "synced" and row.base for row in chancery.pairs().values())
    assert chancery.state().last_success_at is not None


def test_an_unchanged_employee_costs_two_lists_and_no_write(chancery: Chancery) -> None:
    chancery.employee()
    for number in range(3):
        chancery.termin(text=f"Termin {number}")
    chancery.sync()
    chancery.office.clear_calls()
    chancery.google.clear_calls()
    summary = chancery.sync("SB")
    assert not summary.failures and not any(summary.writes.values())
    office, google = chancery.office.calls()["by_route"], chancery.google.calls()["by_route"]
    assert {route: n for route, n in office.items() if "Termine" in route} == {"GET Termine": 1}
    lists = {route: n for route, n in google.items() if "token" not in route}
    assert list(lists.values()) == [1] and next(iter(lists)).startswith("GET")
    assert chancery.google.calls()["writes"] == 0 and chancery.office.calls()["writes"] == 0


def test_an_edit_in_advoware_reaches_google(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    chancery.edit_termin(fr_nr, text="Verhandlung verlegt", ort="Saal 3")
    assert chancery.sync().writes == {"advoware": 0, "espocrm": 0, "google": 1}
    event = chancery.event_of(fr_nr)
    assert (event["summary"], event["location"]) == ("Verhandlung verlegt", "Saal 3")
    assert not any(chancery.sync().writes.values())


def test_an_edit_in_google_reaches_advoware_and_leaves_foreign_fields_alone(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin(nr="12/26", fahrzeit="00:30:00")
    chancery.sync()
    chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], summary="In Google geändert")
    assert chancery.sync().writes == {"advoware": 1, "espocrm": 0, "google": 0}
    termin = chancery.termine()[fr_nr]
    assert (termin["text"], termin["nr"], termin["fahrzeit"]) == ("In Google geändert", "12/26", "00:30:00")
    assert chancery.until_quiet() == 1


def test_a_new_event_becomes_a_termin_and_is_marked(chancery: Chancery) -> None:
    chancery.employee()
    chancery.sync()
    event_id = chancery.event(summary="Aus Google")
    summary = chancery.sync()
    assert summary.writes == {"advoware": 1, "espocrm": 0, "google": 1}
    (termin,) = chancery.termine().values()
    assert (termin["text"], termin["sb"]) == ("Aus Google", "SB")
    assert marked(chancery.events()[event_id]) == str(termin["frNr"])
    assert chancery.until_quiet() == 1


def test_deleted_in_advoware_is_deleted_in_google(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr, stays = chancery.termin(), chancery.termin(text="Bleibt")
    chancery.sync()
    chancery.drop_termin(fr_nr)
    assert chancery.sync().writes == {"advoware": 0, "espocrm": 0, "google": 1}
    assert [marked(event) for event in chancery.events().values()] == [str(stays)]
    assert set(chancery.pairs()) == {stays}


def test_deleted_in_google_with_source_advoware_comes_back_under_a_new_id(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    old = chancery.event_of(fr_nr)["id"]
    chancery.drop_event("SB", old)
    assert chancery.sync().writes == {"advoware": 0, "espocrm": 0, "google": 1}
    assert chancery.event_of(fr_nr)["id"] != old
    assert chancery.until_quiet() == 1


def test_deleted_in_google_with_source_google_is_deleted_in_advoware(chancery: Chancery) -> None:
    chancery.employee()
    chancery.sync()
    event_id = chancery.event()
    chancery.sync()
    chancery.drop_event("SB", event_id)
    assert chancery.sync().writes == {"advoware": 1, "espocrm": 0, "google": 0}
    assert not chancery.termine() and not chancery.pairs()


def test_deleted_on_both_sides_only_closes_the_pair(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    chancery.drop_event("SB", chancery.event_of(fr_nr)["id"])
    chancery.drop_termin(fr_nr)
    assert not any(chancery.sync().writes.values())
    assert not chancery.pairs() and not chancery.events() and not chancery.termine()


def test_a_termin_given_to_a_colleague_moves_to_the_other_calendar(chancery: Chancery) -> None:
    chancery.employee("SB")
    chancery.employee("AH")
    chancery.sync()
    event_id = chancery.event(summary="Wird abgegeben")
    chancery.sync()
    (fr_nr,) = chancery.termine()
    chancery.edit_termin(fr_nr, sb="AH", anwalt="AH")
    chancery.until_quiet()
    assert set(chancery.termine()) == {fr_nr}, "a reassigned Termin is not doubled"
    assert event_id not in chancery.events("SB")
    assert chancery.event_of(fr_nr, "AH")["summary"] == "Wird abgegeben"
