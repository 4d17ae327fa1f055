"""Takes every value out of what was said: key names and types stay, each value becomes another one of the same shape.

The same value always becomes the same other one, so that a number of the answer is found again in the next request.
The replacements come from a counter and seeded chance, never from the value.
"""

import re
import string
from datetime import date, timedelta
from random import Random
from typing import Any

_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?=$|T)")
_CLOCK = re.compile(r"(?<=T)\d{2}:\d{2}:\d{2}|^\d{2}:\d{2}(:\d{2})?$")
_FIRST_DAY = date(2001, 1, 1)
_TRIES = 100
_COUNTERS = frozenset({"versionNumber"})
"""Counters of changes: a later request names them, and they say nothing about anybody."""


class Mask:
    """Replaces values. ``kept`` are texts of our own that may stay, such as what the probe itself writes."""

    def __init__(self, kept: frozenset[str] = frozenset()) -> None:
        self._kept = kept
        self._random = Random(0)  # noqa: S311 - made-up values, no secrets
        self._known: dict[tuple[type, Any], Any] = {}
        self._taken: set[Any] = set()

    def value(self, value: Any) -> Any:
        """Return a JSON value with every scalar replaced; flags, nothing, empty texts and zero stay what they are."""
        if isinstance(value, dict):
            return {key: each if key in _COUNTERS else self.value(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.value(each) for each in value]
        if value is None or isinstance(value, bool) or value in ("", 0) or value in self._kept:
            return value
        return self._replaced(value)

    def path(self, path: str, words: frozenset[str] | None = None) -> str:
        """Return a path with its numbers replaced as they are in bodies, and with ``words`` all else but these."""

        def part(text: str) -> str:
            if words is not None:
                return text if text in words else str(self.value(text))
            return str(self.value(int(text))) if text.isdigit() else text

        return "/".join(part(each) for each in path.split("/"))

    def query(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return query parameters with their values replaced."""
        numbers = {key: int(value) if str(value).isdigit() else value for key, value in params.items()}
        return {key: str(self.value(value)) for key, value in numbers.items()}

    def _replaced(self, value: Any) -> Any:
        key = (type(value), value)
        if key not in self._known:
            self._known[key] = self._new(value)
            self._taken.add(self._known[key])
        return self._known[key]

    def _new(self, value: Any) -> Any:
        for _ in range(_TRIES):
            made = self._made(value)
            if made != value and made not in self._taken:
                return made
        return made

    def _made(self, value: Any) -> Any:
        if isinstance(value, int):
            return int(self._digits(str(value)))
        if isinstance(value, float):
            return float(self._digits(repr(value)))
        return self._text(str(value))

    def _text(self, text: str) -> str:
        if _DAY.match(text):
            day = _FIRST_DAY + timedelta(days=self._random.randrange(9000))
            return _CLOCK.sub(self._clock, _DAY.sub(day.isoformat(), text, count=1))
        if _CLOCK.match(text):
            return _CLOCK.sub(self._clock, text)
        return "".join(self._character(character) for character in text)

    def _clock(self, found: re.Match[str]) -> str:
        hour, minute = self._random.randrange(24), self._random.randrange(60)
        return f"{hour:02}:{minute:02}" + (":00" if found.group().count(":") == 2 else "")

    def _character(self, character: str) -> str:
        if character.isnumeric():
            return self._random.choice(string.digits)
        if character.isalpha():
            return self._random.choice(string.ascii_uppercase if character.isupper() else string.ascii_lowercase)
        return character

    def _digits(self, text: str) -> str:
        first = True
        made = []
        for character in text:
            if not character.isdigit():
                made.append(character)
                first = first and character == "-"
                continue
            made.append(self._random.choice("123456789" if first else string.digits))
            first = False
        return "".join(made)
