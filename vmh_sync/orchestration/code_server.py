"""Dagster's code server with warm run processes: ``python -m vmh_sync.orchestration.code_server -h HOST -p PORT``.

The default launcher starts each run in a new Python that imports Dagster and our code: 1.7 of the 3 seconds from an
edit to its write, and as much processor time. Here the same server forks each run from a process that has imported
everything and worked out what is the same in each run (Python's ``forkserver`` start method, which Dagster itself
offers for step processes). A run is a process of its own as before: watched, stopped and killed in the same way. The
options are those of ``dagster api grpc``.
"""

import multiprocessing
import sys
from multiprocessing import forkserver
from typing import Any

from vmh_sync.orchestration.dagster_internals.server import grpc_command, server
from vmh_sync.orchestration.dagster_program import without_colours

MODULE = "vmh_sync.definitions"
PRELOADED = (
    "vmh_sync.orchestration.dagster_program",
    "vmh_sync.orchestration.dagster_internals.server",  # each fork loads this module once more, and what it needs
    "vmh_sync.orchestration.dagster_internals.preloaded",
    MODULE,
    "vmh_sync.warm_up",
)


class WarmApiServer(server.DagsterApiServer):
    """The server of our code location; its run processes are forked instead of started anew."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(PRELOADED))
        forkserver.ensure_running()  # now, so that the first run finds it warm
        super().__init__(*arguments, **options)
        # Dagster has no setting for it. Should a later version keep its context elsewhere, runs only start slower
        # (a test says so).
        self._mp_ctx = context  # type: ignore[assignment]


def main() -> None:
    """Serve until a signal comes; the command's own options follow those given."""
    without_colours()
    server.DagsterApiServer = WarmApiServer  # type: ignore[misc]  # the command looks it up when it runs
    grpc_command(["-m", MODULE, *sys.argv[1:]])


if __name__ == "__main__":
    main()
