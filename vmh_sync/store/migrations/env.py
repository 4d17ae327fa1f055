"""Alembic's entry point: runs the migrations on the connection of :func:`vmh_sync.store.database.migrate.upgrade`."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.types import TypeDecorator

from vmh_sync.store.models import Base


def _plain_types(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    # A migration describes columns as they were; it must not import types that change later.
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transactional_ddl=True,
        render_as_batch=True,
        render_item=_plain_types,
    )
    with context.begin_transaction():
        context.run_migrations()


_run(context.config.attributes["connection"])
