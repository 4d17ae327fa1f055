"""What EspoCRM says of its own interface (``GET OpenApi``, from 9.3) beside its metadata."""

import asyncio
from typing import Any

import pytest

from vmh_sync.clock import SystemClock
from vmh_sync.doctor.espocrm import expectations
from vmh_sync.doctor.examination import examine
from vmh_sync.doctor.line import Level, Line
from vmh_sync.doctor.open_api import as_described, described, left_out_lines
from vmh_sync.doctor.schema import compare
from vmh_sync.settings import EspoCrmSettings
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.crm_setup.blank_crm import BlankCrm

PARTY = expectations({})[0]


def fields_lines() -> list[Line]:
    return [line for line in asyncio.run(examine()) if line.name in {"Felder CAdressen", "Felder CBankverbindungen"}]


@pytest.fixture(scope="module")
def ten() -> BlankCrm:
    crm = BlankCrm(version="10.0.0")
    crm.set_up()
    return crm


def told_by(crm: BlankCrm, *, admin: bool = True) -> Any:
    """What the document says to the administrator or to the API user of the set-up."""
    nobody = EspoCrmSettings(api_base_url="http://crm.example/api/v1", api_key="-")

    async def asked() -> Any:
        async with crm.session() as session, session.client() as user:
            return await described(session.admin if admin else user, nobody, SystemClock())

    return asyncio.run(asked())


def party_lines(crm: BlankCrm) -> list[Line]:
    fields = crm.admin("GET", "Metadata?key=entityDefs.CBeteiligte.fields")
    told = told_by(crm)
    properties = told.get("CBeteiligte")
    seen = as_described(fields, properties or {})
    usual = compare(PARTY, fields)
    return [line for line in (*compare(PARTY, seen), *left_out_lines(PARTY, fields, properties)) if line not in usual]


def test_an_upgraded_firm_is_checked_against_what_espocrm_says_of_its_interface(
    firm: Firm, firm_environment: pytest.MonkeyPatch
) -> None:
    before = fields_lines()
    firm.crm.do("set_switch", version="10.0.0")
    with_administrator = fields_lines()
    firm_environment.delenv("ESPOCRM_ADMIN_PASSWORD")
    without = fields_lines()
    assert len(before) == len(with_administrator) == len(without) == 2
    assert {line.level for line in (*before, *with_administrator, *without)} == {Level.OK}
    assert all("OpenAPI" in line.text for line in with_administrator)
    assert {line.text for line in (*before, *without)} == {"Alle Felder und Auswahlwerte passen."}, "silently"


def test_after_a_set_up_the_document_says_what_we_need(ten: BlankCrm) -> None:
    assert party_lines(ten) == []


def test_the_role_of_a_set_up_may_read_the_document(ten: BlankCrm) -> None:
    assert "CAdressen" in told_by(ten, admin=False)


def test_a_role_without_the_right_and_no_administrator_leaves_the_metadata(ten: BlankCrm) -> None:
    (role,) = ten.crm.roles.values()
    del role.data["OpenApi"]
    assert told_by(ten, admin=False) is None
    role.data["OpenApi"] = True
    old = BlankCrm(version="9.2.7")
    old.set_up()
    assert told_by(old) is told_by(old, admin=False) is None


def test_a_field_that_is_switched_off_is_a_hint(ten: BlankCrm) -> None:
    party = ten.crm.schema["CBeteiligte"].fields
    party["zusatz"]["disabled"] = True
    (line,) = party_lines(ten)
    del party["zusatz"]["disabled"]
    assert line.level is Level.HINT
    assert "(OpenAPI) fehlen Felder, die es gibt: zusatz." in line.text


def test_an_entity_type_that_is_switched_off_is_a_hint(ten: BlankCrm) -> None:
    ten.crm.schema["CBeteiligte"].disabled = True
    (line,) = party_lines(ten)
    ten.crm.schema["CBeteiligte"].disabled = False
    assert line.level is Level.HINT
    assert "CBeteiligte fehlt in der Beschreibung der Schnittstelle (OpenAPI)" in line.text


def test_what_only_an_administrator_may_write_and_another_type_are_problems() -> None:
    """The metadata do not say the first, and an outdated cache of them says the second wrongly."""
    fields = {rule.espo: {"type": "varchar", "maxLength": 150} for rule in PARTY.table}
    fields |= {"betnr": {"type": "int"}, "dateOfBirth": {"type": "date"}, "syncStatus": {"type": "enum"}}
    properties: dict[str, dict[str, object]] = {name: {"type": ["string", "null"]} for name in fields}
    properties["zusatz"] = {"type": ["string", "null"], "readOnly": True}
    properties["betnr"] = {"type": "boolean", "readOnly": False}
    properties["titel"] = {"type": ["string", "null"], "maxLength": 20}
    told = {line.text.split(";")[0] for line in compare(PARTY, as_described(fields, properties))}
    usual = {line.text.split(";")[0] for line in compare(PARTY, fields)}
    assert told - usual == {
        "Das Feld zusatz (Zusatz) ist schreibgeschützt",
        "Das Feld betnr (Beteiligten-Nr.) ist vom Typ bool statt int.",
        "Das Feld titel (Titel) nimmt nur 20 statt 50 Zeichen",
    }


@pytest.mark.parametrize("document", [None, [], {"components": {}}, {"components": {"schemas": {"CBeteiligte": 3}}}])
def test_a_document_of_another_form_is_none(document: Any) -> None:
    class Told:
        async def call(self, method: str, path: str) -> Any:
            return document

    nobody = EspoCrmSettings(api_base_url="http://crm.example/api/v1", api_key="-")
    assert asyncio.run(described(Told(), nobody, SystemClock())) is None  # type: ignore[arg-type]
