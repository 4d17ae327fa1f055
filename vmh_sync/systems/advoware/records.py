"""Advoware's records as typed objects, with the JSON they came from kept beside them.

Every value may be null. Unknown fields are kept and survive a PUT through :func:`overlay`. Dates and times stay the
office-local text that Advoware sent; ``wire.local_moment`` reads them. The ``repr`` shows keys only, no values.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    field_validator,
    model_validator,
)

from vmh_sync.systems.advoware import wire
from vmh_sync.systems.spoilt_row import SpoiltRow


def _no_fraction(value: Any) -> Any:
    """A number may stand for a text of digits, a fraction for nothing: 1.5 is no postcode and no telephone number."""
    if isinstance(value, float):
        if not value.is_integer():
            raise ValueError("a fraction instead of a text")
        return int(value)
    return value


def _no_flag(value: Any) -> Any:
    if value is True or value is False:
        raise ValueError("a flag instead of a number")  # it would be read as the kind 1
    return value


NumericText = Annotated[str | None, Field(coerce_numbers_to_str=True), BeforeValidator(_no_fraction)]
"""A text that some installations tell as a number. Any other text that comes as one is a fault, never an edit."""


class WireRecord(BaseModel):
    """A record as Advoware tells it."""

    FIELDS: ClassVar[Mapping[str, str]] = {}
    KEYS: ClassVar[tuple[str, ...]] = ("id",)
    LEFT_OUT_OF_PUT: ClassVar[tuple[str, ...]] = ()

    # Built when the first one arrives: building them takes longer than a pass that reads none.
    model_config = ConfigDict(extra="allow", populate_by_name=True, defer_build=True)
    _raw: dict[str, Any] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _keep_raw(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(data, dict) and any(isinstance(data.get(cls.FIELDS.get(key)), bool | float) for key in cls.KEYS):
            raise ValueError("the key is no number")  # a flag would be read as the record 1
        record = handler(data)
        if isinstance(data, dict):
            record._raw = data
        return record

    @property
    def raw(self) -> dict[str, Any]:
        """The JSON object as received (not to be changed)."""
        return self._raw

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        return [(key, getattr(self, key)) for key in self.KEYS]

    __str__ = BaseModel.__repr__


class _OwnRecord(WireRecord):
    """A record of the product's own resources: its attributes are the names of the JSON in our spelling."""

    model_config = ConfigDict(alias_generator=wire.json_name)

    @classmethod
    def __pydantic_init_subclass__(cls, **_options: Any) -> None:
        cls.FIELDS = {name: wire.json_name(name) for name in cls.model_fields}


class Kommunikation(_OwnRecord):
    """One way to reach a party. ``komm_kz`` 0 or None means that this installation does not tell the kind."""

    id: int
    row_id: NumericText = None
    bet_nr: int | None = None
    komm_art: Annotated[int | str | None, BeforeValidator(_no_flag)] = None
    komm_kz: Annotated[int | None, BeforeValidator(_no_flag)] = None
    tlf: NumericText = None
    bemerkung: str | None = None
    online: bool = False

    @field_validator("online", mode="before")
    @classmethod
    def _null_is_false(cls, value: Any) -> Any:
        return False if value is None else value


class Adresse(_OwnRecord):
    """One address of a party."""

    id: int
    row_id: NumericText = None
    strasse: str | None = None
    plz: NumericText = None
    ort: str | None = None
    anschrift: str | None = None
    land: str | None = None
    postfach: NumericText = None
    postfach_plz: NumericText = None
    standard_anschrift: bool | None = None
    bemerkung: str | None = None
    gueltig_von: str | None = None
    gueltig_bis: str | None = None
    reihenfolge_index: int | None = None


class Bankverbindung(_OwnRecord):
    """One bank account of a party."""

    id: int
    row_id: NumericText = None
    kontoinhaber: str | None = None
    iban: str | None = None
    bic: str | None = None
    bank: str | None = None
    bemerkung: str | None = None


