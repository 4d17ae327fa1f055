"""What an operator does in the browser, on the running house: look at jobs, launch one, repair, read the endpoints.

The house's people act through its sensors: `asyncio.run`, which `firm.sync` needs, is not possible beside a browser.
"""

import re

import pytest
from playwright.sync_api import Page, expect

from vmh_sync_tests.e2e.dagster_stack import wait_until
from vmh_sync_tests.fixtures.house import House

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

JOBS = {
    "erstgespraech_reset": "Erstgespräche: vergangene Termine für den nächsten Anruf zurücksetzen.",
    "fristen_liste": "Jeden Morgen: Stimmen die Fristen in Advoware und Google übe",
    "housekeeping": "Aufräumen: altes Protokoll, Erledigtes, alte Läufe.",
    "kalender_audit": "Vergleicht alle Kalender mit Advoware: verschieden, doppelt, verwaist. Verändert nichts.",
    "pruefen": "Prüfungen: aktuell, fehlerhaft, Aufgaben, Warteschlange, Sperren, Anmeldungen, Webhooks.",
    "reconcile": "Vergleicht beide Seiten unabhängig vom Abgleich, Feld für Feld. Verändert nichts.",
    "repair_adressen": "Fehlerhafte Adressen erneut abgleichen (Backfill).",
    "repair_bankverbindungen": "Fehlerhafte Bankverbindungen erneut abgleichen (Backfill).",
    "repair_beteiligte": "Fehlerhafte Beteiligte erneut abgleichen (Backfill).",
    "sync_adressen": "Adressen: EspoCRM (CAdressen) ↔ Advoware.",
    "sync_bankverbindungen": "Bankverbindungen: EspoCRM (CBankverbindungen) ↔ Advoware.",
    "sync_beteiligte": "Beteiligte mit Kommunikation, Adressen und Bankverbindungen: EspoCRM ↔ Advoware.",
    "sync_kommunikation": "Nur Telefonnummern und E-Mail-Adressen verknüpfter Beteiligter: EspoCRM ↔ Advoware.",
    "sync_kalender": "Termine in Advoware ↔ Google-Kalender der Mitarbeiter.",
}
TROUBLE = re.compile("error|failed|unable|warning", re.IGNORECASE)
COUNTS = (
    "Datensätze",
    "abgeglichen",
    "unverändert",
    "übersprungen",
    "fehlerhaft",
    "Konflikte",
    "geschrieben nach EspoCRM",
)
NAME, PHONE, ADDITION = "Kanarienfrau", "+49 511 98765010", "Kanzlei Kanarienflug"


def job_address(house: House, job: str) -> str:
    return f"{house.dagster.url}/locations/vmh_sync/jobs/{job}"


def linked_party(house: House) -> tuple[str, int]:
    """A party that both sides hold, at a moment when no run is under way and none will start by itself."""
    firm = house.firm
    numbers = [{"phoneNumber": PHONE, "type": "Mobile", "primary": True}]
    espo_id = firm.crm_party(lastName=NAME, phoneNumberData=numbers)
    betnr = int(wait_until("the new party is linked", lambda: firm.crm_record(espo_id).get("betnr")))
    wait_until("no run is under way", house.is_quiet)
    return espo_id, betnr


def test_every_job_says_in_german_what_it_does(house: House, page: Page) -> None:
    page.goto(f"{house.dagster.url}/jobs")
    links = page.locator('a[href*="/jobs/"]')
    expect(links).to_have_count(len(JOBS))
    assert set(links.all_inner_texts()) == set(JOBS)
    expect(page.get_by_text(TROUBLE)).to_have_count(0)

    for job, description in JOBS.items():
        links.filter(has_text=job).click()
        expect(page.get_by_text(description)).to_be_visible()
        expect(page.get_by_text(TROUBLE)).to_have_count(0)
        page.go_back()


