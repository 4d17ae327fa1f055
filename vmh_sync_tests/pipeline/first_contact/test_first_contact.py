"""Both sides are matched by content before anything is created (entities.md 1)."""

import asyncio
import csv
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from vmh_sync.beteiligte.selection import Selection
from vmh_sync.beteiligte.twins.twin_search import free_numbers, read_children
from vmh_sync.cli import app
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.first_contact import carry_out as linking
from vmh_sync.first_contact.answers import read_csv, write_csv
from vmh_sync.first_contact.plan import ContactPlan
from vmh_sync.first_contact.run import ContactOrder, ContactResult, carry_out, plan_first_contact
from vmh_sync.matching.traits import Traits
from vmh_sync.sync.reporting.words_de import REASONS
from vmh_sync.systems.advoware.records import Beteiligter
from vmh_sync.tasks.answer_list import BadAnswers
from vmh_sync_tests.fixtures.firm import Firm

Json = dict[str, Any]
Contact = Callable[..., tuple[ContactPlan, ContactResult | None]]

IBAN = "DE89370400440532013000"
BORN = {"vorname": "Erika", "geburtsdatum": "1980-05-17T00:00:00"}


@pytest.fixture
def contact(firm: Firm) -> Contact:
    """First contact as the command runs it."""

    def run(**order: Any) -> tuple[ContactPlan, ContactResult | None]:
        async def both(context: PassContext) -> tuple[ContactPlan, ContactResult | None]:
            wanted = ContactOrder(**{"plan_only": False, **order})
            plan, answers = await plan_first_contact(context, wanted, lambda what, done, total: None)
            return plan, None if wanted.plan_only else await carry_out(context, plan, answers, lambda *_: None)

        result: tuple[ContactPlan, ContactResult | None] = firm.run(both)
        return result

    return run


def mail(firm: Firm, betnr: int, address: str) -> None:
    firm.office.edit("Kommunikation", "create", betNr=betnr, values={"tlf": address, "kommKz": 4})


def erika_on_both_sides(firm: Firm, name: str = "Mueller") -> tuple[str, int]:
    betnr = firm.office_party(name="Müller", **BORN)
    mail(firm, betnr, "erika@example.org")
    espo_id = firm.crm_party(
        lastName=name, firstName="Erika", dateOfBirth="1980-05-17", emailAddress="erika@example.org"
    )
    return espo_id, betnr


def married(firm: Firm) -> tuple[str, int]:
    """A likely pair that the search by name before a create cannot find: another name, a first name misspelt."""
    betnr = firm.office_party(name="Kaiser", vorname="Ursula")
    mail(firm, betnr, "u.v@example.org")
    return firm.crm_party(lastName="Vogt", firstName="Ursulla", emailAddress="u.v@example.org"), betnr


def test_a_certain_pair_is_linked_and_nothing_is_created(firm: Firm, contact: Contact) -> None:
    espo_id, betnr = erika_on_both_sides(firm)
    _, result = contact()
    assert result is not None
    assert result.linked == [espo_id]
    firm.sync(espo_id)
    assert firm.crm_record(espo_id)["betnr"] == betnr
    assert firm.crm_record(espo_id)["syncStatus"] == "clean"
    assert (len(firm.office_records()), firm.tasks()) == (1, [])
    firm.until_quiet()


def test_the_plan_writes_nothing_on_any_side(firm: Firm, contact: Contact) -> None:
    espo_id, betnr = erika_on_both_sides(firm)
    firm.crm.clear_calls()
    firm.office.clear_calls()
    plan, result = contact(plan_only=True)
    assert result is None
    assert [(pair.one, pair.other) for pair in plan.matched.certain] == [(espo_id, betnr)]
    calls = [*firm.crm.calls()["log"], *firm.office.calls()["log"]]
    assert not [call for call in calls if call["method"] in ("POST", "PUT", "DELETE") and "Token" not in call["path"]]


def test_a_likely_pair_becomes_one_question_and_nothing_is_created_before_the_answer(
    firm: Firm, contact: Contact
) -> None:
    betnr = firm.office_party(name="Müller", **BORN)
    espo_id = firm.crm_party(lastName="Müller", firstName="Erika", dateOfBirth="1980-05-17")
    for _ in range(2):
        _, result = contact()
        assert result is not None
        assert (result.linked, result.asked) == ([], [espo_id])
        firm.sync()
    (task,) = firm.tasks()
    assert str(betnr) in task["name"]
    assert firm.crm_record(espo_id)["syncStatus"] == "conflict"
    assert len(firm.office_records()) == 1


