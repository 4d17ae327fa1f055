"""Dagster loads the code location: a clash of two names would leave it, and all jobs with it, without any run."""

from vmh_sync.definitions import build_defs


def test_everything_that_is_defined_can_be_loaded_as_the_code_server_does() -> None:
    repository = build_defs().get_repository_def()
    repository.load_all_definitions()
    assert {"sync_beteiligte", "sync_kommunikation", "pruefen", "reconcile", "kalender_audit"} <= set(
        repository.job_names
    )
