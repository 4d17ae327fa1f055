"""Compares what both systems hold, from their own state and with rules of its own: nothing of the product is used."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import phonenumbers

from vmh_sync.sandbox.people.edits import EditRecord

Json = dict[str, Any]

# What both words of a pair mean; the CRM's word stands first.
ANREDE = {("Mr.", "Herr"), ("Ms.", "Frau"), ("Mrs.", "Frau"), ("", ""), ("", "Firma")}
PERSONAL_FORMS = {"", "Einzelperson", "Herr", "Frau"}
FORMS = {"Verein": "e.V.", "Firma": "Sonstige"}
TEXTS = {
    "titel": "titel",
    "zusatz": "zusatz",
    "briefAnrede": "bAnrede",
    "handelsregisterNummer": "handelsRegisterNummer",
    "registergericht": "registergericht",
}
MAIL_KINDS, PHONE_KINDS = {4, 8}, {1, 2, 3, 6, 7, 9, 10}


class Difference(NamedTuple):
    """Both sides say something else about one field of a party; ``records`` are the CRM records a task may hang at."""

    betnr: int
    field: str
    crm: Any
    office: Any
    records: frozenset[str]


class Sides(NamedTuple):
    """What both systems hold."""

    office: Json
    crm: Json

    def living(self, entity: str) -> list[Json]:
        return [row for row in self.crm["records"][entity] if not row["deleted"]]

    def party(self, betnr: int) -> Json | None:
        return next((row for row in self.office["beteiligte"] if row["betNr"] == betnr), None)

    def ids(self) -> list[str]:
        """Every record that the audit log may name."""
        names = ("CBeteiligte", "CAdressen", "CBankverbindungen")
        return [row["id"] for name in names for row in self.crm["records"][name]]

    def open_tasks(self) -> list[Json]:
        return [task for task in self.living("Task") if task["status"] not in ("Completed", "Canceled")]


def untold(sides: Sides) -> list[str]:
    """Return the differences that no open task names."""
    told = {task["parentId"] for task in sides.open_tasks()}
    return [str(difference) for difference in differences(sides) if not difference.records & told]


def lost(edits: Sequence[EditRecord], sides: Sides, traces: Sequence[str]) -> list[EditRecord]:
    """Return the edits whose value stands nowhere and is named by no audit row (``traces``) and no later edit."""
    stands = json.dumps([sides.office, sides.crm["records"]], ensure_ascii=False).casefold()
    told = json.dumps([*traces, *(edit["old"] for edit in edits)], ensure_ascii=False).casefold()
    said = _plain(stands + told)

    def is_said(value: object) -> bool:
        # A day in a date-time field is a day in the audit log.
        text = _plain(str(value).casefold().removesuffix(" 00:00:00"))
        return text in said or text.removeprefix("0049").removeprefix("0") in said

    return [edit for edit in edits if edit["new"] and not all(is_said(value) for value in _typed(edit))]


def _typed(edit: EditRecord) -> list[object]:
    new = edit["new"]
    if not isinstance(new, dict):
        return [new]
    return [new[name] for name in ("lastName", "strasse", "adresseStreet", "iban") if name in new]


def _plain(text: str) -> str:
    return re.sub(r"[\s/()-]", "", text)


def differences(sides: Sides) -> Iterator[Difference]:
    """Yield every field in which a CRM party and its number in the office do not say the same."""
    fields = sides.crm["fields"]["CBeteiligte"]
    for mine in sides.living("CBeteiligte"):
        children = [row["id"] for name in ("CAdressen", "CBankverbindungen") for row in _own(sides, name, mine["id"])]
        records = frozenset((mine["id"], *children))
        betnr = int(mine["betnr"] or 0)
        theirs = sides.party(betnr)
        if theirs is None:
            yield Difference(betnr, "betnr", mine["betnr"], None, records)
            continue
        for field, here, there in (*_master(mine, theirs, fields), *_contacts(mine, theirs)):
            if here != there:
                yield Difference(betnr, field, here, there, records)
        for field, here, there in (*_addresses(sides, mine, theirs), *_accounts(sides, mine, theirs)):
            if here != there:
                yield Difference(betnr, field, here, there, records)


def _master(mine: Json, theirs: Json, fields: Json) -> Iterator[tuple[str, Any, Any]]:
    yield "lastName", _text(mine["lastName"]), _text(theirs["name"])
    if mine["firmenname"]:
        yield "firmenname", _text(mine["firmenname"]), _text(theirs["name"])
    else:
        yield "firstName", _text(mine["firstName"]), _text(theirs["vorname"])
    for here, there in TEXTS.items():
        if here in fields:
            yield here, _text(mine[here]), _text(theirs[there])
    yield "dateOfBirth", (mine["dateOfBirth"] or "")[:10], (theirs["geburtsdatum"] or "")[:10]
    pair = (_text(mine["salutationName"]), _text(theirs["anrede"]))
    yield "salutationName", pair[0], pair[0] if pair in ANREDE else pair[1]
    form = _text(mine["rechtsform"])
    both_personal = form in PERSONAL_FORMS and _text(theirs["rechtsform"]) in PERSONAL_FORMS
    yield "rechtsform", "" if both_personal else FORMS.get(form, form), "" if both_personal else theirs["rechtsform"]


def _contacts(mine: Json, theirs: Json) -> Iterator[tuple[str, Any, Any]]:
    entries = [entry for entry in theirs["kommunikation"] if entry["tlf"]]
    yield (
        "emailAddressData",
        Counter(item["emailAddress"].casefold() for item in mine["emailAddressData"]),
        Counter(entry["tlf"].strip().casefold() for entry in entries if entry["kommKz"] in MAIL_KINDS),
    )
    yield (
        "phoneNumberData",
        Counter(_phone(item["phoneNumber"]) for item in mine["phoneNumberData"]),
        Counter(_phone(entry["tlf"]) for entry in entries if entry["kommKz"] in PHONE_KINDS),
    )


def _addresses(sides: Sides, mine: Json, theirs: Json) -> Iterator[tuple[str, Any, Any]]:
    here = [row for row in _own(sides, "CAdressen", mine["id"]) if row["istAktiv"]]
    names = ("adresseStreet", "adressePostalCode", "adresseCity")
    yield (
        "adressen",
        Counter(tuple(_text(row[name]) for name in names) for row in here),
        Counter(tuple(_text(row[name]) for name in ("strasse", "plz", "ort")) for row in theirs["adressen"]),
    )


def _accounts(sides: Sides, mine: Json, theirs: Json) -> Iterator[tuple[str, Any, Any]]:
    yield (
        "bankverbindungen",
        Counter(_iban(row["iban"]) for row in _own(sides, "CBankverbindungen", mine["id"])),
        Counter(_iban(row["iban"]) for row in theirs["bankverbindungen"]),
    )


def _own(sides: Sides, entity: str, party: str) -> list[Json]:
    return [row for row in sides.living(entity) if row["beteiligteId"] == party]


def _text(value: Any) -> str:
    return " ".join(str(value or "").split())


def _iban(value: Any) -> str:
    return re.sub(r"\s", "", str(value or "")).upper()


def _phone(value: str) -> str:
    try:
        return phonenumbers.format_number(phonenumbers.parse(value, "DE"), phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        return value


_SAME_CHILD: Mapping[str, Callable[[Json], tuple[str, ...]]] = {
    "kommunikation": lambda entry: (entry["tlf"],),
    "adressen": lambda address: (address["strasse"], address["plz"], address["ort"]),
    "bankverbindungen": lambda account: (_iban(account["iban"]),),
}
"""What tells the children of one party apart (entities.md 2 to 4); a street of the same name is in many towns."""


def doubled(sides: Sides) -> list[str]:
    """Return what stands twice: a party number, a party in the office that no record is waiting for, a child."""
    numbers = Counter(int(row["betnr"]) for row in sides.living("CBeteiligte") if row["betnr"])
    found = [f"betnr {number} at {count} records" for number, count in numbers.items() if count > 1]
    unlinked = {row["betNr"] for row in sides.office["beteiligte"]} - set(numbers)
    told = {task["parentId"] for task in sides.open_tasks()}
    # Where the office tells no number a person links what was created: one party for each such record, not more.
    asked = [row for row in sides.living("CBeteiligte") if not row["betnr"] and row["id"] in told]
    if len(unlinked) > len(asked):
        found.append(f"parties {sorted(unlinked)} in the office belong to no record, {len(asked)} are asked about")
    for row in sides.office["beteiligte"]:
        for kind, key in _SAME_CHILD.items():
            values = Counter(said for child in row[kind] if (said := key(child))[0])
            found += [f"{kind} of {row['betNr']}: twice" for count in values.values() if count > 1]
    return found
