"""Records that existed on both sides before the first pass, with and without the original's markers."""

import base64

from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.kommunikation import sides
from vmh_sync_tests.pipeline.kommunikation.sides import NOTHING, mail, phone


def marker(value: str, kind: int) -> str:
    return f"[ESPOCRM:{base64.b64encode(value.encode()).decode()}:{kind}]"


def meet(firm: Firm, *, mails: list[sides.Json], phones: list[sides.Json], there: list[sides.Json]) -> tuple[str, int]:
    """Link a party of EspoCRM with one of Advoware that was there before, and sync until nothing is left to do."""
    betnr = firm.office_party(name="Muster")
    for values in there:
        firm.office.edit("Kommunikation", "create", betNr=betnr, values=values)
    espo_id = firm.crm_party(betnr=betnr, emailAddressData=mails, phoneNumberData=phones)
    firm.sync(espo_id)
    firm.until_quiet()
    assert sides.writes(firm, espo_id) == NOTHING
    return espo_id, betnr


def test_both_lists_are_joined_and_equal_values_are_not_doubled(firm: Firm) -> None:
    espo_id, betnr = meet(
        firm,
        mails=[mail("Info@Huber.example", primary=True)],
        phones=[phone("+49511123456", primary=True)],
        there=[
            {"tlf": "info@huber.example", "kommKz": 8, "online": True},
            {"tlf": "0511 / 12 34 56", "kommKz": 6, "online": True},
            {"tlf": "0171 2345678", "kommKz": 3},
        ],
    )
    assert sides.values(firm, betnr) == ["0171 2345678", "0511 / 12 34 56", "info@huber.example"]
    assert sides.addresses(firm, espo_id) == ["Info@Huber.example"]
    assert sides.numbers(firm, espo_id) == ["+491712345678", "+49511123456"]


def test_a_valid_marker_shows_an_edit_made_since_the_original_ran(firm: Firm) -> None:
    old, new = "alt@huber.example", "neu@huber.example"
    espo_id, betnr = meet(
        firm,
        mails=[mail(old, primary=True)],
        phones=[],
        there=[{"tlf": new, "kommKz": 4, "bemerkung": f"{marker(old, 4)} Zentrale", "online": True}],
    )
    assert sides.addresses(firm, espo_id) == [new]
    (entry,) = sides.entries(firm, betnr).values()
    assert (entry["tlf"], entry["bemerkung"]) == (new, f"{marker(old, 4)} Zentrale")


def test_a_marker_tells_the_kind_where_advoware_does_not(firm: Firm) -> None:
    firm.office.do("switches", komm_kz_told=False)
    espo_id, _ = meet(
        firm,
        mails=[],
        phones=[],
        there=[{"tlf": "0511 4711", "kommKz": 2, "bemerkung": marker("0511 4711", 2)}],
    )
    (item,) = sides.phones(firm, espo_id)
    assert (item["phoneNumber"], item["type"]) == ("+495114711", "Fax")


def test_a_damaged_marker_is_the_users_own_text(firm: Firm) -> None:
    remark = "[ESPOCRM:kaputt!!:4]  Text  "
    espo_id, betnr = meet(
        firm,
        mails=[mail("a@huber.example", primary=True)],
        phones=[],
        there=[{"tlf": "b@huber.example", "kommKz": 4, "bemerkung": remark}],
    )
    assert sides.addresses(firm, espo_id) == ["a@huber.example", "b@huber.example"]
    assert sides.entry(firm, betnr, "b@huber.example")["bemerkung"] == remark


def test_a_marker_copied_from_another_party_deletes_nothing(firm: Firm) -> None:
    espo_id, betnr = meet(
        firm,
        mails=[mail("hier@huber.example", primary=True)],
        phones=[],
        there=[{"tlf": "dort@huber.example", "kommKz": 4, "bemerkung": marker("fremd@andere.example", 4)}],
    )
    assert sides.addresses(firm, espo_id) == ["dort@huber.example", "hier@huber.example"]
    assert sides.values(firm, betnr) == ["dort@huber.example", "hier@huber.example"]


def test_a_slot_of_the_original_is_filled_again(firm: Firm) -> None:
    _, betnr = meet(
        firm,
        mails=[mail("a@huber.example", primary=True)],
        phones=[],
        there=[{"tlf": "", "kommKz": 4, "bemerkung": "[ESPOCRM-SLOT:4] früher Büro"}],
    )
    (entry,) = sides.entries(firm, betnr).values()
    assert (entry["tlf"], entry["bemerkung"]) == ("a@huber.example", "[ESPOCRM-SLOT:4] früher Büro")


def test_kinds_without_a_home_in_espocrm_stay_as_they_are(firm: Firm) -> None:
    there = [
        {"tlf": "www.huber.example", "kommKz": 5},
        {"tlf": "DE.BEA.4711", "kommKz": 12, "bemerkung": "beA"},
        {"tlf": "post@huber.example", "kommKz": 11},
    ]
    espo_id, betnr = meet(firm, mails=[], phones=[], there=there)
    assert (sides.mails(firm, espo_id), sides.phones(firm, espo_id)) == ([], [])
    assert len(sides.entries(firm, betnr)) == 3
