"""Field tables: words of both sides, what a side takes, and an operator's overrides."""

import pytest

from vmh_sync.sync.base import Side
from vmh_sync.sync.fields import (
    BadFieldTable,
    Choices,
    FieldRule,
    FieldTable,
    Unrepresentable,
    WrongKind,
    is_foreign,
    override,
)
from vmh_sync.sync.merge import ConflictRule
from vmh_sync.sync.values import Kind, Value

WORDS = Choices((("Mr.", "Herr"), ("Ms.", "Frau"), ("Mrs.", "Frau"), ("None", "")), silent=frozenset({"Firma"}))
BARE = Choices((("Mr.", "Herr"),))
ANREDE = FieldRule("anrede", "salutationName", "anredeWort", "Anrede", choices=WORDS)
TITEL = FieldRule("titel", "titel", "titelWort", "Titel")
BORN = FieldRule("geboren", "dateOfBirth", "geburtsdatum", "Geburtsdatum", kind=Kind.DATE)
ACTIVE = FieldRule("aktiv", "active", "aktiv", "Aktiv", kind=Kind.FLAG)
RANK = FieldRule("rang", "rank", "rang", "Rang", kind=Kind.NUMBER)
PLZ = FieldRule("plz", "postalCode", "plz", "PLZ")
MAIL = FieldRule("mail", "emailAddress", "mail", "E-Mail", kind=Kind.EMAIL)
TABLE = FieldTable((ANREDE, TITEL, BORN, ACTIVE, RANK, PLZ))


@pytest.mark.parametrize(
    ("side", "raw", "canonical"),
    [
        (Side.ESPOCRM, "Mr.", "Herr"),
        (Side.ESPOCRM, " Mrs. ", "Frau"),
        (Side.ESPOCRM, "None", None),
        (Side.ESPOCRM, "", None),
        (Side.ADVOWARE, "Frau", "Frau"),
        (Side.ADVOWARE, "Firma", None),
        (Side.ADVOWARE, None, None),
    ],
)
def test_both_words_for_one_thing_are_read_as_one(side: Side, raw: str | None, canonical: str | None) -> None:
    assert ANREDE.read(side, raw) == canonical


@pytest.mark.parametrize(
    ("side", "canonical", "sent"),
    [
        (Side.ESPOCRM, "Frau", "Ms."),
        (Side.ESPOCRM, None, "None"),
        (Side.ADVOWARE, "Frau", "Frau"),
        (Side.ADVOWARE, None, ""),
    ],
)
def test_the_first_word_of_a_side_is_the_one_written(side: Side, canonical: str | None, sent: str) -> None:
    assert ANREDE.write(side, canonical) == sent


def test_an_empty_choice_is_written_as_empty_text_where_no_word_means_nothing() -> None:
    assert BARE.write(Side.ESPOCRM, None, "anrede") == ""
    assert BARE.write(Side.ADVOWARE, None, "anrede") == ""


@pytest.mark.parametrize(("side", "word"), [(Side.ESPOCRM, "Dr."), (Side.ESPOCRM, "Firma"), (Side.ADVOWARE, "Abt: 7")])
def test_a_word_that_one_side_alone_knows_goes_back_there_and_never_to_the_other(side: Side, word: str) -> None:
    foreign = ANREDE.read(side, word)
    assert is_foreign(foreign)
    assert ANREDE.write(side, foreign) == word
    with pytest.raises(Unrepresentable) as refused:
        ANREDE.write(side.other, foreign)
    assert (refused.value.field, refused.value.side) == ("anrede", side.other)
    assert word not in str(refused.value)
    assert str(refused.value) == f"anrede: {side.other} has no counterpart for this value"


def test_a_canonical_word_without_a_counterpart_is_not_written() -> None:
    with pytest.raises(Unrepresentable) as refused:
        ANREDE.write(Side.ESPOCRM, "Eheleute")
    assert (refused.value.field, refused.value.side) == ("anrede", Side.ESPOCRM)


