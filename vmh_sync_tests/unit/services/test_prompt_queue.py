"""The run queue that is looked at twice a second, as Dagster itself reads it from our ``dagster.yaml``."""

from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._daemon.controller import create_daemon_of_type

from vmh_sync.services.dagster_home import ensure_dagster_home
from vmh_sync.services.prompt_queue import PromptQueue


def test_daemon_of_the_embedded_home_looks_twice_a_second_and_keeps_the_limits(tmp_path: Path) -> None:
    home = ensure_dagster_home(tmp_path / "home")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert isinstance(instance.run_coordinator, PromptQueue)
        daemon = create_daemon_of_type("QUEUED_RUN_COORDINATOR", instance)
        assert getattr(daemon, "interval_seconds", None) == pytest.approx(0.4)
        runs = instance.get_concurrency_config().run_queue_config
        assert runs is not None
        limits = yaml.safe_load((home / "dagster.yaml").read_text())["concurrency"]["runs"]
        assert runs.max_concurrent_runs == limits["max_concurrent_runs"]
        assert list(runs.tag_concurrency_limits) == limits["tag_concurrency_limits"]


def test_a_longer_interval_is_obeyed() -> None:
    assert PromptQueue(dequeue_interval_seconds=7).dequeue_interval_seconds == 7
