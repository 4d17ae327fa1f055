"""Task texts show people the words that stand in their fields, and are read in a moment."""

import pytest

from vmh_sync.sync.planning.plan import TaskKind
from vmh_sync.tasks.task_texts import wording, wording_of_all

MOST_LINES, LONGEST = 6, 170
EDITED = (
    "Zuletzt geändert: in EspoCRM am 27.11.2026 23:24 von Eva Muster; in Advoware am 27.11.2026 23:23 (ohne Namen)."
)
ADDRESS, ACCOUNT = "Goethestraße 1, 30159 Hannover", "DE89 3704 0044 0532 0130 00"
ONE_OF_EACH: dict[TaskKind, tuple[dict[str, str], dict[str, object], tuple[str, ...]]] = {
    TaskKind.READONLY_FIELD: ({"geburtsname": "Geburtsname"}, {"standing": "Alt", "wanted": "Neu"}, ("Alt", "Neu")),
    TaskKind.CONFLICT: (
        {"titel": "Titel"},
        {"decided": {"titel": {"stands": "Dr.", "lost": "Prof.", "lost_in": "advoware"}}},
        ("Titel: jetzt gilt „Dr.“, verworfen wurde „Prof.“ aus Advoware.",),
    ),
    TaskKind.VALUE_REFUSED: (
        {"name": "Name"},
        {"side": "espocrm", "wanted": "Lang", "standing": "Alt", "why": "höchstens 3 Zeichen"},
        ("EspoCRM nimmt den Wert „Lang“ für Name nicht an", "höchstens 3 Zeichen", "Alt"),
    ),
    TaskKind.MISSING_IN_ADVOWARE: ({}, {}, ("1001",)),
    TaskKind.CREATE_UNKNOWN: ({}, {}, ("„Beteiligten-Nr.“ (betnr)",)),
    TaskKind.TWIN_SUSPECTED: (
        {},
        {"found": [{"betnr": 1007, "name": "Huber, Josef", "agreeing": ["name", "geburtsdatum"]}]},
        ("1007", "Huber, Josef", "Geburtsdatum", "„Beteiligten-Nr.“ (betnr)"),
    ),
    TaskKind.ADDRESS_DELETE: ({}, {"standing": ADDRESS, "deleted": True}, (ADDRESS, "gelöscht")),
    TaskKind.ADDRESS_REACTIVATE: ({}, {"wanted": ADDRESS}, (ADDRESS,)),
    TaskKind.ADDRESS_FIELD_UPDATE: (
        {"zusatz": "Zusatz"},
        {"title": ADDRESS, "changes": {"zusatz": {"standing": "", "wanted": "c/o Huber"}}},
        (f"Zusatz bei „{ADDRESS}“ ändern: bisher (leer), gewünscht „c/o Huber“",),
    ),
    TaskKind.BANK_UPDATE: (
        {"bank": "Bank"},
        {"title": ACCOUNT, "changes": {"bank": {"standing": "Alte", "wanted": "Neue"}}},
        (f"Bank bei „{ACCOUNT}“ ändern: bisher „Alte“, gewünscht „Neue“",),
    ),
    TaskKind.BANK_DELETE: ({}, {"standing": ACCOUNT, "moved_to": 1002}, (ACCOUNT, "1002")),
    TaskKind.CHILD_UPDATE: (
        {"datum": "Datum"},
        {"title": "Berufung", "changes": {"datum": {"standing": "2026-12-01", "wanted": "2026-12-02"}}},
        ("Datum bei „Berufung“ ändern: bisher „2026-12-01“, gewünscht „2026-12-02“",),
    ),
    TaskKind.CHILD_DELETE: ({}, {"standing": "Berufung", "deleted": True}, ("„Berufung“ wurde in EspoCRM gelöscht",)),
}
NOT_ONLY_VALUES = {TaskKind.GENERAL, *(kind for kind in TaskKind if kind.name.startswith(("CALENDAR", "DEADLINE")))}
"""Kinds whose whole text comes from elsewhere."""