def test_what_the_search_by_name_cannot_find_still_waits_for_the_answer(firm: Firm, contact: Contact) -> None:
    espo_id, betnr = married(firm)
    plan, _ = contact()
    assert [(pair.one, pair.other) for pair in plan.matched.likely] == [(espo_id, betnr)]
    for _ in range(2):
        firm.sync()
        firm.sync(selection=Selection.DUE)
    assert len(firm.office_records()) == 1
    assert firm.crm_record(espo_id)["betnr"] is None


def test_a_number_as_answer_links(firm: Firm, contact: Contact) -> None:
    espo_id, betnr = married(firm)
    contact()
    _, result = contact(answers=(f"{espo_id}={betnr}",))
    assert result is not None
    assert result.linked == [espo_id]
    firm.until_quiet()
    assert firm.crm_record(espo_id)["betnr"] == betnr
    assert firm.tasks() == []
    with firm.store.reading() as tx:
        reasons = {one.reason for one in tx.audit.for_record(espo_id)}
    assert reasons <= REASONS.keys(), "a person reads why in German"


def test_the_answer_anew_creates_the_party_once(firm: Firm, contact: Contact) -> None:
    espo_id, betnr = married(firm)
    _, result = contact(answers=(f"{espo_id}=neu",))
    assert result is not None
    assert result.somebody_else == [espo_id]
    firm.sync(espo_id)
    firm.until_quiet()
    assert firm.crm_record(espo_id)["betnr"] not in (None, betnr)
    assert len(firm.office_records()) == 2
    assert firm.tasks() == []


def test_a_party_twice_in_espocrm_is_asked_about_and_created_once(firm: Firm, contact: Contact) -> None:
    values = {"lastName": "Müller", "firstName": "Erika", "dateOfBirth": "1980-05-17"}
    first = firm.crm_party(**values, emailAddress="erika@example.org")
    second = firm.crm_party(**values, emailAddress="erika@example.org")
    _, result = contact()
    assert result is not None
    assert len(result.asked) == 1
    firm.sync()
    assert len(firm.office_records()) == 1
    (task,) = firm.tasks()
    assert "zusammenführen" in task["name"]
    asked = result.asked[0]
    assert (first if asked == second else second) in task["description"]
    firm.crm.edit("CBeteiligte", "delete", id=asked)
    assert [outcome.id for outcome in firm.outcomes(selection=Selection.DUE)] == [asked]
    assert (len(firm.office_records()), firm.tasks()) == (1, [])


def test_when_the_other_of_two_is_deleted_the_one_asked_about_is_created(firm: Firm, contact: Contact) -> None:
    values = {"lastName": "Müller", "firstName": "Erika", "dateOfBirth": "1980-05-17"}
    both = {firm.crm_party(**values, emailAddress="erika@example.org") for _ in range(2)}
    _, result = contact()
    assert result is not None
    (asked,) = result.asked
    (other,) = both - {asked}
    firm.crm.edit("CBeteiligte", "delete", id=other)
    firm.sync(selection=Selection.DUE)
    firm.until_quiet()
    assert firm.crm_record(asked)["betnr"] is not None
    assert (len(firm.office_records()), firm.tasks()) == (1, [])


def test_a_record_beside_a_linked_one_waits_and_is_created_when_the_question_is_closed(
    firm: Firm, contact: Contact
) -> None:
    values = {"lastName": "Müller", "firstName": "Erika", "dateOfBirth": "1980-05-17"}
    firm.linked_party(**values, emailAddress="erika@example.org")
    second = firm.crm_party(**values, emailAddress="erika@example.org")
    contact()
    firm.sync(second)
    assert len(firm.office_records()) == 1
    (task,) = firm.tasks()
    firm.crm.edit("Task", "update", id=task["id"], values={"status": "Completed"})
    firm.sync(second)
    firm.until_quiet()
    assert len(firm.office_records()) == 2


def test_what_is_linked_numbered_or_marked_as_ours_is_left_alone(firm: Firm, contact: Contact) -> None:
    firm.linked_party(lastName="Huber", firstName="Anton")
    espo_id, betnr = erika_on_both_sides(firm)
    firm.office_edit(betnr, bemerkung=f"ESPOCRM-Id: {espo_id.upper()}")
    plan, result = contact()
    assert result is not None
    assert not plan.matched.certain
    assert not plan.questions
    assert plan.sides.known[espo_id] == betnr
    assert not any(result.to_json().values())


