"""Something fails at night: one e-mail, one post, one task with a bell; one more of each when it is over."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import dagster as dg
import pytest

from vmh_sync.definitions import build_defs
from vmh_sync.orchestration.monitoring.alert_sensor import meldungen
from vmh_sync.store.pairs.records import SyncRecord
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.jobs import job
from vmh_sync_tests.fixtures.mailbox import Mailbox, Receiver
from vmh_sync_tests.pipeline.beteiligte.test_who_gets_a_task import person
from vmh_sync_tests.pipeline.morning.test_run_pages import SECRET, run


class Daemon:
    """Evaluates the sensor as Dagster's daemon does: the cursor of one tick is that of the next."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.defs = build_defs()
        self.cursor: str | None = None

    def tick(self) -> str:
        """One tick, in a daemon that was started anew; returns what the list of ticks says."""
        sensor = self.defs.get_repository_def().get_sensor_def("meldungen")
        with dg.build_sensor_context(instance=self.instance, cursor=self.cursor, definitions=self.defs) as context:
            data = sensor.evaluate_tick(context)
        self.cursor = data.cursor
        return data.skip_message or ""


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A daemon over a Dagster in memory; what is over is told at once, and failed runs too."""
    monkeypatch.setenv("VMH_ALERT_QUIET_MINUTES", "0")
    monkeypatch.setattr("vmh_sync.overview.failing_jobs.GRACE", timedelta(0))
    with dg.DagsterInstance.ephemeral() as instance:
        yield Daemon(instance)


def test_a_record_that_failed_for_good_is_told_once_and_so_is_its_end(
    firm: Firm, daemon: Daemon, mailbox: Mailbox, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Kein Weg" in daemon.tick()
    anna = person(firm)
    for name, value in {
        "EMAIL_TO": "leitung@kanzlei.example, technik@kanzlei.example",
        "SMTP_PORT": str(mailbox.port),
        "WEBHOOK_URL": receiver.url,
        "ESPOCRM_USER_ID": anna,
    }.items():
        monkeypatch.setenv(f"VMH_ALERT_{name}", value)
    assert daemon.tick() == "Nichts zu melden."

    espo_id = firm.crm_party(lastName=SECRET)
    firm.office.fault(r"Beteiligte$", "status", method="POST", status=400, body="Pflichtfeld fehlt")
    run(daemon.instance, ids=[espo_id])
    with firm.store.transaction() as tx:  # the last of its tries
        record = tx.records.get("beteiligte", espo_id)
        assert record is not None
        tx.records.upsert([_for_good(record)])
    assert daemon.tick() == "3 Meldungen verschickt."
    assert daemon.tick() == "Nichts zu melden."
    (mail,) = mailbox.mails
    assert mail["Subject"] == "Abgleich: Störung: Beteiligte: 1 fehlerhaft, davon 1 endgültig"
    assert mail["To"] == "leitung@kanzlei.example, technik@kanzlei.example"
    assert "/assets/beteiligte?view=checks" in mail.get_content()
    (post,) = receiver.bodies
    assert (post["event"], post["key"]) == ("trouble", "bereich:beteiligte:keine_fehler")
    (task,) = [task for task in firm.tasks() if task["name"].startswith("Abgleich: Störung")]
    assert task["assignedUserId"] == anna

    firm.office.clear_faults()
    run(daemon.instance, ids=[espo_id])
    assert daemon.tick() == "3 Meldungen verschickt."
    assert daemon.tick() == "Nichts zu melden."
    assert mailbox.mails[1]["Subject"].startswith("Abgleich: behoben: Beteiligte")
    assert receiver.bodies[1]["event"] == "over"
    assert not [task for task in firm.tasks() if task["name"].startswith("Abgleich: Störung")]
    told = [*(str(one) for one in mailbox.mails), *(str(one) for one in receiver.bodies), str(task)]
    assert not [one for one in told if SECRET in one or espo_id in one]


def test_a_failed_run_and_a_failed_check_are_told_and_a_mail_server_that_is_down_is_made_up_for(
    firm: Firm, daemon: Daemon, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VMH_ALERT_EMAIL_TO", "leitung@kanzlei.example")
    monkeypatch.setenv("VMH_ALERT_SMTP_PORT", "1")
    (espo_id, betnr), *_ = [firm.linked_party(lastName=f"Muster {number}") for number in range(3)]
    run(daemon.instance, ids=[espo_id])
    firm.office_edit(betnr, zusatz=SECRET)
    job("reconcile").execute_in_process(instance=daemon.instance)
    firm.office.fault(r".*", "status", status=503)
    nightly = {"dagster/schedule_name": "beteiligte_sweep"}
    config = {"selection": "all"}
    sync = job("sync_beteiligte")
    failed = sync.execute_in_process(config, daemon.instance, tags=nightly, raise_on_error=False)
    assert not failed.success
    assert "E-Mail: nicht verschickt" in daemon.tick()
    monkeypatch.setenv("VMH_ALERT_SMTP_PORT", str(mailbox.port))
    daemon.tick()
    subjects = {str(mail["Subject"]) for mail in mailbox.mails}
    assert subjects == {
        "Abgleich: Störung: Lauf sync_beteiligte gescheitert",
        "Abgleich: Störung: beteiligte: gleichstand",
    }
    assert not [mail for mail in mailbox.mails if SECRET in mail.get_content()]

    firm.office.clear_faults()
    assert sync.execute_in_process(config, daemon.instance, tags=nightly).success
    daemon.tick()
    assert mailbox.mails[-1]["Subject"] == "Abgleich: behoben: Lauf sync_beteiligte gescheitert"
    daemon.defs = dg.Definitions(sensors=[meldungen])  # a version that does not check this any more
    daemon.tick()
    assert mailbox.mails[-1]["Subject"] == "Abgleich: behoben: beteiligte: gleichstand"


def _for_good(record: SyncRecord) -> SyncRecord:
    return replace(record, status="permanently_failed", next_retry_at=None)