def test_a_run_from_the_launchpad_shows_its_outcome_and_nothing_personal(house: House, page: Page) -> None:
    house.dagster.stop_schedules()  # the rolling check would find the edit first
    espo_id, betnr = linked_party(house)
    house.firm.office_edit(betnr, zusatz=ADDITION)

    page.goto(job_address(house, "sync_beteiligte"))
    page.get_by_role("tab", name="Launchpad").click()
    enter_config(page, f"ids: [{espo_id}]")
    page.get_by_role("button", name="Launch Run").click()

    page.wait_for_url("**/runs/*")
    expect(page.get_by_text("RUN_SUCCESS")).to_be_visible()
    expect(page.get_by_text("Success", exact=True)).to_be_visible()
    assert numbers_shown(page) == dict.fromkeys(COUNTS, 0) | {
        "Datensätze": 1,
        "abgeglichen": 1,
        "geschrieben nach EspoCRM": 1,
    }
    rows = page.locator("tr").filter(has=page.get_by_role("cell", name=espo_id, exact=True))
    outcome = rows.filter(has=page.get_by_role("cell", name="abgeglichen", exact=True)).last
    assert outcome.locator("td").all_inner_texts()[:3] == [espo_id, str(betnr), "abgeglichen"]
    assert house.firm.crm_record(espo_id)["zusatz"] == ADDITION
    pages = [page.content()]
    for stream in ("stdout", "stderr"):
        page.get_by_role("button", name=stream).click()
        pages.append(page.content())
    assert not [value for value in (NAME, PHONE, ADDITION) if any(value in html for html in pages)]


def enter_config(page: Page, text: str) -> None:
    """Replace what the launchpad's editor holds, once it holds its defaults."""
    editor = page.locator(".CodeMirror").first
    expect(editor).to_contain_text("selection")
    editor.click()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.insert_text(text)
    expect(editor).not_to_contain_text("selection")
    expect(page.get_by_text("No errors")).to_be_visible()


def numbers_shown(page: Page) -> dict[str, int]:
    """The counts that the write step shows in the run page: names and numbers, a line each."""
    found = re.findall(rf"^({'|'.join(COUNTS)})\n(\d+)$", page.inner_text("body"), re.MULTILINE)
    return {name: int(value) for name, value in found}


def test_failed_records_are_repaired_on_the_partitions_page(house: House, page: Page) -> None:
    house.firm.office.fault(r"Beteiligte$", "status", method="POST", status=400, body="Pflichtfeld fehlt")
    failing = [house.firm.crm_party(lastName=f"Fehler {number}") for number in range(2)]
    wait_until(
        "the failed records are partitions",
        lambda: set(failing) <= set(house.dagster.partition_keys("repaired_beteiligte")),
    )
    house.firm.office.clear_faults()

    page.goto(f"{house.dagster.url}/assets/repaired_beteiligte?view=partitions")
    for espo_id in failing:
        expect(page.get_by_text(espo_id).first).to_be_visible()
    page.get_by_role("button", name="Materialize").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="All", exact=True).click()
    expect(dialog.get_by_text("2 partitions")).to_be_visible()
    dialog.get_by_role("button", name="Launch backfill").click()

    page.get_by_text("View", exact=True).click()
    page.wait_for_url("**/runs/b/**")
    expect(page.get_by_text("repaired_beteiligte").first).to_be_visible()
    for espo_id in failing:
        expect(page.get_by_text(espo_id).first).to_be_visible()


def test_the_gateway_lists_its_endpoints(house: House, page: Page) -> None:
    page.goto(f"{house.gateway_url}/docs")
    described = page.request.get(f"{house.gateway_url}/openapi.json").json()["paths"]
    endpoints = [f"{method.upper()} {path}" for path, methods in described.items() for method in methods]
    listed = page.get_by_role("row").filter(has=page.get_by_role("cell")).locator("td:first-child").all_inner_texts()
    assert sorted(listed) == sorted(endpoints)
    assert {"GET /health", "POST /advoware/calendar/sync", "POST /vmh/sync/{entity}/{espo_id}"} <= set(listed)
