"""Field tables: which EspoCRM attribute and which Advoware field say the same thing, and how they convert. Pure.

A table is data: an operator may override names, conflict rules and choices (specification, entities.md, first
paragraph) by a JSON file, see :func:`override`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from vmh_sync.sync.base import Side
from vmh_sync.sync.merge import ConflictRule
from vmh_sync.sync.values import Kind, Value, is_date, normal

_FOREIGN = "?"


class Unrepresentable(Exception):
    """The target side has no word for a value, or it is of no such kind; carries the field name, never the value.

    ``why`` says in German what the value is not; empty where the side only has no word for it.
    """

    def __init__(self, field_name: str, side: Side, why: str = "") -> None:
        super().__init__(f"{field_name}: {side} has no counterpart for this value")
        self.field = field_name
        self.side = side
        self.why = why


class WrongKind(Exception):
    """A side told a value of a kind that the field never has: a fault, no edit. Names the field, never the value."""

    def __init__(self, label: str, side: Side, kind: str) -> None:
        super().__init__(f"{label}: {side} told a {kind}")
        self.label = label
        self.side = side

    @property
    def message_for_people(self) -> str:
        """One German sentence."""
        return (
            f"{_SYSTEM[self.side]} meldet für das Feld „{self.label}“ etwas Unbrauchbares; es wurde nichts geändert. "
            "Bitte das Feld dort prüfen."
        )


_SYSTEM = {Side.ESPOCRM: "EspoCRM", Side.ADVOWARE: "Advoware"}
_IS_OF: Mapping[Kind, Callable[[Value], bool]] = {
    Kind.DATE: is_date,
    Kind.FLAG: lambda value: isinstance(value, bool),
    Kind.NUMBER: lambda value: isinstance(value, int) and not isinstance(value, bool),
}
_IS_NONE = {
    Kind.DATE: "das ist kein Datum",
    Kind.FLAG: "das heißt weder ja noch nein",
    Kind.NUMBER: "das ist keine ganze Zahl",
}
_NUMERIC_TEXTS = frozenset({"plz", "postfach_plz", "handelsregister_nummer"})
"""Texts that some installations tell as numbers."""


@dataclass(frozen=True, slots=True)
class Choices:
    """A two-way table of enum values; the canonical value is the Advoware word.

    ``pairs`` hold (EspoCRM word, Advoware word); the first pair of a word is the one used for writing.
    ``silent`` are Advoware words that say nothing EspoCRM would need to know: they count as empty.
    """

    pairs: tuple[tuple[str, str], ...]
    silent: frozenset[str] = frozenset()

    def read(self, side: Side, raw: object) -> Value:
        """Return the canonical word, ``None`` for empty, or a marked foreign word that only ``side`` knows."""
        word = normal(Kind.TEXT, raw)
        if word is None or (side is Side.ADVOWARE and word in self.silent):
            return None
        for espo, advoware in self.pairs:
            if word == (espo if side is Side.ESPOCRM else advoware):
                return advoware or None
        return f"{_FOREIGN}{side}:{word}"

    def write(self, side: Side, value: Value, field_name: str) -> str:
        """Return the word of ``side`` for a canonical word; raises :class:`Unrepresentable` if it has none."""
        if value is None:
            return self._word_for_nothing(side)
        if is_foreign(value):
            origin, _, word = str(value)[1:].partition(":")
            if origin == side:
                return word
            raise Unrepresentable(field_name, side)
        if side is Side.ADVOWARE:
            return str(value)
        for espo, advoware in self.pairs:
            if advoware == value:
                return espo
        raise Unrepresentable(field_name, side)

    def _word_for_nothing(self, side: Side) -> str:
        return next((espo for espo, advoware in self.pairs if not advoware and side is Side.ESPOCRM), "")


def is_foreign(value: Value) -> bool:
    """Tell whether a canonical choice is a word that only one side knows."""
    return isinstance(value, str) and value.startswith((f"{_FOREIGN}{Side.ESPOCRM}:", f"{_FOREIGN}{Side.ADVOWARE}:"))


_READ_AS_THEMSELVES = frozenset({Kind.DATE, Kind.FLAG, Kind.NUMBER})


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One line of a field table.

    ``on_create`` and ``on_update`` say whether Advoware takes the field there: a field that a PUT ignores is told
    to a person instead (``readonly_field_conflict``).
    """

    name: str
    espo: str
    advoware: str
    label: str  # German, as the firm's people know the field
    kind: Kind = Kind.TEXT
    conflict: ConflictRule = ConflictRule.ESPOCRM_WINS
    choices: Choices | None = None
    on_create: bool = True
    on_update: bool = True
    espo_writable: bool = True

    def read(self, side: Side, raw: object) -> Value:
        """Return the canonical value of what ``side`` holds; raises :class:`WrongKind` for what it can never hold."""
        if raw is None:
            return None
        if not isinstance(raw, str) and not self._fits(raw):
            raise WrongKind(self.label, side, type(raw).__name__)
        if self.choices is not None:
            return self.choices.read(side, raw)
        return normal(self.kind if self.kind in _READ_AS_THEMSELVES else Kind.TEXT, raw)

    def _fits(self, raw: object) -> bool:
        if self.kind is Kind.FLAG:
            return isinstance(raw, bool) or raw in (0, 1)
        if isinstance(raw, bool) or not isinstance(raw, int):
            return False
        return self.kind is Kind.NUMBER or self.name in _NUMERIC_TEXTS

    def write(self, side: Side, value: Value) -> Any:
        """Return what to send to ``side`` for a canonical value; raises :class:`Unrepresentable`."""
        if self.choices is not None:
            return self.choices.write(side, value, self.name)
        if self.kind in _IS_OF:
            value = normal(self.kind, value)
            if value is not None and not _IS_OF[self.kind](value):
                raise Unrepresentable(self.name, side, _IS_NONE[self.kind])
        if self.kind is Kind.DATE and value and side is Side.ADVOWARE:
            return f"{value}T00:00:00"
        if value is None:
            return None if self.kind in {Kind.DATE, Kind.NUMBER} or side is Side.ESPOCRM else ""
        return value

    def can_say(self, side: Side, value: Value) -> bool:
        """Whether ``side`` can hold the value at all."""
        try:
            self.write(side, value)
        except Unrepresentable:
            return False
        return True

    def writable(self, side: Side) -> bool:
        """Whether ``side`` takes this field in an update."""
        return self.espo_writable if side is Side.ESPOCRM else self.on_update


