"""No statement to PostgreSQL waits without bound: not on a lock, not on the server, not on a connection that died."""

import pytest
from sqlalchemy import Connection, text

from vmh_sync.store import upgrade
from vmh_sync.store.database import engine as engine_module
from vmh_sync.store.database.engine import make_engine, without_bounds
from vmh_sync.store.database.translation import translated
from vmh_sync.store.errors import StoreUnavailable

BOUNDS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


def shown(connection: Connection) -> list[str]:
    return [str(connection.execute(text(f"SHOW {name}")).scalar()) for name in BOUNDS]


def test_the_server_bounds_statements_locks_and_idle_transactions(empty_postgres_url: str) -> None:
    engine = make_engine(empty_postgres_url)
    with engine.begin() as connection:
        assert shown(connection) == ["1min", "30s", "1min"]
        without_bounds(connection)
        assert shown(connection) == ["0", "0", "0"], "a migration takes as long as it takes"
    with engine.begin() as connection:
        assert shown(connection) == ["1min", "30s", "1min"]
    engine.dispose()


def test_a_connection_over_the_network_notices_that_the_other_end_is_gone(empty_postgres_url: str) -> None:
    engine = make_engine(empty_postgres_url)
    raw = engine.raw_connection()
    told = raw.driver_connection.info.dsn_parameters  # type: ignore[union-attr]
    raw.close()
    engine.dispose()
    assert (told["keepalives"], told["tcp_user_timeout"], told["connect_timeout"]) == ("1", "30000", "5")
    assert int(told["keepalives_idle"]) + 3 * int(told["keepalives_interval"]) <= 60


def test_what_the_operator_set_in_the_url_stands(empty_postgres_url: str) -> None:
    url = f"{empty_postgres_url}&options=-c%20statement_timeout%3D7s%20-c%20work_mem%3D8MB"
    engine = make_engine(url)
    with engine.connect() as connection:
        assert shown(connection) == ["7s", "30s", "1min"]
        assert connection.execute(text("SHOW work_mem")).scalar() == "8MB"
    engine.dispose()


def test_a_lock_that_somebody_keeps_makes_the_database_unavailable_and_nothing_hangs(
    empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "LOCK_SECONDS", 1)
    upgrade(empty_postgres_url)
    engine = make_engine(empty_postgres_url)
    with engine.begin() as keeper:
        keeper.execute(text("LOCK TABLE cursors IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(StoreUnavailable), translated(), engine.begin() as other:
            other.execute(text("SELECT count(*) FROM cursors"))
    engine.dispose()
