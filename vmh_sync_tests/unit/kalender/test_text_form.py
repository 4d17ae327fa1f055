import pytest

from vmh_sync.kalender.form.text_form import append_tail, clean_text, cut_tail, read_description, write_description

TAIL = "Vorbereitung: 0:45 Std.\nFahrzeit: 1:05 Std."


@pytest.mark.parametrize(
    ("html", "plain"),
    [
        ("eins<br>zwei<br/>drei", "eins\nzwei\ndrei"),
        ("<p>eins</p><p>zwei</p>", "eins\nzwei"),
        ("<html-blob>Müller &amp; Söhne<br></html-blob>", "Müller & Söhne"),
        ("<ul><li>eins</li><li>zwei</li></ul>", "- eins\n- zwei"),
        ("<b>fett</b> und <i>schräg</i>&nbsp;", "fett und schräg"),
        ('<a href="https://x.test/a">https://x.test/a</a>', "https://x.test/a"),
        ('<a href="https://x.test/a">Akte</a>', "Akte (https://x.test/a)"),
        ('<a href="mailto:a@x.test">a@x.test</a>', "a@x.test"),
        ("3 < 4 & 5 > 2", "3 < 4 & 5 > 2"),
        ("<Mandant> kommt", "<Mandant> kommt"),
        ("?a=1&copy=2", "?a=1&copy=2"),
        ("", ""),
        (None, ""),
    ],
)
def test_descriptions_are_read_as_plain_text(html: str | None, plain: str) -> None:
    assert read_description(html) == plain


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Müller & Söhne", "Müller & Söhne"),
        ("a < b", "a < b"),
        ("<b>wörtlich</b>", "&lt;b&gt;wörtlich&lt;/b&gt;"),
        ("R&amp;D", "R&amp;amp;D"),
    ],
)
def test_only_what_looks_like_html_is_escaped(text: str, sent: str) -> None:
    assert write_description(text) == sent
    assert read_description(sent) == text


def test_clean_text() -> None:
    assert clean_text("  a \r\n b\t\r\n\r\n") == "a\n b"
    assert clean_text("a\xa0b") == "a b"


@pytest.mark.parametrize(
    ("edited", "left"),
    [
        (append_tail("Robe", TAIL), "Robe"),
        (append_tail("", TAIL), ""),
        (append_tail("Robe", TAIL) + "\nneu", "Robe\n\nneu"),
        ("neu\n" + append_tail("Robe", TAIL), "neu\nRobe"),
        ("Robe\n\nFahrzeit: 1:05 Std.", "Robe"),
        ("Robe\n\nFahrzeit: 1:05 Std. (mit Pause)", "Robe\n\nFahrzeit: 1:05 Std. (mit Pause)"),
        (append_tail(TAIL, TAIL), TAIL),
    ],
)
def test_our_lines_are_cut_off_and_nothing_else(edited: str, left: str) -> None:
    assert cut_tail(edited, TAIL) == left


def test_without_tail_nothing_is_cut() -> None:
    assert cut_tail(TAIL, "") == TAIL
    assert append_tail("a", "") == "a"
