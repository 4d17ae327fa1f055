"""Parties that exist only in Advoware are created in EspoCRM when a person asks for it, each once (entities.md 1)."""

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from vmh_sync.cli import app
from vmh_sync.commands.joining.import_parties import Imported, ImportOrder, import_parties
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.first_contact import importing
from vmh_sync.first_contact.advoware_list import PartyScope
from vmh_sync.first_contact.import_plan import ImportPlan
from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync_tests.fixtures.firm import Firm

Bring = Callable[..., tuple[ImportPlan, Imported]]

ERIKA = {"name": "Müller", "vorname": "Erika", "geburtsdatum": "1980-05-17T00:00:00"}


@pytest.fixture
def bring(firm: Firm) -> Bring:
    """The import as the command runs it."""

    def run(*numbers: int, **more: Any) -> tuple[ImportPlan, Imported]:
        order = ImportOrder(PartyScope(list(numbers)) if numbers else PartyScope(text=more.pop("text")), **more)

        async def work(context: PassContext) -> tuple[ImportPlan, Imported]:
            return await import_parties(context, order, lambda *_: None)

        result: tuple[ImportPlan, Imported] = firm.run(work)
        return result

    return run


def test_a_party_and_its_children_come_to_espocrm(firm: Firm, bring: Bring) -> None:
    betnr = firm.office_party(**ERIKA, anrede="Frau", titel="Dr.")
    firm.office.edit("Kommunikation", "create", betNr=betnr, values={"tlf": "erika@example.org", "kommKz": 4})
    firm.office.edit("Adressen", "create", betNr=betnr, values={"strasse": "Weg 1", "plz": "30159", "ort": "Hannover"})
    _, done = bring(betnr)
    (espo_id,) = done.created
    firm.sync(espo_id)
    firm.until_quiet()
    record = firm.crm_record(espo_id)
    assert (record["betnr"], record["lastName"], record["firstName"], record["titel"]) == (
        betnr,
        "Müller",
        "Erika",
        "Dr.",
    )
    assert (record["syncStatus"], record["emailAddress"]) == ("clean", "erika@example.org")
    assert [row["adresseStreet"] for row in firm.crm_records("CAdressen")] == ["Weg 1"]


def test_a_company_comes_with_both_homes_of_its_name(firm: Firm, bring: Bring) -> None:
    betnr = firm.office_party(name="Huber Bau GmbH", rechtsform="GmbH")
    (espo_id,) = bring(text="Huber")[1].created
    firm.sync(espo_id)
    firm.until_quiet()
    record = firm.crm_record(espo_id)
    assert (record["betnr"], record["firmenname"], record["lastName"]) == (betnr, "Huber Bau GmbH", "Huber Bau GmbH")


def test_what_is_there_already_is_left_alone_and_said(firm: Firm, bring: Bring) -> None:
    espo_id, betnr = firm.linked_party(lastName="Huber", firstName="Anton")
    plan, done = bring(betnr, 987654)
    assert plan.present == {betnr: espo_id}
    assert "gibt es in Advoware nicht" in plan.left[987654]
    assert not any(done.to_json().values())


def test_a_certain_twin_is_linked_and_a_likely_one_asked_about(firm: Firm, bring: Bring) -> None:
    sure = firm.office_party(**ERIKA)
    firm.office.edit("Kommunikation", "create", betNr=sure, values={"tlf": "erika@example.org", "kommKz": 4})
    twin = firm.crm_party(
        lastName="Mueller", firstName="Erika", dateOfBirth="1980-05-17", emailAddress="erika@example.org"
    )
    likely = firm.office_party(name="Sommer", vorname="Lea", geburtsdatum="1990-01-02T00:00:00")
    asked = firm.crm_party(lastName="Sommer", firstName="Lea", dateOfBirth="1990-01-02")
    _, done = bring(sure, likely)
    assert (done.created, done.linked, done.asked) == ([], [twin], [asked])
    firm.until_quiet()
    assert len(firm.crm_records("CBeteiligte")) == 2
    assert firm.crm_record(twin)["betnr"] == sure
    assert len(firm.tasks()) == 1


