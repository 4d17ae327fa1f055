"""Dagster loads the code location: a clash of two names would leave it, and all jobs with it, without any run."""

from vmh_sync.definitions import build_defs
from vmh_sync.orchestration.run_tags import AGAIN_FROM_START


def test_everything_that_is_defined_can_be_loaded_as_the_code_server_does() -> None:
    repository = build_defs().get_repository_def()
    repository.load_all_definitions()
    assert {"sync_beteiligte", "sync_kommunikation", "pruefen", "reconcile", "kalender_audit"} <= set(
        repository.job_names
    )


def test_a_job_of_several_steps_is_started_again_with_all_of_them() -> None:
    """Results of steps stay in memory: what Dagster starts again from the failed step dies at once."""
    jobs = [job for job in build_defs().resolve_all_job_defs() if len(job.nodes) > 1 and not job.name.startswith("__")]
    assert {"sync_beteiligte", "sync_kalender", "housekeeping", "kalender_audit"} <= {job.name for job in jobs}
    assert [job.name for job in jobs if not AGAIN_FROM_START.items() <= job.tags.items()] == []