def test_every_kind_of_task_is_looked_at() -> None:
    assert set(ONE_OF_EACH) == set(TaskKind) - NOT_ONLY_VALUES


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_a_task_is_read_in_a_moment_and_says_the_field_the_values_and_what_to_do(kind: TaskKind) -> None:
    labels, details, says = ONE_OF_EACH[kind]
    text = wording_of_all(kind, [(labels, details)], betnr=1001, edited=EDITED)
    lines = [line for line in text.description.split("\n") if line]
    assert len(lines) <= MOST_LINES, text.description
    assert max(map(len, lines)) <= LONGEST, text.description
    assert all(one in text.description for one in says), text.description
    assert next(line[:2] for line in lines if line[0].isdigit()) == "1.", "the steps are numbered"


def test_two_fields_that_lost_stand_in_a_line_each_and_in_the_plural() -> None:
    decided = {"titel": {"stands": "Dr.", "lost": "Prof."}, "zusatz": {"stands": "", "lost": "c/o"}}
    labels = {"titel": "Titel", "zusatz": "Zusatz"}
    text = wording(TaskKind.CONFLICT, labels=labels, betnr=1001, details={"decided": decided})
    assert text.description.split("\n")[:3] == [
        "Titel, Zusatz wurden auf beiden Seiten verschieden geändert.",
        "Titel: jetzt gilt „Dr.“, verworfen wurde „Prof.“.",
        "Zusatz: jetzt gilt (leer), verworfen wurde „c/o“.",
    ]


@pytest.mark.parametrize("kind", [TaskKind.ADDRESS_FIELD_UPDATE, TaskKind.BANK_UPDATE])
def test_the_same_change_at_two_entries_is_told_of_each_in_the_text_and_in_the_steps(kind: TaskKind) -> None:
    change = {"changes": {"land": {"standing": "", "wanted": "DE"}}}
    told = [({"land": "Land"}, {**change, "title": title}) for title in ("Weg 1", "Gasse 2")]
    intro, steps = wording_of_all(kind, told, betnr=1001).description.split("\n\n")
    assert all(one in intro for one in ("„Weg 1“", "„Gasse 2“"))
    assert steps.split("\n")[1:3] == [
        "2. Land bei „Weg 1“ ändern: bisher (leer), gewünscht „DE“.",
        "3. Land bei „Gasse 2“ ändern: bisher (leer), gewünscht „DE“.",
    ]


def test_of_more_deleted_addresses_than_are_told_the_number_of_the_others_is_told() -> None:
    told: list[tuple[dict[str, str], dict[str, object]]] = [
        ({}, {"standing": f"Weg {number}", "deleted": True}) for number in range(70)
    ]
    steps = wording_of_all(TaskKind.ADDRESS_DELETE, told, betnr=1001).description.split("\n\n")[1].split("\n")
    named = sum("Die Adresse „Weg" in step for step in steps)
    assert steps[-2].endswith(f". … und {70 - named} weitere.") and "Speichern" in steps[-1]


def test_a_word_that_only_one_side_knows_is_shown_as_it_stands_there() -> None:
    details = {"wanted": "?advoware:Partnerschaft mbB", "standing": "GmbH", "side": "espocrm"}
    text = wording(TaskKind.VALUE_REFUSED, labels={"rechtsform": "Rechtsform"}, betnr=1, details=details)
    assert "„Partnerschaft mbB“" in text.description
    assert "?advoware" not in text.description


@pytest.mark.parametrize(
    "details",
    [
        {"held": {"titel": {"espocrm": "Dr.", "advoware": "Prof."}}},
        {"held": True, "espocrm": "Dr.", "advoware": "Prof."},
    ],
)
def test_who_is_to_decide_sees_what_stands_on_each_side(details: dict[str, object]) -> None:
    text = wording(TaskKind.CONFLICT, labels={"titel": "Titel"}, betnr=1001, details=details)
    assert text.name == "Bitte entscheiden: Titel"
    assert "\nTitel: in EspoCRM „Dr.“, in Advoware „Prof.“.\n" in text.description


def test_a_task_of_the_version_before_is_told_without_them() -> None:
    text = wording(TaskKind.CONFLICT, labels={"titel": "Titel"}, betnr=1001, details={"held": ["titel"]})
    assert text.description.startswith(
        "Titel wurde auf beiden Seiten verschieden geändert. Nichts wurde überschrieben.\n"
    )