@dataclass(frozen=True, slots=True)
class FieldTable:
    """The field rules of one entity type, by canonical name.

    ``optional`` are fields that are not synced until an operator adds them by name; ``reserved`` are attributes of
    either side that the product uses itself, so that no field may be kept in them.
    """

    rules: tuple[FieldRule, ...]
    optional: tuple[FieldRule, ...] = ()
    reserved: frozenset[str] = frozenset()
    _by_name: Mapping[str, FieldRule] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {rule.name: rule for rule in self.rules})

    def __iter__(self) -> Any:
        return iter(self.rules)

    def __getitem__(self, name: str) -> FieldRule:
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    @property
    def espo_attributes(self) -> tuple[str, ...]:
        """The EspoCRM attributes of the table, for a list's ``select``."""
        return tuple(rule.espo for rule in self.rules)

    @property
    def labels(self) -> dict[str, str]:
        """The German labels, by canonical name."""
        return {rule.name: rule.label for rule in self.rules}

    def label(self, name: str) -> str:
        """Return the German label of a field; an unknown field is called by its name."""
        return self._by_name[name].label if name in self._by_name else name

    def read(self, side: Side, attributes: Mapping[str, object], *, missing_is_empty: bool = False) -> dict[str, Value]:
        """Return the canonical fields of one record.

        A field whose attribute is not in ``attributes`` is left out (the installation lacks it), unless
        ``missing_is_empty`` (Advoware may leave out empty fields).
        """
        result: dict[str, Value] = {}
        for rule in self.rules:
            name = rule.espo if side is Side.ESPOCRM else rule.advoware
            if name in attributes:
                result[rule.name] = rule.read(side, attributes[name])
            elif missing_is_empty:
                result[rule.name] = None
        return result


