"""What an op hands on: whoever takes it has it alone.

Dagster keeps the values of a process's first run as long as the process lives: it builds its records' checks when it
makes the first one, and remembers the names of whoever called it, the step's context among them. Those of any other run
stay until Python's search for garbage comes round. So a thousand parties would lie in memory beside the next thousand.
"""

from typing import Generic, TypeVar

T = TypeVar("T")


class HandedOn(Generic[T]):
    """A value on its way from one op to the next, or to whoever runs the job."""

    def __init__(self, value: T) -> None:
        self._left = [value]

    def take(self) -> T:
        """Return the value and keep nothing. Raises ``IndexError`` the second time."""
        return self._left.pop()
