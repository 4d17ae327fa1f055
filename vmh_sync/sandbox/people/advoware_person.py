"""A person who works in the simulated Advoware."""

from typing import Any

import httpx

from vmh_sync.sandbox.made_up.party_forms import COUNTRY, MAIL_KIND
from vmh_sync.sandbox.made_up.values import MadeUp
from vmh_sync.sandbox.people.edits import EditRecord, Json, Kind

_PHONE_KINDS = (1, 2, 3, 6)
_MOBILE = 3


class OfficePerson:
    """Edits over the office's control path; draws values from ``made``. Offers no ``party_new``."""

    def __init__(self, url: str, client: httpx.AsyncClient, made: MadeUp) -> None:
        self._url = url
        self._client = client
        self._made = made
        self._parties: list[Json] = []

    async def look(self) -> None:
        """Read what the office holds now."""
        state = (await self._client.get(f"{self._url}/_sandbox/state")).raise_for_status().json()
        self._parties = state["beteiligte"]

    def parties(self) -> list[Json]:
        """Return all parties."""
        return self._parties

    def betnr(self, party: Json) -> int | None:
        """Return the party's number."""
        return int(party["betNr"])

    async def do(self, kind: Kind, party: Json | None) -> EditRecord | None:
        """Make one edit; see :class:`vmh_sync.sandbox.people.edits.Person`."""
        if party is None:
            return None
        match kind:
            case "field":
                return await self._field(party)
            case "phone_change" | "mail_change" | "mail_gone":
                return await self._entry(kind, party)
            case "phone_new" | "mail_new":
                return await self._new_entry(kind, party)
            case "address_change":
                return await self._move(party)
            case "address_new":
                values = self._address_values(party)
                return await self._add(kind, "Adressen", "adressen", party, values)
            case "account_new":
                iban, bic, bank = self._made.account()
                values = {"iban": iban, "bic": bic, "bank": bank, "kontoinhaber": party["name"]}
                return await self._add(kind, "Bankverbindungen", "bankverbindungen", party, values)
            case _:
                return None

    async def _field(self, party: Json) -> EditRecord:
        rng = self._made.rng
        name, new = rng.choice(
            (
                ("titel", rng.choice(("Dr.", "Prof.", "Dipl.-Ing.", "LL.M."))),
                ("bAnrede", f"Sehr geehrte/r {party['name']},"),
                ("zusatz", f"Büro {rng.randrange(1, 500)}"),
                ("name", f"{party['name'].strip()}-{rng.choice('ABCDEFGH')}"),
            )
        )
        old = party[name]
        party.update(await self._edit("Beteiligte", {"id": party["betNr"], "values": {name: new}}))
        return self._record("field", "Beteiligte", party["betNr"], party, name, old, new)

    async def _entry(self, kind: Kind, party: Json) -> EditRecord | None:
        wants_mail = kind.startswith("mail")
        entries = [e for e in party["kommunikation"] if e["tlf"] and (e["kommKz"] == MAIL_KIND) == wants_mail]
        entries = [e for e in entries if wants_mail or e["kommKz"] in _PHONE_KINDS]
        if not entries:
            return None
        entry = self._made.rng.choice(entries)
        old = entry["tlf"]
        if kind == "mail_gone":
            await self._edit("Kommunikation", {"id": entry["id"], "action": "delete"})
            party["kommunikation"].remove(entry)
            return self._record(kind, "Kommunikation", entry["id"], party, "tlf", old, None)
        new = self._value(entry["kommKz"])
        entry.update(await self._edit("Kommunikation", {"id": entry["id"], "values": {"tlf": new}}))
        return self._record(kind, "Kommunikation", entry["id"], party, "tlf", old, new)

    async def _new_entry(self, kind: Kind, party: Json) -> EditRecord | None:
        mail = kind == "mail_new"
        number = MAIL_KIND if mail else self._made.rng.choice(_PHONE_KINDS)
        if sum((e["kommKz"] == MAIL_KIND) == mail for e in party["kommunikation"]) >= 8:
            return None  # the CRM takes ten at most
        new = self._value(number)
        body = {"betNr": party["betNr"], "action": "create", "values": {"kommKz": number, "tlf": new}}
        entry = await self._edit("Kommunikation", body)
        party["kommunikation"].append(entry)
        return self._record(kind, "Kommunikation", entry["id"], party, "tlf", None, new)

    async def _move(self, party: Json) -> EditRecord | None:
        if not party["adressen"]:
            return None
        address = self._made.rng.choice(party["adressen"])
        old, new = address["strasse"], self._made.street()
        block = f"{party['name']}\r\n{new}\r\n{address['plz']} {address['ort']}"
        body = {"id": address["id"], "values": {"strasse": new, "anschrift": block}}
        address.update(await self._edit("Adressen", body))
        return self._record("address_change", "Adressen", address["id"], party, "strasse", old, new)

    async def _add(self, kind: Kind, entity: str, children: str, party: Json, values: Json) -> EditRecord:
        child = await self._edit(entity, {"betNr": party["betNr"], "action": "create", "values": values})
        party[children].append(child)
        return self._record(kind, entity, child["id"], party, "*", None, values)

    def _address_values(self, party: Json) -> Json:
        street, (code, town) = self._made.street(), self._made.town()
        block = f"{party['name']}\r\n{street}\r\n{code} {town}"
        return {"strasse": street, "plz": code, "ort": town, "land": COUNTRY, "anschrift": block}

    def _value(self, number: int) -> str:
        if number == MAIL_KIND:
            return self._made.mail("neu")
        return self._made.spelled(self._made.mobile() if number == _MOBILE else self._made.landline())

    async def _edit(self, entity: str, body: Json) -> Json:
        answer = await self._client.post(f"{self._url}/_sandbox/edit", json={"entity": entity, **body})
        record: Json = answer.raise_for_status().json()["record"] or {}
        return record

    def _record(self, kind: Kind, entity: str, number: int, party: Json, field: str, old: Any, new: Any) -> EditRecord:
        betnr = int(party["betNr"])
        return EditRecord(
            side="office",
            kind=kind,
            entity=entity,
            id=number,
            party=betnr,
            betnr=betnr,
            field=field,
            old=old,
            new=new,
        )
