"""Every field of every foreign model says every hostile thing, through whole passes over real HTTP.

Each time: the other party is synced, the victim is told or untouched, nothing that came from garbage stands anywhere,
and afterwards everything agrees. The normal run draws a share by seed; ``-m proof`` takes all of them.
"""

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import psutil
import pytest

from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.hostile import VALUES

SEED = 20261127
SHARE = 60
MOST_GROWTH = 300 * 1024 * 1024
PARTY = "name vorname rechtsform anrede titel bAnrede zusatz geburtsdatum rowId geaendertAm bemerkung betNr telGesch"
PLAUSIBLE = {
    ("plz", "number"),
    ("postfach", "number"),
    ("adressePostalCode", "number"),
    ("postfachPLZ", "number"),
    ("handelsRegisterNummer", "number"),
    ("rowId", "number"),
    ("telGesch", "number"),
    ("tlf", "number"),
    ("standardAnschrift", "true"),
    ("online", "true"),
    ("reihenfolgeIndex", "number"),
    ("kommKz", "number"),
    ("kommArt", "number"),
    ("betNr", "number"),
    ("istStandard", "true"),
    ("istAktiv", "true"),
    ("primary", "true"),
    ("optOut", "true"),
    ("invalid", "true"),
    ("deleted", "true"),
    ("versionNumber", "number"),
    ("advowareId", "number"),
    ("advowareKontoId", "number"),
    ("betnr", "number"),
    ("id", "number"),
}
"""What a system may really say there, so that it may be an edit."""


NOBODYS_BUSINESS = {
    ("crm", "party", name) for name in ("syncRetryCount", "syncErrorMessage", "advowareRowId", "emailAddress")
}
"""What we keep there ourselves and write anew, and the copy of the primary e-mail: nothing is decided by it."""


class Case(NamedTuple):
    """Where which hostile value stands."""

    system: str
    record: str
    field: str
    value: str


OFFICE = {
    "party": PARTY.split(),
    "kommunikation": ["id", "rowId", "tlf", "bemerkung", "kommKz", "kommArt", "online"],
    "adresse": [
        "id",
        "rowId",
        "strasse",
        "plz",
        "ort",
        "land",
        "postfach",
        "postfachPLZ",
        "anschrift",
        "standardAnschrift",
        "gueltigVon",
        "gueltigBis",
        "bemerkung",
    ],
    "konto": ["id", "rowId", "iban", "bic", "bank", "kontoinhaber", "bemerkung"],
}
CRM = {
    "party": [
        "id",
        "lastName",
        "firstName",
        "titel",
        "zusatz",
        "briefAnrede",
        "dateOfBirth",
        "salutationName",
        "rechtsform",
        "betnr",
        "syncStatus",
        "modifiedAt",
        "versionNumber",
        "syncErrorMessage",
        "syncRetryCount",
        "advowareRowId",
        "emailAddressData",
        "phoneNumberData",
        "emailAddress",
        "assignedUserId",
        "deleted",
    ],
    "email": ["emailAddress", "primary", "optOut", "invalid"],
    "phone": ["phoneNumber", "type", "primary", "optOut", "invalid"],
    "adresse": [
        "id",
        "adresseStreet",
        "adressePostalCode",
        "adresseCity",
        "beteiligteId",
        "advowareId",
        "syncStatus",
        "istStandard",
    ],
    "konto": ["id", "iban", "bic", "bankname", "kontoinhaber", "beteiligteId", "advowareKontoId", "syncStatus"],
}


def every_case() -> list[Case]:
    """All combinations that can never be an edit."""
    return [
        Case(system, record, field, value)
        for system, records in (("office", OFFICE), ("crm", CRM))
        for record, fields in records.items()
        for field in fields
        for value in VALUES
        if (field, value) not in PLAUSIBLE
    ]


