"""A made-up firm whose two sides know nothing of each other: typed twice, with traces of an earlier system."""

from datetime import datetime, timedelta
from typing import Any

from vmh_sync.sandbox.made_up.population import Population

Json = dict[str, Any]

_LINKED_BEFORE, _TYPED_OTHERWISE, _TWICE, _OTHER_TITLE = 10, 4, 25, 9
"""Of so many parties one is linked already, one is typed otherwise, one stands in EspoCRM twice; of so many
appointments one has another title in Google."""
_LEFT = ("clean", "syncing", "failed", "permanently_failed")
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
_HASH = "9f86d081884c7d65"
_FIRM_ZONE = "Europe/Berlin"
"""The hours of appointments are those of the firm, whatever zone its Advoware stamps its changes with."""


def live_apart(population: Population) -> Json:
    """Take the links out of both sides; returns what stands in Google, without a mark of ours, for its ``seed``."""
    parties = {party["betNr"]: party for party in population.office["beteiligte"]}
    records = population.crm["records"]
    linked = [record for record in records["CBeteiligte"] if record.get("betnr")]
    for number, record in enumerate(linked):
        if number % _LINKED_BEFORE == 0:
            record |= {"syncStatus": _LEFT[number // _LINKED_BEFORE % len(_LEFT)], "kommunikationHash": _HASH}
            continue
        _forget_marks(parties[record["betnr"]])
        record |= {"betnr": None, "syncStatus": "pending_sync"}
        if number % _TYPED_OTHERWISE == 1:
            _type_otherwise(record, number)
        if number % _TWICE == 1:
            records["CBeteiligte"].append(_again(record))
    return _calendars(population.office)


def _forget_marks(party: Json) -> None:
    for child in (*party["kommunikation"], *party["adressen"]):
        child["bemerkung"] = ""


def _type_otherwise(record: Json, number: int) -> None:
    """Write umlauts out and leave the birth date out, or write a letter twice."""
    last = str(record["lastName"])
    record["lastName"] = last.translate(_SPELLED) if number % 2 else f"{last}{last[-1]}"
    record["dateOfBirth"] = None


def _again(record: Json) -> Json:
    """Return the record as somebody typed it a second time, knowing less of the person."""
    known = (
        "firstName",
        "lastName",
        "firmenname",
        "salutationName",
        "rechtsform",
        "phoneNumberData",
        "emailAddressData",
    )
    again = {name: record[name] for name in known if name in record}
    return again | {"id": f"2{record['id'][1:]}", "createdAt": record["modifiedAt"], "syncStatus": "pending_sync"}


def _calendars(office: Json) -> Json:
    own = [row for row in office["termine"] if _is_plain(row)]
    events = [_event(row, other=number % _OTHER_TITLE == 1) for number, row in enumerate(own)]
    names = sorted({event["calendar"] for event in events})
    return {"calendars": [{"summary": name} for name in names], "events": events}


def _is_plain(row: Json) -> bool:
    """Whether an appointment is of the kind that people type in both places: one day, with times."""
    odd = ("dauertermin", "abwesenheit", "privat", "fahrzeit")
    return bool(row.get("uhrzeitVon") and row.get("datumBis") == row["datum"]) and not any(map(row.get, odd))


def _event(row: Json, *, other: bool) -> Json:
    day = datetime.fromisoformat(row["datum"])
    begins, ends = (
        {"dateTime": (day + _since_midnight(row[name])).isoformat(), "timeZone": _FIRM_ZONE}
        for name in ("uhrzeitVon", "uhrzeitBis")
    )
    title = f"{row['text']} Mustermann" if other else row["text"]
    return {"calendar": f"AW-{row['sb']}", "summary": title, "start": begins, "end": ends}


def _since_midnight(time: str) -> timedelta:
    hours, minutes, seconds = map(int, time.split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)
