"""The settings of a deployment with warm run workers: PostgreSQL for Dagster and for us, the shipped file."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from vmh_sync.services.dagster_stack import free_port
from vmh_sync_tests.fixtures.postgres import PostgresServer

_SHIPPED = Path(__file__).parents[2] / "deploy" / "dagster.celery.yaml"


@contextmanager
def deployed() -> Iterator[dict[str, str]]:
    """Run a PostgreSQL with two empty databases; yields the settings that name it and Dagster's home."""
    with TemporaryDirectory(prefix="vmh-pg-", ignore_cleanup_errors=True) as name:
        folder, port = Path(name), free_port()
        (folder / "home").mkdir()
        (folder / "pg").mkdir()
        folder.chmod(0o711)  # the server may run as another user
        shutil.copy(_SHIPPED, folder / "home" / "dagster.yaml")
        server = PostgresServer(folder / "pg", port)
        server.start()
        try:
            yield {
                "DAGSTER_HOME": str(folder / "home"),
                "DAGSTER_PG_HOST": "127.0.0.1",
                "DAGSTER_PG_PORT": str(port),
                "DAGSTER_PG_USER": "postgres",
                "DAGSTER_PG_PASSWORD": "unused",
                "DAGSTER_PG_DB": server.create_database(),
                "VMH_DATABASE_URL": server.url(server.create_database()),
            }
        finally:
            server.stop()
