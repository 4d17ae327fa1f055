"""Which parties in Advoware name the same EspoCRM record, or one that does not stand for them. Pure.

The product writes ``EspoCRM-ID: <id>`` into the remark of every party it creates (specification, entities.md 1).
"""

import re
from collections.abc import Iterable, Mapping

MARK = "EspoCRM-ID:"

_MARK = re.compile(r"EspoCRM-ID:[ \t]*([0-9A-Za-z]+)")


def marked(remarks: Iterable[tuple[int, str | None]]) -> dict[str, list[int]]:
    """Return the Advoware numbers per EspoCRM id from (number, remark); remarks without a mark are left out."""
    found: dict[str, list[int]] = {}
    for betnr, remark in remarks:
        for espo_id in set(_MARK.findall(remark or "")):
            found.setdefault(espo_id, []).append(betnr)
    return {espo_id: sorted(set(betnrs)) for espo_id, betnrs in found.items()}


def doubled(marks: Mapping[str, list[int]]) -> list[str]:
    """Return one entry per EspoCRM id that several parties name."""
    return [f"{espo_id} (betnr {', '.join(map(str, betnrs))})" for espo_id, betnrs in marks.items() if len(betnrs) > 1]


def strays(marks: Mapping[str, list[int]], living: Mapping[str, int | None]) -> list[tuple[int, str]]:
    """Return (number, EspoCRM id) of the marked parties that no record stands for.

    ``living`` maps EspoCRM ids to their ``betnr``. A party that another record stands for is not alone: a person
    has given it to that one.
    """
    known = set(living.values())
    return sorted((betnr, espo_id) for espo_id, betnrs in marks.items() for betnr in betnrs if betnr not in known)
