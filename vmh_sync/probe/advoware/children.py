"""Tries on entries, addresses and accounts of the scratch party (specification, advoware-wire.md 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vmh_sync.probe.advoware.calls import Calls, Json, rows, same
from vmh_sync.probe.texts import BIC, IBAN, PHONE, PHONE_AFTERWARDS, STREET, STREET_AFTERWARDS, TEXT
from vmh_sync.systems.advoware import wire

_KIND, _OTHER_KIND = 6, 3
_ENTRY: Json = {"tlf": PHONE, "bemerkung": TEXT, "kommKz": _KIND, "online": False}
_ENTRY_AFTERWARDS: Json = {"tlf": PHONE_AFTERWARDS, "bemerkung": f"{TEXT} 2", "online": True}
_ADDRESS: Json = {
    "strasse": STREET,
    "plz": "30159",
    "ort": "Hannover",
    "anschrift": f"{STREET}\r\n30159 Hannover",
    "land": TEXT,
    "postfach": "30159",
    "postfachPLZ": "30161",
    "bemerkung": TEXT,
    "gueltigVon": "2020-01-01T00:00:00",
    "gueltigBis": "2020-01-31T00:00:00",
}
_ADDRESS_AFTERWARDS: Json = {
    "strasse": STREET_AFTERWARDS,
    "plz": "30161",
    "ort": "Hannover-Probe",
    "anschrift": f"{STREET_AFTERWARDS}\r\n30161 Hannover-Probe",
    "land": f"{TEXT} 2",
    "postfach": "30161",
    "postfachPLZ": "30159",
    "bemerkung": f"{TEXT} 2",
    "gueltigVon": "2020-02-01T00:00:00",
    "gueltigBis": "2020-02-28T00:00:00",
}
_ADDRESS_PUT = ("strasse", "plz", "ort", "anschrift")
_ACCOUNT: Json = {"kontoinhaber": TEXT, "iban": IBAN, "bic": BIC, "bank": TEXT}


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    many: wire.Route
    one: wire.Route
    listed: str
    """Name of the list inside the party."""


ENTRY = _Kind("entry", wire.KOMMUNIKATIONEN, wire.KOMMUNIKATION, "kommunikation")
ADDRESS = _Kind("address", wire.ADRESSEN, wire.ADRESSE, "adressen")
ACCOUNT = _Kind(
    "account", wire.BANKVERBINDUNGEN, wire.Route(f"{wire.BANKVERBINDUNGEN.template}/{{key}}"), "bankverbindungen"
)

_LEFT = (
    (ENTRY, "bemerkung", ("ein Eintrag der Kommunikation", "Einträge der Kommunikation")),
    (ADDRESS, "bemerkung", ("eine Adresse", "Adressen")),
    (ACCOUNT, "kontoinhaber", ("eine Bankverbindung", "Bankverbindungen")),
)


async def left_behind(calls: Calls) -> list[str]:
    """Return in German what of this and earlier probes stands at the scratch party."""
    left = []
    for kind, name, (one, many) in _LEFT:
        count = sum(str(row.get(name) or "").startswith(TEXT) for row in await _read(calls, kind, "left"))
        left += [one if count == 1 else f"{count} {many}"] if count else []
    return left


async def try_entry(calls: Calls) -> None:
    """Create, change and try to delete an entry."""
    entry = await _create(calls, ENTRY, _ENTRY)
    calls.found("entry_post", bool(entry), "" if entry else "der neue Eintrag erscheint nicht")
    if not entry:
        for key in ("entry_kind_told", "entry_put", "entry_kind_fixed", "entry_delete", "child_keeps_row_id"):
            calls.not_tried(key, "kein Eintrag")
        return
    told = entry.get("kommKz") in wire.KOMM_KZ_TOLD
    calls.found("entry_kind_told", told)
    row_id = (await calls.party("entry_party_before")).get("rowId")
    changed = await _change(calls, ENTRY, entry, _ENTRY_AFTERWARDS)
    calls.fields("entry_put", _unlike(_ENTRY_AFTERWARDS, changed), "nicht übernommen")
    calls.found("child_keeps_row_id", (await calls.party("entry_party_after")).get("rowId") == row_id)
    other = await _change(calls, ENTRY, changed, {"kommKz": _OTHER_KIND}, "kind")
    if told:
        calls.found("entry_kind_fixed", other.get("kommKz") != _OTHER_KIND)
    else:
        calls.not_tried("entry_kind_fixed", "die Art wird nicht genannt")
    gone, answered = await _delete(calls, ENTRY, entry)
    calls.found("entry_delete", not gone, answered)


async def try_address(calls: Calls) -> None:
    """Create and change an address."""
    address = await _create(calls, ADDRESS, _ADDRESS)
    if not address:
        for key in ("address_post", "address_put", "address_put_more"):
            calls.not_tried(key, "die neue Adresse erscheint nicht")
        return
    calls.fields("address_post", _unlike(_ADDRESS, address), "nicht übernommen")
    changed = await _change(calls, ADDRESS, address, _ADDRESS_AFTERWARDS)
    unlike = _unlike(_ADDRESS_AFTERWARDS, changed)
    calls.fields("address_put", tuple(name for name in _ADDRESS_PUT if name in unlike), "nicht übernommen")
    more = tuple(name for name in _ADDRESS_AFTERWARDS if name not in (*unlike, *_ADDRESS_PUT))
    calls.fields("address_put_more", more, "werden übernommen")
    await calls.call("address_delete", "DELETE", wire.ADRESSE, key=address["id"])


async def try_account(calls: Calls) -> None:
    """Create an account and try to change and delete it."""
    account = await _create(calls, ACCOUNT, _ACCOUNT)
    if not account:
        calls.not_tried("account_post", "die neue Bankverbindung erscheint nicht")
        calls.not_tried("account_fixed", "keine Bankverbindung")
        return
    calls.fields("account_post", _unlike(_ACCOUNT, account), "nicht übernommen")
    other = {"bank": f"{TEXT} 2"}
    changed = not _unlike(other, await _change(calls, ACCOUNT, account, other))
    gone, answered = await _delete(calls, ACCOUNT, account)
    calls.found("account_fixed", not changed and not gone, f"{'PUT übernommen; ' if changed else ''}{answered}")


async def _create(calls: Calls, kind: _Kind, values: Json) -> Json:
    """Create a child; returns it as read afterwards, empty where it does not show."""
    before = {row.get("id") for row in await _read(calls, kind, "before")}
    if not (await calls.call(f"{kind.name}_post", "POST", kind.many, body=values)).succeeded:
        return {}
    new = [row for row in await _read(calls, kind, "created") if row.get("id") not in before]
    return new[0] if len(new) == 1 and isinstance(new[0].get("id"), int) else {}


async def _change(calls: Calls, kind: _Kind, child: Json, values: Json, what: str = "put") -> Json:
    await calls.call(f"{kind.name}_{what}", "PUT", kind.one, key=child["id"], body=child | values)
    return next((row for row in await _read(calls, kind, what) if row.get("id") == child["id"]), {})


async def _delete(calls: Calls, kind: _Kind, child: Json) -> tuple[bool, str]:
    """Return whether a child is gone, whatever the answer said, and what it said."""
    answer = (await calls.call(f"{kind.name}_delete", "DELETE", kind.one, key=child["id"])).answer
    gone = all(row.get("id") != child["id"] for row in await _read(calls, kind, "deleted"))
    return gone, f"Antwort {answer.status}, danach {'nicht mehr' if gone else 'noch'} da"


async def _read(calls: Calls, kind: _Kind, when: str) -> list[Json]:
    """Return the children as the party or their own list tells them."""
    party = (await calls.call(f"{kind.name}_read_{when}", "GET", wire.BETEILIGTER)).record
    inside: Any = party.get(kind.listed)
    if isinstance(inside, list):
        return [row for row in inside if isinstance(row, dict)]
    return rows(await calls.call(f"{kind.name}_list_{when}", "GET", kind.many)) or []


def _unlike(sent: Mapping[str, object], shown: Json) -> tuple[str, ...]:
    """Return the fields that do not show what was sent; a kind that is not told (0) is none of them."""
    return tuple(name for name, value in sent.items() if name != "kommKz" and not same(value, shown.get(name)))
