"""What a POST or PUT says, checked field by field; the first bad field is the answer."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from vmh_sync.sandbox.crm.errors import validation_failure
from vmh_sync.sandbox.crm.fields.contact_input import ContactInput, ContactReader
from vmh_sync.sandbox.crm.fields.contact_rows import Owner
from vmh_sync.sandbox.crm.fields.layout import TEAMS_KEY, Layout
from vmh_sync.sandbox.crm.fields.table import Row
from vmh_sync.sandbox.crm.fields.values import InvalidValueError, convert


@dataclass
class RecordInput:
    """Checked column values and contact lists of one request."""

    values: Row = field(default_factory=dict)
    contacts: dict[str, ContactInput] = field(default_factory=dict)

    @property
    def echo(self) -> dict[str, Any]:
        """What the answer shows of the contact input instead of the stored state."""
        return {name: value for given in self.contacts.values() for name, value in given.echo.items()}


def taken_input(layout: Layout, body: dict[str, Any]) -> dict[str, Any]:
    """Return what is looked at: on a pipeline the status follows its stage, what is sent for it is dropped (10.0)."""
    if not layout.entity.pipelines:
        return body
    return {name: value for name, value in body.items() if name != "status"}


def read_input(
    layout: Layout,
    body: dict[str, Any],
    readers: dict[str, ContactReader],
    *,
    row: Row | None,
    closed: Collection[str],
) -> RecordInput:
    """Return the input of a request on ``row`` (``None``: create). Raises the API's 400 for the first bad field.

    Unknown attributes, read-only ones and those of ``closed`` fields are left out silently.
    """
    result = RecordInput()
    for name, definition in layout.entity.fields.items():
        if name in closed or (definition.get("readOnly") and not definition.get("required")):
            continue
        if name in readers:
            owner: Owner | None = (layout.entity.name, row["id"]) if row is not None else None
            result.contacts[name] = readers[name].read(body, owner)
            continue
        if name == "teams":
            if isinstance(body.get("teamsIds"), list):
                result.values[TEAMS_KEY] = [str(team) for team in body["teamsIds"]] or None
            continue
        given = _read_field(layout, name, body, result.values)
        if definition.get("required") and (given or row is None):
            _check_required(layout, name, result.values, row)
    return result


def _read_field(layout: Layout, name: str, body: dict[str, Any], values: Row) -> bool:
    given = False
    for attribute in layout.by_field.get(name, ()):
        if attribute.name not in body or attribute.read_only:
            continue
        given = True
        raw = body[attribute.name]
        if attribute.definition.get("required") and raw in (None, ""):
            raise validation_failure(layout.entity.name, name, "required")
        try:
            values[attribute.name] = convert(attribute, raw)
        except InvalidValueError as error:
            raise validation_failure(layout.entity.name, name, error.rule) from error
    return given


def _check_required(layout: Layout, name: str, values: Row, row: Row | None) -> None:
    stored = row or {}
    for attribute in layout.by_field.get(name, ()):
        if values.get(attribute.name, stored.get(attribute.name)) in (None, ""):
            raise validation_failure(layout.entity.name, name, "required")
