"""What people read about a failure are German sentences: the class of the error is for developers, in its own place."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from vmh_sync.beteiligte.errors import EmptierThanAParty, PartFailed
from vmh_sync.beteiligte.writing import failure as parties
from vmh_sync.engine.writing import failure
from vmh_sync.kalender import failure as kalender
from vmh_sync.sync.base import Side
from vmh_sync.sync.fields import WrongKind
from vmh_sync.systems.advoware.errors import AdvowareError
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm.errors import EspoError
from vmh_sync.systems.google_calendar.errors import GoogleCalendarError


def kinds(base: type[ForeignSystemError]) -> Iterator[type[ForeignSystemError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


def failures() -> list[Exception]:
    systems = {kind for base in (AdvowareError, EspoError, GoogleCalendarError) for kind in kinds(base)}
    # Without __init__: each class takes other arguments, and here only its words count.
    found = [kind.__new__(kind, "x") for kind in sorted(systems, key=lambda kind: (kind.__module__, kind.__name__))]
    for error in found:
        ForeignSystemError.__init__(error, "x")
        error.__dict__.update(field="name", rule="required", problems=("id",), limit=7)
    more = (ZeroDivisionError("x"), WrongKind("Name", Side.ADVOWARE, "list"), EmptierThanAParty("beteiligte p1"))
    return [*found, *more]


@pytest.mark.parametrize("error", failures(), ids=lambda error: type(error).__name__)
def test_no_class_of_an_error_stands_in_what_people_read(error: Exception) -> None:
    name = type(error).__name__
    told: list[Any] = [
        parties.explain(error),
        parties.explain(PartFailed("Adressen", error)),
        kalender.explain(error),
    ]
    child = failure.explain(error).outcome("a1", 7)
    for text in (*(one.message for one in told), child.error or ""):
        assert text
        assert name not in text
        assert not re.search(r"\[[A-Za-z]+\]", text), text
    assert name in {told[0].error_class, child.error_class}, "developers still find it"
