"""Where the program ``vmh-sync`` begins: Ctrl-C is answered before anything is imported, Python's own modules included.

Until :mod:`vmh_sync.interrupt` takes over, nothing has begun that could be cut off: the process just ends.
"""

import _signal  # type: ignore[import-not-found]  # built in: ``signal`` imports a dozen modules before its first line
import os
import sys
from types import FrameType

from vmh_sync.interrupt_words import INTERRUPTED, SENTENCE


def main() -> None:
    """Run the command line."""
    from vmh_sync import interrupt

    try:
        with interrupt.armed():
            from vmh_sync.cli import main as command_line

            command_line()
    finally:
        interrupt.only_ends()


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.stderr.write(f"{SENTENCE}\n")
    sys.stderr.flush()
    os._exit(INTERRUPTED)


_signal.signal(_signal.SIGINT, _end)
