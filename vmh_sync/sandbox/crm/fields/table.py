"""The records of one entity type, with the indexes that keep lists quick."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]

ORDERED = ("createdAt", "modifiedAt")


class OrderedIndex:
    """The live rows by ``(value, id)``; rows whose value is NULL stand first, as MariaDB sorts them."""

    def __init__(self, attribute: str) -> None:
        self.attribute = attribute
        self.entries: list[tuple[str, str]] = []

    def add(self, row: Row) -> None:
        """Take a row in."""
        entry = (row[self.attribute] or "", row["id"])
        if not self.entries or entry > self.entries[-1]:
            self.entries.append(entry)
        else:
            insort(self.entries, entry)

    def discard(self, value: str | None, record_id: str) -> None:
        """Take a row out; ``value`` is what it had when it was taken in."""
        entry = (value or "", record_id)
        position = bisect_left(self.entries, entry)
        if position < len(self.entries) and self.entries[position] == entry:
            del self.entries[position]

    def span(self, low: str | None, high: str | None, *, low_open: bool, high_open: bool) -> tuple[int, int]:
        """Return the slice bounds of the entries between two values (``None``: open end, but never NULL)."""
        if low is None:
            start = bisect_right(self.entries, ("", "\uffff"))
        elif low_open:
            start = bisect_right(self.entries, (low, "\uffff"))
        else:
            start = bisect_left(self.entries, (low, ""))
        if high is None:
            stop = len(self.entries)
        elif high_open:
            stop = bisect_left(self.entries, (high, ""))
        else:
            stop = bisect_right(self.entries, (high, "\uffff"))
        return start, max(start, stop)


class Table:
    """Rows are dicts of column values, kept by id; ``indexed`` columns can be looked up by value."""

    def __init__(self, indexed: Iterable[str]) -> None:
        self.rows: dict[str, Row] = {}
        self.deleted: dict[str, Row] = {}
        self.ids: list[str] = []
        self.by_value: dict[str, dict[Any, dict[str, None]]] = {attribute: {} for attribute in indexed}
        self.ordered = {attribute: OrderedIndex(attribute) for attribute in ORDERED}

    def insert(self, row: Row) -> None:
        """Store a live row; its id must be new."""
        record_id = row["id"]
        self.rows[record_id] = row
        if not self.ids or record_id > self.ids[-1]:
            self.ids.append(record_id)
        else:
            insort(self.ids, record_id)
        for attribute, index in self.by_value.items():
            index.setdefault(row.get(attribute), {})[record_id] = None
        for ordered in self.ordered.values():
            ordered.add(row)

    def update(self, row: Row, changes: Row) -> None:
        """Write ``changes`` into a live row and its indexes."""
        record_id = row["id"]
        for attribute, value in changes.items():
            index = self.by_value.get(attribute)
            if index is not None:
                self._drop_value(index, row.get(attribute), record_id)
                index.setdefault(value, {})[record_id] = None
            ordered = self.ordered.get(attribute)
            if ordered is not None:
                ordered.discard(row[attribute], record_id)
            row[attribute] = value
            if ordered is not None:
                ordered.add(row)

    def remove(self, record_id: str) -> Row:
        """Delete softly: the row leaves the lists and is kept aside."""
        row = self.rows.pop(record_id)
        position = bisect_left(self.ids, record_id)
        del self.ids[position]
        for attribute, index in self.by_value.items():
            self._drop_value(index, row.get(attribute), record_id)
        for attribute, ordered in self.ordered.items():
            ordered.discard(row[attribute], record_id)
        row["deleted"] = True
        self.deleted[record_id] = row
        return row

    def restore(self, record_id: str) -> Row:
        """Bring a softly deleted row back."""
        row = self.deleted.pop(record_id)
        row["deleted"] = False
        self.insert(row)
        return row

    def id_span(self, low: str | None, high: str | None, *, low_open: bool, high_open: bool) -> tuple[int, int]:
        """Return the slice bounds of ``ids`` between two ids."""
        start = 0
        if low is not None:
            start = bisect_right(self.ids, low) if low_open else bisect_left(self.ids, low)
        stop = len(self.ids)
        if high is not None:
            stop = bisect_left(self.ids, high) if high_open else bisect_right(self.ids, high)
        return start, max(start, stop)

    def add_index(self, attribute: str) -> None:
        """Index one more column."""
        index: dict[Any, dict[str, None]] = {}
        for record_id, row in self.rows.items():
            index.setdefault(row.get(attribute), {})[record_id] = None
        self.by_value[attribute] = index

    def add_column(self, attribute: str) -> None:
        """Give all rows a new, empty column."""
        for rows in (self.rows, self.deleted):
            for row in rows.values():
                row.setdefault(attribute, None)

    @staticmethod
    def _drop_value(index: dict[Any, dict[str, None]], value: Any, record_id: str) -> None:
        bucket = index.get(value)
        if bucket is not None:
            bucket.pop(record_id, None)
            if not bucket:
                del index[value]
