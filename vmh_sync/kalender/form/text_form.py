"""Normalised texts, and Google's descriptions, which its web page may have turned into HTML."""

import html
import re
import unicodedata

# Tags that Google's editor writes. Anything else in angle brackets is text that a person typed.
_TAG = re.compile(
    r"</?(?:html-blob|br|p|div|span|b|strong|i|em|u|s|ul|ol|li|a|font|h[1-6])(?:\s[^<>]*)?/?>", re.IGNORECASE
)
_LINK = re.compile(r"<a\s[^<>]*?href=[\"']([^\"'<>]*)[\"'][^<>]*>(.*?)</a>", re.IGNORECASE | re.DOTALL)
_LINE_BREAK = re.compile(r"<br(?:\s[^<>]*)?/?>|</(?:p|div|h[1-6]|li)>|</?[uo]l(?:\s[^<>]*)?>", re.IGNORECASE)
_LIST_ITEM = re.compile(r"<li(?:\s[^<>]*)?>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#[0-9]{1,7}|#x[0-9a-f]{1,6});", re.IGNORECASE)


def clean_text(value: str | None) -> str:
    """Return ``value`` as both sides are compared: NFC, ``\\n`` line ends, no blanks at line ends, trimmed.

    A non-breaking blank counts as a blank: Google's editor puts them in on its own. ``None`` is the empty text.
    """
    if not value:
        return ""
    if not value.isascii():
        value = unicodedata.normalize("NFC", value.replace("\xa0", " "))
    if "\r" in value:
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    if "\n" in value:
        value = "\n".join([line.rstrip() for line in value.split("\n")])
    return value.strip()


def to_crlf(value: str) -> str:
    """Return a normalised text in Advoware's notation (CRLF line ends)."""
    return value.replace("\n", "\r\n")


def read_description(value: str | None) -> str:
    """Return a Google description as a normalised text; HTML that Google's editor wrote becomes plain text."""
    if not value:
        return ""
    if "<" in value or "&" in value:
        value = _ENTITY.sub(lambda match: html.unescape(match.group()), _without_tags(value))
    return clean_text(value)


def _without_tags(value: str) -> str:
    if "<" not in value:
        return value
    value = _LINK.sub(_link_text, value)
    value = _LINE_BREAK.sub("\n", value)
    value = _LIST_ITEM.sub("- ", value)
    return _TAG.sub("", value)


def _link_text(match: re.Match[str]) -> str:
    target, shown = match.group(1), match.group(2)
    plain = _TAG.sub("", shown)
    bare = target.removeprefix("mailto:")
    return plain if bare in plain or not bare else f"{plain} ({target})"


def write_description(value: str) -> str:
    """Return the description to send for a normalised text.

    Plain wherever :func:`read_description` gives the same text back; only a text that looks like HTML itself is
    escaped, so that ``read_description(write_description(t)) == t`` for every normalised ``t``.
    """
    if ("<" in value or ("&" in value and _ENTITY.search(value))) and read_description(value) != value:
        return html.escape(value, quote=False)
    return value


def append_tail(value: str, tail: str) -> str:
    """Return ``value`` followed by the lines of ``tail`` after an empty line."""
    if not tail:
        return value
    return f"{value}\n\n{tail}" if value else tail


def cut_tail(value: str, tail: str) -> str:
    """Take the lines of ``tail`` off a normalised text again, wherever a person has moved them to.

    Only lines that still read exactly as we wrote them go; each is removed once, the last one first. A line that a
    person has changed stays: it is that person's text now.
    """
    if not tail:
        return value
    if value == tail:
        return ""
    if value.endswith("\n\n" + tail):
        return clean_text(value[: -len(tail)])
    lines = value.split("\n")
    for wanted in reversed(tail.split("\n")):
        for index in range(len(lines) - 1, -1, -1):
            if lines[index].strip() == wanted:
                del lines[index]
                break
    return clean_text("\n".join(lines))


def exchange_tail(raw: str, old: str, new: str) -> str | None:
    """Exchange the lines that we appended to a description and leave what a person typed byte for byte.

    ``None`` if the old lines do not stand at the end any more.
    """
    html_like = read_description(raw) != clean_text(raw)
    gap, line_break = ("<br><br>", "<br>") if html_like else ("\n\n", "\n")
    kept = raw
    if old:
        candidates = ["\n\n" + old, "<br><br>" + old.replace("\n", "<br>")]
        ending = next((one for one in candidates if raw.endswith(one)), None)
        if ending is None and raw != old:
            return None
        kept = raw[: -len(ending)] if ending is not None else ""
    if not new:
        return kept
    tail = new.replace("\n", line_break)
    return f"{kept}{gap}{tail}" if kept else tail
