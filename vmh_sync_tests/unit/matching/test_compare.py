"""Labelled twins and near misses, and what must hold of any two parties (entities.md 1)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmh_sync.matching.comparable import search_word, search_words
from vmh_sync.matching.compare import compare, name_fits
from vmh_sync.matching.traits import Likeness, Traits

MAIL, PHONE, IBAN = frozenset({"a@example.org"}), frozenset({"0711 4567890"}), frozenset({"DE89370400440532013000"})


def person(vorname: str, name: str, born: str = "", **more: Any) -> Traits:
    return replace(Traits(name=name, vorname=vorname, geburtsdatum=born), **more)


def firm(name: str, rechtsform: str = "", town: str = "", **more: Any) -> Traits:
    towns = frozenset({town} if town else ())
    return replace(Traits(name=name, rechtsform=rechtsform, company=True, towns=towns), **more)


ULM = frozenset({"Ulm"})
SHARED: dict[str, Any] = {"phones": PHONE, "ibans": IBAN, "towns": ULM}
BORN, LATER = "1980-05-17", "2011-03-09"

TWINS = {
    "same name and birth date": (person("Erika", "Müller", BORN), person("Erika", "Müller", BORN)),
    "umlaut written out": (person("Jörg", "Müller", BORN), person("Joerg", "Mueller", BORN)),
    "umlaut left out": (person("Erika", "Müller", BORN), person("Erika", "Muller", BORN)),
    "sharp s": (person("Erika", "Weiß", BORN), person("Erika", "WEISS", BORN)),
    "accent": (person("René", "Lefèvre", BORN), person("Rene", "Lefevre", BORN)),
    "a letter too few": (person("Erika", "Schmidt", BORN), person("Erika", "Schmit", BORN)),
    "a slip in a short first name": (person("Uwe", "Rauch", BORN), person("Uew", "Rauch", BORN, phones=PHONE)),
    "letters changed round": (person("Erika", "Schneider", BORN), person("Erika", "Schnieder", BORN)),
    "half of a double name": (person("Erika", "Müller-Lüdenscheidt", BORN), person("Erika", "Müller", BORN)),
    "double name without hyphen": (person("Hans-Peter", "Kurz", BORN), person("Hans Peter", "Kurz", BORN)),
    "one of two first names": (person("Hans", "Kurz", BORN), person("Hans Peter", "Kurz", BORN)),
    "title in the name": (person("Erika", "Dr. Müller", BORN), person("Erika", "Müller", BORN)),
    "nobility": (person("Erika", "von der Heide", BORN), person("Erika", "v. d. Heide", BORN, emails=MAIL)),
    "birth date on one side, same phone": (
        person("Erika", "Müller", BORN, phones=PHONE),
        person("Erika", "Müller", phones=frozenset({"+49 (711) 456 78-90"})),
    ),
    "same e-mail in other letters": (
        person("Erika", "Müller", emails=frozenset({"E.Mueller@Example.org"})),
        person("Erika", "Müller", emails=frozenset({"e.mueller@example.org "})),
    ),
    "same account in groups": (
        person("Erika", "Müller", ibans=frozenset({"de89 3704 0044 0532 0130 00"})),
        person("Erika", "Müller", ibans=IBAN),
    ),
    "first name not told, same phone": (person("", "Müller", phones=PHONE), person("Erika", "Müller", phones=PHONE)),
    "initial, same phone": (person("E.", "Müller", phones=PHONE), person("Erika", "Müller", phones=PHONE)),
    "short form, same e-mail": (person("Max", "Kurz", emails=MAIL), person("Maximilian", "Kurz", emails=MAIL)),
    "nickname, same e-mail": (person("Hannes", "Kurz", emails=MAIL), person("Johann", "Kurz", emails=MAIL)),
    "married, same e-mail": (person("Erika", "Vogt", emails=MAIL), person("Erika", "Kaiser", emails=MAIL)),
    "married, birth name told": (
        person("Erika", "Vogt", BORN),
        person("Erika", "Kaiser", BORN, geburtsname="Vogt"),
    ),
    "day and month changed round": (
        person("Erika", "Müller", "1980-05-07", emails=MAIL),
        person("Erika", "Müller", "1980-07-05", emails=MAIL),
    ),
    "company, same town": (firm("Huber Bau GmbH", "GmbH", "Ulm"), firm("Huber Bau GmbH", "GmbH", "Ulm")),
    "company, form spelled out": (
        firm("Huber Bau GmbH", "", "Ulm"),
        firm("Huber Bau Gesellschaft mit beschränkter Haftung", "", "Ulm"),
    ),
    "company, mbH": (firm("Huber Bau GmbH", "", "Ulm"), firm("Huber Bau Gesellschaft mbH", "", "ULM")),
    "company, form in its own field": (firm("Huber Bau", "GmbH", "Ulm"), firm("Huber Bau GmbH", "", "Ulm")),
    "company, and sign": (
        firm("Müller & Söhne GmbH & Co. KG", "", "Ulm"),
        firm("Mueller und Soehne GmbH u. Co. KG", "", "Ulm"),
    ),
    "company, hyphen": (firm("Huber-Bau KG", "", "Ulm"), firm("Huberbau KG", "", "Ulm")),
    "company, typed as no company": (
        firm("Huber Bau GmbH", "GmbH", "Ulm"),
        Traits(name="Huber Bau GmbH", towns=frozenset({"Ulm"})),
    ),
    "company, form told by one side only, and no word that it is one": (
        firm("Huber Bau PartG", "PartG", "Ulm"),
        Traits(name="Huber Bau", towns=frozenset({"Ulm"})),
    ),
    "company that moved, same e-mail": (
        firm("Huber Bau GmbH", "", "Ulm", emails=MAIL),
        firm("Huber Bau GmbH", "", "Bonn", emails=MAIL),
    ),
    "company, long town": (
        firm("Huber Bau GmbH", "", "Frankfurt am Main"),
        firm("Huber Bau GmbH", "", "Frankfurt"),
    ),
    "double name turned round": (
        person("Erika", "Müller-Schmidt", BORN),
        person("Erika", "Schmidt Müller", BORN),
    ),
    "nobility in one word": (person("Jan", "van der Berg", BORN), person("Jan", "Vanderberg", BORN)),
    "nobility behind the first name": (person("Erika von", "Berg", BORN), person("Erika", "von Berg", BORN)),
    "the same sound in a short name": (person("Stephan", "Meier", BORN), person("Stefan", "Mayr", BORN)),
    "written over from Russian": (person("Aleksandr", "Iwanow", BORN), person("Alexander", "Ivanov", BORN)),
    "letters that no accent makes": (person("Gül", "Yıldız", BORN), person("Guel", "Yildiz", BORN)),
    "title in the first name": (person("Dr. med. dent. Erika", "Müller", BORN), person("Erika", "Müller", BORN)),
    "a title that is a name": (person("", "Björn Graf", BORN), person("Björn", "Graf", BORN)),
    "a short name, heard": (person("Sören", "Meier", BORN), person("Sren", "Meier", BORN)),
    "company, a slip that makes another sound": (firm("Pohl Bau e.V.", "", "Ulm"), firm("Phl Bau e.V.", "", "Ulm")),
    "whole name in one field": (person("", "Müller, Erika", BORN), person("Erika", "Müller", BORN)),
    "maiden name in the name": (person("Erika", "Müller geb. Vogt", BORN), person("Erika", "Vogt", BORN)),
    "married and moved, same account": (
        person("Erika", "Vogt", BORN, ibans=IBAN, towns=frozenset({"Ulm"})),
        person("Erika", "Kaiser", BORN, ibans=IBAN, towns=frozenset({"Bonn"})),
    ),
    "company, no blanks": (firm("Huber Bau GmbH & Co. KG", "", "Ulm"), firm("Huber Bau GmbH&Co.KG", "", "Ulm")),
    "company, compagnie": (firm("Huber GmbH & Co. KG", "", "Ulm"), firm("Huber GmbH & Cie. KG", "", "Ulm")),
    "company wound up": (firm("Huber Bau GmbH i.L.", "", "Ulm"), firm("Huber Bau GmbH", "", "Ulm")),
    "company in insolvency": (firm("Huber GmbH i. Ins.", "", "Ulm"), firm("Huber GmbH in Insolvenz", "", "Ulm")),
    "company renamed": (firm("Huber Bau GmbH vormals Meier GmbH", "", "Ulm"), firm("Meier GmbH", "", "Ulm")),
    "company, former name told": (firm("Huber GmbH (vorm. Meier KG)", "", "Ulm"), firm("Huber GmbH", "", "Ulm")),
    "merchant named": (firm("Huber Bau e.K. Inh. Karl Huber", "", "Ulm"), firm("Huber Bau e.K.", "", "Ulm")),
    "company for the common good": (
        firm("Huber Heim gGmbH", "", "Ulm"),
        firm("Huber Heim gemeinnützige Gesellschaft mbH", "", "Ulm"),
    ),
    "company, short for Gesellschaft": (firm("Huber Bauges. mbH", "", "Ulm"), firm("Huber Bau GmbH", "", "Ulm")),
    "partnership of lawyers": (
        firm("Vogt Rechtsanwälte Partnerschaft von Rechtsanwälten mbB", "", "Ulm"),
        firm("Vogt Rechtsanwälte PartG mbB", "", "Ulm"),
    ),
    "owners of flats": (
        firm("WEG Hauptstr. 5", "", "Ulm"),
        firm("Wohnungseigentümergemeinschaft Hauptstraße 5", "", "Ulm"),
    ),
    "limited": (firm("Huber Limited", "", "Ulm"), firm("Huber Ltd.", "", "Ulm")),
    "company, register number without a blank": (
        firm("Huber Bau GmbH", register="HRB 4711", emails=MAIL),
        firm("Huber Bau GmbH", register="HRB4711", emails=MAIL),
    ),
    "company, register number with its court": (
        firm("Huber Bau GmbH", register="Amtsgericht Ulm, HR B 04711"),
        firm("Huber Bau GmbH", register="HRB 4711"),
    ),
    "company, letters of the court on one side": (
        firm("Huber Bau GmbH", register="HRB 4711 B"),
        firm("Huber Bau GmbH", register="4711"),
    ),
    "company that has grown from UG to GmbH": (
        firm("Huber Bau UG (haftungsbeschränkt)", register="HRB 4711"),
        firm("Huber Bau GmbH", register="HRB 4711"),
    ),
    "company, same register number": (
        firm("Huber Bau GmbH", register="HRB 4711"),
        firm("Huber Bau GmbH", register="hrb-4711"),
    ),
}

NEAR_MISSES = {
    "name alone": (person("Erika", "Müller"), person("Erika", "Müller")),
    "name, birth date on one side": (person("Erika", "Müller", BORN), person("Erika", "Müller")),
    "father and son": (
        person("Karl", "Huber", "1950-05-17", phones=PHONE, emails=MAIL),
        person("Karl", "Huber", "1980-05-17", phones=PHONE, emails=MAIL),
    ),
    "couple with one phone": (person("Anna", "Huber", phones=PHONE), person("Karl", "Huber", phones=PHONE)),
    "couple with one account": (person("Anna", "Huber", ibans=IBAN), person("Karl", "Huber", ibans=IBAN)),
    "siblings born on one day": (person("Anna", "Huber", BORN), person("Karl", "Huber", BORN)),
    "mother and child with one e-mail": (
        person("Anna", "Huber", BORN, emails=MAIL),
        person("Lea", "Huber", LATER, emails=MAIL),
    ),
    "first name and birth date alone": (person("Anna", "Huber", BORN), person("Anna", "Meier", BORN)),
    "first name and office phone": (person("Anna", "Huber", phones=PHONE), person("Anna", "Meier", phones=PHONE)),
    "short names of one letter's difference, one phone": (
        person("Jan", "Rau", phones=PHONE),
        person("Jon", "Rau", phones=PHONE),
    ),
    "person and company": (person("", "Huber", emails=MAIL), firm("Huber GmbH", "GmbH", emails=MAIL)),
    "company and its owner": (firm("Huber GmbH", "GmbH", emails=MAIL), person("Karl", "Huber", emails=MAIL)),
    "company, name alone": (firm("Huber Bau GmbH"), firm("Huber Bau GmbH")),
    "company, other town": (firm("Huber Bau GmbH", "", "Ulm"), firm("Huber Bau GmbH", "", "Bonn")),
    "company, other form": (firm("Huber Bau GmbH", "", "Ulm"), firm("Huber Bau KG", "", "Ulm")),
    "company, number of another register": (
        firm("Huber Bau GmbH", "", "Ulm", register="HRB 4711"),
        firm("Huber Bau GmbH", "", "Ulm", register="HRA 4711"),
    ),
    "company, number of another court": (
        firm("Huber Bau GmbH", "", "Ulm", register="HRB 4711 KI"),
        firm("Huber Bau GmbH", "", "Ulm", register="HRB 4711 B"),
    ),
    "general partner": (firm("Huber Bau GmbH", "", "Ulm"), firm("Huber Bau GmbH & Co. KG", "", "Ulm")),
    "sister company": (
        firm("Huber Bau GmbH", "", "Ulm", phones=PHONE),
        firm("Huber Verwaltungs GmbH", "", "Ulm", phones=PHONE),
    ),
    "nothing told": (Traits(), Traits()),
    "legal form alone": (firm("GmbH", "", "Ulm"), firm("GmbH", "", "Ulm")),
}


@pytest.mark.parametrize("case", TWINS)
def test_a_twin_is_seen(case: str) -> None:
    ours, theirs = TWINS[case]
    found = compare(ours, theirs)
    assert found.likeness is not Likeness.NONE
    assert len(found.agreeing) >= 2 or "email" in found.agreeing or "iban" in found.agreeing


@pytest.mark.parametrize("case", NEAR_MISSES)
def test_a_near_miss_is_no_twin(case: str) -> None:
    assert compare(*NEAR_MISSES[case]).likeness is Likeness.NONE


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (person("Anna", "Huber", emails=MAIL), person("Karl", "Huber", emails=MAIL)),
        (person("Anna", "Huber", BORN), person("Anna", "Hubert", BORN)),
        (person("A.", "Huber", BORN), person("Anna", "Huber", BORN)),
        (person("Anna", "Huber", phones=PHONE), person("Anna", "Huber", phones=PHONE)),
        # Children of one birth, second and third of a name.
        (person("Jan", "Huber", BORN, **SHARED), person("Jana", "Huber", BORN, **SHARED)),
        (person("Anna Maria", "Huber", BORN, **SHARED), person("Anna Luise", "Huber", BORN, **SHARED)),
        (person("Karl", "Huber II", BORN, **SHARED), person("Karl", "Huber III", BORN, **SHARED)),
        # A birthday that papers say where nobody knows it, and the same shelter.
        (person("Ali", "Khan", "1980-01-01", towns=ULM), person("Ali", "Khan", "1980-01-01", towns=ULM)),
        # A day that stands where nobody knows it: father and son with one mailbox.
        (person("Ali", "Khan", "1900-01-01", emails=MAIL), person("Ali", "Khan", "1900-01-01", emails=MAIL)),
        (person("Ali", "Khan", "1899-12-30", **SHARED), person("Ali", "Khan", "1899-12-30", **SHARED)),
        # Another company form, though everything else is the same.
        (firm("Huber UG", register="HRB 4711", **SHARED), firm("Huber GmbH", register="HRB 4711", **SHARED)),
        # Couples, offices held.
        (person("Karl", "Huber", BORN, **SHARED), person("Karl und Anna", "Huber", BORN, **SHARED)),
        (person("Karl", "Huber", BORN, **SHARED), person("Karl", "Huber als Insolvenzverwalter", BORN, **SHARED)),
        # The company that follows one that is wound up; a shop that changed hands; a renamed one.
        (firm("Huber GmbH i.L.", **SHARED), firm("Huber GmbH", **SHARED)),
        (firm("Huber e.K. Inh. Eva Vogt", **SHARED), firm("Huber e.K. Inh. Karl Roth", **SHARED)),
        (firm("Huber GmbH vormals Meier GmbH", **SHARED), firm("Meier GmbH", **SHARED)),
    ],
)
def test_a_shared_mailbox_a_slip_or_one_channel_is_never_certain(ours: Traits, theirs: Traits) -> None:
    assert compare(ours, theirs).likeness is Likeness.LIKELY


def test_that_there_is_no_register_number_is_nothing_in_common() -> None:
    ours, theirs = firm("Huber Bau GmbH", register="keine"), firm("Huber Bau GmbH", register="Keine")
    assert compare(ours, theirs) == compare(firm("Huber Bau GmbH"), firm("Huber Bau GmbH"))


@pytest.mark.parametrize(
    ("typed", "stands"),
    [
        ("Müller", "Mueller"),
        ("Mueller", "Müller"),
        ("Özdemir", "Oezdemir"),
        ("Strauß", "Strauss"),
        ("Huber & Söhne GmbH", "Huber und Soehne Gesellschaft mbH"),
        ("Dr. von Gruenberg", "Grünberg"),
        ("Müller-Lüdenscheidt", "Mueller-Luedenscheidt"),
        ("Li", "Li"),
        ("Иванова", "Иванова"),
    ],
)
def test_the_search_word_stands_in_either_spelling(typed: str, stands: str) -> None:
    word = search_word(typed)
    assert word
    assert word.casefold() in stands.casefold()


@pytest.mark.parametrize(
    ("typed", "stands"),
    [
        ("Krüger", "Krueger"),
        ("Krueger", "Krüger"),
        ("Jörg", "Joerg"),
        ("Öztürk", "Ozturk"),
        ("Oğuz", "Oguz"),
        ("Yıldız", "Yildiz"),
        ("Weiß", "Weiss"),
        ("Weiss", "Weiß"),
        ("Süß", "Süss"),
        ("Süss", "Süß"),
        ("Müßig", "Muessig"),
    ],
)
def test_a_short_name_is_searched_in_every_spelling(typed: str, stands: str) -> None:
    assert any(word.lower() in stands.lower() for word in search_words(typed))
    assert len(search_words(typed)) <= 4


@pytest.mark.parametrize("name", ["Huber", "Müller", "Li", "", "Huber Bau GmbH"])
def test_a_name_that_is_spelled_alike_everywhere_is_searched_once(name: str) -> None:
    assert search_words(name) == [word for word in [search_word(name)] if word]


_NAMES = st.sampled_from(["", "Müller", "Mueller", "Meier", "Huber-Meier", "Huber Bau GmbH", "Huber Bau", "KG", "Ö"])
_SETS = st.sampled_from([frozenset(), MAIL])
_PARTIES = st.builds(
    Traits,
    name=_NAMES | st.text(max_size=12),
    vorname=st.sampled_from(["", "Anna", "A.", "Anna Maria", "Karl"]),
    geburtsdatum=st.sampled_from(["", BORN, LATER, "kein Datum"]),
    company=st.booleans(),
    rechtsform=st.sampled_from(["", "GmbH", "Sonstige"]),
    emails=_SETS,
    phones=st.sampled_from([frozenset(), PHONE]),
    ibans=st.sampled_from([frozenset(), IBAN]),
    towns=st.sampled_from([frozenset(), frozenset({"Ulm"})]),
)


@given(_PARTIES, _PARTIES)
def test_a_twin_always_agrees_in_more_than_the_name(ours: Traits, theirs: Traits) -> None:
    found = compare(ours, theirs)
    if found.likeness is not Likeness.NONE:
        assert set(found.agreeing) - {"name", "vorname"}


@given(_PARTIES, _PARTIES)
def test_other_birth_years_are_never_twins(ours: Traits, theirs: Traits) -> None:
    old, young = replace(ours, company=False, geburtsdatum=BORN), replace(theirs, geburtsdatum=LATER)
    assert compare(old, young).likeness is Likeness.NONE


@given(_PARTIES)
def test_a_party_with_a_second_feature_is_its_own_twin(ours: Traits) -> None:
    told = replace(ours, name="Huber Bau", vorname="" if ours.company else "Anna", rechtsform="", emails=MAIL)
    theirs = told if ours.company else replace(told, company=False)
    assert compare(told, theirs).likeness is not Likeness.NONE
    assert name_fits(told, theirs)
