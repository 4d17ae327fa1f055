"""Links: which record here is which record there, and the base, the last state both sides agreed on."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Row, and_, bindparam, case, exists, func, insert, or_, select, true, update
from sqlalchemy.exc import IntegrityError

from vmh_sync.store.database.columns import JsonObject
from vmh_sync.store.database.prepared import Prepared
from vmh_sync.store.errors import LinkTaken, StaleLink
from vmh_sync.store.link_notes import NOTHING, LinkNotes
from vmh_sync.store.models import LinkRow, SyncRecordRow
from vmh_sync.store.repository import CHUNK, ByKeys, Repository, among, chunks, columns_of, spelt, table_of

LinkState = Literal["active", "deleted_in_advoware", "deleted_in_espocrm", "tombstone"]

_TABLE = table_of(LinkRow)
# The fingerprint is no part of a link: whoever saves a link does away with it (see ``store.fingerprints``).
_COLUMNS = [column for column in columns_of(LinkRow) if column.name != "fingerprint"]
_LIVING = _TABLE.c.state != spelt("tombstone")
# Built once: to build such a statement costs more than to carry it out.
_INSERT = Prepared(insert(_TABLE).returning(_TABLE.c.id))
_UPDATE = Prepared(
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("of_id"), _TABLE.c.revision == bindparam("of_revision"))
    .returning(_TABLE.c.created_at)
)
_MARK_VERIFIED = (
    update(_TABLE)
    .where(_TABLE.c.entity == bindparam("of_entity"), among(_TABLE.c.espo_id), _LIVING)
    .values(verified_at=bindparam("at"))
)
_COUNT = select(func.count()).where(_TABLE.c.entity == bindparam("entity"))
_COUNT_LIVING = _COUNT.where(_LIVING)
_COUNT_IN_STATE = _COUNT.where(_TABLE.c.state == bindparam("state"))
_KEYS = (
    select(*(_TABLE.c[name] for name in ("id", "espo_id", "betnr", "state", "verified_at")))
    .where(_TABLE.c.entity == bindparam("entity"), _TABLE.c.id > bindparam("last"))
    .order_by(_TABLE.c.id)
    .limit(CHUNK)
)
_NAMES = [column.name for column in _COLUMNS if column.name != "id"]


@cache
def _living_of(entity: str, by: str) -> ByKeys:
    return ByKeys(
        select(*_COLUMNS).where(_TABLE.c.entity == spelt(entity), _LIVING).order_by(_TABLE.c.id), _TABLE.c[by]
    )


def _waits_for_its_own_try(broken_before: datetime) -> ColumnElement[bool]:
    """Whether a link's record failed and is not due by being the oldest."""
    timed = SyncRecordRow.next_retry_at.is_not(None) | SyncRecordRow.auto_reset_at.is_not(None)
    return exists().where(
        SyncRecordRow.entity == LinkRow.entity,
        SyncRecordRow.espo_id == LinkRow.espo_id,
        SyncRecordRow.status.in_(("failed", "permanently_failed")),
        or_(timed, SyncRecordRow.updated_at >= broken_before),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One linked pair.

    ``entity`` is ``beteiligte``, ``kommunikation``, ``adressen`` or ``bankverbindungen``. ``espo_id`` is the EspoCRM
    record (for ``kommunikation`` the party, since its entries have no record of their own), ``betnr`` the number of the
    party in Advoware, ``advoware_id`` the child's id there. ``base`` holds the canonical fields, ``notes`` what
    is remembered besides. Moments are aware, in UTC. ``id`` is None until the link was saved.
    """

    entity: str
    espo_id: str
    betnr: int | None = None
    advoware_id: str | None = None
    state: LinkState = "active"
    base: JsonObject = field(default_factory=dict, repr=False)
    notes: LinkNotes = field(default=NOTHING, repr=False)
    advoware_row_id: str | None = None
    espo_version: int | None = None
    espo_modified_at: datetime | None = None
    espo_read_at: datetime | None = None
    verified_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    revision: int = 0
    id: int | None = None


class LinkKey(NamedTuple):
    """The part of a link that sweeps need: no base, so that a hundred thousand of them fit into memory."""

    id: int
    espo_id: str
    betnr: int | None
    state: str
    verified_at: datetime | None


class NumbersAround(NamedTuple):
    """Numbers of linked parties: the highest linked before a moment, the lowest since, and the highest of all."""

    before: int | None
    since: int | None
    highest: int | None


class Links(Repository):
    """Reads and writes links. Tombstones are never returned, except by :meth:`by_id` and :meth:`keys`."""

    def by_id(self, link_id: int) -> Link | None:
        """Return the link with this id, tombstones included."""
        return self._one(LinkRow.id == link_id)

    def get_by_espo(self, entity: str, espo_id: str) -> Link | None:
        """Return the link of an EspoCRM record. Raises ValueError for ``kommunikation``: see :meth:`entries_of`."""
        _refuse_entries(entity)
        return next(self._all(entity, "espo_id", [espo_id]), None)

    def get_by_betnr(self, betnr: int) -> Link | None:
        """Return the link of the party (``beteiligte``) with this Advoware number."""
        return self._one(LinkRow.entity == "beteiligte", LinkRow.betnr == betnr, _LIVING)

    def get_many(self, entity: str, espo_ids: Iterable[str]) -> dict[str, Link]:
        """Return the links of many EspoCRM records by their id; unlinked ones are left out.

        One query per 1,000 ids. Raises ValueError for ``kommunikation``.
        """
        _refuse_entries(entity)
        return {
            link.espo_id: link
            for chunk in chunks(dict.fromkeys(espo_ids))
            for link in self._all(entity, "espo_id", chunk)
        }

    def get_many_by_betnr(self, betnrs: Iterable[int]) -> dict[int, Link]:
        """Return the links of many parties (``beteiligte``) by their Advoware number; unlinked ones are left out."""
        return {
            link.betnr: link
            for chunk in chunks(dict.fromkeys(betnrs))
            for link in self._all("beteiligte", "betnr", chunk)
            if link.betnr is not None
        }

    def numbers_around(self, moment: datetime) -> NumbersAround:
        """Return which Advoware numbers of parties were known at a moment, tombstones included."""
        before = case((LinkRow.created_at < moment, LinkRow.betnr))
        since = case((LinkRow.created_at >= moment, LinkRow.betnr))
        statement = select(func.max(before), func.min(since), func.max(LinkRow.betnr))
        return NumbersAround(*self._connection.execute(statement.where(LinkRow.entity == "beteiligte")).one())

    def entries_of(self, entity: str, espo_ids: Iterable[str]) -> dict[str, list[Link]]:
        """Return all links per EspoCRM id, several each for ``kommunikation``; ids without any are left out."""
        found: dict[str, list[Link]] = {}
        for chunk in chunks(dict.fromkeys(espo_ids)):
            for link in self._all(entity, "espo_id", chunk):
                found.setdefault(link.espo_id, []).append(link)
        return found

    def children_of(self, entity: str, betnrs: Iterable[int]) -> dict[int, list[Link]]:
        """Return the links of an entity per Advoware number; numbers without any are left out."""
        found: dict[int, list[Link]] = {}
        for chunk in chunks(dict.fromkeys(betnrs)):
            for link in self._all(entity, "betnr", chunk):
                if link.betnr is not None:
                    found.setdefault(link.betnr, []).append(link)
        return found

    def keys(self, entity: str) -> Iterator[LinkKey]:
        """Yield the key of every link of an entity in the order of creation, tombstones included.

        Pages of 1,000 by key, so that memory does not grow with the number of links.
        """
        last = 0
        while True:
            page = self._connection.execute(_KEYS, {"entity": entity, "last": last}).all()
            for row in page:
                yield LinkKey(*row)
            if len(page) < CHUNK:
                return
            last = page[-1].id

    def living(self, entity: str) -> Iterator[Link]:
        """Yield every link of an entity but tombstones, in the order of creation, in pages like :meth:`keys`."""
        last = 0
        while True:
            page = self._connection.execute(
                select(*_COLUMNS)
                .where(LinkRow.entity == entity, LinkRow.id > last, _LIVING)
                .order_by(LinkRow.id)
                .limit(CHUNK)
            ).all()
            for row in page:
                yield _link(row)
            if len(page) < CHUNK:
                return
            last = page[-1].id

    def oldest_verified(
        self, entity: str, limit: int, before: datetime, *, broken_before: datetime | None = None
    ) -> list[Link]:
        """Return active links not verified since ``before``, the ones never verified first, then the oldest.

        A mark more than a day in the future was made while the clock was wrong, and counts as none. With
        ``broken_before``, records that failed are left out: they come when their own next try does, and those for which
        none is set when their last one was before that moment. Else who fails, and so is never verified, would always
        be first, whatever its next try says (sync-semantics.md 4).
        """
        wrong = LinkRow.verified_at > self._now() + timedelta(days=1)
        wanted = true() if broken_before is None else ~_waits_for_its_own_try(broken_before)
        found: list[Link] = []
        # One range of the index each: together in one condition they would walk through all the others.
        for due in (LinkRow.verified_at.is_(None), LinkRow.verified_at < before, wrong):
            statement = (
                select(*_COLUMNS)
                .where(LinkRow.entity == entity, LinkRow.state == "active", due, wanted)
                .order_by(LinkRow.verified_at, LinkRow.id)
                .limit(limit - len(found))
            )
            found += [_link(row) for row in self._connection.execute(statement)]
            if len(found) >= limit:
                break
        return found

    def count(self, entity: str, state: LinkState | None = None) -> int:
        """Count the links of an entity: in one state, or all but tombstones."""
        if state is None:
            return self._connection.execute(_COUNT_LIVING, {"entity": entity}).scalar_one()
        return self._connection.execute(_COUNT_IN_STATE, {"entity": entity, "state": state}).scalar_one()

    def in_step(self, entity: str) -> int:
        """Count the active links of an entity whose record is in no trouble by the ledger."""
        in_trouble = exists().where(
            SyncRecordRow.entity == LinkRow.entity,
            SyncRecordRow.espo_id == LinkRow.espo_id,
            SyncRecordRow.status != "clean",
        )
        statement = select(func.count()).select_from(LinkRow)
        return self._connection.execute(
            statement.where(LinkRow.entity == entity, LinkRow.state == "active", ~in_trouble)
        ).scalar_one()

    def save(self, link: Link, expected_revision: int | None = None) -> Link:
        """Store a link and return it as it now stands (with id, revision and times).

        A link without id is created, any other is replaced as a whole, provided its stored revision is still the one
        that was read: ``expected_revision``, by default the revision in ``link``. Raises :class:`StaleLink` when the
        revision moved or the row is gone, :class:`LinkTaken` when another living link stands for one of the records.
        """
        now = self._now()
        try:
            with self._savepoint():
                if link.id is None:
                    return self._create(link, {"created_at": now, "updated_at": now, "revision": 1})
                revision = link.revision if expected_revision is None else expected_revision
                return self._replace(link, revision, {"updated_at": now, "revision": revision + 1})
        except IntegrityError:
            # Neither the cause nor its text: PostgreSQL's may quote the row.
            raise LinkTaken(
                f"{link.entity}: another link stands for {link.espo_id}, betnr {link.betnr}, id {link.advoware_id}"
            ) from None

    def mark_verified(self, entity: str, espo_ids: Iterable[str], at: datetime) -> int:
        """Note that both sides of these records were read and agree. Returns the number of links marked.

        The revision stays: nobody's plan depends on this mark.
        """
        marked = 0
        for chunk in chunks(dict.fromkeys(espo_ids)):
            marked += self._connection.execute(_MARK_VERIFIED, {"of_entity": entity, "keys": chunk, "at": at}).rowcount
        return marked

    def _create(self, link: Link, new: dict[str, Any]) -> Link:
        return replace(link, **new, id=_INSERT.rows(self._connection, _row(link) | new)[0].id)

    def _replace(self, link: Link, revision: int, new: dict[str, Any]) -> Link:
        values = _row(link) | new | {"fingerprint": None, "of_id": link.id, "of_revision": revision}
        del values["created_at"]
        rows = _UPDATE.rows(self._connection, values)
        if not rows:
            raise StaleLink(f"{link.entity} {link.espo_id}: the link is no longer at revision {revision}")
        return replace(link, **new, created_at=rows[0].created_at)

    def _one(self, *conditions: ColumnElement[bool]) -> Link | None:
        row = self._connection.execute(select(*_COLUMNS).where(and_(*conditions))).one_or_none()
        return _link(row) if row is not None else None

    def _all(self, entity: str, by: str, keys: Sequence[object]) -> Iterator[Link]:
        for row in _living_of(entity, by).rows(self._connection, keys, {}):
            yield _link(row)


def _row(link: Link) -> dict[str, Any]:
    """Return a link's columns but its id; not deeply copied, since the database only reads them."""
    return {name: getattr(link, name) for name in _NAMES}


def _link(row: Row[Any]) -> Link:
    return Link(**row._asdict())


def _refuse_entries(entity: str) -> None:
    if entity == "kommunikation":
        raise ValueError("kommunikation has several links per EspoCRM id: use entries_of")
