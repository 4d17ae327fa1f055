"""The name of an entity in an address or an answer: one of those whose records stand in EspoCRM."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from vmh_sync.entities import with_records


def _names() -> list[str]:
    # Looked up when needed: a firm may add entities of its own.
    return [entity.name for entity in with_records()]


def _known(name: str) -> str:
    if name not in _names():
        raise ValueError(f"one of {', '.join(_names())}")
    return name


def _enumerate(schema: dict[str, Any]) -> None:
    schema["enum"] = _names()


EntityName = Annotated[str, AfterValidator(_known), Field(json_schema_extra=_enumerate)]