@pytest.mark.parametrize("value", [None, 7, True, "", "?", "Frau", "?sonst: x", "espocrm:x"])
def test_what_no_side_marked_is_not_foreign(value: Value) -> None:
    assert not is_foreign(value)


@pytest.mark.parametrize(
    ("rule", "raw", "canonical"),
    [
        (TITEL, " Dr. ", "Dr."),
        (TITEL, "", None),
        (TITEL, None, None),
        (BORN, "1970-03-01T00:00:00", "1970-03-01"),
        (BORN, None, None),
        (ACTIVE, True, True),
        (ACTIVE, 0, False),
        (ACTIVE, 1, True),
        (ACTIVE, "0", False),
        (RANK, "7", 7),
        (RANK, 7, 7),
        (PLZ, 70173, "70173"),
        (MAIL, " Info@Huber.example ", "Info@Huber.example"),
    ],
)
def test_values_are_read_in_their_kind_and_keep_the_notation_of_their_owner(
    rule: FieldRule, raw: object, canonical: Value
) -> None:
    found = rule.read(Side.ADVOWARE, raw)
    assert found == canonical
    assert type(found) is type(canonical)


@pytest.mark.parametrize(
    ("rule", "raw", "kind"),
    [
        (TITEL, 7, "int"),
        (TITEL, ["Dr."], "list"),
        (TITEL, {"a": 1}, "dict"),
        (TITEL, False, "bool"),
        (RANK, True, "bool"),
        (RANK, 1.5, "float"),
        (PLZ, True, "bool"),
        (ACTIVE, 2, "int"),
        (ACTIVE, [], "list"),
    ],
)
def test_what_a_field_can_never_hold_is_a_fault_and_no_edit(rule: FieldRule, raw: object, kind: str) -> None:
    with pytest.raises(WrongKind) as fault:
        rule.read(Side.ESPOCRM, raw)
    assert str(fault.value) == f"{rule.label}: espocrm told a {kind}"
    assert (fault.value.label, fault.value.side) == (rule.label, Side.ESPOCRM)
    assert fault.value.message_for_people == (
        f"EspoCRM meldet für das Feld „{rule.label}“ etwas Unbrauchbares; es wurde nichts geändert. "
        "Bitte das Feld dort prüfen."
    )


def test_the_fault_names_the_system_that_told_it() -> None:
    with pytest.raises(WrongKind) as fault:
        TITEL.read(Side.ADVOWARE, 7)
    assert fault.value.message_for_people.startswith("Advoware meldet")


@pytest.mark.parametrize(
    ("rule", "side", "canonical", "sent"),
    [
        (TITEL, Side.ESPOCRM, None, None),
        (TITEL, Side.ADVOWARE, None, ""),
        (TITEL, Side.ADVOWARE, "Dr.", "Dr."),
        (BORN, Side.ADVOWARE, "1970-03-01", "1970-03-01T00:00:00"),
        (BORN, Side.ADVOWARE, None, None),
        (BORN, Side.ESPOCRM, "1970-03-01", "1970-03-01"),
        (BORN, Side.ESPOCRM, None, None),
        (RANK, Side.ADVOWARE, None, None),
        (RANK, Side.ADVOWARE, 7, 7),
        (ACTIVE, Side.ADVOWARE, None, False),
        (ACTIVE, Side.ESPOCRM, True, True),
    ],
)
def test_values_are_written_in_the_notation_of_the_target(
    rule: FieldRule, side: Side, canonical: Value, sent: object
) -> None:
    assert rule.write(side, canonical) == sent
    assert type(rule.write(side, canonical)) is type(sent)


def test_what_a_side_takes_is_said_by_the_rule() -> None:
    only_on_create = FieldRule("a", "a", "a", "A", on_update=False)
    only_on_update = FieldRule("b", "b", "b", "B", on_create=False, espo_writable=False)
    assert not only_on_create.writable(Side.ADVOWARE)
    assert only_on_update.writable(Side.ADVOWARE)
    assert only_on_create.writable(Side.ESPOCRM)
    assert not only_on_update.writable(Side.ESPOCRM)