class Beteiligter(_OwnRecord):
    """A party. ``adressen`` and ``bankverbindungen`` are None where the installation does not embed them."""

    CHILDREN: ClassVar[Mapping[str, type[WireRecord]]] = {
        "kommunikation": Kommunikation,
        "adressen": Adresse,
        "bankverbindungen": Bankverbindung,
    }
    KEYS = ("bet_nr",)
    LEFT_OUT_OF_PUT = wire.BETEILIGTER_CHILDREN

    bet_nr: int
    row_id: NumericText = None
    geaendert_am: str | None = None
    name: str | None = None
    vorname: str | None = None
    rechtsform: str | None = None
    anrede: str | None = None
    titel: str | None = None
    b_anrede: str | None = None
    zusatz: str | None = None
    geburtsdatum: str | None = None
    kurzname: str | None = None
    geburtsname: str | None = None
    familienstand: str | None = None
    handels_register_nummer: NumericText = None
    registergericht: str | None = None
    bemerkung: str | None = None
    tel_gesch: NumericText = None
    tel_privat: NumericText = None
    mobil: NumericText = None
    fax_gesch: NumericText = None
    email_gesch: str | None = None
    email: str | None = None
    internet: str | None = None
    kommunikation: list[Kommunikation] = Field(default_factory=list)
    adressen: list[Adresse] | None = None
    bankverbindungen: list[Bankverbindung] | None = None
    _spoilt: dict[str, list[SpoiltRow]] = PrivateAttr(default_factory=dict)

    @property
    def spoilt(self) -> Mapping[str, Sequence[SpoiltRow]]:
        """What cannot be used of its lists, by the list's name here; the lists hold the other rows."""
        return self._spoilt

    def set_apart(self, spoilt: dict[str, list[SpoiltRow]]) -> None:
        """Note what was left out of the lists."""
        self._spoilt = spoilt

    @property
    def kommunikation_told(self) -> bool:
        """False when the answer held no list of Kommunikation at all: then nothing may be concluded from it."""
        return isinstance(self.raw.get(self.FIELDS["kommunikation"]), list)

    @field_validator("kommunikation", mode="before")
    @classmethod
    def _null_is_empty(cls, value: Any) -> Any:
        return [] if value is None else value


class Mitarbeiter(_OwnRecord):
    """An employee of the office."""

    KEYS = ("kuerzel",)

    kuerzel: Annotated[str, Field(coerce_numbers_to_str=True)]
    vorname: str | None = None
    name: str | None = None
    email: str | None = None
    aktiv: bool | None = None


class Termin(_OwnRecord):
    """An appointment (specification, kalender.md 2). A negative ``fr_nr`` is a made-up, read-only entry."""

    KEYS = ("fr_nr",)

    fr_nr: int
    text: str | None = None
    notiz: str | None = None
    ort: str | None = None
    datum: str | None = None
    uhrzeit_von: str | None = None
    uhrzeit_bis: str | None = None
    datum_bis: str | None = None
    dauertermin: int | None = None
    turnus: int | None = None
    turnus_art: int | None = None
    abwesenheit: int | None = None
    privat: bool | None = None
    anwalt: str | None = None
    sb: str | None = None
    nr: NumericText = None
    az_rubrum: str | None = None
    erinnerung: int | str | None = None
    erinnerungs_datum: str | None = None
    vorbereitungs_dauer: str | None = None
    fahrzeit: str | None = None
    fahrt_anzeige_typ: int | str | None = None
    zuletzt_geaendert_am: str | None = None


R = TypeVar("R", bound=WireRecord)


class Created(BaseModel, Generic[R]):
    """What a create gave back: the new record's key, and the record itself where the answer held it whole."""

    key: int
    record: R | None = None


def overlay(record: WireRecord, changes: Mapping[str, object]) -> dict[str, Any]:
    """The body of a PUT: everything as it was read, the changes laid over it, a party's child lists left out.

    ``changes`` maps attribute names (or JSON names that the record carries) to JSON-able values, dates or times.
    Raises ValueError for a name that the record does not know. The record itself stays as it is.
    """
    left_out = {record.FIELDS[name] for name in record.LEFT_OUT_OF_PUT}
    body = {name: copy.deepcopy(value) for name, value in record.raw.items() if name not in left_out}
    body.update(json_object(type(record), changes, also=frozenset(record.raw)))
    return body


def json_object(
    kind: type[WireRecord], values: Mapping[str, object], *, also: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Attribute names → JSON names, values → what stands on the wire. ``also`` names further JSON names allowed."""
    known = frozenset(kind.FIELDS.values()) | also
    body: dict[str, Any] = {}
    for name, value in values.items():
        json_name = kind.FIELDS.get(name, name)
        if json_name not in known:
            raise ValueError(f"{kind.__name__} has no attribute {name!r}")
        body[json_name] = wire.json_value(value)
    return body
