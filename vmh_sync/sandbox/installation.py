"""What differs from one firm's EspoCRM and Advoware to the next, as plain data, and how a seed draws it.

Only what the wire contract, espocrm.md and entities.md leave open is drawn (marked assumed there, a switch, or
configuration); what they call sure is the same everywhere. Field names are the defaults of entities.md.
"""

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

FieldKey = str
"""``Entity.field`` in EspoCRM, such as ``CBeteiligte.betnr``."""

BAD_CHARACTERS = "$noBadCharacters"


@dataclass(frozen=True)
class CrmInstallation:
    """One firm's EspoCRM.

    ``field_types``, ``max_lengths``, ``enum_options`` replace what entities.md has; ``patterned`` fields refuse
    ``<>=``; ``missing`` fields were never set up. ``optimistic`` and ``stream`` say per entity whether the switch is
    on. ``list_limit`` is the largest page, ``duplicate_check`` whether a POST of a party looks for its like,
    ``formula_dirty`` whether a formula marks people's edits. ``skew_minutes``: how far its clock is ahead.
    """

    field_types: Mapping[FieldKey, str] = field(default_factory=dict)
    max_lengths: Mapping[FieldKey, int] = field(default_factory=dict)
    enum_options: Mapping[FieldKey, tuple[str, ...]] = field(default_factory=dict)
    patterned: tuple[FieldKey, ...] = ()
    missing: tuple[FieldKey, ...] = ()
    optimistic: Mapping[str, bool] = field(default_factory=dict)
    stream: Mapping[str, bool] = field(default_factory=dict)
    list_limit: int = 200
    duplicate_check: bool = True
    formula_dirty: bool = True
    phone_international: bool = True
    skew_minutes: int = 0
    latency_ms: int = 0


@dataclass(frozen=True)
class OfficeInstallation:
    """One firm's Advoware.

    ``single_read`` and ``write_answer`` are the forms of answers, ``komm_kz_told``, ``embedded``, ``separate_lists``
    and ``search`` the capabilities of advoware-wire.md 5; ``searched`` are the fields that a search looks into.
    ``put_ignores`` and ``post_ignores`` are party fields that the call drops silently; ``put_keeps`` says that what a
    PUT leaves out stays (else it is emptied). ``empty_as_null``: empty texts read as null. ``dates`` is the notation
    of days in answers. ``first_betnr`` and ``first_child`` are the next free numbers, ``row_ids`` the form of row
    ids. ``zone`` is the zone of its local times, ``skew_minutes`` how far its clock is ahead.
    """

    single_read: Literal["object", "list"] = "object"
    write_answer: Literal["object", "list", "number", "none"] = "object"
    komm_kz_told: bool = True
    embedded: bool = True
    separate_lists: bool = True
    search: bool = True
    searched: tuple[str, ...] = ("name", "vorname", "bemerkung")
    put_ignores: tuple[str, ...] = ()
    post_ignores: tuple[str, ...] = ()
    put_keeps: bool = False
    empty_as_null: bool = False
    dates: Literal["date-time", "date"] = "date-time"
    first_betnr: int = 1001
    first_child: int = 50_001
    row_ids: Literal["letters", "hex", "digits"] = "letters"
    connector: bool = False
    zone: str = "Europe/Berlin"
    skew_minutes: int = 0
    latency_ms: int = 0


@dataclass(frozen=True)
class Installation:
    """Both systems of one firm. ``seed`` is what it was drawn from, ``None`` for the usual one of the demo."""

    seed: int | None = None
    crm: CrmInstallation = field(default_factory=CrmInstallation)
    office: OfficeInstallation = field(default_factory=OfficeInstallation)

    @classmethod
    def draw(cls, seed: int) -> "Installation":
        """Draw a firm; the same seed draws the same one."""
        rng = random.Random(f"installation-{seed}")
        crm = _draw_crm(rng)
        return cls(seed, crm, _draw_office(rng, wide_numbers=crm.field_types.get("CBeteiligte.betnr") == "varchar"))

    def to_json(self) -> dict[str, Any]:
        """Return what was drawn as plain JSON."""
        return asdict(self)


PARTY, ADDRESS, ACCOUNT = "CBeteiligte", "CAdressen", "CBankverbindungen"

