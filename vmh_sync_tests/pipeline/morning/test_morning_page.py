"""The German page at the gateway, read on a phone by people who never open Dagster."""

import re

import httpx
import pytest
from playwright.sync_api import Browser, expect

from vmh_sync.clock import SystemClock
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.gateway import READ_KEY, DagsterDouble, GatewayProcess
from vmh_sync_tests.pipeline.morning.test_run_pages import SECRET

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def night(firm: Firm, gateway: GatewayProcess) -> tuple[str, str, str]:
    """What happened since yesterday: one party changed, one failed; returns both and the page's address."""
    good, _ = firm.linked_party(lastName="Muster")
    firm.crm_edit(good, zusatz=SECRET)
    firm.sync(good)
    bad = firm.crm_party(lastName="Schlecht")
    firm.office.fault(r"Beteiligte$", "status", method="POST", status=400, body="Pflichtfeld fehlt")
    firm.sync(bad)
    return good, bad, f"{gateway.url}/morgen"


def test_nobody_reads_it_without_a_key_and_nothing_keeps_it(night: tuple[str, str, str]) -> None:
    good, _, address = night
    with httpx.Client(trust_env=False) as http:
        for auth in (None, ("anna", "wrong-key-0123456789"), ("anna", "")):
            refused = http.get(address, auth=auth)
            assert (refused.status_code, refused.headers["WWW-Authenticate"].split()[0]) == (401, "Basic")
            assert good not in refused.text and "VMH_API_KEYS" in refused.text
        assert http.get(address, headers={"Authorization": "Basic %%%"}).status_code == 401
        shown = http.get(address, auth=("anna", READ_KEY))
    assert shown.status_code == 200
    assert (shown.headers["Cache-Control"], "script-src" in shown.headers["Content-Security-Policy"]) == (
        "no-store",
        False,
    )
    assert SECRET not in shown.text


def test_a_job_that_fails_again_and_again_is_the_first_thing_to_do_and_a_person_s_own_run_is_not(
    firm: Firm, gateway: GatewayProcess, dagster_double: DagsterDouble
) -> None:
    good, _ = firm.linked_party(lastName="Muster")
    firm.sync(good)
    now = SystemClock().now().timestamp()
    tags = {"sync_beteiligte": "sensor", "sync_kommunikation": "person"}
    dagster_double.finished = [
        {
            "runId": f"run{ago}",
            "jobName": job,
            "status": "FAILURE",
            "endTime": now - ago,
            "tags": [{"key": "vmh/trigger", "value": trigger}],
        }
        for ago in range(5, 605, 10)
        for job, trigger in tags.items()
    ]
    with httpx.Client(trust_env=False) as http:
        shown = http.get(f"{gateway.url}/morgen", auth=("anna", READ_KEY)).text
    assert "Abgleich: braucht einen Menschen" in shown
    assert shown.count("scheitert jeder Lauf") == 1 and '/runs/run5"' in shown
    dagster_double.stop()
    with httpx.Client(trust_env=False) as http:
        without = http.get(f"{gateway.url}/morgen", auth=("anna", READ_KEY))
    assert without.status_code == 200 and "scheitert jeder Lauf" not in without.text


@pytest.mark.browser
def test_a_phone_shows_lights_reasons_and_changes_and_values_only_when_asked(
    night: tuple[str, str, str], request: pytest.FixtureRequest
) -> None:
    good, bad, address = night
    chromium: Browser = request.getfixturevalue("chromium")  # only now: a pass cannot run beside a browser
    login = {"username": "anna", "password": READ_KEY}
    with chromium.new_context(viewport=PHONE, locale="de-DE", http_credentials=login) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_contain_text("braucht einen Menschen")
        card = page.locator('[data-entity="beteiligte"]')
        expect(card).to_contain_text("1 gleich, 1 fehlerhaft")
        failed = page.get_by_role("listitem").filter(has_text=bad).first
        expect(failed).to_contain_text("bitte die Felder des Datensatzes prüfen")
        expect(failed.get_by_role("link", name="EspoCRM")).to_have_attribute(
            "href", re.compile(rf"/#CBeteiligte/view/{bad}$")
        )
        changed = page.get_by_role("listitem").filter(has_text=good)
        expect(changed).to_have_count(1)  # a record once, whatever was done to it
        expect(changed).to_contain_text("Zusatz: übernommen in Advoware (in EspoCRM geändert)")
        expect(changed).to_contain_text("Beteiligter ")
        expect(page.get_by_text("Werte geschrieben:")).to_be_visible()
        expect(page.locator('[data-entity="kommunikation"]')).to_contain_text("wird mit den Beteiligten abgeglichen")
        expect(page.get_by_text(SECRET)).to_have_count(0)
        wider = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not wider, "nothing has to be pushed sideways"
        page.get_by_role("link", name="Alte und neue Werte zeigen").click()
        expect(page.get_by_text(f"Zusatz: (leer) → {SECRET}")).to_be_visible()
        page.get_by_role("link", name="Werte verbergen").click()
        expect(page.get_by_text(SECRET)).to_have_count(0)
