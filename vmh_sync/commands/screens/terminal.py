"""Standard output as commands may count on it: a reader who has left, or who cannot show a letter, is no failure."""

import io
import os
import sys
from typing import TextIO


class _Patient(io.FileIO):
    """A pipe; what nobody reads any more is dropped, so that ``… | head -1`` does not change how a pass ends."""

    def write(self, data, /) -> int:  # type: ignore[no-untyped-def]
        """Write, also when nobody is there to read; another failure is raised once, not again when the process ends."""
        try:
            return super().write(data) or 0
        except OSError as error:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            if not isinstance(error, BrokenPipeError):
                raise
            return len(data)


def prepare_output() -> None:
    """Make both outputs of this process patient; letters that the terminal's encoding lacks become question marks."""
    sys.stdout = _prepared(sys.stdout)
    sys.stderr = _prepared(sys.stderr)


def _prepared(stream: TextIO) -> TextIO:
    if type(stream) is not io.TextIOWrapper:
        return stream  # a test's own; closed ones are None
    stream.flush()
    raw = _Patient(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        raw if stream.write_through else io.BufferedWriter(raw),  # as Python itself does with PYTHONUNBUFFERED
        stream.encoding,
        "replace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
