"""The daily report of shadow operation is read by an administrator: words, no names of ours."""

from typing import Any

import pytest

from vmh_sync.commands.plans.shadow import by_kind, line
from vmh_sync.shadow.days import Difference

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("entity", "row", "says"),
    [
        (
            "kalender",
            {"kuerzel": "AH", "frNr": -1, "event": None, "what": "insert_google", "fields": []},
            "Kalender AH, Eintrag -1 (Vortermin, Fahrt oder Urlaub, von Advoware berechnet): in Google anlegen",
        ),
        (
            "kalender",
            {"kuerzel": "AH", "frNr": 4711, "event": "e", "what": "update_google", "fields": ["text", "start"]},
            "Kalender AH, Termin frNr 4711: in Google ändern: Beginn, Titel",
        ),
        (
            "kalender",
            {"kuerzel": "AH", "frNr": None, "event": "3vh0", "what": "create_advoware", "fields": []},
            "Kalender AH, Ereignis 3vh0 in Google: in Advoware anlegen",
        ),
        (
            "beteiligte",
            {
                "id": "6b09cac83073e7520",
                "side": "advoware",
                "entity": "Kommunikation",
                "key": "",
                "action": "create",
                "fields": ["email/new"],
            },
            "Beteiligter 6b09cac83073e7520: in Advoware anlegen (Kommunikation): E-Mail (neu)",
        ),
        (
            "beteiligte",
            {"id": "6b09", "action": "open_task", "kind": "conflict", "fields": ["name"]},
            "Beteiligter 6b09: Konflikt entscheiden: Name",
        ),
    ],
)
def test_a_difference_is_told_in_words(entity: str, row: Json, says: str) -> None:
    assert line(Difference.of(entity, row)) == says


def test_two_new_events_of_one_calendar_are_two_differences() -> None:
    row: Json = {"kuerzel": "AH", "frNr": None, "what": "create_advoware", "fields": []}
    assert len({Difference.of("kalender", {**row, "event": one}) for one in "ab"}) == 2


def test_a_long_report_says_first_what_kinds_of_differences_it_is_made_of() -> None:
    changed: Json = {"side": "espocrm", "entity": "CAdressen", "action": "update", "fields": ["anschrift"]}
    created: Json = {"side": "advoware", "entity": "Beteiligte", "key": None, "action": "create"}
    rows = [{"id": f"p{number}", "key": f"a{number}", **changed} for number in range(3)]
    rows += [{"id": "q", "fields": ["name"], **created}, {"id": "r", "fields": ["name", "vorname"], **created}]
    assert by_kind(Difference.of("beteiligte", row) for row in rows) == [
        "3 × Beteiligte: in EspoCRM ändern (Adresse): Anschrift",
        "2 × Beteiligte: in Advoware anlegen (Beteiligter)",
    ]
