"""People in the office, and the switches behind the control paths of the simulated Advoware."""

from collections.abc import Callable
from datetime import datetime

from pydantic import ValidationError

from vmh_sync.sandbox.control import ControlError
from vmh_sync.sandbox.office.fields import (
    ADDRESS_FIELDS,
    BANK_FIELDS,
    EMPLOYEE_FIELDS,
    KOMM_CREATE,
    PARTY_FIELDS,
    TERMIN_FIELDS,
    BadValueError,
    Json,
    checked,
    taken,
)
from vmh_sync.sandbox.office.records import CHILD_LISTS, Office, Party
from vmh_sync.sandbox.office.termine import add_termin, change_termin
from vmh_sync.sandbox.office.token import Gate

_CHILD_FIELDS = {"kommunikation": KOMM_CREATE, "adressen": ADDRESS_FIELDS, "bankverbindungen": BANK_FIELDS}
_ALL_FIELDS = {**_CHILD_FIELDS, "beteiligte": PARTY_FIELDS, "termine": TERMIN_FIELDS, "mitarbeiter": EMPLOYEE_FIELDS}


class OfficeHooks:
    """Control hooks of the simulated Advoware.

    ``edit`` takes ``{"entity", "action": create|update|delete, "values"}`` plus ``id`` (or ``betNr``, ``frNr``,
    ``kuerzel``), ``betNr`` of the party when a child is created, and optionally ``at`` (ISO, aware) as the time of
    the edit. A person may write every field. Entities: Beteiligte, Kommunikation, Adressen, Bankverbindungen,
    Termine, Mitarbeiter. It answers ``{"id", "record"}`` (``record`` is null after a delete).

    Commands: ``switches`` (fields of :class:`Switches`), ``expire_tokens``, ``token_counts``.
    """

    def __init__(self, office: Office, gate: Gate) -> None:
        self._office = office
        self._gate = gate

    def state(self) -> Json:
        """Return everything the office holds, and how often a token was asked for and given."""
        return {**self._office.dump(), "tokens": {"requests": self._gate.requests, "granted": self._gate.granted}}

    def reset(self, body: Json) -> Json:
        """Forget records, tokens and switches; ``{"keep_tokens": true}`` leaves the logins alone."""
        self._office.reset()
        if not body.get("keep_tokens"):
            self._gate.reset()
        return {"ok": True}

    def command(self, name: str, body: Json) -> Json:
        """Run ``switches``, ``expire_tokens`` or ``token_counts``."""
        if name == "switches":
            try:
                self._office.set_switches(body)
            except ValidationError as error:
                raise ControlError("; ".join(f"{e['loc']}: {e['msg']}" for e in error.errors())) from error
            return self._office.switches.model_dump()
        if name == "expire_tokens":
            return {"expired": self._gate.expire_tokens()}
        if name == "token_counts":
            return {"requests": self._gate.requests, "granted": self._gate.granted}
        raise ControlError(f"no command {name}")

    # seeding

    def seed(self, body: Json) -> Json:
        """Add ``beteiligte`` (children inside), ``mitarbeiter`` and ``termine``; numbers given are kept."""
        for values in body.get("beteiligte", []):
            party = self._office.add_party({**values, **_checked(values, PARTY_FIELDS)})
            for kind in CHILD_LISTS:
                for child in values.get(kind, []):
                    self._add_child(party, kind, child)
        for values in body.get("mitarbeiter", []):
            self._add_employee(values)
        for values in body.get("termine", []):
            add_termin(self._office, values)
        return {name: len(body.get(name, [])) for name in ("beteiligte", "mitarbeiter", "termine")}

    def _add_child(self, party: Party, kind: str, values: Json) -> Json:
        fixed = {name: values[name] for name in ("id", "rowId") if values.get(name) is not None}
        fields = taken(values, _CHILD_FIELDS[kind])
        return self._office.add_child(party, kind, {**fields, **fixed})

    def _add_employee(self, values: Json) -> Json:
        row = {**taken(values, EMPLOYEE_FIELDS), "aktiv": values.get("aktiv", True)}
        if not row["kuerzel"]:
            raise ControlError("Mitarbeiter: kuerzel is missing")
        self._office.employees[row["kuerzel"]] = row
        return row

    # people

    def edit(self, body: Json) -> Json:
        """Do what a person in the office does."""
        kind = str(body.get("entity", "")).casefold()
        action = body.get("action", "update")
        fields = _ALL_FIELDS.get(kind)
        if fields is None or action not in ("create", "update", "delete"):
            raise ControlError(f"no entity {body.get('entity')} or action {action}")
        values = body.get("values") or {}
        unknown = set(values) - set(fields) - ({"betNr", "frNr", "id"} if action == "create" else set())
        if unknown:
            raise ControlError(f"{body['entity']} has no field {', '.join(sorted(unknown))}")
        at = datetime.fromisoformat(body["at"]) if body.get("at") else None
        handler: Callable[[Json, str, Json, datetime | None], Json] = {
            "beteiligte": self._edit_party,
            "termine": self._edit_termin,
            "mitarbeiter": self._edit_employee,
        }.get(kind) or (lambda b, a, v, t: self._edit_child(kind, b, a, v))
        try:
            return handler(body, action, values, at)
        except BadValueError as error:
            raise ControlError(str(error)) from error

    def _edit_party(self, body: Json, action: str, values: Json, at: datetime | None) -> Json:
        if action == "create":
            party = self._office.add_party({**values, **_checked(values, PARTY_FIELDS)}, at)
            return {"id": party.own["betNr"], "record": self._office.party_json(party, everything=True)}
        party = self._party(_number(body, "id", "betNr"))
        number = party.own["betNr"]
        if action == "delete":
            del self._office.parties[number]
            return {"id": number, "record": None}
        self._office.change_party(party, _checked(values, PARTY_FIELDS), at)
        return {"id": number, "record": self._office.party_json(party, everything=True)}

    def _edit_child(self, kind: str, body: Json, action: str, values: Json) -> Json:
        if action == "create":
            child = self._add_child(self._party(_number(body, "betNr")), kind, values)
            return {"id": child["id"], "record": child}
        number = _number(body, "id")
        found = self._office.find_child(kind, number)
        if found is None:
            raise ControlError(f"no {kind} {number}")
        party, child = found
        if action == "delete":
            self._office.remove_child(party, kind, number)
            return {"id": number, "record": None}
        self._office.change_child(party, child, _checked(values, _CHILD_FIELDS[kind]))
        return {"id": number, "record": child}

    def _edit_termin(self, body: Json, action: str, values: Json, at: datetime | None) -> Json:
        if action == "create":
            termin = add_termin(self._office, values, at)
            return {"id": termin["frNr"], "record": termin}
        number = _number(body, "id", "frNr")
        found = self._office.termine.get(number)
        if found is None:
            raise ControlError(f"no Termin {number}")
        if action == "delete":
            del self._office.termine[number]
            return {"id": number, "record": None}
        change_termin(self._office, found, _checked(values, TERMIN_FIELDS), at)
        return {"id": number, "record": found}

    def _edit_employee(self, body: Json, action: str, values: Json, at: datetime | None) -> Json:
        if action == "create":
            row = self._add_employee(values)
            return {"id": row["kuerzel"], "record": row}
        kuerzel = body.get("id") or body.get("kuerzel")
        found = self._office.employees.get(str(kuerzel))
        if found is None:
            raise ControlError(f"no Mitarbeiter {kuerzel}")
        if action == "delete":
            del self._office.employees[found["kuerzel"]]
            return {"id": kuerzel, "record": None}
        found.update(_checked(values, EMPLOYEE_FIELDS))
        return {"id": kuerzel, "record": found}

    def _party(self, number: int) -> Party:
        party = self._office.parties.get(number)
        if party is None:
            raise ControlError(f"no Beteiligter {number}")
        return party


def _checked(values: Json, names: tuple[str, ...]) -> Json:
    return {name: checked(name, values[name]) for name in names if name in values}


def _number(body: Json, *names: str) -> int:
    for name in names:
        if isinstance(body.get(name), int):
            return int(body[name])
    raise ControlError(f"{body.get('entity')}: {' or '.join(names)} is missing")
