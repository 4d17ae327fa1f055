"""The ``where`` of a list, made into a test per row and, where an index helps, a short way to the rows.

Which types exist, what NULL means to them and how they fail: specification, espocrm.md B6.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vmh_sync.sandbox.crm.errors import bad_request
from vmh_sync.sandbox.crm.fields.layout import Layout
from vmh_sync.sandbox.crm.fields.table import Row, Table
from vmh_sync.sandbox.crm.fields.values import normal_moment, stamp

Test = Callable[[Row], bool]

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "before": lambda left, right: left < right,
    "after": lambda left, right: left > right,
    "lessThan": lambda left, right: left < right,
    "greaterThan": lambda left, right: left > right,
    "lessThanOrEquals": lambda left, right: left <= right,
    "greaterThanOrEquals": lambda left, right: left >= right,
}
TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "notContains": lambda text, part: part not in text,
    "startsWith": lambda text, part: text.startswith(part),
    "endsWith": lambda text, part: text.endswith(part),
}
MOMENTS = {"datetime", "datetimeOptional"}
CONTACTS = {"emailAddress", "phoneNumber"}


@dataclass(frozen=True)
class Span:
    """A range of an ordered column (``id``, ``createdAt``, ``modifiedAt``) that covers a condition exactly."""

    attribute: str
    low: str | None = None
    high: str | None = None
    low_open: bool = False
    high_open: bool = False


@dataclass(frozen=True)
class Condition:
    """One item of a ``where``: the test, and a way to the rows that pass it, if there is a short one."""

    test: Test
    ids: Collection[str] | None = None
    span: Span | None = None


class Lookups(Protocol):
    """What a ``where`` needs to know besides the row itself."""

    def shown(self, row: Row, attribute: str) -> Any:
        """Return a value that is not a column of the row (a linked record's name)."""
        ...

    def contact_values(self, row: Row, attribute: str) -> list[str]:
        """Return all addresses (numbers) of a row, the primary first."""
        ...

    def contact_owners(self, attribute: str, value: str) -> Collection[str]:
        """Return the ids of the rows that have an address (number)."""
        ...

    def is_linked(self, row: Row, link: str) -> bool:
        """Return whether a row has at least one record over a link; unknown links raise the API's 400."""
        ...


class WhereCompiler:
    """Compiles the ``where`` items of one entity type for one user.

    ``forbidden`` are attributes the user may not read; ``restricted`` is true for everybody but an admin.
    """

    def __init__(
        self, layout: Layout, table: Table, lookups: Lookups, *, forbidden: Collection[str], restricted: bool
    ) -> None:
        self._layout = layout
        self._table = table
        self._lookups = lookups
        self._forbidden = forbidden
        self._restricted = restricted

    def compile(self, item: Any) -> Condition:
        """Return the condition of one item; raises 400 as the API does."""
        if not isinstance(item, dict) or not isinstance(item.get("type"), str):
            raise bad_request("Bad where item.")
        kind = item["type"]
        if kind in {"and", "or"}:
            return self._group(kind, item.get("value"))
        if kind == "not":
            return self._negation(item.get("value"))
        attribute = item.get("attribute") or item.get("field")
        if kind in {"isLinked", "isNotLinked"}:
            wanted = kind == "isLinked"
            lookups, link = self._lookups, str(attribute)
            lookups.is_linked({}, link)
            return Condition(lambda row: lookups.is_linked(row, link) is wanted)
        return self._leaf(kind, attribute, item)

    def _group(self, kind: str, value: Any) -> Condition:
        if not isinstance(value, list):
            raise bad_request(f"Bad where item '{kind}'.")
        parts = [self.compile(part) for part in value]
        tests = [part.test for part in parts]
        if kind == "or":
            return Condition(lambda row: any(test(row) for test in tests))
        if len(parts) == 1:
            return parts[0]
        return Condition(lambda row: all(test(row) for test in tests))

    def _negation(self, value: Any) -> Condition:
        if self._restricted:
            raise bad_request("Sub-queries are forbidden in where. Sub-queries are forbidden in where.")
        test = self._group("and", value).test
        return Condition(lambda row: not test(row))

    def _leaf(self, kind: str, attribute: Any, item: dict[str, Any]) -> Condition:
        if attribute in self._forbidden:
            raise bad_request(
                f"Forbidden attribute '{attribute}' in where. Forbidden attribute '{attribute}' in where."
            )
        if not isinstance(attribute, str) or attribute not in self._layout.searchable:
            raise bad_request(f"Not existing attribute '{attribute}' in where.")
        if attribute in CONTACTS and self._layout.has_contacts:
            return self._contact(kind, attribute, item)
        if kind in {"isNull", "isNotNull", "equals"} and (kind != "equals" or item.get("value") is None):
            return self._null(attribute, wanted=kind != "isNotNull")
        if kind in {"isTrue", "isFalse"}:
            getter, wanted = self._getter(attribute), kind == "isTrue"
            return Condition(lambda row: bool(getter(row)) is wanted)
        if kind in {"equals", "notEquals", "in", "notIn"}:
            return self._membership(kind, attribute, item)
        if kind in COMPARISONS or kind == "between":
            return self._comparison(kind, attribute, item)
        if kind in {"past", "future"}:
            return self._comparison({"past": "before", "future": "after"}[kind], attribute, {"value": self._now()})
        if kind in TEXT_TESTS:
            return self._text(kind, attribute, item)
        raise bad_request(f"Unknown where item type '{kind}'.")

    def _now(self) -> str:
        return str(self._lookups.shown({}, "now"))

    def _getter(self, attribute: str) -> Callable[[Row], Any]:
        if attribute in self._layout.names:
            lookups = self._lookups
            return lambda row: lookups.shown(row, attribute)
        return lambda row: row.get(attribute)

    def _null(self, attribute: str, *, wanted: bool) -> Condition:
        getter = self._getter(attribute)
        index = self._table.by_value.get(attribute)
        ids = index.get(None, {}) if wanted and index is not None else None
        return Condition(lambda row: (getter(row) is None) is wanted, ids=ids)

    def _kind(self, attribute: str) -> str:
        stored = self._layout.stored.get(attribute)
        if stored is not None:
            return stored.kind
        return {"id": "id", "deleted": "bool", "versionNumber": "int", "streamUpdatedAt": "datetime"}.get(
            attribute, "varchar"
        )

    def _operand(self, attribute: str, value: Any, item: dict[str, Any]) -> Any:
        kind = self._kind(attribute)
        if kind in {"int", "float"} and not isinstance(value, int | float):
            try:
                return float(value) if "." in str(value) else int(value)
            except ValueError:
                return None
        if kind == "bool":
            return str(value).lower() in {"1", "true"}
        if kind in MOMENTS:
            return _moment(value, item)
        if kind in {"varchar", "text", "name"}:
            return str(value).casefold()
        return value

    def _folded(self, attribute: str) -> Callable[[Row], Any]:
        getter = self._getter(attribute)
        if self._kind(attribute) not in {"varchar", "text", "name"}:
            return getter

        def folded(row: Row) -> Any:
            value = getter(row)
            return value.casefold() if isinstance(value, str) else value

        return folded

    def _membership(self, kind: str, attribute: str, item: dict[str, Any]) -> Condition:
        value = item.get("value")
        if kind in {"in", "notIn"} and (not isinstance(value, list) or not value):
            raise bad_request(f"Bad where item '{kind}'.")
        values = value if isinstance(value, list) else [value]
        if any(isinstance(part, dict | list) for part in values):
            raise bad_request(f"Bad where item '{kind}'.")
        wanted = {self._operand(attribute, part, item) for part in values}
        wanted.discard(None)
        getter = self._folded(attribute)
        if kind.startswith("not"):
            return Condition(lambda row: (found := getter(row)) is not None and found not in wanted)
        return Condition(lambda row: getter(row) in wanted, ids=self._ids(attribute, wanted))

    def _ids(self, attribute: str, wanted: set[Any]) -> Collection[str] | None:
        if attribute == "id":
            return [record_id for record_id in wanted if record_id in self._table.rows]
        index = self._table.by_value.get(attribute)
        if index is None:
            return None
        if len(wanted) == 1:
            return index.get(next(iter(wanted)), {})
        return [record_id for value in wanted for record_id in index.get(value, ())]

    def _comparison(self, kind: str, attribute: str, item: dict[str, Any]) -> Condition:
        value = item.get("value")
        getter = self._folded(attribute)
        if kind == "between":
            if not isinstance(value, list) or len(value) != len(("from", "to")):
                raise bad_request("Bad where item 'between'.")
            low, high = (self._operand(attribute, part, item) for part in value)
            span = self._span(attribute, Span(attribute, low, high))
            return Condition(lambda row: (found := getter(row)) is not None and low <= found <= high, span=span)
        if value is None:
            raise bad_request(f"Bad where item '{kind}'.")
        operand = self._operand(attribute, value, item)
        compare = COMPARISONS[kind]
        if operand is None:
            return Condition(lambda _row: False)
        return Condition(
            lambda row: (found := getter(row)) is not None and compare(found, operand),
            span=self._span(attribute, _one_sided(kind, attribute, operand)),
        )

    @staticmethod
    def _span(attribute: str, span: Span) -> Span | None:
        return span if attribute in {"id", "createdAt", "modifiedAt"} else None

    def _text(self, kind: str, attribute: str, item: dict[str, Any]) -> Condition:
        part = str(item.get("value", "")).casefold()
        getter, test = self._getter(attribute), TEXT_TESTS[kind]
        return Condition(lambda row: (found := getter(row)) is not None and test(str(found).casefold(), part))

    def _contact(self, kind: str, attribute: str, item: dict[str, Any]) -> Condition:
        lookups, value = self._lookups, item.get("value")
        if kind in {"isNull", "isNotNull"} or (kind == "equals" and value is None):
            wanted = kind != "isNotNull"
            return Condition(lambda row: (not lookups.contact_values(row, attribute)) is wanted)
        if kind in {"equals", "in"}:
            values = value if isinstance(value, list) else [value]
            ids = {owner for part in values for owner in lookups.contact_owners(attribute, str(part))}
            return Condition(lambda row: row["id"] in ids, ids=ids)
        if kind in TEXT_TESTS:
            part, test = str(value).casefold(), TEXT_TESTS[kind]
            return Condition(lambda row: any(test(v.casefold(), part) for v in lookups.contact_values(row, attribute)))
        raise bad_request(f"Unknown where item type '{kind}'.")


def _one_sided(kind: str, attribute: str, operand: Any) -> Span:
    if kind in {"after", "greaterThan"}:
        return Span(attribute, low=operand, low_open=True)
    if kind == "greaterThanOrEquals":
        return Span(attribute, low=operand)
    if kind in {"before", "lessThan"}:
        return Span(attribute, high=operand, high_open=True)
    return Span(attribute, high=operand)


def _moment(value: Any, item: dict[str, Any]) -> str:
    text = str(value)
    zone = item.get("timeZone")
    if str(item.get("dateTime", "")).lower() in {"true", "1"} and zone:
        try:
            local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(str(zone)))
        except (ValueError, ZoneInfoNotFoundError) as error:
            raise bad_request("Bad where item.") from error
        return stamp(local.astimezone(UTC))
    return normal_moment(text) or text