_OPTIONAL = {
    PARTY: (
        "titel",
        "zusatz",
        "briefAnrede",
        "handelsregisterNummer",
        "registergericht",
        "kommunikationHash",
        "advowareRowId",
        "advowareLastSync",
        "advowareDeletedAt",
        "syncAutoResetAt",
        "syncNextRetry",
        "syncRetryCount",
    ),
    ADDRESS: ("postfach", "postfachPlz", "gueltigVon", "gueltigBis", "advowareDeletedAt", "syncAutoResetAt"),
    ACCOUNT: ("istStandard", "advowareRowId", "advowareLastSync", "advowareDeletedAt", "syncAutoResetAt"),
}
_NUMBERS = (f"{PARTY}.betnr", f"{ADDRESS}.advowareId", f"{ACCOUNT}.advowareKontoId")
_DAYS = (f"{PARTY}.dateOfBirth", f"{ADDRESS}.gueltigVon", f"{ADDRESS}.gueltigBis")
_LENGTHS = {
    f"{PARTY}.firmenname": (60, 100, 110, 150, 255),
    f"{PARTY}.titel": (20, 50, 100),
    f"{PARTY}.zusatz": (30, 100, 150),
    f"{PARTY}.briefAnrede": (40, 100, 150),
    f"{PARTY}.handelsregisterNummer": (20, 50),
    f"{PARTY}.registergericht": (30, 100),
    f"{ACCOUNT}.bankname": (30, 100, 150),
    f"{ACCOUNT}.kontoinhaber": (40, 100, 150),
}
_LEGAL_FORMS = (
    ("", "Einzelperson", "GmbH", "GmbH & Co. KG", "AG", "KG", "OHG", "GbR", "UG", "e.V.", "eG", "Stiftung", "Sonstige"),
    ("", "Herr", "Frau", "Firma", "GmbH", "GbR", "AG", "Verein", "Behörde"),
    ("", "GmbH", "AG", "KG", "GbR", "e.V.", "Partnerschaft mbB"),
)
_SALUTATIONS = (("", "Mr.", "Ms.", "Mrs.", "Dr."), ("", "Mr.", "Ms."), ("", "Mr.", "Mrs.", "Divers"))
_STATES = ("pending_sync", "dirty", "syncing", "clean", "failed", "permanently_failed")
_PUT_HONOURED = ("vorname", "rechtsform", "anrede", "titel", "bAnrede", "zusatz", "geburtsdatum")
_POST_ONLY = ("handelsRegisterNummer", "registergericht", "bemerkung")
_LARGE, _BEYOND_32_BIT = 1_000_000_000, 3_000_000_000


def _draw_crm(rng: random.Random) -> CrmInstallation:
    types = {key: "varchar" for key in _NUMBERS if rng.random() < 0.3}
    types |= {key: "datetime" for key in _DAYS if rng.random() < 0.25}
    missing = [f"{entity}.{name}" for entity, names in _OPTIONAL.items() for name in names if rng.random() < 0.15]
    options: dict[FieldKey, tuple[str, ...]] = {f"{PARTY}.rechtsform": rng.choice(_LEGAL_FORMS)}
    if rng.random() < 0.4:
        options[f"{PARTY}.salutationName"] = rng.choice(_SALUTATIONS)
    for entity in (PARTY, ADDRESS):
        extra = [state for state in ("conflict", "deleted_in_advoware") if rng.random() < 0.7]
        options[f"{entity}.syncStatus"] = (*_STATES, *extra)
    patterned = [f"{PARTY}.{name}" for name in ("lastName", "firstName", "firmenname") if rng.random() < 0.5]
    return CrmInstallation(
        field_types=types,
        max_lengths={key: rng.choice(lengths) for key, lengths in _LENGTHS.items() if key not in missing},
        enum_options=options,
        patterned=tuple(patterned),
        missing=tuple(missing),
        optimistic={entity: rng.random() < 0.4 for entity in (PARTY, ADDRESS, ACCOUNT)},
        stream={entity: rng.random() < 0.5 for entity in (PARTY, ADDRESS, ACCOUNT)},
        list_limit=rng.choice((20, 35, 50, 100, 200)),
        duplicate_check=rng.random() < 0.7,
        formula_dirty=rng.random() < 0.7,
        phone_international=rng.random() < 0.7,
        skew_minutes=rng.choice((0, 0, -11, -2, 3, 14)),
        latency_ms=rng.choice((0, 0, 1, 4)),
    )


def _draw_office(rng: random.Random, *, wide_numbers: bool) -> OfficeInstallation:
    embedded = rng.random() < 0.6
    numbers = [1, 1001, 73_000, _LARGE, *([_BEYOND_32_BIT] if wide_numbers else [])]
    return OfficeInstallation(
        single_read=rng.choice(("object", "list")),
        write_answer=rng.choice(("object", "list", "number", "none")),
        komm_kz_told=rng.random() < 0.5,
        embedded=embedded,
        separate_lists=not embedded or rng.random() < 0.5,
        search=rng.random() < 0.7,
        searched=rng.choice((("name", "vorname", "bemerkung"), ("name", "vorname"), ("name",))),
        put_ignores=tuple(name for name in _PUT_HONOURED if rng.random() < 0.12),
        post_ignores=tuple(name for name in (*_PUT_HONOURED, *_POST_ONLY) if rng.random() < 0.1),
        put_keeps=rng.random() < 0.4,
        empty_as_null=rng.random() < 0.4,
        dates=rng.choice(("date-time", "date-time", "date")),
        first_betnr=rng.choice(numbers),
        first_child=rng.choice((1, 50_001, _LARGE)),
        row_ids=rng.choice(("letters", "letters", "hex", "digits")),
        connector=rng.random() < 0.4,
        zone=rng.choice(("Europe/Berlin", "Europe/Berlin", "UTC", "Europe/Lisbon")),
        skew_minutes=rng.choice((0, 0, -13, -3, 2, 12)),
        latency_ms=rng.choice((0, 0, 2, 6)),
    )