def test_an_edit_between_plan_and_link_is_seen(firm: Firm, contact: Contact, monkeypatch: pytest.MonkeyPatch) -> None:
    espo_id, betnr = erika_on_both_sides(firm)
    look = linking.free_numbers  # type: ignore[attr-defined]

    async def edited_first(*args: Any) -> set[int]:
        firm.office_edit(betnr, geburtsdatum="1951-01-02T00:00:00")
        return await look(*args)

    monkeypatch.setattr(linking, "free_numbers", edited_first)
    again = linking.read_again  # type: ignore[attr-defined]
    monkeypatch.setattr(linking, "read_again", _after(again, lambda: firm.office_edit(betnr, vorname="Lea")))
    _, result = contact()
    assert result is not None
    assert result.linked == []
    assert "noch einmal" in result.failures[espo_id]
    assert firm.crm_record(espo_id)["betnr"] is None


def _after(method: Any, act: Callable[[], None]) -> Any:
    async def wrapped(*args: Any) -> Any:
        found = await method(*args)
        act()
        return found

    return wrapped


def test_two_records_never_get_one_number(firm: Firm, contact: Contact) -> None:
    espo_id, betnr = erika_on_both_sides(firm)
    plan, _ = contact(plan_only=True)
    other = firm.crm_party(lastName="Ganz", firstName="Anders", betnr=betnr)
    assert plan.matched.certain

    async def late(context: PassContext) -> ContactResult:
        from vmh_sync.first_contact.answers import Answers

        return await carry_out(context, plan, Answers(), lambda *_: None)

    result = firm.run(late)
    assert result.linked == []
    assert str(betnr) in result.failures[espo_id]
    assert firm.crm_record(other)["betnr"] == betnr


def test_killed_after_the_number_was_written_the_next_run_finishes(
    firm: Firm, contact: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    espo_id, betnr = erika_on_both_sides(firm)
    with monkeypatch.context() as patch:
        patch.setattr(linking.Linker, "_note", die)
        with pytest.raises(KeyboardInterrupt):
            contact()
    shown = CliRunner().invoke(app, ["first-contact"])
    assert "(dazu 1 von einem abgebrochenen Aufruf)" in shown.stdout
    record = firm.crm_record(espo_id)
    assert (record["betnr"], record["syncStatus"]) == (betnr, "clean")
    assert contact()[1] == ContactResult()
    firm.until_quiet()
    assert len(firm.office_records()) == 1


def test_the_list_for_people_is_answered_and_read_back(firm: Firm, contact: Contact, tmp_path: Path) -> None:
    espo_id, betnr = married(firm)
    firm.office_party(name="=HYPERLINK(1)", vorname="Ada")
    plan, _ = contact(plan_only=True)
    path = tmp_path / "liste.csv"
    write_csv(path, plan)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines(), delimiter=";"))
    assert [row[:2] for row in rows if row[0] == "wahrscheinlich"] == [["wahrscheinlich", espo_id]]
    assert any(row[5].startswith("'=") for row in rows)
    assert read_csv(path) == []
    answered = [[*row[:-1], "verknüpfen"] if row[0] == "wahrscheinlich" else row for row in rows]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=";").writerows(answered)
    _, result = contact(answers_file=path)
    assert result is not None
    assert result.linked == [espo_id]
    firm.until_quiet()
    assert firm.crm_record(espo_id)["betnr"] == betnr


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("gibtesnicht=neu", "keine Frage offen"),
        ("{espo_id}=4711", "nicht zur Wahl"),
        ("{espo_id}=vielleicht", "keine Entscheidung"),
        ("{espo_id}", "keine Antwort"),
    ],
)
def test_an_answer_that_does_not_fit_is_named_and_nothing_is_written(
    firm: Firm, contact: Contact, answer: str, says: str
) -> None:
    espo_id, _ = married(firm)
    with pytest.raises(BadAnswers, match=says):
        contact(answers=(answer.format(espo_id=espo_id),))
    assert firm.tasks() == []


def test_a_certain_pair_that_a_person_says_are_two_is_created_and_never_linked(firm: Firm, contact: Contact) -> None:
    espo_id, betnr = erika_on_both_sides(firm)
    _, result = contact(answers=(f"{espo_id}=neu",))
    assert result is not None and (result.linked, result.somebody_else) == ([], [espo_id])
    # The answer holds, though nobody repeats it and the pair is still certain.
    _, again = contact()
    assert again is not None and (again.linked, again.somebody_else) == ([], [espo_id])
    firm.sync(espo_id)
    firm.until_quiet()
    assert firm.crm_record(espo_id)["betnr"] not in (None, betnr)
    assert (len(firm.office_records()), firm.tasks()) == (2, [])


