"""Lists that stay usable although the CRM says something hostile about one of their records."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from vmh_sync.systems.espocrm.errors import UnexpectedAnswer
from vmh_sync.systems.espocrm.query import Where, in_
from vmh_sync.systems.espocrm.records import EspoRecord, Page, SpoiltRow


class Lists(Protocol):
    """What is needed of the client."""

    def list_all(
        self,
        entity: str,
        *,
        where: Sequence[Where] = (),
        select: Sequence[str] | None = None,
        spoilt: list[SpoiltRow] | None = None,
    ) -> AsyncIterator[EspoRecord]:
        """Yield all matching records; rows that cannot be used are added to ``spoilt``."""
        ...

    async def list_page(self, entity: str, *, select: Sequence[str] | None = None, page_size: int = 1) -> Page:
        """Return one page."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which list: the records of ``entity`` whose ``attribute`` has one of some values."""

    entity: str
    attribute: str
    select: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class SetApart:
    """What a list could not use. ``values``: of which asked-for values it says nothing reliable, and why.

    ``rows``: where it is given, a row that tells its id and belongs to an asked-for value spoils only itself; it stands
    here by that value.
    """

    values: dict[str, UnexpectedAnswer]
    rows: dict[str, list[SpoiltRow]] | None = None


async def list_chunk(
    client: Lists, wanted: Wanted, values: Sequence[Any], spoilt: SetApart | None
) -> AsyncIterator[EspoRecord]:
    """Yield the records for some values; with ``spoilt`` what can be listed, without it everything or the error."""
    if spoilt is not None:
        for record in await list_what_can_be(client, wanted, values, spoilt):
            yield record
        return
    listed = client.list_all(wanted.entity, where=[in_(wanted.attribute, list(values))], select=wanted.select)
    async for record in listed:
        yield record


async def list_what_can_be(client: Lists, wanted: Wanted, values: Sequence[Any], spoilt: SetApart) -> list[EspoRecord]:
    """Return the records for those of ``values`` about which the list is reliable and complete.

    ``spoilt`` learns the others with the reason. An answer that is of no use as a whole is asked for again in halves,
    until only the bad values are left out. Raises ``UnexpectedAnswer`` when the CRM cannot list at all.
    """
    rows: list[SpoiltRow] = []
    where = [in_(wanted.attribute, list(values))]
    listed = client.list_all(wanted.entity, where=where, select=wanted.select, spoilt=rows)
    try:
        records = [record async for record in listed]
    except UnexpectedAnswer as error:
        return await _halves(client, wanted, values, spoilt, error)
    asked = {str(value) for value in values}
    found = [record for record in records if _key(record.attributes, wanted) in asked]
    rows = _alone(rows, wanted, asked, spoilt)
    if wanted.attribute != "id":
        # A row that belongs to nobody may be anybody's: without it no list here is complete.
        stray = next((row.error for row in rows if _key(row.attributes, wanted) not in asked), None)
        if len(found) < len(records):
            stray = UnexpectedAnswer(f"GET {wanted.entity}: a row that was not asked for")
        if stray is not None:
            return await _halves(client, wanted, values, spoilt, stray, lists_at_all=True)
    spoilt.values.update({key: row.error for row in rows if (key := _key(row.attributes, wanted)) in asked})
    return found


def _alone(rows: list[SpoiltRow], wanted: Wanted, asked: set[str], spoilt: SetApart) -> list[SpoiltRow]:
    """Put the rows aside that spoil only themselves; returns the others."""
    if spoilt.rows is None or wanted.attribute == "id":
        return rows
    (only,) = asked if len(asked) == 1 else (None,)
    others = []
    for row in rows:
        # Asked for one value alone, a row that does not tell it can only be that one's.
        told = _key(row.attributes, wanted)
        key = told if told in asked else only
        if row.id is None or key is None:
            others.append(row)
        else:
            spoilt.rows.setdefault(key, []).append(row)
    return others


def _key(attributes: dict[str, Any], wanted: Wanted) -> str:
    return str(attributes.get(wanted.attribute))


async def _halves(
    client: Lists,
    wanted: Wanted,
    values: Sequence[Any],
    spoilt: SetApart,
    error: UnexpectedAnswer,
    *,
    lists_at_all: bool = False,
) -> list[EspoRecord]:
    if not lists_at_all:
        # A CRM that cannot list at all is no record's fault: its shortest list tells.
        await client.list_page(wanted.entity, select=("id",), page_size=1)
    if len(values) == 1:
        spoilt.values[str(values[0])] = error
        return []
    middle = len(values) // 2
    found = await list_what_can_be(client, wanted, values[:middle], spoilt)
    return found + await list_what_can_be(client, wanted, values[middle:], spoilt)


async def list_with_stubs(
    client: Lists, entity: str, where: Sequence[Where] = (), select: Sequence[str] | None = None
) -> AsyncIterator[EspoRecord]:
    """Yield all matching records; those that cannot be used come last, with nothing but their id and stamp.

    For choosing what a pass looks at: the pass finds out itself what is wrong with a record, and tells its owner.
    """
    rows: list[SpoiltRow] = []
    async for record in client.list_all(entity, where=where, select=select, spoilt=rows):
        yield record
    for row in rows:
        stub = row.stub(entity)
        if stub is not None:
            yield stub


async def own_fields_of(client: Lists, entity: str, record_id: str, names: Sequence[str]) -> EspoRecord | None:
    """Return only the named attributes of a record whose others cannot be used; as few of them as are sound.

    ``None`` when the CRM does not list it.
    """
    where = [in_("id", [record_id])]
    rows: list[SpoiltRow] = []
    found = [record async for record in client.list_all(entity, where=where, select=names, spoilt=rows)]
    stubs = [stub for row in rows if (stub := row.stub(entity)) is not None]
    return next((record for record in (*found, *stubs) if record.id == record_id), None)
