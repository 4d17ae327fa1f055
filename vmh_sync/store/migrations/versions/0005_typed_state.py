"""what stood in bags of values has columns and tables of its own

Notes of links keep their form under a name that says what they are. What is remembered of a party's Kommunikation is no
link any more, the memory of the mass-change guard no cursor, the obstacle of an appointment and the guarded event of a
deadline no entries of a bag.

Revision ID: 0005
Revises: 0004
Created: 2026-11-27 14:00:00.000000
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op


revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_PAGE = 1000
_JSON = sa.JSON(none_as_null=True)
_MOMENT = sa.DateTime(timezone=True)

_links = sa.table(
    "links",
    *(sa.column("id"), sa.column("entity"), sa.column("espo_id"), sa.column("betnr"), sa.column("state")),
    *(sa.column("notes", _JSON), sa.column("updated_at", _MOMENT)),
)
_pairs = sa.table(
    "calendar_pairs",
    *(sa.column("id"), sa.column("extra", _JSON), sa.column("obstacle"), sa.column("guarded", _JSON)),
)
_cursors = sa.table("cursors", sa.column("name"), sa.column("value", _JSON))


def upgrade() -> None:
    states = op.create_table(
        "kommunikation_states",
        sa.Column("espo_id", sa.String(length=64), nullable=False),
        sa.Column("betnr", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("quiet_mark", sa.String(length=64), nullable=True),
        sa.Column("empty_sides", _JSON, nullable=False),
        sa.Column("empty_seen_by", sa.String(length=64), nullable=True),
        sa.Column("one_by_one", _JSON, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("espo_id"),
    )
    losses = op.create_table(
        "value_losses",
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("record", sa.String(length=64), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("entity", "record"),
    )
    op.create_index("ix_kommunikation_states_betnr", "kommunikation_states", ["betnr"])
    op.create_index("ix_value_losses_at", "value_losses", ["entity", "at"])
    op.execute("ALTER TABLE links RENAME COLUMN extra TO notes")
    op.add_column("calendar_pairs", sa.Column("obstacle", sa.String(length=255), nullable=True))
    op.add_column("calendar_pairs", sa.Column("guarded", _JSON, nullable=True))
    _move_states(states)
    _move_losses(losses)
    _move_pairs()
    op.drop_column("calendar_pairs", "extra")


def downgrade() -> None:
    raise NotImplementedError("The product never goes back to an older schema: restore the backup made before.")


def _pages(statement: sa.Select[Any], key: sa.ColumnElement[Any]) -> Iterator[list[sa.Row[Any]]]:
    last, connection = 0, op.get_bind()
    while page := list(connection.execute(statement.where(key > last).order_by(key).limit(_PAGE))):
        yield page
        last = page[-1].id


def _move_states(states: sa.Table) -> None:
    stands = _links.c.entity == "kommunikation_stand"
    living = sa.and_(stands, _links.c.state != "tombstone", _links.c.betnr.is_not(None))
    for page in _pages(sa.select(_links).where(living), _links.c.id):
        op.bulk_insert(states, [_state(row) for row in page])
    op.execute(sa.delete(_links).where(stands))


def _state(row: sa.Row[Any]) -> dict[str, Any]:
    bag = row.notes or {}
    empty = bag.get("empty") or {}
    return {
        "espo_id": row.espo_id,
        "betnr": row.betnr,
        "quiet_mark": bag.get("quiet"),
        "empty_sides": empty.get("sides") or [],
        "empty_seen_by": empty.get("run"),
        "one_by_one": bag.get("one_by_one") or [],
        "updated_at": row.updated_at,
    }


def _move_losses(losses: sa.Table) -> None:
    histories = _cursors.c.name.startswith("guard:", autoescape=True)
    last: dict[tuple[str, str], datetime] = {}
    for name, value in op.get_bind().execute(sa.select(_cursors.c.name, _cursors.c.value).where(histories)):
        for moment, records in value or []:
            # The first releases noted how many records there were, not which: nothing follows from that any more.
            for record in records if isinstance(records, list) else []:
                key, at = (name.removeprefix("guard:"), str(record)), datetime.fromisoformat(moment)
                last[key] = max(at, last.get(key, at))
    op.bulk_insert(losses, [{"entity": entity, "record": record, "at": at} for (entity, record), at in last.items()])
    op.execute(sa.delete(_cursors).where(histories))


def _move_pairs() -> None:
    for page in _pages(sa.select(_pairs.c.id, _pairs.c.extra), _pairs.c.id):
        for row in page:
            if row.extra:
                values = {"obstacle": row.extra.get("obstacle"), "guarded": row.extra.get("event")}
                op.execute(sa.update(_pairs).where(_pairs.c.id == row.id).values(values))