class World:
    """A victim with one of everything, and another party that is edited in each round."""

    def __init__(self, firm: Firm) -> None:
        self.firm = firm
        self.victim, self.betnr = firm.linked_party(
            lastName="Opfer",
            firstName="Olga",
            titel="Dr.",
            emailAddress="opfer@example.org",
            phoneNumber="+49 711 1234567",
        )
        firm.crm.edit(
            "CAdressen",
            "create",
            values={
                "name": "Adresse",
                "beteiligteId": self.victim,
                "adresseStreet": "Weg 1",
                "adressePostalCode": "70173",
                "adresseCity": "Stuttgart",
            },
        )
        firm.crm.edit(
            "CBankverbindungen",
            "create",
            values={"name": "Konto", "beteiligteId": self.victim, "iban": "DE89370400440532013000"},
        )
        self.other, self.other_betnr = firm.linked_party(lastName="Heil")
        firm.until_quiet()
        self.round = 0

    def where(self, case: Case) -> dict[str, Any]:
        """What tells the victim's record apart in an answer."""
        if case.system == "crm":
            record = self.firm.crm_record(self.victim)
            if case.record == "email":
                return {"emailAddress": record["emailAddressData"][0]["emailAddress"], "optOut": False}
            if case.record == "phone":
                return {"phoneNumber": record["phoneNumberData"][0]["phoneNumber"], "optOut": False}
            entity = {"party": "CBeteiligte", "adresse": "CAdressen", "konto": "CBankverbindungen"}[case.record]
            rows = self.firm.crm_records(entity)
            return {"id": self.victim if case.record == "party" else rows[0]["id"]}
        party = self.firm.office_record(self.betnr)
        if case.record == "party":
            return {"betNr": self.betnr}
        kind = {"kommunikation": "kommunikation", "adresse": "adressen", "konto": "bankverbindungen"}[case.record]
        return {"id": party[kind][0]["id"]}

    def record(self, case: Case) -> dict[str, Any]:
        """The victim's record in which the value stands."""
        if case.system == "crm":
            party = self.firm.crm_record(self.victim)
            entity = {"adresse": "CAdressen", "konto": "CBankverbindungen"}.get(case.record)
            lists = {"email": party["emailAddressData"], "phone": party["phoneNumberData"]}
            return dict(self.firm.crm_records(entity)[0] if entity else lists.get(case.record, [party])[0])
        office = self.firm.office_record(self.betnr)
        kind = {"kommunikation": "kommunikation", "adresse": "adressen", "konto": "bankverbindungen"}.get(case.record)
        return dict(office[kind][0] if kind else office)

    def content(self) -> tuple[Any, ...]:
        """What people see of the victim on both sides, books left out."""
        firm = self.firm
        crm = [
            _content(row)
            for entity in ("CBeteiligte", "CAdressen", "CBankverbindungen")
            for row in firm.crm_records(entity)
            if row["id"] != self.other
        ]
        office = {**firm.office_record(self.betnr), "geaendertAm": None, "rowId": None}
        return crm, office, len(firm.office_records())

    def survives(self, case: Case) -> str | None:
        """Run a pass with the case; returns what is wrong."""
        firm = self.firm
        self.round += 1
        # So that the pass has to look at all of the victim.
        firm.crm_edit(self.victim, description=f"Runde {self.round}")
        before, stood_there = self.content(), case.field in self.record(case)
        side = firm.office if case.system == "office" else firm.crm
        side.fault(".", "tamper", where=self.where(case), field=case.field, body=VALUES[case.value])
        firm.crm_edit(self.other, titel=f"Prof. {self.round}")
        firm.office_edit(self.other_betnr, zusatz=f"Zusatz {self.round}")
        victim, other = firm.outcomes(self.victim, self.other)
        side.clear_faults()
        if other.result is not Result.SYNCED or firm.office_record(self.other_betnr)["titel"] != f"Prof. {self.round}":
            return f"the other one: {other.result} {other.error_class}"
        if firm.crm_record(self.other)["zusatz"] != f"Zusatz {self.round}":
            return "the other one was not synced from Advoware"
        if self.content() != before:
            firm.until_quiet()  # so that the next case is judged by itself
            return f"garbage was believed ({victim.result} {victim.error_class})"
        told = victim.result is Result.FAILED and victim.error and victim.error_class
        if stood_there and not told and case[:3] not in NOBODYS_BUSINESS:
            return f"nobody was told ({victim.result})"
        if victim.concerns_all:
            return f"blamed on all: {victim.error_class}"
        return None


def _content(row: dict[str, Any]) -> dict[str, Any]:
    books = ("sync", "modified", "version", "advowareLastSync", "advowareRowId", "kommunikationHash", "stream")
    return {name: value for name, value in row.items() if not name.startswith(books)}


def _go_through(firm: Firm, cases: list[Case]) -> None:
    world = World(firm)
    rss = psutil.Process().memory_info().rss
    wrong = [f"{case}: {problem}" for case in cases if (problem := world.survives(case)) is not None]
    assert not wrong, f"{len(wrong)} of {len(cases)}: " + "\n".join(wrong)
    assert psutil.Process().memory_info().rss - rss < MOST_GROWTH
    firm.until_quiet()
    assert firm.crm_record(world.victim)["syncStatus"] == "clean"


@pytest.fixture
def share() -> Iterator[list[Case]]:
    """The cases of a normal run."""
    yield random.Random(SEED).sample(every_case(), SHARE)


def test_hostile_values_in_a_share_of_all_fields_harm_nobody_else(firm: Firm, share: list[Case]) -> None:
    _go_through(firm, share)


def test_a_fraction_is_neither_postcode_nor_telephone_number(firm: Firm) -> None:
    numeric = [("adresse", name) for name in ("plz", "postfach", "postfachPLZ")] + [("kommunikation", "tlf")]
    _go_through(firm, [Case("office", record, field, "float") for record, field in numeric])


@pytest.mark.proof
def test_hostile_values_in_all_fields_harm_nobody_else(firm: Firm) -> None:
    _go_through(firm, every_case())
