"""What hypothesis may let go wrong in a pass."""

from hypothesis import strategies as st

from vmh_sync_tests.inmemory.firm import Hindrance
from vmh_sync_tests.inmemory.network import Fate

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
LONGEST_PASS = 300
"""Callbacks; a pass of one party with children that writes has about so many."""


def hindrances() -> st.SearchStrategy[Hindrance]:
    """One or a few things go wrong: requests, the process, the leases."""
    numbers = st.integers(0, 25)
    return st.one_of(
        st.builds(Hindrance, fates=st.dictionaries(numbers, st.sampled_from(FATES), min_size=1, max_size=3)),
        st.builds(Hindrance, dies_at=st.integers(1, LONGEST_PASS)),
        st.builds(Hindrance, leases_vanish_at=numbers),
    )
