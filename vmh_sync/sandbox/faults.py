"""Fault rules: what goes wrong on purpose, how often, and for which requests."""

import random
import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

Action = Literal[
    "status",
    "latency",
    "late",
    "drop_before",
    "drop_after",
    "malformed",
    "empty",
    "hang",
    "kill_before",
    "kill_after",
    "edit",
    "tamper",
]


class FaultRule(BaseModel):
    """One scripted fault.

    ``path`` is a regular expression searched in the path, and in ``path?query``; ``method`` one that the whole
    method name must match (``None``: any). The first ``skip`` matching requests pass, then the rule fires at most
    ``times`` times (``None``: for ever), each time with ``probability``.

    Actions: ``status`` answers with ``status``, ``body``, ``headers``; ``latency`` waits ``seconds`` and goes on;
    ``late`` takes the request, waits ``seconds`` and commits it, also when the caller has gone meanwhile;
    ``drop_before`` closes the connection and the simulated system never sees the request; ``drop_after`` lets it
    commit and then closes the connection; ``malformed`` answers 200 with broken JSON; ``empty`` answers 200 with
    ``body`` (default nothing); ``hang`` says nothing for ``seconds``, then closes the connection; ``kill_before`` and
    ``kill_after`` kill the process ``pid`` (SIGKILL), the caller whose crash is wanted, before or after the commit;
    ``edit`` lets a person do ``edit`` (what ``/_sandbox/edit`` takes) directly before the request, which then goes on;
    ``tamper`` lets the system answer and then changes the records in the JSON that have all values of ``where``: the
    field ``field`` (where the record has it; null: the whole record) becomes the raw text ``body``.
    """

    model_config = ConfigDict(extra="forbid")

    action: Action
    path: str
    method: str | None = None
    status: int = Field(503, ge=100, le=599)
    body: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    seconds: float = Field(0.5, ge=0)
    times: int | None = Field(None, ge=0)
    skip: int = Field(0, ge=0)
    probability: float = Field(1.0, ge=0, le=1)
    pid: int | None = Field(None, gt=1)
    edit: dict[str, Any] | None = None
    where: dict[str, str | int] = Field(default_factory=dict)
    field: str | None = None

    @field_validator("path", "method")
    @classmethod
    def _is_regular_expression(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from error
        return value

    @model_validator(mode="after")
    def _knows_whom_it_is_for(self) -> "FaultRule":
        if self.action in ("kill_before", "kill_after") and self.pid is None:
            raise ValueError("kill_before and kill_after need a pid")
        if (self.action == "edit") != (self.edit is not None):
            raise ValueError("the action edit needs an edit, and no other takes one")
        return self


class FaultRuleError(ValueError):
    """A fault rule cannot be used; the message names the field."""


class FaultBook:
    """The rules in force, in the order they were added; the first that is due fires."""

    def __init__(self, seed: int = 0) -> None:
        self._rng = random.Random(seed)
        self._rules: list[_ActiveRule] = []

    def __bool__(self) -> bool:
        return bool(self._rules)

    def add(self, rules: object) -> int:
        """Append one rule or a list of rules (plain JSON); returns how many are now in the book.

        Raises :class:`FaultRuleError` when one of them is unusable; none is added then.
        """
        try:
            parsed = [FaultRule.model_validate(rule) for rule in (rules if isinstance(rules, list) else [rules])]
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise FaultRuleError(problems) from error
        self._rules += [_ActiveRule(rule) for rule in parsed]
        return len(self._rules)

    def clear(self) -> None:
        """Forget every rule."""
        self._rules.clear()

    def due(self, method: str, path: str, query: str) -> FaultRule | None:
        """Return the rule that fires for this request and count it, or ``None``."""
        for active in self._rules:
            if active.matches(method, path, query) and active.fires(self._rng):
                return active.rule
        return None


class _ActiveRule:
    def __init__(self, rule: FaultRule) -> None:
        self.rule = rule
        self._path = re.compile(rule.path)
        self._method = re.compile(rule.method) if rule.method else None
        self._skip = rule.skip
        self._left = rule.times

    def matches(self, method: str, path: str, query: str) -> bool:
        if self._left == 0 or (self._method is not None and not self._method.fullmatch(method)):
            return False
        return bool(self._path.search(path) or (query and self._path.search(f"{path}?{query}")))

    def fires(self, rng: random.Random) -> bool:
        if self._skip > 0:
            self._skip -= 1
            return False
        if self.rule.probability < 1.0 and rng.random() >= self.rule.probability:
            return False
        if self._left is not None:
            self._left -= 1
        return True
