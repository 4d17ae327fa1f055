"""Reads the JSON of foreign answers so that one hostile value spoils one record, never the list it stands in.

What JSON can say but nobody can store or send on (lone surrogates, NUL, numbers beyond 64 bits, NaN, two values under
one name, nesting without end, texts without measure) is found per record by :func:`flaw`, before anything looks at it.
"""

import json
import math
import re
from dataclasses import dataclass
from typing import Any

DEEPEST = 64
"""Levels of nesting that a record may have; real ones have four."""
LONGEST_TEXT = 500_000
"""Characters of one text; EspoCRM's and Advoware's longest fields hold 65,535 bytes."""
_LARGEST = 2**63 - 1
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_STANDS_FOR_DEPTH = "-Infinity"


class UnreadableJson(ValueError):
    """The answer is no JSON at all; ``str`` names the class of the cause."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """Stands where a value stood that cannot be held; ``why`` names its kind."""

    why: str


def read_json(content: bytes) -> Any:
    """Return what ``content`` says, with :class:`Unusable` where a value cannot be held.

    Raises :class:`UnreadableJson` for anything but JSON, an empty body included. Bytes that are no UTF-8 become lone
    surrogates, which :func:`flaw` finds.
    """
    text = content.decode(json.detect_encoding(content), "surrogateescape").removeprefix("\ufeff")
    try:
        return _loads(text)
    except RecursionError:
        try:
            return _loads(_without_depth(text))
        except (ValueError, RecursionError) as error:
            raise UnreadableJson(type(error).__name__) from None
    except ValueError as error:
        raise UnreadableJson(type(error).__name__) from None


def _loads(text: str) -> Any:
    # Control characters inside of texts are let through: what they spoil is for each record to say.
    return json.loads(text, strict=False, parse_int=_integer, parse_constant=Unusable, object_pairs_hook=_object)


def _integer(digits: str) -> int | Unusable:
    return int(digits) if len(digits) <= 20 else Unusable("number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        for name, value in pairs:
            if found[name] != value:
                found[name] = Unusable("told twice")
    return found


def _without_depth(text: str) -> str:
    """Replace what lies deeper than :data:`DEEPEST` by a constant, without recursion."""
    kept: list[str] = []
    depth, begin = 0, 0
    for token in _TOKEN.finditer(text):
        sign = token.group()
        if sign in "[{":
            depth += 1
            if depth == DEEPEST + 1:
                kept += [text[begin : token.start()], _STANDS_FOR_DEPTH]
        elif sign in "]}":
            depth -= 1
            if depth == DEEPEST:
                begin = token.end()
    return "".join((*kept, text[begin:])) if depth <= DEEPEST else text


def flaw(value: Any) -> str | None:
    """Return which value of a record cannot be held, as ``path (kind)``; ``None`` for a sound record.

    Names of fields only, never values.
    """
    if isinstance(value, dict) and _sound_at_a_glance(value):
        return None
    waiting: list[tuple[str, Any, int]] = [("", value, 0)]
    while waiting:
        path, one, depth = waiting.pop()
        if depth > DEEPEST:
            return f"{path or '-'} (nested too deep)"
        if isinstance(one, dict):
            if any(_text_flaw(name) for name in one):
                return f"{path or '-'} (name)"
            waiting += [(f"{path}.{name}" if path else name[:60], inner, depth + 1) for name, inner in one.items()]
        elif isinstance(one, list):
            waiting += [(path, inner, depth + 1) for inner in one]
        else:
            wrong = _scalar_flaw(one)
            if wrong is not None:
                return f"{path or '-'} ({wrong})"
    return None


def _sound_at_a_glance(record: dict[str, Any]) -> bool:
    """Whether a record is sound, seen in one look at all of its texts together; ``False`` says nothing.

    Nearly every record is, and looking at each of its texts took a sixth of an unchanged pass.
    """
    texts: list[str] = []
    level: list[Any] = [record]
    for _ in range(DEEPEST):
        deeper: list[Any] = []
        if not all(_sound_but_for_texts(one, texts, deeper) for one in level):
            return False
        if not deeper:
            together = "".join(texts)
            return len(together) <= LONGEST_TEXT and _text_flaw(together) is None
        level = deeper
    return False


def _sound_but_for_texts(one: Any, texts: list[str], deeper: list[Any]) -> bool:
    """Add the texts of an object or list to ``texts`` and what it holds of the kind to ``deeper``."""
    values = one
    if type(one) is dict:
        texts += one
        values = one.values()
    for value in values:
        kind = type(value)
        if kind is str:
            texts.append(value)
        elif kind is dict or kind is list:
            deeper.append(value)
        elif kind is int:
            if abs(value) > _LARGEST:
                return False
        elif value is not None and kind is not bool:
            return False
    return True


def _scalar_flaw(value: Any) -> str | None:
    if isinstance(value, Unusable):
        return value.why
    if isinstance(value, str):
        return _text_flaw(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "number"
    if isinstance(value, int) and abs(value) > _LARGEST:
        return "number"
    return None


def _text_flaw(text: str) -> str | None:
    if len(text) > LONGEST_TEXT:
        return "too long"
    if "\0" in text:
        return "NUL"
    if not text.isascii() and not _encodable(text):
        return "lone surrogate"
    return None


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def sound_part(row: dict[str, Any]) -> dict[str, Any]:
    """Return the plain values of a spoilt record that can be trusted to be what they are: its ids, its stamps."""
    return {name: value for name, value in row.items() if isinstance(value, str | int) and flaw({name: value}) is None}
