"""Clients, store and leases are opened once for all ops of a run, and closed when it ends, however it ends."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import dagster as dg
import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner

from vmh_sync.cli import app
from vmh_sync.orchestration.jobs import sync_job
from vmh_sync.orchestration.jobs.sentences import Stopped
from vmh_sync.store.store import Store
from vmh_sync.systems.aiohttp_client import AiohttpClient
from vmh_sync_tests.fixtures.chancery import Chancery
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.jobs import job

ONE_OPENING = Counter({"Store": 1, "Redis": 1, "AiohttpClient": 2})
"""Our database, Redis, and a client for each of EspoCRM and Advoware."""


class Openings:
    """How often what a pass works with was opened and closed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()
        for kind, close in ((Store, "close"), (Redis, "aclose"), (AiohttpClient, "__aexit__")):
            for name, counted in (("__init__", self.opened), (close, self.closed)):
                self._count(monkeypatch, kind, name, counted)

    def _count(self, monkeypatch: pytest.MonkeyPatch, kind: type, name: str, counted: Counter[str]) -> None:
        whole = getattr(kind, name)

        def done(this: Any, *arguments: Any, **options: Any) -> Any:
            counted[kind.__name__] += 1
            return whole(this, *arguments, **options)

        monkeypatch.setattr(kind, name, done)


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> Openings:
    """Counts from now on; ask for it after the firm, whose own openings do not count."""
    return Openings(monkeypatch)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Dagster, in memory."""
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def _linked(firm: Firm, openings: Openings) -> str:
    espo_id, _ = firm.linked_party(lastName="Einmal")
    firm.crm_edit(espo_id, zusatz="geändert")
    openings.opened.clear()
    openings.closed.clear()
    return espo_id


def test_a_launched_run_opens_everything_once_for_its_four_ops(
    firm: Firm, openings: Openings, instance: dg.DagsterInstance
) -> None:
    espo_id = _linked(firm, openings)
    firm.office.do("expire_tokens")
    asked = firm.office.state()["tokens"]["requests"]
    assert job("sync_beteiligte").execute_in_process(run_config={"ids": [espo_id]}, instance=instance).success
    assert firm.office_records()[-1]["zusatz"] == "geändert"
    assert openings.opened == openings.closed == ONE_OPENING
    assert firm.office.state()["tokens"]["requests"] == asked + 1


def test_a_command_opens_everything_once_to_choose_and_once_to_run(firm: Firm, openings: Openings) -> None:
    _linked(firm, openings)
    done = CliRunner().invoke(app, ["sync", "beteiligte", "--dirty"])
    assert done.exit_code == 0, done.output
    assert openings.opened["AiohttpClient"] == 2 * ONE_OPENING["AiohttpClient"]
    assert openings.closed == openings.opened


@pytest.mark.parametrize("raises", [True, False], ids=["in the foreground", "launched"])
@pytest.mark.parametrize("broken", ["read_batch", "write_batch"])
def test_what_a_failing_run_has_opened_is_closed(
    firm: Firm,
    openings: Openings,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    broken: str,
    raises: bool,
) -> None:
    async def fails(*_: Any, **__: Any) -> None:
        raise Stopped("Nichts geht mehr.")

    monkeypatch.setattr(sync_job, broken, fails)
    espo_id = _linked(firm, openings)
    with suppress(Stopped):
        run = job("sync_beteiligte").execute_in_process(
            run_config={"ids": [espo_id]}, instance=instance, raise_on_error=raises
        )
        assert not run.success and not raises
    assert openings.opened == openings.closed == ONE_OPENING


@pytest.mark.parametrize("name", ["sync_kalender", "kalender_audit"])
def test_a_run_of_the_calendar_opens_everything_once(
    chancery: Chancery, openings: Openings, instance: dg.DagsterInstance, name: str
) -> None:
    chancery.termin(chancery.employee("SB"))
    openings.opened.clear()
    assert job(name).execute_in_process(instance=instance).success
    assert openings.opened == openings.closed == ONE_OPENING
