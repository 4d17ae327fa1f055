"""``Termine`` and ``Mitarbeiter`` as the simulated Advoware serves them (wire contract 3; kalender.md 2)."""

from datetime import datetime, time

from starlette.requests import Request
from starlette.responses import Response

from vmh_sync.sandbox.office.answers import ApiError, gone, json_answer, refused, single, written
from vmh_sync.sandbox.office.body import json_object
from vmh_sync.sandbox.office.fields import TERMIN_FIELDS, Json, taken
from vmh_sync.sandbox.office.records import Office, encode

EVERYBODY = frozenset({"", "alle", "allgemein"})


class CalendarCalls:
    """The calls ``Termine`` and ``Mitarbeiter``."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def employees(self, request: Request) -> Response:
        """``GET Mitarbeiter?aktiv=true``."""
        only_active = request.query_params.get("aktiv", "").lower() == "true"
        rows = [row for row in self._office.employees.values() if row["aktiv"] or not only_active]
        return json_answer(encode(rows))

    async def termine(self, request: Request) -> Response:
        """``GET``, ``POST``, ``PUT`` and ``DELETE Termine``."""
        if request.method == "POST":
            values = self._values(await json_object(request))
            termin = add_termin(self._office, values)
            return written(self._office.switches, termin, termin["frNr"])
        # Lower case only: a "frNr" is silently not a filter.
        frnr = request.query_params.get("frnr")
        if request.method == "GET":
            return self._list(request) if frnr is None else self._one(frnr)
        if frnr is None:
            raise ApiError(400, "Der Parameter frnr fehlt.")
        termin = self._find(frnr)
        if termin["frNr"] < 0:
            raise refused()
        if request.method == "DELETE":
            del self._office.termine[termin["frNr"]]
            return Response(status_code=204)
        change_termin(self._office, termin, self._values(await json_object(request)))
        return written(self._office.switches, termin, termin["frNr"])

    def _one(self, frnr: str) -> Response:
        return single(self._office.switches, encode(self._find(frnr)))

    def _find(self, frnr: str) -> Json:
        termin = self._office.termine.get(int(frnr)) if frnr.lstrip("-").isdigit() else None
        if termin is None:
            raise gone("Der Termin")
        return termin

    def _list(self, request: Request) -> Response:
        query = request.query_params
        kuerzel = query.get("kuerzel")
        begin, end = _bound(query.get("from"), "from"), _bound(query.get("to"), "to")
        rows = [
            termin
            for termin in self._office.termine.values()
            if (kuerzel is None or concerns(termin, kuerzel)) and touches(termin, begin, end)
        ]
        return json_answer(encode(rows))

    def _values(self, body: Json) -> Json:
        values = taken(body, TERMIN_FIELDS)
        if not values["datum"]:
            raise ApiError(400, "Das Feld datum darf nicht leer sein.", as_json=True)
        return values


def add_termin(office: Office, values: Json, at: datetime | None = None) -> Json:
    """Create an appointment; a ``frNr`` in the values is kept."""
    number = office.next_frnr(values.get("frNr"))
    stamp = values.get("zuletztGeaendertAm") or office.local_now(at)
    termin: Json = {"frNr": number, **taken(values, TERMIN_FIELDS), "zuletztGeaendertAm": stamp}
    office.termine[number] = termin
    return termin


def change_termin(office: Office, termin: Json, values: Json, at: datetime | None = None) -> None:
    """Write fields of an appointment and move its time stamp."""
    termin.update(values)
    termin["zuletztGeaendertAm"] = office.local_now(at)


def concerns(termin: Json, kuerzel: str) -> bool:
    """Tell whether the appointment stands in that employee's calendar; nobody named means everybody."""
    named = {str(termin["anwalt"] or "").casefold(), str(termin["sb"] or "").casefold()} - {""}
    return not named or bool(named & EVERYBODY) or kuerzel.casefold() in named


def touches(termin: Json, begin: datetime | None, end: datetime | None) -> bool:
    """Tell whether the appointment (a series: from its first to its last day) touches the window."""
    first = _moment(termin["datum"], termin["uhrzeitVon"], time.min)
    last = _moment(termin["datumBis"] or termin["datum"], termin["uhrzeitBis"], time.max)
    return (end is None or first <= end) and (begin is None or last >= begin)


def _moment(day: str, clock: str | None, default: time) -> datetime:
    date = datetime.fromisoformat(day).date()
    return datetime.combine(date, time.fromisoformat(clock) if clock else default)


def _bound(text: str | None, name: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError as error:
        raise ApiError(400, f"Der Parameter {name} enthält kein gültiges Datum.") from error
