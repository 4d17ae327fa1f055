"""Reading Advoware's answers, which come in several shapes (specification, advoware-wire.md 3).

Single reads answer with an object or a list with one object; writes with the object, a list with it, the bare
number, or nothing. What cannot be read becomes :class:`UnexpectedAnswer`, naming field and class of error only.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

import httpx
from pydantic import ValidationError

from vmh_sync.systems.advoware import wire
from vmh_sync.systems.advoware.errors import SpoiltRecord, UnexpectedAnswer
from vmh_sync.systems.advoware.records import Beteiligter, WireRecord
from vmh_sync.systems.json_answers import UnreadableJson, flaw, read_json, sound_part
from vmh_sync.systems.spoilt_row import SpoiltRow
from vmh_sync.watchdog import went_on

R = TypeVar("R", bound=WireRecord)


def parse(response: httpx.Response, where: str) -> Any:
    """The JSON of an answer; None for an empty body. Raises UnexpectedAnswer when it is no JSON."""
    if not response.content.strip():
        return None
    try:
        return read_json(response.content)
    except UnreadableJson as error:
        raise UnexpectedAnswer(
            f"{where}: answer is not JSON", status=response.status_code, problems=(str(error),)
        ) from None


def as_record(kind: type[R], value: Any, where: str) -> R:
    """One JSON object as a record. Raises UnexpectedAnswer when it is none, or a field is of a wrong kind."""
    if not isinstance(value, dict):
        raise UnexpectedAnswer(f"{where}: expected an object, got {type(value).__name__}")
    return _sound_record(kind, value, where)


def as_party(value: Any, where: str) -> Beteiligter:
    """One JSON object as a party; what is unusable among its children is set apart (``Beteiligter.spoilt``).

    Raises UnexpectedAnswer as :func:`as_record` does, for what concerns the party itself.
    """
    try:
        return as_record(Beteiligter, value, where)
    except SpoiltRecord:
        sound, spoilt = _children_apart(value, where)
        party = as_record(Beteiligter, sound, where)
        party.set_apart(spoilt)
        return party


@dataclass(frozen=True, slots=True, repr=False)
class PartyAnswer:
    """What Advoware answered about one party."""

    betnr: int
    response: httpx.Response

    @property
    def content(self) -> bytes:
        """Return the answer byte by byte, to be compared."""
        return self.response.content

    def party(self) -> Beteiligter:
        """Return the party; raises UnexpectedAnswer when the answer is none, or another one's."""
        where = f"GET {wire.BETEILIGTER.template}"
        record = as_party(single(parse(self.response, where), where), where)
        if record.bet_nr != self.betnr:
            raise UnexpectedAnswer(f"{where}: answer is another party")
        return record


def _children_apart(party: dict[str, Any], where: str) -> tuple[dict[str, Any], dict[str, list[SpoiltRow]]]:
    """Split a party's lists: a list that is none is left out as if it were not told, an unusable row set apart."""
    sound = dict(party)
    spoilt: dict[str, list[SpoiltRow]] = {}
    for attribute, kind in Beteiligter.CHILDREN.items():
        name = Beteiligter.FIELDS[attribute]
        rows = party.get(name)
        if isinstance(rows, list):
            kept: list[SpoiltRow] = []
            sound[name] = [one.raw for one in as_records(kind, rows, where, kept)]
            if kept:
                spoilt[attribute] = kept
        elif rows is not None:
            del sound[name]
    return sound, spoilt


def _sound_record(kind: type[R], value: dict[str, Any], where: str) -> R:
    spoilt = flaw(value)
    if spoilt is not None:
        raise SpoiltRecord(f"{where}: unusable {kind.__name__}", problems=(spoilt,))
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise SpoiltRecord(f"{where}: unusable {kind.__name__}", problems=_problems(error)) from None


def _problems(error: ValidationError) -> tuple[str, ...]:
    details = error.errors(include_url=False, include_input=False, include_context=False)
    return tuple(f"{'.'.join(str(part) for part in item['loc'])} ({item['type']})" for item in details)


def single(value: Any, where: str) -> Any:
    """The one object of a single read. An empty list or null is no statement that the record is gone."""
    if isinstance(value, list):
        if len(value) != 1:
            raise UnexpectedAnswer(f"{where}: expected one object, got a list of {len(value)}")
        return value[0]
    return value


def as_records(
    kind: type[R],
    value: Any,
    where: str,
    spoilt: list[SpoiltRow] | None = None,
    known: Mapping[int, R] = MappingProxyType({}),
) -> list[R]:
    """A list answer as records. Raises UnexpectedAnswer for anything but a list: an empty body is no empty list.

    Rows that cannot be used are added to ``spoilt``; without it the first one raises. A row that says the same as a
    record that is ``known`` by its key is that record.
    """
    if not isinstance(value, list):
        raise UnexpectedAnswer(f"{where}: expected a list, got {type(value).__name__}")
    records: list[R] = []
    for item in value:
        went_on()  # A search may list the whole firm: on a busy machine that alone takes longer than a watch waits.
        try:
            records.append(_held(item, kind.FIELDS[kind.KEYS[0]], known) or as_record(kind, item, where))
        except UnexpectedAnswer as error:
            if spoilt is None:
                raise
            spoilt.append(SpoiltRow(sound_part(item) if isinstance(item, dict) else {}, error))
    return records


def _held(item: Any, name: str, known: Mapping[int, R]) -> R | None:
    key = item.get(name) if known and isinstance(item, dict) else None
    held = known.get(key) if type(key) is int else None
    return held if held is not None and held.raw == item else None


def written_key(kind: type[WireRecord], value: Any, key_name: str) -> int | None:
    """The key that the answer to a write names, or None."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        value = value.get(kind.FIELDS[key_name])
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,18}\s*", value):
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def written_record(kind: type[R], value: Any, where: str) -> R | None:
    """The full record in the answer to a write, or None when the answer is something else.

    Full means that it carries what only the server knows: a party or child its ``rowId``, an appointment its
    subject fields. A bare key, or an unreadable object, is None: the caller reads back.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    mark = kind.FIELDS.get("row_id", wire.json_name("datum"))
    if not isinstance(value, dict) or mark not in value:
        return None
    try:
        return as_record(kind, value, where)
    except UnexpectedAnswer:
        return None
