"""Tries on the scratch party itself (specification, advoware-wire.md 3 "Beteiligte")."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from vmh_sync.clock import Clock
from vmh_sync.first_contact.advoware_list import CUT_FROM
from vmh_sync.probe.advoware.calls import Calls, Json, rows, same
from vmh_sync.probe.recording import Exchange
from vmh_sync.probe.texts import NOBODY, TEXT
from vmh_sync.systems.advoware import wire

_NAMES = ("name", "vorname", "rechtsform", "anrede", "titel", "bAnrede", "zusatz", "geburtsdatum")
_POST_ONLY = ("handelsRegisterNummer", "registergericht")
_OTHER: Mapping[str, tuple[str, str]] = {
    "rechtsform": ("Sonstige", "GbR"),
    "anrede": ("Frau", "Herr"),
    "titel": ("Prof.", "Dr."),
    "geburtsdatum": ("1980-05-17T00:00:00", "1981-06-18T00:00:00"),
}
_COMMON_LETTERS = "enai"
_UNKNOWN_NUMBER = 2_147_483_646


async def read_party(calls: Calls) -> Json:
    """Read the party: number, names, children. Returns the party, empty where nothing could be read."""
    party = await calls.party("party_read")
    keys = [name for name in ("betNr", "rowId") if not party.get(name)]
    right = not keys and party["betNr"] == calls.betnr
    calls.found("party_read", right, f"fehlt: {', '.join(keys)}" if keys else "")
    if not right:
        return {}
    missing = tuple(name for name in (*_NAMES, *_POST_ONLY, "geaendertAm") if name not in party)
    calls.fields("party_names", missing, "fehlen")
    await _children(calls, party)
    unknown = await calls.client.exchange("GET", wire.BETEILIGTER.path(betnr=_UNKNOWN_NUMBER))
    calls.found("unknown_number", unknown.status == 404, f"Antwort {unknown.status}")
    return party


async def _children(calls: Calls, party: Json) -> None:
    embedded = all(isinstance(party.get(name), list) for name in ("adressen", "bankverbindungen"))
    lists = [
        await calls.call("address_list", "GET", wire.ADRESSEN),
        await calls.call("account_list", "GET", wire.BANKVERBINDUNGEN),
    ]
    listed = all(rows(each) is not None for each in lists)
    ways = [way for way, found in (("im Beteiligten", embedded), ("eigene Listen", listed)) if found]
    calls.found("children_read", bool(ways), " und ".join(ways))


async def try_search(calls: Calls, party: Json) -> None:
    """Search for what nobody holds and for the party's own name."""
    nobody = await calls.call("search_nobody", "GET", wire.BETEILIGTE, params={wire.QUERY_SEARCH: NOBODY})
    if not nobody.succeeded:
        calls.found("search", False, f"Antwort {nobody.answer.status}")
        return
    if rows(nobody):
        calls.found("search", False, "der Suchtext wird nicht beachtet")
        return
    own = await calls.call("search_own", "GET", wire.BETEILIGTE, params={wire.QUERY_SEARCH: party.get("name") or ""})
    found = any(row.get("betNr") == calls.betnr for row in rows(own) or [])
    calls.found("search", found, "" if found else "der Beteiligte wird unter seinem Namen nicht gefunden")
    await _limit(calls)


async def _limit(calls: Calls) -> None:
    """Search for letters that most names hold: the same full number for two of them is a limit."""
    # Not in the recording: these are all the firm's parties.
    path, counts = wire.BETEILIGTE.path(), Counter[int]()
    for letter in _COMMON_LETTERS:
        answer = await calls.client.exchange("GET", path, params={wire.QUERY_SEARCH: letter})
        counts[len(rows(Exchange("search_limit", "GET", path, answer)) or [])] += 1
    most = max(counts)
    cut = most >= CUT_FROM and counts[most] > 1
    calls.found("search_limit", not cut, f"höchstens {most}" if cut else f"bis zu {most} Treffer", number=most)


async def try_changes(calls: Calls, party: Json, clock: Clock, zone: ZoneInfo) -> tuple[str, ...]:
    """Change every field once, one at a time; returns those that were ignored. The caller puts everything back."""
    ignored, changed_ids, shown = [], [], party
    for name in _NAMES:
        before = shown
        shown = await _change(calls, f"party_put_{name}", before, {name: _other(name, before.get(name))})
        if same(_other(name, before.get(name)), shown.get(name)):
            changed_ids.append(shown.get("rowId") != before.get("rowId"))
        else:
            ignored.append(name)
    calls.fields("party_put", tuple(ignored), "nicht übernommen")
    if changed_ids:
        calls.found("party_row_id", all(changed_ids))
        calls.clock("clock", "geaendertAm", wire.local_moment(shown.get("geaendertAm"), zone), clock)
    else:
        calls.not_tried("party_row_id", "keine Änderung wurde übernommen")
        calls.not_tried("clock", "keine Änderung wurde übernommen")
    await _try_more(calls, shown)
    return tuple(ignored)


async def _try_more(calls: Calls, party: Json) -> None:
    taken = []
    for name in _POST_ONLY:
        shown = await _change(calls, f"party_put_{name}", party, {name: TEXT})
        if name in shown and same(TEXT, shown[name]):
            taken.append(name)
    calls.fields("party_put_more", tuple(taken), "werden übernommen")
    filled = await _change(calls, "party_put_fill", party, {"zusatz": TEXT})
    if not same(TEXT, filled.get("zusatz")):
        calls.not_tried("party_put_empties", "das Feld zusatz wird nicht übernommen")
        return
    body = {name: value for name, value in wire.without_children(filled).items() if name != "zusatz"}
    await calls.call("party_put_without", "PUT", wire.BETEILIGTER, body=body)
    left = await calls.party("party_put_without_read")
    calls.found("party_put_empties", not left.get("zusatz"))


async def put_back(calls: Calls, original: Json) -> tuple[str, ...]:
    """Write the party as it was; returns the fields that are not as they were."""
    await calls.call("party_put_back", "PUT", wire.BETEILIGTER, body=wire.without_children(original))
    shown = await calls.party("party_put_back_read")
    return tuple(name for name in (*_NAMES, *_POST_ONLY) if not same(original.get(name), shown.get(name)))


async def _change(calls: Calls, name: str, party: Json, values: Json) -> Json:
    """Send the whole party with some values changed, and read it again."""
    answer = await calls.call(name, "PUT", wire.BETEILIGTER, body=wire.without_children(party) | values)
    if not answer.succeeded:
        return party
    return await calls.party(f"{name}_read") or answer.record


def _other(name: str, value: Any) -> str:
    first, second = _OTHER.get(name, (TEXT, f"{TEXT} 2"))
    return second if same(first, value) else first