def test_who_resembles_a_linked_record_comes_only_when_a_person_says_so(firm: Firm, bring: Bring) -> None:
    firm.linked_party(lastName="Müller", firstName="Erika", dateOfBirth="1980-05-17")
    other = firm.office_party(**ERIKA)
    plan, done = bring(other)
    assert not done.created
    assert f"--trotzdem {other}" in plan.left[other]
    _, done = bring(other, confirmed=frozenset({other}))
    assert len(done.created) == 1


def test_who_stands_three_times_in_advoware_is_named_with_all_the_others(firm: Firm, bring: Bring) -> None:
    numbers = [firm.office_party(**ERIKA) for _ in range(3)]
    for betnr in numbers:
        firm.office.edit("Kommunikation", "create", betNr=betnr, values={"tlf": "erika@example.org", "kommKz": 4})
    first, second, third = numbers
    plan, done = bring(text="Müller")
    assert not any(done.to_json().values())
    assert plan.left[first] == (
        f"steht in Advoware vielleicht mehrmals (auch Nr. {second}, {third}); wenn es mehrere sind: --trotzdem {first}"
    )
    _, done = bring(text="Müller", confirmed=frozenset({second}))
    assert len(done.created) == 1
    firm.until_quiet()
    plan, _ = bring(text="Müller")
    assert (len(plan.present), len(plan.left)) == (1, 2), "the others may be in EspoCRM already"


def test_the_plan_writes_nothing(firm: Firm, bring: Bring) -> None:
    betnr = firm.office_party(**ERIKA)
    plan, done = bring(betnr, plan_only=True)
    assert plan.create == [betnr]
    assert not any(done.to_json().values())
    assert firm.crm_records("CBeteiligte") == []


@pytest.mark.parametrize("killed", ["before the request", "after the request", "before the note"])
def test_killed_at_any_moment_it_is_created_once(
    firm: Firm, bring: Bring, monkeypatch: pytest.MonkeyPatch, killed: str
) -> None:
    class Killed(BaseException):
        pass

    original = EspoClient.create

    async def dies(self: EspoClient, *args: Any, **kwargs: Any) -> Any:
        if killed == "after the request":
            await original(self, *args, **kwargs)
        raise Killed

    def dies_too(*_: object) -> None:
        raise Killed

    betnr = firm.office_party(**ERIKA)
    with monkeypatch.context() as patch:
        if killed == "before the note":
            patch.setattr(importing.Importer, "_note", dies_too)
        else:
            patch.setattr(EspoClient, "create", dies)
        with pytest.raises(BaseException):  # noqa: B017
            bring(betnr)
    for _ in range(3):
        firm.clock.shift += firm.run(_patience)
        _, done = bring(betnr)
        assert [*done.before, *done.created] == [one["id"] for one in firm.crm_records("CBeteiligte")]
    firm.until_quiet()
    assert not any(bring(betnr)[1].to_json().values())
    (record,) = firm.crm_records("CBeteiligte")
    assert record["betnr"] == betnr
    assert record["syncStatus"] == "clean"


async def _patience(context: PassContext) -> Any:
    return context.longest_request


def test_the_command_refuses_while_it_is_switched_off(firm: Firm) -> None:
    betnr = firm.office_party(**ERIKA)
    refused = CliRunner().invoke(app, ["import", "beteiligte", "--nummern", str(betnr)])
    assert refused.exit_code == 1
    assert "VMH_IMPORT_PARTIES" in refused.stderr
    assert firm.crm_records("CBeteiligte") == []


@pytest.mark.parametrize("wrong", [[], ["--nummern", "1", "--suche", "x"], ["--nummern", "x"], ["--bereich", "9-3"]])
def test_wrong_usage_is_said(firm: Firm, wrong: list[str]) -> None:
    assert CliRunner().invoke(app, ["import", "beteiligte", *wrong]).exit_code == 2
