"""A person who works in the simulated EspoCRM."""

from typing import Any

import httpx

from vmh_sync.sandbox.made_up.party_forms import COUNTRY, crm_mail, crm_phone
from vmh_sync.sandbox.made_up.values import MadeUp
from vmh_sync.sandbox.people.edits import EditRecord, Json, Kind

_MAIL = ("emailAddressData", "emailAddress")
_PHONE = ("phoneNumberData", "phoneNumber")
_MOST_ITEMS = 8  # EspoCRM takes ten; two are left for what comes from the other side


class CrmPerson:
    """Edits over the CRM's control path; draws values from ``made``."""

    def __init__(self, url: str, client: httpx.AsyncClient, made: MadeUp) -> None:
        self._url = url
        self._client = client
        self._made = made
        self._parties: list[Json] = []
        self._fields: dict[str, str] = {}
        self._salutations: list[str] = []
        self._addresses: dict[str, list[Json]] = {}

    async def look(self) -> None:
        """Read what the CRM holds now."""
        answer = (await self._client.get(f"{self._url}/_sandbox/state")).raise_for_status().json()
        state, self._fields = answer["records"], answer["fields"]["CBeteiligte"]
        self._salutations = answer["options"]["CBeteiligte"]["salutationName"]
        self._parties = sorted((row for row in state["CBeteiligte"] if not row["deleted"]), key=lambda row: row["id"])
        self._addresses = {}
        for row in state["CAdressen"]:
            if not row["deleted"] and row["istAktiv"]:
                self._addresses.setdefault(row["beteiligteId"], []).append(row)

    def parties(self) -> list[Json]:
        """Return all parties that are not deleted."""
        return self._parties

    def betnr(self, party: Json) -> int | None:
        """Return the party's number in the office, if it has one."""
        return None if party.get("betnr") is None else int(party["betnr"])

    async def do(self, kind: Kind, party: Json | None) -> EditRecord | None:
        """Make one edit; see :class:`vmh_sync.sandbox.people.edits.Person`."""
        if kind == "party_new" or party is None:
            return await self._new_party()
        match kind:
            case "field":
                return await self._field(party)
            case "address_change":
                return await self._move(party)
            case "address_new":
                return await self._new_address(party)
            case "account_new":
                return await self._new_account(party)
            case _:
                return await self._contact(kind, party)

    async def _new_party(self) -> EditRecord:
        salutation, first, last = self._made.person()
        values: Json = {
            "salutationName": salutation if salutation in self._salutations else "",
            "firstName": first,
            "lastName": last,
            "emailAddressData": [crm_mail(self._made.mail(first, last), primary=True)],
            "phoneNumberData": [crm_phone(self._made.mobile(), "Mobile", primary=True)],
        }
        party_id = await self._edit("CBeteiligte", None, values)
        self._parties.append({"id": party_id, "betnr": None, **values})
        return self._record("party_new", "CBeteiligte", party_id, {"id": party_id}, "*", None, values)

    async def _field(self, party: Json) -> EditRecord:
        rng = self._made.rng
        choices: list[tuple[str, str]] = [
            ("titel", rng.choice(("Dr.", "Prof.", "Mag.", "RA"))),
            ("briefAnrede", f"Guten Tag {party['lastName']},"),
            ("zusatz", f"Zimmer {rng.randrange(1, 500)}"),
        ]
        choices = [choice for choice in choices if choice[0] in self._fields]
        if not party.get("firmenname") and party.get("firstName"):
            choices.append(("firstName", f"{party['firstName']} {rng.choice(('Maria', 'Jan', 'Kim', 'Toni'))}"))
            born = f"{rng.randrange(1940, 2004)}-0{rng.randrange(1, 9)}-1{rng.randrange(9)}"
            midnight = " 00:00:00" if self._fields["dateOfBirth"] == "datetime" else ""
            choices.append(("dateOfBirth", born + midnight))
        name, new = rng.choice(choices)
        new = new[:100]
        old = party.get(name)
        await self._edit("CBeteiligte", party["id"], {name: new})
        party[name] = new
        return self._record("field", "CBeteiligte", party["id"], party, name, old, new)

    async def _contact(self, kind: Kind, party: Json) -> EditRecord | None:
        data, attribute = _MAIL if kind.startswith("mail") else _PHONE
        items: list[Json] = [dict(item) for item in party.get(data) or []]
        if kind in ("mail_new", "phone_new"):
            changed = self._with_new(kind, items)
        elif items:
            changed = self._without_or_other(kind, attribute, items)
        else:
            return None
        if changed is None:
            return None
        items, old, new = changed
        await self._edit("CBeteiligte", party["id"], {data: items})
        party[data] = items
        return self._record(kind, "CBeteiligte", party["id"], party, data, old, new)

    def _with_new(self, kind: Kind, items: list[Json]) -> tuple[list[Json], Any, Any] | None:
        if len(items) >= _MOST_ITEMS:
            return None
        if kind == "mail_new":
            mail = self._made.mail("zusatz")
            return [*items, crm_mail(mail, primary=not items)], None, mail
        kinds = (("Office", self._made.landline), ("Mobile", self._made.mobile), ("Home", self._made.landline))
        phone_type, draw = self._made.rng.choice(kinds)
        number = draw()
        return [*items, crm_phone(number, phone_type, primary=not items)], None, number

    def _without_or_other(self, kind: Kind, attribute: str, items: list[Json]) -> tuple[list[Json], Any, Any]:
        place = self._made.rng.randrange(len(items))
        item = items[place]
        old = item[attribute]
        if kind == "mail_gone":
            del items[place]
            if items and item["primary"]:
                items[0]["primary"] = True
            return items, old, None
        if kind == "mail_change":
            items[place] = {**item, **crm_mail(self._made.mail("anders"), primary=item["primary"])}
        else:
            number = self._made.mobile() if item["type"] == "Mobile" else self._made.landline()
            items[place] = {**item, "phoneNumber": number}
        return items, old, items[place][attribute]

    async def _move(self, party: Json) -> EditRecord | None:
        addresses = self._addresses.get(party["id"])
        if not addresses:
            return None
        address = self._made.rng.choice(addresses)
        old, new = address["adresseStreet"], self._made.street()
        await self._edit("CAdressen", address["id"], {"adresseStreet": new})
        address["adresseStreet"] = new
        return self._record("address_change", "CAdressen", address["id"], party, "adresseStreet", old, new)

    async def _new_address(self, party: Json) -> EditRecord:
        street, (code, town) = self._made.street(), self._made.town()
        values = {
            "name": f"{street}, {town}",
            "beteiligteId": party["id"],
            "adresseStreet": street,
            "adressePostalCode": code,
            "adresseCity": town,
            "adresseCountry": COUNTRY,
        }
        number = await self._edit("CAdressen", None, values)
        self._addresses.setdefault(party["id"], []).append({"id": number, **values})
        return self._record("address_new", "CAdressen", number, party, "*", None, values)

    async def _new_account(self, party: Json) -> EditRecord:
        iban, bic, bank = self._made.account()
        owner = f"{party.get('firstName') or ''} {party['lastName']}".strip()
        values = {"name": bank, "beteiligteId": party["id"], "iban": iban, "bic": bic, "bankname": bank}
        values["kontoinhaber"] = owner
        number = await self._edit("CBankverbindungen", None, values)
        return self._record("account_new", "CBankverbindungen", number, party, "*", None, values)

    async def _edit(self, entity: str, record_id: str | None, values: Json) -> str:
        action = "update" if record_id else "create"
        body = {"entity": entity, "id": record_id, "action": action, "values": values}
        answer = await self._client.post(f"{self._url}/_sandbox/edit", json=body)
        return str(answer.raise_for_status().json()["id"])

    def _record(
        self, kind: Kind, entity: str, record_id: str, party: Json, field: str, old: Any, new: Any
    ) -> EditRecord:
        return EditRecord(
            side="crm",
            kind=kind,
            entity=entity,
            id=record_id,
            party=party["id"],
            betnr=self.betnr(party),
            field=field,
            old=old,
            new=new,
        )
