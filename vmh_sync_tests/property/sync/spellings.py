"""A small table with every kind of field, and values of each kind in several spellings."""

from dataclasses import replace
from datetime import UTC

from hypothesis import strategies as st

from vmh_sync.sync.base import Base, Side
from vmh_sync.sync.fields import FieldRule, FieldTable
from vmh_sync.sync.merge import ConflictRule, Decision, Stamps
from vmh_sync.sync.values import Kind, Value

SPELLINGS: dict[Kind, tuple[tuple[Value, ...], ...]] = {
    Kind.TEXT: ((None, "", "  "), ("Müller", " Mu\u0308ller "), ("Mueller",), ("a\nb", "a\r\nb", "a \rb")),
    Kind.EMAIL: ((None, ""), ("info@huber.example", " Info@HUBER.example"), ("info@huber-bau.example",)),
    Kind.PHONE: ((None, ""), ("+497111234", "0711 / 1234", "0049 (0) 711 1234"), ("+497111235",), ("110",)),
    Kind.BIC: ((None, ""), ("COBADEFF", "cobadeffxxx", "COBA DE FF"), ("COBADEFF060",)),
    Kind.IBAN: ((None, ""), ("DE02120300000000202051", "de02 1203 0000 0000 2020 51"), ("DE02500105170137075030",)),
    Kind.COUNTRY: (
        (None, " "),
        ("Deutschland", "DEUTSCHLAND", " D", "de"),
        ("Österreich", "o\u0308sterreich", "AT"),
        ("PL",),
    ),
    Kind.DATE: ((None, ""), ("1970-03-01", "1970-03-01T00:00:00"), ("1970-03-02",)),
    Kind.NUMBER: ((None, ""), (7, "7", " +7"), (8,)),
}
"""Kind -> groups of spellings; what stands in one group means the same, what stands in two groups never does."""

TABLE = FieldTable(tuple(FieldRule(str(kind), str(kind), str(kind), str(kind), kind=kind) for kind in SPELLINGS))
"""One field of each kind, named after it."""


def table_with(rule: ConflictRule) -> FieldTable:
    return FieldTable(tuple(replace(line, conflict=rule) for line in TABLE.rules))


def group_of(kind: Kind, value: Value) -> int:
    """Return the group that a value stands in: the oracle of "means the same"."""
    found = [
        index
        for index, group in enumerate(SPELLINGS[kind])
        if any(value == one and type(value) is type(one) for one in group)
    ]
    (index,) = found
    return index


def value_of(kind: Kind) -> st.SearchStrategy[Value]:
    return st.sampled_from([value for group in SPELLINGS[kind] for value in group])


def record() -> st.SearchStrategy[dict[str, Value]]:
    return st.fixed_dictionaries({str(kind): value_of(kind) for kind in SPELLINGS})


BASES = st.builds(Base, record(), record())
MAYBE_BASES = st.none() | BASES
MOMENTS = st.none() | st.datetimes(timezones=st.just(UTC))
STAMPS = st.builds(Stamps, espocrm=MOMENTS, advoware=MOMENTS)
RULES = st.sampled_from(list(ConflictRule))


def values_by_side(decision: Decision) -> dict[Side, Value]:
    """Return what each side said when the decision was made."""
    if decision.source is Side.ADVOWARE:
        return {Side.ESPOCRM: decision.replaced, Side.ADVOWARE: decision.value}
    return {Side.ESPOCRM: decision.value, Side.ADVOWARE: decision.replaced}
