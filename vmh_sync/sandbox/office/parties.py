"""``Beteiligte`` and their children as the simulated Advoware serves them (wire contract 3)."""

from starlette.requests import Request
from starlette.responses import Response

from vmh_sync.sandbox.office.answers import ApiError, gone, json_answer, refused, single, written
from vmh_sync.sandbox.office.body import json_object
from vmh_sync.sandbox.office.fields import (
    ADDRESS_FIELDS,
    ADDRESS_UPDATE,
    BANK_FIELDS,
    KOMM_ART,
    KOMM_CREATE,
    KOMM_UPDATE,
    PARTY_FIELDS,
    PARTY_WRITABLE,
    Json,
    taken,
)
from vmh_sync.sandbox.office.records import Office, Party, encode

# path segment -> (list in the party, fields of POST, fields that PUT honours; none: PUT is refused)
_CHILDREN: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "Kommunikationen": ("kommunikation", KOMM_CREATE, KOMM_UPDATE),
    "Adressen": ("adressen", ADDRESS_FIELDS, ADDRESS_UPDATE),
    "Bankverbindungen": ("bankverbindungen", BANK_FIELDS, ()),
}


class PartyCalls:
    """The calls below ``Beteiligte``."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def collection(self, request: Request) -> Response:
        """``GET Beteiligte?search=`` and ``POST Beteiligte``."""
        if request.method == "GET":
            return self._search(request)
        values = taken(await json_object(request), PARTY_FIELDS)
        _require_name(values)
        ignored = self._office.switches.post_ignores
        party = self._office.add_party({name: value for name, value in values.items() if name not in ignored})
        return self._written_party(party)

    def _search(self, request: Request) -> Response:
        text = request.query_params.get("search")
        if not self._office.switches.search:
            raise gone("Die Ressource")
        if not text:
            raise ApiError(400, "Der Parameter search fehlt.")
        return json_answer(b"[" + b",".join(self._office.encoded(party) for party in self._office.search(text)) + b"]")

    async def one(self, request: Request) -> Response:
        """``GET``, ``PUT`` and ``DELETE Beteiligte/{betNr}``."""
        party = self._party(request)
        if request.method == "GET":
            return single(self._office.switches, self._office.encoded(party))
        if request.method == "DELETE":
            raise refused()
        values = self._honoured(await json_object(request))
        _require_name({"name": values.get("name", party.own["name"])})
        self._office.change_party(party, values)
        return self._written_party(party)

    def _honoured(self, body: Json) -> Json:
        """Return what a PUT changes: the fields that this firm honours, those left out emptied unless it keeps them."""
        ignored, keeps = self._office.switches.put_ignores, self._office.config.firm.put_keeps
        names = tuple(name for name in PARTY_WRITABLE if name not in ignored)
        return taken(body, tuple(name for name in names if name in body) if keeps else names)

    def _written_party(self, party: Party) -> Response:
        record = self._office.shown(self._office.party_json(party))
        return written(self._office.switches, record, party.own["betNr"])

    async def children(self, request: Request) -> Response:
        """``GET`` and ``POST Beteiligte/{betNr}/<Kind>``."""
        party = self._party(request)
        kind, names, _ = _CHILDREN[request.path_params["kind"]]
        if request.method == "GET":
            if kind == "kommunikation" or not self._office.switches.separate_lists:
                raise gone("Die Ressource")
            return json_answer(encode([self._office.shown(child) for child in party.children(kind).values()]))
        values = taken(await json_object(request), names)
        if kind == "kommunikation" and values["kommKz"] not in KOMM_ART:
            raise ApiError(400, "Das Feld kommKz muss zwischen 1 und 12 liegen.", as_json=True)
        child = self._office.add_child(party, kind, values)
        return self._written_child(kind, child)

    async def child(self, request: Request) -> Response:
        """``PUT`` and ``DELETE Beteiligte/{betNr}/<Kind>/{id}``."""
        party = self._party(request)
        kind, _, honoured = _CHILDREN[request.path_params["kind"]]
        child = party.children(kind).get(request.path_params["id"])
        if child is None:
            raise gone("Der Eintrag")
        if request.method == "DELETE" or not honoured:
            raise refused()
        self._office.change_child(party, child, taken(await json_object(request), honoured))
        return self._written_child(kind, child)

    def _written_child(self, kind: str, child: Json) -> Response:
        record = self._office.komm_json(child) if kind == "kommunikation" else child
        return written(self._office.switches, self._office.shown(record), child["id"])

    def _party(self, request: Request) -> Party:
        party = self._office.parties.get(request.path_params["betnr"])
        if party is None:
            raise gone("Der Beteiligte")
        return party


def _require_name(values: Json) -> None:
    if not str(values["name"]).strip():
        raise ApiError(400, "Das Feld name darf nicht leer sein.", as_json=True)
