"""How forms and lists of the three entity types are to look, and what EspoCRM's templates bring. Pure data.

A layout is only ever written over one of the known defaults: what an administrator arranged stays.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Layout = Any

_LABELS = {"CBeteiligte": "Beteiligte", "CAdressen": "Adresse", "CBankverbindungen": "Bankverbindung"}
SYNC_PANEL = "Abgleich mit Advoware"
SEARCHED = "filters"
PANELS = "bottomPanelsDetail"

_BARE: Mapping[str, Layout] = {
    "detail": [{"label": "Overview", "rows": [[{"name": "name"}, False]]}],
    "detailSmall": [{"label": "", "rows": [[{"name": "name", "fullWidth": True}]]}],
    "list": [{"name": "name", "link": True}],
    "listSmall": [{"name": "name", "link": True}],
    SEARCHED: [],
    PANELS: {},
}
_PERSON: Mapping[str, Layout] = {
    **_BARE,
    "detail": [
        {
            "rows": [
                [{"name": "name"}, False],
                [{"name": "emailAddress"}, {"name": "phoneNumber"}],
                [{"name": "address"}, False],
                [{"name": "description", "fullWidth": True}],
            ]
        }
    ],
    "detailSmall": [
        {"rows": [[{"name": name, "fullWidth": True}] for name in ("name", "emailAddress", "phoneNumber")]}
    ],
}
DEFAULTS: Mapping[str, Mapping[str, Layout]] = {
    "CBeteiligte": _PERSON,
    "CAdressen": _BARE,
    "CBankverbindungen": _BARE,
}
"""What a new entity type of the template has (read in the sources of 9.2.7 to 10.0.0)."""


def _rows(*pairs: Sequence[str]) -> list[list[Any]]:
    rows: list[list[Any]] = []
    for pair in pairs:
        cells: list[Any] = [{"name": name} for name in pair]
        if len(cells) == 1:
            cells = [{"name": pair[0], "fullWidth": True}]
        rows.append(cells)
    return rows


def _form(entity: str, *pairs: Sequence[str], sync: Sequence[Sequence[str]]) -> Layout:
    return [
        {"customLabel": _LABELS[entity], "rows": _rows(*pairs)},
        {"customLabel": SYNC_PANEL, "rows": _rows(*sync)},
    ]


def _small(*names: str) -> Layout:
    return [{"rows": [[{"name": name, "fullWidth": True}] for name in names]}]


def _columns(first: str, *names: str) -> Layout:
    return [{"name": first, "link": True}, *({"name": name} for name in names)]


_SYNC_ROWS = (("syncStatus", "advowareLastSync"), ("syncErrorMessage",), ("syncNextRetry", "syncRetryCount"))

WANTED: Mapping[str, Mapping[str, Layout]] = {
    "CBeteiligte": {
        "detail": _form(
            "CBeteiligte",
            ("name", "betnr"),
            ("rechtsform", "firmenname"),
            ("titel", "dateOfBirth"),
            ("briefAnrede", "zusatz"),
            ("emailAddress", "phoneNumber"),
            ("handelsregisterNummer", "registergericht"),
            ("description",),
            sync=_SYNC_ROWS,
        ),
        "detailSmall": _small("name", "betnr", "emailAddress", "phoneNumber", "syncStatus", "syncErrorMessage"),
        "list": _columns("name", "betnr", "rechtsform", "emailAddress", "phoneNumber", "syncStatus"),
        "listSmall": _columns("name", "betnr", "syncStatus"),
        SEARCHED: [
            *("syncStatus", "syncErrorMessage", "advowareLastSync", "betnr", "firmenname", "rechtsform"),
            *("dateOfBirth", "emailAddress", "phoneNumber", "assignedUser", "createdAt", "modifiedAt"),
        ],
        PANELS: {"adressen": {"index": 5}, "bankverbindungen": {"index": 6}},
    },
    "CAdressen": {
        "detail": _form(
            "CAdressen",
            ("name", "beteiligte"),
            ("adresse", "anschrift"),
            ("postfach", "postfachPlz"),
            ("istStandard", "istAktiv"),
            ("gueltigVon", "gueltigBis"),
            ("description",),
            sync=_SYNC_ROWS,
        ),
        "detailSmall": _small("name", "beteiligte", "adresse", "istStandard", "istAktiv", "syncStatus"),
        "list": _columns("name", "beteiligte", "adresseCity", "istStandard", "istAktiv", "syncStatus"),
        "listSmall": _columns("name", "adresseCity", "istStandard", "syncStatus"),
        SEARCHED: [
            *("syncStatus", "syncErrorMessage", "advowareLastSync", "beteiligte", "istAktiv", "istStandard"),
            *("adresseCity", "gueltigBis", "assignedUser", "createdAt", "modifiedAt"),
        ],
    },
    "CBankverbindungen": {
        "detail": _form(
            "CBankverbindungen",
            ("name", "beteiligte"),
            ("iban", "bic"),
            ("bankname", "kontoinhaber"),
            ("istStandard", "istAktiv"),
            ("description",),
            sync=_SYNC_ROWS,
        ),
        "detailSmall": _small("name", "beteiligte", "iban", "kontoinhaber", "istStandard", "syncStatus"),
        "list": _columns("name", "beteiligte", "iban", "kontoinhaber", "istStandard", "syncStatus"),
        "listSmall": _columns("name", "iban", "istStandard", "syncStatus"),
        SEARCHED: [
            *("syncStatus", "syncErrorMessage", "advowareLastSync", "beteiligte", "iban", "istAktiv"),
            *("istStandard", "assignedUser", "createdAt", "modifiedAt"),
        ],
    },
}

NEEDED_TO_SEE: Mapping[str, Sequence[str]] = {
    "CBeteiligte": ("betnr", "firmenname", "syncStatus", "syncErrorMessage"),
    "CAdressen": ("beteiligte", "adresse", "syncStatus", "syncErrorMessage"),
    "CBankverbindungen": ("beteiligte", "iban", "syncStatus", "syncErrorMessage"),
}
"""Fields without which the people cannot work with a record: missing ones in an arranged form are told."""

WORDS = {
    "detail": "Formular",
    "detailSmall": "Kleines Formular",
    "list": "Liste",
    "listSmall": "Kleine Liste",
    SEARCHED: "Suchfelder",
    PANELS: "Tafeln unter dem Formular",
}


def field_names(layout: Layout) -> set[str]:
    """Return the names that occur in a layout of any kind."""
    return set(_names(layout))


def _names(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        if isinstance(node.get("name"), str):
            yield node["name"]
        for key, value in node.items():
            if isinstance(value, Mapping):
                yield key  # panels are named by their key
            elif isinstance(value, list):
                yield from _names(value)
    elif isinstance(node, list):
        for item in node:
            yield from _names(item)
