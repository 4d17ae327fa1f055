"""A Google event that becomes a Termin in anonymised mode loses its content in Google (kalender.md 3, rule 5)."""

from vmh_sync_tests.fixtures.chancery import Chancery, marked


def test_an_event_typed_in_google_says_nothing_any_more_once_it_is_a_termin(chancery: Chancery) -> None:
    chancery.employee()
    chancery.sync(full_content=False)
    event_id = chancery.event(summary="Mandant Huber", location="Saal 4", description="vertraulich")
    chancery.sync(full_content=False)
    (termin,) = chancery.termine().values()
    assert (termin["text"], termin["ort"], termin["notiz"]) == ("Mandant Huber", "Saal 4", "vertraulich")
    event = chancery.events()[event_id]
    assert marked(event) == str(termin["frNr"])
    assert (event["summary"], event.get("location"), event.get("description")) == ("Termin", None, None)
    assert not any(chancery.sync(full_content=False).writes.values())
    assert not any(chancery.sync(full_content=False).writes.values())
