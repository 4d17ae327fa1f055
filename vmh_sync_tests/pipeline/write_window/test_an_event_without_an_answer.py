"""An event whose insert got no answer is known by its id, whatever a person makes of it before it is looked for."""

import pytest

from vmh_sync_tests.fixtures.chancery import Chancery, marked, tasks


@pytest.mark.parametrize("answered", ["drop_after", "kill_before_pair"])
@pytest.mark.parametrize("content", [True, False])
def test_what_was_moved_renamed_and_filled_before_it_was_looked_for_is_one_and_keeps_what_was_typed(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch, answered: str, content: bool
) -> None:
    chancery.employee()
    chancery.sync()
    fr_nr = chancery.termin()
    if answered == "drop_after":
        chancery.google.fault("/events", "drop_after", method="POST", times=10)
        chancery.sync()
        chancery.google.clear_faults()
    else:
        with monkeypatch.context() as patch:
            patch.setattr("vmh_sync.kalender.apply.pair_book.PairBook.agree", _killed)
            with pytest.raises(_Killed):
                chancery.sync()
    (event_id,) = chancery.events()
    day = chancery.day(40).isoformat()
    times = {
        "start": {"dateTime": f"{day}T07:00:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": f"{day}T08:00:00", "timeZone": "Europe/Berlin"},
    }
    chancery.edit_event("SB", event_id, summary="Ganz anders", **times, **({"location": "Saal 9"} if content else {}))
    chancery.until_quiet()
    assert list(chancery.events()) == [event_id]
    (termin,) = chancery.termine().values()
    assert marked(chancery.events()[event_id]) == str(fr_nr) == str(termin["frNr"])
    assert (termin["text"], termin["datum"][:10], termin["uhrzeitVon"]) == ("Ganz anders", day, "07:00:00")
    assert tasks(chancery) == []


class _Killed(BaseException):
    """The process ends here."""


async def _killed(*_: object, **__: object) -> None:
    raise _Killed
