"""A whole morning of the operator: what failed at night is told, seen, approved, repaired and taken back.

``VMH_TEST_SCREENSHOTS`` names a folder for pictures of the pages (``docs/images`` holds those of the handbook).
"""

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from vmh_sync_tests.e2e.dagster_stack import wait_until
from vmh_sync_tests.fixtures.browser import PATIENCE_MS
from vmh_sync_tests.fixtures.gateway import READ_KEY
from vmh_sync_tests.fixtures.house import COMMAND, House
from vmh_sync_tests.fixtures.mailbox import Mailbox

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.proof]

PARTIES, CHANGES_AT_ONCE = 8, 5
PICTURE = {"width": 1200, "height": 900}


@pytest.fixture(scope="module")
def mails() -> Iterator[Mailbox]:
    with Mailbox() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def night(mails: Mailbox, request: pytest.FixtureRequest) -> Iterator[House]:
    """The house of a firm that wants mails, and stops a pass that changes more than a few records at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VMH_ALERT_EMAIL_TO", "betrieb@kanzlei.example")
        patch.setenv("VMH_ALERT_SMTP_PORT", str(mails.port))
        patch.setenv("VMH_ALERT_QUIET_MINUTES", "0")
        patch.setenv("VMH_MASS_CHANGE_RECORDS", str(CHANGES_AT_ONCE))
        patch.setenv("VMH_MASS_CHANGE_SHARE", "0.5")
        yield request.getfixturevalue("house")


def vmh(*words: str, ends: tuple[int, ...] = (0,)) -> str:
    """What a person types; returns what it printed."""
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in ends, done.stdout + done.stderr
    return done.stdout + done.stderr


def rows(*words: str, ends: tuple[int, ...] = (0,)) -> dict[str, Any]:
    done = subprocess.run([*COMMAND, *words, "--json"], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in ends, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("VMH_TEST_SCREENSHOTS"):
        page.set_viewport_size(PICTURE)  # type: ignore[arg-type]
        page.screenshot(path=Path(folder) / f"{name}.png")


def told(mails: Mailbox, words: str) -> str:
    """Wait until a mail with these words in its subject is there; returns its text."""
    found = wait_until(f"a mail about {words}", lambda: [m for m in mails.mails if words in str(m["Subject"])], 200)
    return str(found[0].get_content())


def test_what_failed_at_night_is_told_seen_approved_repaired_and_taken_back(
    night: House, mails: Mailbox, chromium: Browser
) -> None:
    house, firm = night, night.firm
    house.dagster.stop_schedules()
    # In the evening all is well.
    ids = [firm.crm_party(lastName=f"Muster {number}", zusatz="Kanzlei am Markt") for number in range(PARTIES)]
    wait_until("all are linked", lambda: all(firm.crm_record(one).get("betnr") for one in ids))
    wait_until("no run is under way", house.is_quiet)
    changed = firm.crm_record(ids[0])
    firm.crm_edit(ids[0], zusatz="Kanzlei am Hafen")
    wait_until("it is changed there", lambda: firm.office_record(changed["betnr"])["zusatz"] == "Kanzlei am Hafen")

    # At night one record is refused, and a program of the office empties a field of everybody.
    firm.office.fault(r"Beteiligte$", "status", method="POST", status=400, body="Pflichtfeld fehlt")
    refused = firm.crm_party(lastName="Abgelehnt")
    wait_until("it has failed", lambda: "failed" in firm.crm_record(refused)["syncStatus"])
    wait_until("no run is under way", house.is_quiet)
    for one in ids[1:]:
        firm.office_edit(firm.crm_record(one)["betnr"], zusatz=None)
    stopped = vmh("sync", "beteiligte", "--all", ends=(1,))
    plan = stopped.split("vmh-sync plan apply ")[1].split(".")[0]
    assert {firm.crm_record(one)["zusatz"] for one in ids[1:]} == {"Kanzlei am Markt"}, "nothing was written"

    # A mail says so, the page says what to do.
    assert "fehlerhaft" in told(mails, "Störung")
    login = {"username": "anna", "password": READ_KEY}
    context = chromium.new_context(viewport=PICTURE, locale="de-DE", http_credentials=login)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{house.gateway_url}/morgen")
    expect(page.get_by_role("heading", level=1)).to_contain_text("braucht einen Menschen")
    expect(page.get_by_role("listitem").filter(has_text=refused).first).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text=ids[0]).filter(has_text="Zusatz: übernommen")).to_be_visible()
    expect(page.get_by_text(f"vmh-sync plan apply {plan}")).to_be_visible()
    picture(page, "morgen-stoerung")

    # The run that stopped shows the plan; a person looks at it and approves exactly that.
    (run,) = [one for one in house.dagster.runs("sync_beteiligte") if one["status"] == "FAILURE"]
    page.goto(f"{house.dagster.url}/runs/{run['runId']}")
    expect(page.get_by_text(f"vmh-sync plan apply {plan}").first).to_be_visible()
    picture(page, "lauf-angehalten")
    shown = rows("plan", "show", plan)
    assert {row["id"] for row in shown["plan"]} == {*ids[1:], refused}
    applied = rows("plan", "apply", plan, "--by", "Anna Betrieb", ends=(3,))
    assert (applied["synced"], [one["id"] for one in applied["failures"]]) == (PARTIES - 1, [refused])
    assert {firm.crm_record(one)["zusatz"] for one in ids[1:]} == {None}

    # What was refused is repaired on the page of the failed records.
    firm.office.clear_faults()
    page.goto(f"{house.dagster.url}/assets/repaired_beteiligte?view=partitions")
    expect(page.get_by_text(refused).first).to_be_visible()
    picture(page, "reparatur")
    page.get_by_role("button", name="Materialize").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="All", exact=True).click()
    dialog.get_by_role("button", name=re.compile("^Launch")).click()
    wait_until("it is repaired", lambda: firm.crm_record(refused).get("betnr"))
    wait_until("no run is under way", house.is_quiet)

    # That a field was emptied everywhere was a mistake: the run is taken back, on both sides.
    newest = rows("audit", "show", ids[1], "--field", "zusatz")["changes"][0]
    assert len(rows("audit", "undo", "--run", newest["run_id"])["undone"]) == PARTIES - 1
    assert {firm.crm_record(one)["zusatz"] for one in ids} == {"Kanzlei am Markt", "Kanzlei am Hafen"}
    assert {firm.office_record(firm.crm_record(one)["betnr"])["zusatz"] for one in ids[1:]} == {"Kanzlei am Markt"}

    # Both sides agree, the page is green, and the trouble is over.
    assert rows("reconcile")["differences"] == []
    page.goto(f"{house.gateway_url}/morgen")
    expect(page.locator('[data-entity="beteiligte"]')).to_contain_text(f"{PARTIES + 1} gleich")
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("braucht einen Menschen")
    picture(page, "morgen-gut")
    told(mails, "behoben")
    context.close()