def test_where_there_is_no_search_a_range_of_numbers_is_read(firm: Firm, contact: Contact) -> None:
    espo_id, betnr = erika_on_both_sides(firm)
    firm.office.do("switches", search=False)
    plan, _ = contact(plan_only=True, numbers=range(betnr - 3, betnr + 3))
    assert [(pair.one, pair.other) for pair in plan.matched.certain] == [(espo_id, betnr)]


def test_no_value_of_a_person_is_in_the_json(firm: Firm, contact: Contact) -> None:
    erika_on_both_sides(firm)
    married(firm)
    plan, _ = contact(plan_only=True)
    text = json.dumps(plan.to_json(), ensure_ascii=False)
    assert not [value for value in ("Müller", "Mueller", "Erika", "Vogt", "1980", "@") if value in text]


def test_the_command_lists_only_the_questions_that_its_answers_leave_open(firm: Firm) -> None:
    answered, betnr = married(firm)
    other = firm.office_party(name="Müller", **BORN)
    left = firm.crm_party(lastName="Müller", firstName="Erika", dateOfBirth="1980-05-17")
    shown = CliRunner().invoke(app, ["first-contact", "--plan", "--answer", f"{answered}={betnr}"]).stdout
    assert "(2 Fragen an Menschen, davon 1 beantwortet)" in shown
    listed = [line.split(",")[0] for line in shown.splitlines() if line.startswith("  wahrscheinlich: ")]
    assert listed == [f"  wahrscheinlich: {left} – {other}"]


def test_doubles_that_an_answer_tells_apart_are_listed_no_more(firm: Firm) -> None:
    for _ in range(2):
        firm.crm_party(lastName="Müller", firstName="Erika", dateOfBirth="1980-05-17")
    shown = CliRunner().invoke(app, ["first-contact", "--plan"]).stdout
    (line,) = (line for line in shown.splitlines() if line.startswith("  doppelt in EspoCRM: "))
    told_apart = [
        answer.stdout
        for one in (line.split()[3], line.split()[5].rstrip(","))
        if (answer := CliRunner().invoke(app, ["first-contact", "--plan", "--answer", f"{one}=neu"])).exit_code == 0
    ]
    assert len(told_apart) == 1, "one of the two is asked about"
    assert "davon 1 beantwortet" in told_apart[0] and "  doppelt in EspoCRM: " not in told_apart[0]


def test_parties_that_are_looked_at_together_ask_together(firm: Firm) -> None:
    """20,000 parties: what was asked for each by itself is most of the calls."""
    ids = [firm.crm_party(lastName=f"Muster{number}") for number in range(3)]
    firm.crm.edit("CBankverbindungen", "create", values={"name": "K", "iban": IBAN, "beteiligteId": ids[0]})
    numbered = firm.office_party(name="Muster")
    firm.crm_edit(ids[1], betnr=numbered)
    firm.crm.clear_calls()

    async def look(context: PassContext) -> tuple[list[Traits], set[int]]:
        traits = await asyncio.gather(*(read_children(context, espo_id, Traits()) for espo_id in ids))
        offices = [Beteiligter.model_validate({"betNr": betnr}) for betnr in (numbered, 4711)]
        return list(traits), await free_numbers(context, offices)

    traits, free = firm.run(look)
    assert [one.ibans for one in traits] == [frozenset({IBAN}), frozenset(), frozenset()]
    assert free == {4711}
    lists = firm.crm.calls()["by_route"]
    assert lists == {"GET CBankverbindungen": 1, "GET CAdressen": 1, "GET CBeteiligte": 1}


def test_an_unusable_row_of_one_party_keeps_the_others_from_nothing(firm: Firm) -> None:
    good, bad = firm.crm_party(lastName="Gut"), firm.crm_party(lastName="Schlecht")
    for espo_id in (good, bad):
        firm.crm.edit("CBankverbindungen", "create", values={"name": "K", "iban": IBAN, "beteiligteId": espo_id})
    firm.crm.fault("CBankverbindungen", "tamper", where={"beteiligteId": bad}, field="id", body="7")

    async def look(context: PassContext) -> list[Traits | BaseException]:
        both = (read_children(context, espo_id, Traits()) for espo_id in (good, bad))
        return await asyncio.gather(*both, return_exceptions=True)

    told, _ = firm.run(look)
    assert told == Traits(ibans=frozenset({IBAN}))


def test_every_step_says_how_far_it_is_to_the_last(firm: Firm) -> None:
    erika_on_both_sides(firm)
    steps = [line.split(":")[0] for line in CliRunner().invoke(app, ["first-contact"]).stderr.splitlines()]
    assert steps[3:] == ["Vergleichen", "Verknüpfen und fragen", "Abgleich der Verknüpften"]
