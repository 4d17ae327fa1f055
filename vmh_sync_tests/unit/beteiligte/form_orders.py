"""A party that changes its form, in one save or in two: every order in which people can type what belongs to it."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Fields = Mapping[str, Any]

COMPANY: Fields = {"lastName": "Huber Bau", "firmenname": "Huber Bau", "rechtsform": "GmbH"}
PERSON: Fields = {"lastName": "Huber", "firstName": "Erika", "rechtsform": ""}
_TO_PERSON_HERE = ({"rechtsform": ""}, {"firmenname": ""}, {"lastName": "Huber"}, {"firstName": "Erika"})
_TO_PERSON_THERE = ({"rechtsform": ""}, {"name": "Huber"}, {"vorname": "Erika"})
_TO_COMPANY_HERE = (
    {"rechtsform": "GmbH"},
    {"firmenname": "Huber Bau"},
    {"lastName": "Huber Bau"},
    {"firstName": ""},
)
_TO_COMPANY_THERE = ({"rechtsform": "GmbH"}, {"name": "Huber Bau"}, {"vorname": ""})


class Order(NamedTuple):
    """Who a party was, where people make another of it, and what they type in each save."""

    was: Fields
    here: bool
    saves: tuple[Fields, Fields]

    def __str__(self) -> str:
        """Name the case of a test."""
        side = "espocrm" if self.here else "advoware"
        return "-".join((side, "-then-".join("+".join(save) for save in self.saves if save)))


def orders(*, to_company: bool) -> list[Order]:
    """Return all orders: one save, or two."""
    was = PERSON if to_company else COMPANY
    here, there = (_TO_COMPANY_HERE, _TO_COMPANY_THERE) if to_company else (_TO_PERSON_HERE, _TO_PERSON_THERE)
    return [Order(was, side, saves) for side, typed in ((True, here), (False, there)) for saves in _splits(typed)]


def _splits(typed: tuple[Fields, ...]) -> Iterator[tuple[Fields, Fields]]:
    for mask in range(2 ** len(typed) - 1):
        saves: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
        for place, one in enumerate(typed):
            saves[mask >> place & 1].update(one)
        yield saves
