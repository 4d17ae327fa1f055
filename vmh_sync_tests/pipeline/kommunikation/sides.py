"""What people do to phones and e-mails on both sides, and what stands there."""

from typing import Any

from vmh_sync_tests.fixtures.firm import Firm

Json = dict[str, Any]


def mail(address: str, **more: Any) -> Json:
    return {"emailAddress": address, "primary": False, "optOut": False, "invalid": False, **more}


def phone(number: str, kind: str = "Office", **more: Any) -> Json:
    return {"phoneNumber": number, "type": kind, "primary": False, "optOut": False, "invalid": False, **more}


def entries(firm: Firm, betnr: int) -> dict[int, Json]:
    """Advoware's entries by id, kinds told whatever the switches say."""
    return {entry["id"]: entry for entry in firm.office_record(betnr)["kommunikation"]}


def entry(firm: Firm, betnr: int, tlf: str) -> Json:
    """The one entry with this value."""
    (found,) = [one for one in entries(firm, betnr).values() if one["tlf"] == tlf]
    return found


def values(firm: Firm, betnr: int) -> list[str]:
    return sorted(one["tlf"] for one in entries(firm, betnr).values() if one["tlf"])


def mails(firm: Firm, espo_id: str) -> list[Json]:
    return list(firm.crm_record(espo_id)["emailAddressData"])


def phones(firm: Firm, espo_id: str) -> list[Json]:
    return list(firm.crm_record(espo_id)["phoneNumberData"])


def numbers(firm: Firm, espo_id: str) -> list[str]:
    return sorted(one["phoneNumber"] for one in phones(firm, espo_id))


def addresses(firm: Firm, espo_id: str) -> list[str]:
    return sorted(one["emailAddress"] for one in mails(firm, espo_id))


def office_add(firm: Firm, betnr: int, tlf: str, kind: int, **more: Any) -> int:
    """A person adds an entry in Advoware."""
    given = {"tlf": tlf, "kommKz": kind, **more}
    return int(firm.office.edit("Kommunikation", "create", betNr=betnr, values=given)["id"])


def office_change(firm: Firm, number: int, **more: Any) -> None:
    firm.office.edit("Kommunikation", "update", id=number, values=more)


def office_delete(firm: Firm, number: int) -> None:
    firm.office.edit("Kommunikation", "delete", id=number)


def party(firm: Firm, *, mails: list[Json] | None = None, phones: list[Json] | None = None) -> tuple[str, int]:
    """A synced party with these lists in EspoCRM."""
    given: Json = {}
    if mails:
        given["emailAddressData"] = mails
    if phones:
        given["phoneNumberData"] = phones
    return firm.linked_party(**given)


def writes(firm: Firm, espo_id: str) -> dict[str, int]:
    return dict(firm.sync(espo_id).writes)


NOTHING = {"advoware": 0, "espocrm": 0, "google": 0}
