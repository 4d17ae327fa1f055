"""The layouts that ``deploy/`` offers, run as processes from their own files: what a file forgets is missing here too.

No container engine and no systemd are needed; paths and ports are the test's own.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from vmh_sync.engine.passes.opening import open_database
from vmh_sync.settings import VmhSettings, load
from vmh_sync.stored_settings import default_url
from vmh_sync_tests.e2e.compose_layout import ComposeLayout, own_ports
from vmh_sync_tests.e2e.dagster_stack import DagsterStack, free_port, wait_until
from vmh_sync_tests.e2e.layout import Layout, kill, left_in
from vmh_sync_tests.e2e.systemd_layout import SystemdLayout
from vmh_sync_tests.fixtures.chancery import Chancery
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.gateway import KEYS, WRITE_KEY, register_webhooks
from vmh_sync_tests.fixtures.house import house_folder
from vmh_sync_tests.fixtures.sandbox import Sandbox

pytestmark = [pytest.mark.e2e, pytest.mark.proof]

CALENDAR = "/advoware/calendar/sync"
PASSWORDS = ("DAGSTER_PG_PASSWORD", "VMH_POSTGRES_ADMIN_PASSWORD", "VMH_POSTGRES_PASSWORD", "VMH_VALKEY_PASSWORD")
CELERY = {"VMH_DAGSTER_YAML": "./deploy/dagster.celery.yaml"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """Everything that the processes write; whatever a failed test leaves running is ended."""
    made = house_folder()
    made.chmod(0o711)  # PostgreSQL may run as another user
    yield made
    kill(left_in(made))
    shutil.rmtree(made, ignore_errors=True)


def settings(sandbox: Sandbox, folder: Path, gateway_port: str) -> dict[str, str]:
    """What a person fills in: the systems, the callers' keys, the webhooks of ``crm setup``, Google's key as a file."""
    sandbox.reset()
    filled = sandbox.environment
    key = folder / "google.json"
    key.write_text(filled.pop("GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON"), encoding="utf-8")
    secrets = register_webhooks(sandbox, f"http://127.0.0.1:{gateway_port}")
    return {
        **filled,
        "GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH": str(key),
        "ESPOCRM_WEBHOOK_SECRETS": json.dumps(secrets),
        "VMH_API_KEYS": json.dumps(KEYS),
        "VMH_LEASE_SECONDS": "5",  # so long the record of a run that was cut off is waited for
    }


class People:
    """Who works with both systems while the layout runs."""

    def __init__(self, sandbox: Sandbox, layout: Layout, database_url: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("VMH_DATABASE_URL", database_url)
            self.store = open_database(load(VmhSettings))
        self.firm = Firm(sandbox, self.store)
        self.chancery = Chancery(sandbox, self.store)
        self.layout = layout
        self.dagster = DagsterStack(layout.dagster_url)

    def deliver(self) -> None:
        """EspoCRM delivers its signed webhooks; the gateway must take all."""
        queue = self.firm.crm.do("flush_webhooks")
        assert not queue.get("failed") and not queue.get("items"), queue

    def an_edit_goes_through(self) -> str:
        """A new party and an edit of it reach Advoware; returns the record's id."""
        firm = self.firm
        espo_id = firm.crm_party(lastName="Eins")
        self.deliver()
        betnr = int(wait_until("the party is linked", lambda: firm.crm_record(espo_id).get("betnr")))
        firm.crm_edit(espo_id, lastName="Zwei")
        self.deliver()
        wait_until("the edit stands in Advoware", lambda: firm.office_record(betnr)["name"] == "Zwei")
        return espo_id

    def an_appointment_goes_through(self) -> None:
        """A run that is asked for at the gateway brings an appointment to Google."""
        self.chancery.employee("SB")
        number = self.chancery.termin("SB", "Verhandlung")

        def accepted() -> str | None:
            how = {"headers": {"X-API-Key": WRITE_KEY}, "timeout": 30, "trust_env": False}
            answer = httpx.post(f"{self.layout.gateway_url}{CALENDAR}", **how)  # type: ignore[arg-type]
            assert answer.status_code in (202, 409), answer.text  # 409: the schedule was quicker
            return str(answer.json()["run_id"]) if answer.status_code == 202 else None

        assert self.dagster.finished(wait_until("the run is accepted", accepted)) == "SUCCESS"
        assert self.chancery.event_of(number)["summary"] == "Verhandlung"

    def edit_at_the_last_moment(self, espo_id: str) -> None:
        """An edit whose webhook was just answered when everything is stopped."""
        self.firm.crm_edit(espo_id, lastName="Drei")
        self.deliver()

    def names(self) -> list[str]:
        """The parties' names in Advoware."""
        return [row["name"] for row in self.firm.office_records()]

    def is_kept(self) -> bool:
        """Whether the last edit stands in Advoware, or waits in the inbox or with a worker that was stopped."""
        with self.store.reading() as tx:
            waiting = tx.inbox.workers() or tx.inbox.oldest_pending("beteiligte", self.firm.clock.now())
        return self.names() == ["Drei"] or bool(waiting)


def test_compose_syncs_stops_and_goes_on_with_warm_workers(sandbox_process: Sandbox, folder: Path) -> None:
    ports = own_ports()
    passwords = {name: f"geheim{name.replace('_', '')}" for name in PASSWORDS}
    layout = ComposeLayout(folder, {**settings(sandbox_process, folder, ports["8800"]), **passwords}, set(), ports)
    image = sorted(layout.house.rglob("*"))
    layout.start_postgres()
    try:
        layout.up()
        people = People(sandbox_process, layout, layout.database_url)
        with closing(people.store):
            assert layout.programs["gateway"].try_out(["vmh-sync", "doctor"], 120), "as deploy/README.md says"
            syncs_and_stops(people, layout, layout.changed({"celery"}, CELERY))
        assert sorted(layout.house.rglob("*")) == image, "the image is read-only"
    finally:
        layout.stop_postgres()


def test_the_systemd_units_sync_back_up_and_stop_without_losing_anything(
    sandbox_process: Sandbox, folder: Path
) -> None:
    port = str(free_port())
    layout = SystemdLayout(folder, settings(sandbox_process, folder, port), port)
    layout.up()
    people = People(sandbox_process, layout, default_url(layout.home))
    with closing(people.store):
        assert len(layout.back_up()) == 1, "while it runs"
        syncs_and_stops(people, layout, layout)
    assert not (folder / "hidden").exists(), "the user's home is hidden"


def syncs_and_stops(people: People, first: Layout, second: Layout) -> None:
    """What is up carries an edit and an appointment, is stopped in the middle of an edit, and goes on afterwards."""
    espo_id = people.an_edit_goes_through()
    people.an_appointment_goes_through()
    people.edit_at_the_last_moment(espo_id)
    stops_well(first)
    assert people.is_kept()
    second.up()
    wait_until("the last edit stands in Advoware", lambda: people.names() == ["Drei"])
    stops_well(second)


def stops_well(layout: Layout) -> None:
    """Everything ends with 0 in the time that the file gives it, and nothing of it runs any more."""
    assert {name: code for name, code in layout.down().items() if code != 0} == {}
    assert left_in(layout.folder) == {}
