"""Normal forms: spellings of one thing are equal, two things never are, and a normal form is its own."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from vmh_sync.sync.values import Kind, Value, is_empty, is_form_of, normal, same, text
from vmh_sync_tests.property.sync.spellings import SPELLINGS, group_of, value_of

KINDS = st.sampled_from(list(SPELLINGS))
RAW = st.none() | st.text(max_size=30) | st.integers()


@given(KINDS.flatmap(lambda kind: st.tuples(st.just(kind), value_of(kind), value_of(kind))))
def test_spellings_of_one_thing_are_the_same_and_two_things_never_are(case: tuple[Kind, Value, Value]) -> None:
    kind, one, other = case
    assert same(kind, one, other) is (group_of(kind, one) == group_of(kind, other))


@given(st.sampled_from(list(Kind)), RAW)
def test_a_normal_form_is_its_own_normal_form(kind: Kind, raw: object) -> None:
    form = normal(kind, raw)
    assert normal(kind, form) == form
    assert same(kind, raw, form)


@given(st.sampled_from([kind for kind in Kind if kind is not Kind.FLAG]), RAW)
def test_empty_and_only_empty_is_none(kind: Kind, raw: object) -> None:
    assert (normal(kind, raw) is None) is (is_empty(raw) or text(raw) is None)


@given(st.text(alphabet="aäöüÄÖÜßé \n", max_size=20))
def test_the_unicode_form_and_the_line_ends_are_no_difference(raw: str) -> None:
    decomposed = unicodedata.normalize("NFD", raw).replace("\n", "\r\n")
    assert same(Kind.TEXT, raw, f" {decomposed}\n")


WORDS = st.text(alphabet="Professorin Dr.", max_size=20).map(lambda rest: f"D{rest}")


@given(WORDS, st.integers(min_value=1, max_value=20))
def test_what_was_cut_off_or_respelt_is_a_form_of_what_was_sent(sent: str, length: int) -> None:
    assert is_form_of(sent[:length], sent)
    assert is_form_of(f" {sent.upper()} ", sent)


@given(WORDS, st.sampled_from(["x", "7"]))
def test_what_says_more_than_was_sent_is_no_form_of_it(sent: str, more: str) -> None:
    assert not is_form_of(sent + more, sent)
    assert not is_form_of(more + sent, sent)
