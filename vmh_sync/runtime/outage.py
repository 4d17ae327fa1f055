"""Tells an outage of a foreign system from trouble with single records."""

from collections.abc import Sequence

from vmh_sync.systems.errors import ForeignSystemError, LoginRefused

SEVERAL = 3
"""Fewer records than this say nothing about the system: each is noted as failed and tried again by itself."""


def common_outage(problems: Sequence[ForeignSystemError | None]) -> ForeignSystemError | None:
    """Return the fault that kept every one of several records from being read, if it may pass by itself.

    Takes one problem (or none) for each record that was asked for. A refused login counts at once: whatever comes next
    meets it too. No record is to be blamed then: it keeps its tries, and nothing is written about it.
    """
    refused = next((problem for problem in problems if isinstance(problem, LoginRefused)), None)
    if refused is not None:
        return refused
    passing = [problem for problem in problems if problem is not None and problem.retryable]
    if len(problems) < SEVERAL or len(passing) < len(problems):
        return None
    return passing[0]
