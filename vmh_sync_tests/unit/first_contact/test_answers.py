"""The list that people answer comes back from Excel: whatever it did to the file, an answer means what was typed."""

import asyncio
import csv
from pathlib import Path

import pytest

from vmh_sync.first_contact.answers import Answers, decide, parse_pairs, read_csv, write_csv
from vmh_sync.first_contact.plan import ContactPlan, plan_contact
from vmh_sync.first_contact.sides import Held, Sides, comparing
from vmh_sync.matching.traits import Traits
from vmh_sync.tasks.answer_list import BadAnswers
from vmh_sync.watchdog import watched

BORN = "1980-05-17"
MAIL = frozenset({"a@example.org"})
ULM = frozenset({"Ulm"})
LOOKS_LIKE_A_NUMBER = "65912345678e90123"


def plan() -> ContactPlan:
    """One likely pair, one certain, one record twice in EspoCRM, one on each side alone, one linked before."""
    espocrm = {
        LOOKS_LIKE_A_NUMBER: Traits(name="Vogt", vorname="Ursula", geburtsdatum=BORN),
        "sure": Traits(name="Müller", vorname="Jörg", geburtsdatum=BORN, towns=ULM),
        "older": Traits(name="Huber", vorname="Karl", geburtsdatum="1950-03-04"),
        "younger": Traits(name="Huber", vorname="Carl", geburtsdatum="1950-03-04"),
        "alone": Traits(name="Sommer", vorname="Lea"),
        "linked": Traits(name="Roth", vorname="Eva"),
    }
    advoware = {
        1: Traits(name="Vogt", vorname="Ursel", geburtsdatum=BORN),
        2: Traits(name="Mueller", vorname="Jörg", geburtsdatum=BORN, towns=ULM),
        3: Traits(name="Winter", vorname="Otto"),
        4: Traits(name="Roth", vorname="Eva"),
    }
    created = {"older": "2020", "younger": "2021"}
    return plan_contact(
        Sides(
            espocrm={key: Held(one.name, one, created.get(key, "2019")) for key, one in espocrm.items()},
            advoware={key: Held(one.name, one) for key, one in advoware.items()},
            known={"linked": 4},
        )
    )


def answered(path: Path, **decisions: str) -> Path:
    """Write the list as a person leaves it, decisions by kind of row."""
    write_csv(path, plan())
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    told = [line + decisions.get(line.partition(";")[0].replace(" ", "_"), "") for line in lines]
    path.write_text("\r\n".join(told) + "\r\n", encoding="utf-8-sig", newline="")
    return path


def settled(path: Path) -> Answers:
    return decide(read_csv(path), plan())


def test_the_fixture_is_as_it_says() -> None:
    made = plan()
    assert list(made.questions) == [LOOKS_LIKE_A_NUMBER, "younger"]
    assert [pair.one for pair in made.matched.certain] == ["sure"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("first", ["", "sep=;\r\n"])
def test_whatever_excel_saves_is_read(tmp_path: Path, encoding: str, delimiter: str, first: str) -> None:
    path = answered(tmp_path / "liste.csv", wahrscheinlich="verknüpfen")
    rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines(), delimiter=";"))
    with path.open("w", encoding=encoding, newline="") as file:
        file.write(first.replace(";", delimiter))
        csv.writer(file, delimiter=delimiter).writerows(rows)
    assert settled(path).link == {LOOKS_LIKE_A_NUMBER: 1}


def test_an_id_that_excel_would_take_for_a_number_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "liste.csv"
    write_csv(path, plan())
    (row,) = (line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.startswith("wahrscheinlich"))
    assert row.split(";")[1] == f"'{LOOKS_LIKE_A_NUMBER}"


def test_columns_may_be_moved_and_added(tmp_path: Path) -> None:
    path = tmp_path / "liste.csv"
    path.write_text(f"Entscheidung;mein Vermerk; betnr ;ESPOCRM_ID\r\nja;ok;1;{LOOKS_LIKE_A_NUMBER}\r\n", "cp1252")
    assert settled(path).link == {LOOKS_LIKE_A_NUMBER: 1}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04rest of a workbook", "Arbeitsmappe"),
        (b"", "fehlen die Spalten"),
        (b"espocrm_id;betnr\r\nx;1\r\n", "fehlen die Spalten: entscheidung"),
        (b"espocrm_id;betnr;entscheidung\r\nx;1;neu;verrutscht\r\n", "Zeile 2"),
        (b"\x00\x81\x8d\x00\xff", "lässt sich nicht lesen"),
    ],
)
def test_what_is_no_list_of_ours_is_told_apart(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "liste.csv"
    path.write_bytes(content)
    with pytest.raises(BadAnswers, match=says):
        read_csv(path)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([f"{LOOKS_LIKE_A_NUMBER};1;verknüpfen", f"{LOOKS_LIKE_A_NUMBER};1;neu"], "verknüpfen und mit neu"),
        ([f"{LOOKS_LIKE_A_NUMBER};1;vielleicht"], "Zeile 2.*keine Entscheidung"),
        ([f"{LOOKS_LIKE_A_NUMBER};4711;ja"], "Zeile 2.*nicht zur Wahl"),
        ([f"{LOOKS_LIKE_A_NUMBER};4711;neu"], "Zeile 2.*nicht zur Wahl"),
        (["gibtesnicht;1;ja"], "Zeile 2.*keine Frage offen"),
        (["6,59123E+90131;1;ja"], "Zeile 2.*Excel"),
        ([";3;neu"], "Zeile 2.*import"),
        (["older;1;ja"], "Zeile 2.*keine Frage offen"),
        (["older;;neu"], "Zeile 2.*keine Frage offen"),
        (["younger;older;verknüpfen"], "Zeile 2.*in EspoCRM zusammenführen"),
        (["linked;3;verknüpfen"], "Zeile 2.*schon mit Nr. 4 verknüpft"),
    ],
)
def test_an_answer_that_does_not_fit_is_named_with_its_row(tmp_path: Path, rows: list[str], says: str) -> None:
    path = tmp_path / "liste.csv"
    path.write_text("\r\n".join(("espocrm_id;betnr;entscheidung", *rows)), "utf-8")
    with pytest.raises(BadAnswers, match=says):
        settled(path)