def test_a_record_is_read_by_each_sides_own_names_and_lacking_attributes_are_no_values() -> None:
    espo = {"salutationName": "Mr.", "titel": "Dr.", "unknown": 1}
    assert TABLE.read(Side.ESPOCRM, espo) == {"anrede": "Herr", "titel": "Dr."}
    advoware = {"anredeWort": "Herr", "titelWort": ""}
    assert TABLE.read(Side.ADVOWARE, advoware) == {"anrede": "Herr", "titel": None}
    assert TABLE.read(Side.ADVOWARE, advoware, missing_is_empty=True) == {
        "anrede": "Herr",
        "titel": None,
        "geboren": None,
        "aktiv": None,
        "rang": None,
        "plz": None,
    }


def test_a_table_is_asked_by_canonical_name() -> None:
    assert TABLE["anrede"] is ANREDE
    assert "titel" in TABLE
    assert "titelWort" not in TABLE
    assert list(TABLE) == list(TABLE.rules)
    assert TABLE.label("geboren") == "Geburtsdatum"
    assert TABLE.label("sonst") == "sonst"
    assert TABLE.espo_attributes == ("salutationName", "titel", "dateOfBirth", "active", "rank", "postalCode")


def test_an_operator_renames_drops_and_rules_fields() -> None:
    changed = override(
        TABLE,
        {
            "titel": {"espo": "cTitel", "advoware": "titel2", "label": "Grad", "conflict": "manual"},
            "geboren": None,
            "plz": {"on_create": False, "on_update": False, "espo_writable": False},
        },
    )
    assert [rule.name for rule in changed.rules] == ["anrede", "titel", "aktiv", "rang", "plz"]
    assert changed["titel"] == FieldRule("titel", "cTitel", "titel2", "Grad", conflict=ConflictRule.MANUAL)
    assert changed["plz"] == FieldRule(
        "plz", "postalCode", "plz", "PLZ", on_create=False, on_update=False, espo_writable=False
    )
    assert changed["anrede"] is ANREDE


def test_an_operators_words_keep_the_silent_ones_of_the_table() -> None:
    changed = override(TABLE, {"anrede": {"choices": [["Herr", "Herr"]]}, "titel": {"choices": [[1, 2]]}})
    assert changed["anrede"].choices == Choices((("Herr", "Herr"),), WORDS.silent)
    assert changed["titel"].choices == Choices((("1", "2"),))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"zz": {}, "titel": None},
            "Ein Feld zz gibt es nicht. Den Namen berichtigen; ein neues Feld braucht espo und advoware.",
        ),
        ({"titel": {"name": "x"}}, "titel.name ist keine Einstellung oder hat einen unbrauchbaren Wert."),
        ({"titel": {"conflict": "x"}}, "titel.conflict ist keine Einstellung oder hat einen unbrauchbaren Wert."),
        ({"titel": {"choices": "x"}}, "titel.choices ist keine Einstellung oder hat einen unbrauchbaren Wert."),
        ({"titel": {"choices": [["x"]]}}, "titel.choices ist keine Einstellung oder hat einen unbrauchbaren Wert."),
        ({"titel": {"on_update": "ja"}}, "titel.on_update ist keine Einstellung oder hat einen unbrauchbaren Wert."),
        (
            {"neu": {"espo": "cNeu", "advoware": "neu", "kind": "enum"}},
            "neu: kind ist date, flag, number, text.",
        ),
        (
            {"neu": {"espo": "titel", "advoware": "neu"}},
            "neu: titel gehört schon zu etwas anderem; jedes Feld braucht auf jeder Seite ein eigenes.",
        ),
        (
            {"neu": {"espo": "cNeu", "advoware": "plz"}},
            "neu: plz gehört schon zu etwas anderem; jedes Feld braucht auf jeder Seite ein eigenes.",
        ),
    ],
)
def test_an_unusable_override_is_refused_by_name(changes: dict[str, dict[str, str] | None], message: str) -> None:
    with pytest.raises(BadFieldTable) as refused:
        override(TABLE, changes)
    assert str(refused.value) == message
