"""Column types that behave the same on SQLite and PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer
from sqlalchemy.types import TypeDecorator

JsonObject = dict[str, Any]
"""A JSON object: what `json.dumps` can write, keys are field names."""

BigId = BigInteger().with_variant(Integer(), "sqlite")
"""A counting key: SQLite counts only columns whose type is exactly INTEGER."""

Json = JSON(none_as_null=True)
"""JSON text on both databases. Not JSONB: nothing queries inside it, and JSONB refuses the character U+0000."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment. Goes in with any zone, is stored as UTC and comes out in UTC.

    A naive value raises ValueError: nobody could tell which zone it meant.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware moment into what PostgreSQL stores."""
        return _in_utc(value) if value is not None else None

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """Return what does so; for SQLite our own: SQLAlchemy takes four times as long to write the same text."""
        return _as_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn a stored moment into an aware one in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def process_literal_param(self, value: datetime | None, dialect: Dialect) -> str:
        """Refuse literals: moments travel as parameters."""
        raise NotImplementedError("moments are bound as parameters, never written into SQL text")

    @property
    def python_type(self) -> type[datetime]:
        """The type that rows carry."""
        return datetime

    def coerce_compared_value(self, op: Callable[..., Any] | None, value: Any) -> "UtcDateTime":
        """Compare moments as moments, so that both sides are converted alike."""
        return self


def _as_text(value: datetime | None) -> str | None:
    return _in_utc(value).isoformat(" ", "microseconds")[:26] if value is not None else None


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("the store takes aware datetimes only; got a naive one")
    return value.astimezone(UTC)