def test_a_certain_pair_that_a_person_doubts_is_not_linked(tmp_path: Path) -> None:
    made = plan()
    answers = decide(read_csv(answered(tmp_path / "liste.csv", sicher="neu")), made)
    assert answers.somebody_else == {"sure"}
    assert made.matched.certain == ()
    assert [twin.betnr for twin in made.questions["sure"].twins] == [2]


def test_every_row_of_the_list_can_be_answered(tmp_path: Path) -> None:
    decisions = {"wahrscheinlich": "neu", "sicher": "verknüpfen", "doppelt_in_EspoCRM": "neu", "nur_in_EspoCRM": "neu"}
    answers = settled(answered(tmp_path / "liste.csv", **decisions))
    assert answers.somebody_else == {LOOKS_LIKE_A_NUMBER, "younger"}
    assert answers.link == {}


def test_the_same_list_may_be_handed_in_again(tmp_path: Path) -> None:
    path = answered(tmp_path / "liste.csv", wahrscheinlich="verknüpfen", sicher="verknüpfen", doppelt_in_EspoCRM="neu")
    later = plan()
    later.sides.known |= {LOOKS_LIKE_A_NUMBER: 1, "sure": 2, "younger": 9}
    assert decide(read_csv(path), plan_contact(later.sides)).settled == frozenset()


def test_a_record_with_several_questions_is_new_only_when_all_are_answered_so() -> None:
    made = plan_contact(
        Sides(
            espocrm={
                "one": Held("Huber", Traits(name="Huber", vorname="Karl", emails=MAIL), "2020"),
                "two": Held("Huber", Traits(name="Huber", vorname="Carl", emails=MAIL), "2021"),
            },
            advoware={7: Held("Huber", Traits(name="Huber", vorname="Karl", emails=MAIL))},
        )
    )
    assert [double.espo_id for double in made.questions["two"].doubles] == ["one"]
    assert decide(parse_pairs(["two=neu"]), made).somebody_else == {"two"}
    path_rows = [one._replace(number="7") for one in parse_pairs(["two=neu"])]
    assert decide(path_rows, made).somebody_else == set()
    other = [*path_rows, *(one._replace(number="one") for one in parse_pairs(["two=neu"]))]
    assert decide(other, made).somebody_else == {"two"}


@pytest.mark.parametrize("mark", ["\x0b", "\u2028", "\x85"])
def test_a_name_with_a_line_break_of_another_program_loses_no_answer(tmp_path: Path, mark: str) -> None:
    """A manual break of a word processor stands in many a pasted name; Excel keeps it in its cell."""
    path = answered(tmp_path / "liste.csv", wahrscheinlich="verknüpfen")
    text = path.read_text(encoding="utf-8-sig")
    path.write_text(text.replace("Vogt", f"Vo{mark}gt"), encoding="utf-8-sig", newline="")
    assert settled(path).link == {LOOKS_LIKE_A_NUMBER: 1}


def test_a_lonely_quotation_mark_is_told_and_swallows_no_answers(tmp_path: Path) -> None:
    path = answered(tmp_path / "liste.csv", wahrscheinlich="verknüpfen", sicher="neu")
    text = path.read_text(encoding="utf-8-sig")
    path.write_text(text.replace(";Vogt", ';"Vogt', 1), encoding="utf-8-sig", newline="")
    with pytest.raises(BadAnswers, match="Zeile 2: Ein Anführungszeichen steht allein"):
        read_csv(path)


async def test_minutes_of_comparing_are_no_standstill() -> None:
    async with watched("first-contact", 60) as watch:
        await asyncio.to_thread(plan_contact, plan().sides, comparing(lambda what, done, total: None))
        assert watch.count > 0
