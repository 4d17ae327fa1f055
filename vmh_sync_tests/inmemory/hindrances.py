"""What hypothesis may let go wrong in a pass."""

import json
from collections.abc import Sequence
from functools import partial

from hypothesis import strategies as st

from vmh_sync.sandbox.google.errors import DOCUMENTED
from vmh_sync_tests.inmemory.firm import Hindrance
from vmh_sync_tests.inmemory.network import ARRIVES, Fate, Request

FATES = (
    Fate(answer="lost"),
    Fate(answer="lost", carried_out=False),
    Fate(answer="lost", carried_out=False, later=40.0),
    Fate(answer="refused"),
    Fate(answer=503, carried_out=False),
    Fate(answer=500),
    Fate(dies="before"),
    Fate(dies="after"),
    Fate(seconds=20.0),
)
REFUSED = Fate(carried_out=False, answer=400, says=b"{}", of=lambda one: one.system == "advoware" and one.is_write)
"""Advoware does not take the values: they are sent one by one then, each after a look."""


def _google(methods: str, end: str, request: Request) -> bool:
    return request.system == "google" and request.method in methods.split() and request.path.endswith(end)


def _refusal(reason: str, methods: str, end: str = "", *, status: int | None = None, carried_out: bool = False) -> Fate:
    error = DOCUMENTED[reason]
    of = partial(_google, methods, end)
    return Fate(carried_out=carried_out, answer=status or error.status, says=json.dumps(error.body()).encode(), of=of)


_ALL = "GET POST PUT PATCH DELETE"
_WRITES = "POST PUT PATCH DELETE"
REFUSALS = (
    _refusal("fullSyncRequired", "GET", "/events"),
    _refusal("updatedMinTooLongAgo", "GET", "/events"),
    _refusal("deleted", "DELETE", carried_out=True),  # the answer to a repetition
    _refusal("conditionNotMet", "PUT PATCH DELETE"),
    _refusal("conditionNotMet", "PUT PATCH DELETE", carried_out=True),
    _refusal("rateLimitExceeded", _ALL),
    _refusal("rateLimitExceeded", _ALL, status=429),
    _refusal("userRateLimitExceeded", _ALL),
    _refusal("quotaExceeded", _WRITES),
    _refusal("forbidden", _WRITES),
    _refusal("requiredAccessLevel", _WRITES),
    _refusal("backendError", _WRITES, carried_out=True),
)
"""What Google answers when it does not do, or has done already, what it was asked (kalender.md 1)."""
LONGEST_PASS = 300
"""Callbacks; a pass of one party with children that writes has about so many."""


def hindrances() -> st.SearchStrategy[Hindrance]:
    """One or a few things go wrong: requests, the process, the leases."""
    numbers = st.integers(0, 25)
    one_by_one = st.lists(st.sampled_from([ARRIVES, REFUSED, *FATES]), min_size=1, max_size=4)
    return st.one_of(
        st.builds(_refused_at_first, numbers, one_by_one),
        st.builds(Hindrance, fates=st.dictionaries(numbers, st.sampled_from(FATES), min_size=1, max_size=3)),
        st.builds(Hindrance, dies_at=st.integers(1, LONGEST_PASS)),
        st.builds(Hindrance, leases_vanish_at=numbers),
    )


def _refused_at_first(number: int, fates: Sequence[Fate]) -> Hindrance:
    return Hindrance(fates={number + 2 * place: fate for place, fate in enumerate([REFUSED, *fates])})


def calendar_hindrances() -> st.SearchStrategy[Hindrance]:
    """As :func:`hindrances`, and Google refuses some requests in its own words."""
    fates = st.dictionaries(st.integers(0, 25), st.sampled_from([*REFUSALS, *FATES]), min_size=1, max_size=4)
    return hindrances() | st.builds(Hindrance, fates=fates)
