"""Tells an outage of a foreign system from trouble with single records."""

from collections.abc import Sequence

from vmh_sync.systems.errors import ForeignSystemError, LoginRefused, UnexpectedAnswer

SEVERAL = 3
"""Fewer records than this say nothing about the system: each is noted as failed and tried again by itself."""


def common_outage(problems: Sequence[Exception | None]) -> ForeignSystemError | None:
    """Return the fault that kept every one of several records from being read, if it may pass by itself.

    Takes one problem (or none) for each record that was asked for. A refused login counts at once: whatever comes next
    meets it too. No record is to be blamed then: it keeps its tries, and nothing is written about it. A record that was
    answered, but with something nobody can use, is no outage.
    """
    refused = next((problem for problem in problems if isinstance(problem, LoginRefused)), None)
    if refused is not None:
        return refused
    passing = [problem for problem in problems if isinstance(problem, ForeignSystemError) and _passes(problem)]
    if len(problems) < SEVERAL or len(passing) < len(problems):
        return None
    return passing[0]


def concerns_all(error: Exception) -> bool:
    """Whether the fault lies with a system or a setting, so that no single record is to be blamed for it."""
    return isinstance(error, ForeignSystemError) and error.concerns_all


def _passes(problem: ForeignSystemError) -> bool:
    of_one = isinstance(problem, UnexpectedAnswer) and problem.of_one_record
    return problem.retryable and not of_one
