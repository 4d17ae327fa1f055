"""Starts one of Dagster's programs with a plain log: ``python -m vmh_sync.orchestration.dagster_program NAME …``.

Dagster colours its log lines also when they go into a file, and has no setting for it but JSON.
"""

import logging
import sys
from importlib.metadata import entry_points

import coloredlogs


class PlainFormatter(logging.Formatter):
    """Takes what coloredlogs' formatter takes, and leaves out the colours."""

    def __init__(self, fmt: str | None = None, datefmt: str | None = None, **_styles: object) -> None:
        super().__init__(fmt, datefmt)


def without_colours() -> None:
    """Let whatever this process logs from now on through Dagster's formatter be plain."""
    coloredlogs.ColoredFormatter = PlainFormatter


def main() -> None:
    """Run the program named first with the arguments that follow."""
    without_colours()
    (program,) = entry_points(group="console_scripts", name=sys.argv[1])
    sys.argv = sys.argv[1:]
    sys.exit(program.load()())


if __name__ == "__main__":
    main()
