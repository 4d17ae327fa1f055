"""Reads a class of settings and says in one sentence what is missing or bad."""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError


class SettingsError(Exception):
    """A setting is missing or unusable; the message names each variable and what it is for, in German."""


S = TypeVar("S", bound=BaseModel)


def load(settings: Callable[[], S]) -> S:
    """Read one settings class from the environment.

    Takes a settings class of this module, returns a filled instance. Raises :class:`SettingsError` that names
    every variable that is missing or bad together with what it is for; the bad value itself is not repeated,
    since it may be a secret.
    """
    try:
        return settings()
    except (ValidationError, json.JSONDecodeError) as error:
        raise SettingsError(_explain(settings, error)) from None


def load_or_note(settings: Callable[[], S], problems: list[str]) -> S | None:
    """Read one settings class like :func:`load`, but add what is wrong to ``problems`` and return ``None``."""
    try:
        return load(settings)
    except SettingsError as problem:
        problems.append(str(problem))
        return None


def _explain(settings: Callable[[], S], error: ValidationError | json.JSONDecodeError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"Eine Einstellung von {getattr(settings, '__name__', 'vmh_sync')} ist kein gültiges JSON: {error.msg}"
    fields = getattr(settings, "model_fields", {})
    prefix = str(getattr(settings, "model_config", {}).get("env_prefix", "")).upper()
    lines = []
    for problem in error.errors(include_url=False, include_input=False):
        name = str(problem["loc"][0]) if problem["loc"] else "?"
        by_alias = {info.alias: info for info in fields.values() if info.alias}
        info = fields.get(name) or by_alias.get(name)
        variable = name if name in by_alias else f"{prefix}{name.upper()}"
        purpose = info.description if info else "unbekannte Einstellung"
        kind = "fehlt" if problem["type"] == "missing" else f"ist unbrauchbar ({what_is_wrong(problem)})"
        lines.append(f"{variable} {kind}: {purpose}")
    return "\n".join(lines)


_WRONG = {
    "bool_parsing": "erwartet wird true oder false",
    "bool_type": "erwartet wird true oder false",
    "int_parsing": "erwartet wird eine ganze Zahl",
    "int_from_float": "erwartet wird eine ganze Zahl",
    "int_type": "erwartet wird eine ganze Zahl",
    "float_parsing": "erwartet wird eine Zahl",
    "finite_number": "erwartet wird eine endliche Zahl",
    "greater_than_equal": "erwartet wird mindestens {ge}",
    "greater_than": "erwartet wird mehr als {gt}",
    "less_than_equal": "erwartet wird höchstens {le}",
    "less_than": "erwartet wird weniger als {lt}",
    "literal_error": "möglich sind {expected}",
    "enum": "möglich sind {expected}",
    "string_too_short": "erwartet werden mindestens {min_length} Zeichen",
    "string_too_long": "erwartet werden höchstens {max_length} Zeichen",
    "zoneinfo_str": "diese Zeitzone gibt es nicht",
    "path_type": "erwartet wird ein Pfad",
}
"""Kind of a problem that pydantic finds → what to say; the braces are what pydantic tells with it."""


def what_is_wrong(problem: Mapping[str, Any]) -> str:
    """Return in German what one of pydantic's problems (``ValidationError.errors()``) says of a value."""
    kind = str(problem["type"])
    if kind == "value_error":  # our own checks speak German; pydantic only puts these words before them
        return str(problem["msg"]).removeprefix("Value error, ")
    if kind.startswith(("date", "time")):
        return "erwartet wird ein Datum wie 2026-01-31"
    expected = {name: str(value).replace(" or ", " oder ") for name, value in problem.get("ctx", {}).items()}
    return _WRONG.get(kind, "die Form stimmt nicht").format_map(expected)
