"""How Dagster's processes are asked whether they still do something (:mod:`vmh_sync.services.signs_of_life`)."""

from pathlib import Path

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from vmh_sync.orchestration.dagster_home import open_home
from vmh_sync.orchestration.dagster_internals.client import DagsterGrpcClient
from vmh_sync.orchestration.next_ticks import DAEMONS
from vmh_sync.services.signs_of_life import ASK_SECONDS, SignsOfLife, answers_http

_MOST_MISSED_BY_DAEMON = 30
"""Five minutes: it notes a sign every half a minute, and one sensor may keep it busy for a minute and more."""


def signs_of_code_server(host: str, port: int) -> SignsOfLife:
    """Ask the code server for its id, which it answers by itself."""

    def ask() -> bool:
        try:
            DagsterGrpcClient(host=host, port=port).get_server_id(timeout=round(ASK_SECONDS))
        except dg.DagsterError:
            return False
        return True

    return SignsOfLife(ask)


def signs_of_webserver(url: str) -> SignsOfLife:
    """Ask for what the webserver answers by itself."""
    return SignsOfLife(answers_http(f"{url}/server_info"))


def signs_of_daemon(home: Path) -> SignsOfLife:
    """Look whether the daemon notes new signs of life; which time it notes does not matter, clocks may be set."""
    seen: dict[str, float] = {}

    def ask() -> bool | None:
        try:
            with open_home(home) as instance:
                beats = {name: beat.timestamp for name, beat in instance.get_daemon_heartbeats().items()}
        except (dg.DagsterError, SQLAlchemyError, OSError):
            return None  # Dagster's database does not answer, so the daemon could not note anything either
        moved = all(name in beats and beats[name] != seen.get(name) for name in DAEMONS)
        if moved:
            seen.update(beats)
        return moved

    return SignsOfLife(ask, _MOST_MISSED_BY_DAEMON)
