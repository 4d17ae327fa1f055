"""Compares a party's addresses and bank accounts on both sides. Pure; ids and field names only, never values.

Pairs are found anew from what both systems show: the number in EspoCRM's record, else the same key.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from vmh_sync.reconcile.difference import ANY_FIELD, UNLIKE, Clue, Difference, Json, difference
from vmh_sync.sync.values import bic, country, date, flag, iban, spelling

Normal = Callable[[object], object]


def _told_flag(value: object) -> bool | str | None:
    return None if value is None else flag(value)


@dataclass(frozen=True, slots=True)
class ChildField:
    """EspoCRM's attribute, Advoware's, our name in tasks, the German name. ``key``: part of what tells rows apart."""

    espocrm: str
    advoware: str
    name: str
    label: str
    normal: Normal = spelling
    key: bool = False

    def differs(self, espo_row: Json, advoware_row: Json) -> bool:
        """Whether both sides know the field and disagree; a flag that one side does not tell is no difference."""
        if self.espocrm not in espo_row:
            return False
        left, right = self.normal(espo_row[self.espocrm]), self.normal(advoware_row.get(self.advoware))
        if self.normal is _told_flag and (left is None or right is None):
            return False
        return left != right


@dataclass(frozen=True, slots=True)
class ChildTable:
    """How one kind of child is compared. ``numbers``: the attributes in which EspoCRM keeps Advoware's id.

    ``idle_stays``: a child switched off in EspoCRM is meant to stay in Advoware.
    """

    entity: str
    label: str
    numbers: tuple[str, ...]
    fields: tuple[ChildField, ...]
    idle_stays: bool = False

    def espocrm_key(self, row: Json) -> tuple[object, ...]:
        """Return what tells EspoCRM's rows apart."""
        return tuple(part.normal(row.get(part.espocrm)) for part in self.fields if part.key)

    def advoware_key(self, row: Json) -> tuple[object, ...]:
        """Return what tells Advoware's rows apart."""
        return tuple(part.normal(row.get(part.advoware)) for part in self.fields if part.key)


ADRESSEN = ChildTable(
    "adressen",
    "Adresse",
    ("advowareId",),
    (
        ChildField("adresseStreet", "strasse", "strasse", "Straße", key=True),
        ChildField("adressePostalCode", "plz", "plz", "PLZ", key=True),
        ChildField("adresseCity", "ort", "ort", "Ort", key=True),
        ChildField("adresseCountry", "land", "land", "Land", country),
        ChildField("postfach", "postfach", "postfach", "Postfach"),
        ChildField("postfachPlz", "postfachPLZ", "postfach_plz", "Postfach-PLZ"),
        ChildField("istStandard", "standardAnschrift", "standard", "Standardanschrift", _told_flag),
        ChildField("gueltigVon", "gueltigVon", "gueltig_von", "Gültig von", date),
        ChildField("gueltigBis", "gueltigBis", "gueltig_bis", "Gültig bis", date),
    ),
)
KONTEN = ChildTable(
    "bankverbindungen",
    "Bankverbindung",
    ("advowareKontoId", "advowareId"),
    (
        ChildField("iban", "iban", "iban", "IBAN", iban, key=True),
        ChildField("bic", "bic", "bic", "BIC", bic),
        ChildField("bankname", "bank", "bank", "Bank"),
        ChildField("kontoinhaber", "kontoinhaber", "kontoinhaber", "Kontoinhaber"),
    ),
    idle_stays=True,
)


@dataclass(slots=True)
class _Rows:
    """What has no partner yet, and the pairs found."""

    espocrm: list[Json]
    advoware: list[Json]
    pairs: list[tuple[Json, Json]] = field(default_factory=list)

    def match(self, same: Callable[[Json, Json], bool]) -> None:
        """Pair rows one to one: a row that stands twice on one side needs two on the other."""
        for row in list(self.espocrm):
            partner = next((other for other in self.advoware if same(row, other)), None)
            if partner is not None:
                self.espocrm = [other for other in self.espocrm if other is not row]
                self.advoware = [other for other in self.advoware if other is not partner]
                self.pairs.append((row, partner))


def compare_children(
    table: ChildTable,
    espocrm: Json,
    espo_rows: Iterable[Json],
    advoware_rows: Sequence[Json],
    *,
    today: dt.date,
    imports: bool = True,
) -> list[Difference]:
    """Return how the children of the party ``espocrm`` differ, child by child and field by field.

    ``espo_rows`` is EspoCRM's JSON, inactive ones included, ``advoware_rows`` Advoware's. Without ``imports`` a child
    that only Advoware has is as it should be.
    """
    espo_rows = list(espo_rows)
    idle = [row for row in espo_rows if row.get("istAktiv") is False]
    left = _Rows(
        [row for row in espo_rows if row.get("istAktiv") is not False],
        [row for row in advoware_rows if any(part.normal(row.get(part.advoware)) for part in table.fields)],
    )
    left.match(lambda row, other: _numbered(table, row, other))
    left.match(lambda row, other: table.espocrm_key(row) == table.advoware_key(other))
    found = [
        difference(
            espocrm, f"{table.entity}.{part.name}", f"{table.label}: {part.label}", UNLIKE, _clue(table, row, part.name)
        )
        for row, other in left.pairs
        for part in table.fields
        if part.differs(row, other)
    ]
    found += [
        difference(espocrm, table.entity, table.label, f"{row.get('id')} nur in EspoCRM", _clue(table, row))
        for row in left.espocrm
    ]
    lonely = [row for row in left.advoware if not _ended(row, today)]
    return found + [
        item for row in lonely if (item := _unpaired(table, espocrm, row, idle, imports=imports)) is not None
    ]


def _unpaired(table: ChildTable, espocrm: Json, row: Json, idle: Sequence[Json], *, imports: bool) -> Difference | None:
    """A child without an active partner: switched off or deleted in EspoCRM (then a task says so), or never seen."""
    retired = [one for one in idle if _numbered(table, one, row)]
    if (retired and table.idle_stays) or (not retired and not imports):
        return None
    told_by = frozenset({Clue(table.entity, str(row.get("id")), in_advoware=True)})
    told_by = told_by.union(*(_clue(table, one) for one in retired))
    return difference(espocrm, table.entity, table.label, f"{row.get('id')} nur in Advoware", told_by)


def _numbered(table: ChildTable, row: Json, other: Json) -> bool:
    number = next((row[name] for name in table.numbers if row.get(name)), None)
    return number is not None and str(number) == str(other.get("id"))


def _clue(table: ChildTable, row: Json, field_name: str = ANY_FIELD) -> frozenset[Clue]:
    return frozenset({Clue(table.entity, str(row.get("id")), field_name)})


def _ended(row: Json, today: dt.date) -> bool:
    last = date(row.get("gueltigBis"))
    return last is not None and last < today.isoformat()