_TEXTS = frozenset({"espo", "advoware", "label"})
_FLAGS = frozenset({"on_create", "on_update", "espo_writable"})
_ADDABLE = frozenset({Kind.TEXT, Kind.DATE, Kind.FLAG, Kind.NUMBER})
_USED_TWICE = "{field}: {attribute} gehört schon zu etwas anderem; jedes Feld braucht auf jeder Seite ein eigenes."


class BadFieldTable(Exception):
    """An operator's override of a field table is unusable; the message is German and names field and remedy."""


def override(table: FieldTable, changes: Mapping[str, Mapping[str, object] | None]) -> FieldTable:
    """Return a table with an operator's changes: field name -> attributes to replace, or ``None`` to drop it.

    ``conflict`` takes the name of a :class:`ConflictRule`, ``choices`` a list of [EspoCRM, Advoware] pairs. A field
    that the table lacks is added: one of ``table.optional``, or one with ``espo`` and ``advoware`` (and ``kind``).
    Raises :class:`BadFieldTable` for an unknown field or attribute, and for two fields in one place.
    """
    optional = {rule.name: rule for rule in table.optional}
    rules = list(_kept(table.rules, changes))
    for name, change in changes.items():
        if name not in table and change is not None:
            rules.append(_added(name, change, optional.get(name)))
    changed = replace(table, rules=tuple(rules))
    _check_places(changed, {rule.name for rule in rules if rule.name not in table or changes.get(rule.name)})
    return changed


def _kept(rules: Iterable[FieldRule], changes: Mapping[str, Mapping[str, object] | None]) -> Iterable[FieldRule]:
    for rule in rules:
        if rule.name not in changes:
            yield rule
            continue
        change = changes[rule.name]
        if change is not None:
            yield _changed(rule, change)


def _added(name: str, change: Mapping[str, Any], known: FieldRule | None) -> FieldRule:
    if known is None and not {"espo", "advoware"} <= set(change):
        raise BadFieldTable(
            f"Ein Feld {name} gibt es nicht. Den Namen berichtigen; ein neues Feld braucht espo und advoware."
        )
    kind = change.get("kind", known.kind if known else Kind.TEXT)
    if kind not in _ADDABLE:
        raise BadFieldTable(f"{name}: kind ist {', '.join(sorted(_ADDABLE))}.")
    rule = replace(known or FieldRule(name, "", "", name), kind=Kind(kind))
    return _changed(rule, {key: value for key, value in change.items() if key != "kind"})


def _check_places(table: FieldTable, changed: set[str]) -> None:
    """Two fields in one place would overwrite each other in every pass."""
    for rule in table.rules:
        if rule.name not in changed:
            continue
        others = [one for one in table.rules if one is not rule]
        for attribute in (rule.espo, rule.advoware):
            if attribute in table.reserved:
                raise BadFieldTable(_USED_TWICE.format(field=rule.name, attribute=attribute))
        if any(rule.espo == one.espo for one in others):
            raise BadFieldTable(_USED_TWICE.format(field=rule.name, attribute=rule.espo))
        if any(rule.advoware == one.advoware for one in others):
            raise BadFieldTable(_USED_TWICE.format(field=rule.name, attribute=rule.advoware))


def _changed(rule: FieldRule, change: Mapping[str, Any]) -> FieldRule:
    values: dict[str, Any] = {}
    for key, value in change.items():
        usable_text = key in _TEXTS and isinstance(value, str) and bool(value.strip())
        if usable_text or (key in _FLAGS and isinstance(value, bool)):
            values[key] = value
        elif key == "conflict" and value in set(ConflictRule):
            values[key] = ConflictRule(value)
        elif key == "choices" and isinstance(value, list) and all(_is_pair(pair) for pair in value):
            silent = rule.choices.silent if rule.choices else frozenset()
            values[key] = Choices(tuple((str(espo), str(advoware)) for espo, advoware in value), silent)
        else:
            raise BadFieldTable(f"{rule.name}.{key} ist keine Einstellung oder hat einen unbrauchbaren Wert.")
    return replace(rule, **values)


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == len(("EspoCRM", "Advoware"))
