"""Finding the rows of a list: filter, order, page, count; with as little work as the indexes allow."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from vmh_sync.sandbox.crm.fields.table import Row, Table
from vmh_sync.sandbox.crm.records.where import Condition, Span

Key = Callable[[Row], Any]
SHARE_WORTH_SCANNING = 4


@dataclass(frozen=True)
class Page:
    """The rows of one page and the count as the API gives it (-1: more, -2: no more, where not counted)."""

    rows: list[Row]
    total: int


@dataclass(frozen=True)
class Order:
    """How a list is sorted: the attribute, the direction, and the value of a row. Equal ones go by id."""

    attribute: str
    descending: bool
    key: Key


def find(
    table: Table, conditions: Sequence[Condition], order: Order, *, offset: int, limit: int, count: bool = True
) -> Page:
    """Return one page of the rows that meet all conditions."""
    rows, exact = _candidates(table, conditions, order)
    if exact is not None:
        total = exact
        page = list(islice(rows, offset, offset + limit))
        return Page(page, total if count else _uncounted(more=total > offset + len(page)))
    if not count:
        found = list(islice(rows, offset, offset + limit + 1))
        return Page(found[:limit], _uncounted(more=len(found) > limit))
    matching = list(rows)
    return Page(matching[offset : offset + limit], len(matching))


def _uncounted(*, more: bool) -> int:
    return -1 if more else -2


def _candidates(table: Table, conditions: Sequence[Condition], order: Order) -> tuple[Iterator[Row], int | None]:
    """Return the matching rows in order, and their number if it is known without looking at them."""
    shortest = min((c for c in conditions if c.ids is not None), key=lambda c: len(c.ids or ()), default=None)
    ordered_here = order.attribute == "id" or order.attribute in table.ordered
    if shortest is not None and shortest.ids is not None:
        few = len(shortest.ids) * SHARE_WORTH_SCANNING <= len(table.rows)
        if few or not ordered_here:
            rest = [c.test for c in conditions if c is not shortest]
            rows = (table.rows[record_id] for record_id in shortest.ids if record_id in table.rows)
            return _sorted([row for row in rows if all(test(row) for test in rest)], order), None
    if not ordered_here:
        tests = [c.test for c in conditions]
        return _sorted([row for row in table.rows.values() if all(test(row) for test in tests)], order), None
    return _along_index(table, conditions, order)


def _along_index(table: Table, conditions: Sequence[Condition], order: Order) -> tuple[Iterator[Row], int | None]:
    covering = next((c for c in conditions if c.span is not None and c.span.attribute == order.attribute), None)
    narrow = _narrow_span(table, conditions, order)
    if narrow is not None:
        condition, start, stop = narrow
        rest = [c.test for c in conditions if c is not condition]
        rows = _walk(table, condition.span.attribute if condition.span else "id", start, stop, descending=False)
        return _sorted([row for row in rows if all(test(row) for test in rest)], order), None
    start, stop = (0, len(table.ids)) if covering is None else _bounds(table, covering.span)
    rest = [c.test for c in conditions if c is not covering]
    rows = _walk(table, order.attribute, start, stop, descending=order.descending)
    if not rest:
        return rows, stop - start
    return (row for row in rows if all(test(row) for test in rest)), None


def _narrow_span(table: Table, conditions: Sequence[Condition], order: Order) -> tuple[Condition, int, int] | None:
    """Return a span over another column than the sorted one if it leaves few enough rows to sort them."""
    for condition in conditions:
        if condition.span is not None and condition.span.attribute != order.attribute:
            start, stop = _bounds(table, condition.span)
            if (stop - start) * SHARE_WORTH_SCANNING <= len(table.rows):
                return condition, start, stop
    return None


def _bounds(table: Table, span: Span | None) -> tuple[int, int]:
    if span is None:
        return 0, len(table.ids)
    if span.attribute != "id":
        return table.ordered[span.attribute].span(span.low, span.high, low_open=span.low_open, high_open=span.high_open)
    return table.id_span(span.low, span.high, low_open=span.low_open, high_open=span.high_open)


def _walk(table: Table, attribute: str, start: int, stop: int, *, descending: bool) -> Iterator[Row]:
    positions = range(stop - 1, start - 1, -1) if descending else range(start, stop)
    rows = table.rows
    if attribute == "id":
        ids = table.ids
        return (rows[ids[position]] for position in positions)
    entries = table.ordered[attribute].entries
    return (rows[entries[position][1]] for position in positions)


def _sorted(rows: list[Row], order: Order) -> Iterator[Row]:
    key = order.key

    def sort_key(row: Row) -> tuple[bool, Any, str]:
        value = key(row)
        if value is None:
            return False, 0, row["id"]
        return True, value.casefold() if isinstance(value, str) else value, row["id"]

    rows.sort(key=sort_key, reverse=order.descending)
    return iter(rows)
