"""What each situation of a party costs in calls, exactly: a call more or less is a decision, not an accident.

The reasons stand in docs/benchmarks.md, in the same order. EspoCRM keeps versions here, as ``crm setup`` leaves it;
where it does not, each PUT has a look of its own before it. Counted is one pass that is asked for one party.
"""

from collections.abc import Callable

import pytest

from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.beteiligte.test_recognised import child, come_to_rest, filled_party
from vmh_sync_tests.pipeline.kommunikation.sides import office_add, phone

Calls = dict[str, int]
LISTS = {"GET CBeteiligte": 1, "GET CAdressen": 1, "GET CBankverbindungen": 1}


@pytest.fixture(autouse=True)
def versions(firm: Firm) -> None:
    """EspoCRM as ``crm setup`` leaves it."""
    firm.crm.do("set_switch", optimistic=dict.fromkeys(("CBeteiligte", "CAdressen", "CBankverbindungen"), True))


def calls_of(firm: Firm, *ids: str) -> tuple[Calls, Calls]:
    """Calls of one pass to Advoware and to EspoCRM; the login is left out."""
    firm.office.clear_calls()
    firm.crm.clear_calls()
    assert not firm.sync(*ids).failures
    office = {route: n for route, n in firm.office.calls()["by_route"].items() if "Beteiligte" in route}
    return office, dict(firm.crm.calls()["by_route"])


Act = Callable[[Firm, str, int], object]


def _new_address(firm: Firm, party: str, _: int) -> object:
    values = {"name": "Adresse", "beteiligteId": party, "adresseStreet": "Hof 1", "adresseCity": "Celle"}
    return firm.crm.edit("CAdressen", "create", values=values)


READ = {"GET Beteiligte/{}": 1}
SITUATIONS: dict[str, tuple[Act, Calls, Calls]] = {
    "unchanged": (lambda firm, party, betnr: None, READ, LISTS),
    "field changed in EspoCRM": (
        lambda firm, party, _: firm.crm_edit(party, zusatz="3. Etage"),
        {"GET Beteiligte/{}": 2, "PUT Beteiligte/{}": 1},
        LISTS | {"GET CBeteiligte/{}": 1, "PUT CBeteiligte/{}": 1},
    ),
    "field changed in Advoware": (
        lambda firm, _, betnr: firm.office_edit(betnr, titel="Dr."),
        READ,
        LISTS | {"PUT CBeteiligte/{}": 1},
    ),
    "a field changed on each side": (
        lambda firm, party, betnr: (firm.crm_edit(party, zusatz="3. Etage"), firm.office_edit(betnr, titel="Dr.")),  # type: ignore[func-returns-value]
        {"GET Beteiligte/{}": 2, "PUT Beteiligte/{}": 1},
        LISTS | {"GET CBeteiligte/{}": 1, "PUT CBeteiligte/{}": 1},
    ),
    "phone new in EspoCRM": (
        lambda firm, party, _: firm.crm_edit(
            party, phoneNumberData=[phone("+4951112345", primary=True), phone("+4951199999")]
        ),
        {"GET Beteiligte/{}": 2, "POST Beteiligte/{}/Kommunikationen": 1},
        LISTS | {"GET CBeteiligte/{}": 1, "PUT CBeteiligte/{}": 1},
    ),
    "phone new in Advoware": (
        lambda firm, _, betnr: office_add(firm, betnr, "+4951188888", 1),
        READ,
        LISTS | {"GET CBeteiligte": 2, "GET CBeteiligte/{}": 3, "GET Metadata": 1, "PUT CBeteiligte/{}": 1},
    ),
    "address changed in EspoCRM": (
        lambda firm, party, _: firm.crm.edit(
            "CAdressen", "update", id=child(firm, "CAdressen", party), values={"adresseCity": "Celle"}
        ),
        {"GET Beteiligte/{}": 1, "GET Beteiligte/{}/Adressen": 1, "PUT Beteiligte/{}/Adressen/{}": 1},
        LISTS | {"PUT CAdressen/{}": 1},
    ),
    "address changed in Advoware": (
        lambda firm, _, betnr: firm.office.edit(
            "Adressen", "update", id=firm.office_record(betnr)["adressen"][0]["id"], values={"ort": "Celle"}
        ),
        READ,
        LISTS | {"PUT CAdressen/{}": 1},
    ),
    "address new in EspoCRM": (
        _new_address,
        {"GET Beteiligte/{}": 2, "POST Beteiligte/{}/Adressen": 1},
        {"GET CBeteiligte": 1, "GET CAdressen": 2, "GET CBankverbindungen": 2, "GET CBeteiligte/{}": 1}
        | {"PUT CAdressen/{}": 1},
    ),
    "address removed in Advoware": (
        lambda firm, _, betnr: firm.office.edit(
            "Adressen", "delete", id=firm.office_record(betnr)["adressen"][0]["id"]
        ),
        {"GET Beteiligte/{}": 1, "GET Beteiligte/{}/Adressen": 1},
        LISTS | {"PUT CAdressen/{}": 1},
    ),
}
FIRST_LOAD: tuple[Calls, Calls] = (
    {
        "GET Beteiligte": 2,
        "POST Beteiligte": 1,
        "POST Beteiligte/{}/Kommunikationen": 2,
        "POST Beteiligte/{}/Adressen": 1,
        "POST Beteiligte/{}/Bankverbindungen": 1,
    },
    LISTS | {"GET CBeteiligte/{}": 1, "PUT CBeteiligte/{}": 1, "PUT CAdressen/{}": 1, "PUT CBankverbindungen/{}": 1},
)
FIRST_CONTACT: tuple[Calls, Calls] = (READ, LISTS | {"GET CBeteiligte": 2, "GET CBeteiligte/{}": 1})


def test_each_situation_costs_exactly_these_calls(firm: Firm) -> None:
    parties = {name: filled_party(firm) for name in SITUATIONS}
    come_to_rest(firm)
    for name, (act, _, _) in SITUATIONS.items():
        act(firm, parties[name], int(firm.crm_record(parties[name])["betnr"]))
    costs = {name: calls_of(firm, parties[name]) for name in SITUATIONS}
    assert costs == {name: (office, crm) for name, (_, office, crm) in SITUATIONS.items()}


def test_a_first_load_costs_exactly_these_calls(firm: Firm) -> None:
    assert calls_of(firm, filled_party(firm)) == FIRST_LOAD
    betnr = firm.office_party(name="Beide", vorname="Berta")
    both = firm.crm_party(lastName="Beide", firstName="Berta", betnr=betnr, syncStatus="clean")
    assert calls_of(firm, both) == FIRST_CONTACT


def test_parties_whose_turn_it_is_at_the_same_time_share_the_lists_of_their_children(firm: Firm) -> None:
    parties = [filled_party(firm) for _ in range(8)]
    _, crm = calls_of(firm, *parties)
    assert crm["GET CAdressen"] < len(parties)
    assert crm["GET CBankverbindungen"] < len(parties)


def test_without_versions_what_is_about_to_be_written_is_looked_at_in_a_list(firm: Firm) -> None:
    firm.crm.do("set_switch", optimistic=dict.fromkeys(("CBeteiligte", "CAdressen", "CBankverbindungen"), False))
    _, crm = calls_of(firm, filled_party(firm))
    looks = {"GET CBeteiligte": 2, "GET CAdressen": 2, "GET CBankverbindungen": 2}
    assert crm == FIRST_LOAD[1] | looks
