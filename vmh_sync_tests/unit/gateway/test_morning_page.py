"""What stands on the page ``/morgen``: short however much was done, in the words of the office."""

import re
from datetime import UTC, datetime, timedelta

from vmh_sync.engine.installation.people_links import PeopleLinks
from vmh_sync.gateway.pages.field_names import field_name
from vmh_sync.gateway.pages.morning_page import OPEN_UP_TO, morning_page
from vmh_sync.overview.changed_records import by_record
from vmh_sync.overview.house import EntityStatus, HouseStatus
from vmh_sync.overview.morning import EntityMorning, Light, Morning
from vmh_sync.store.history.audit import Change
from vmh_sync.store.history.tasks import ManualTask

NOW = datetime(2026, 11, 27, 7, 0, tzinfo=UTC)
LINKS = PeopleLinks("https://crm.example", "advoware://{betnr}", "https://dagster.example")


def change(number: int, *, entity: str = "beteiligte", field: str = "zusatz", **how: object) -> Change:
    values: dict[str, object] = {"kind": "applied", "reason": "changed_in_espocrm", "side_written": "advoware"} | how
    at = NOW - timedelta(minutes=number)
    return Change(entity=entity, espo_id=f"id{number}", betnr=1000 + number, field=field, at=at, **values)  # type: ignore[arg-type]


def task(number: int, field: str, espo_task: str | None) -> ManualTask:
    return ManualTask(
        id=number,
        entity="adressen",
        espo_id="a1",
        betnr=1024,
        kind="conflict",
        fields=(field,),
        fingerprint="f",
        espo_task_id=espo_task,
        state="open",
        details={},
        created_at=NOW,
        opened_at=NOW,
        closed_at=None,
    )


def page(*changes: Change, tasks: tuple[ManualTask, ...] = (), values: bool = False, light: Light = Light.GREEN) -> str:
    status = EntityStatus("beteiligte", "Beteiligte", linked=3, open_tasks=len(tasks))
    morning = Morning(
        HouseStatus(NOW, (status,), ()),
        (EntityMorning(status, light, 3),),
        (),
        tasks,
        by_record(changes),
        more=False,
        written={"advoware": len(changes)},
    )
    return morning_page(morning, LINKS, values=values)


def test_a_record_stands_there_once_with_all_that_was_done_to_it() -> None:
    done = [change(1), change(1, field="vorname"), change(1, field="", kind="linked", side_written=None)]
    shown = page(*done)
    assert len(re.findall("<li", shown)) == 1
    assert "Zusatz, Vorname: übernommen in Advoware" in shown
    assert 'href="https://crm.example/#CBeteiligte/view/id1"' in shown
    assert 'href="advoware://1001"' in shown


def test_many_records_are_closed_and_counted_and_few_are_open() -> None:
    assert "<details open>" in page(*map(change, range(OPEN_UP_TO)))
    shown = page(*map(change, range(OPEN_UP_TO + 1)))
    assert "<details open>" not in shown
    assert f"<summary>Beteiligte: {OPEN_UP_TO + 1} Datensätze</summary>" in shown
    assert f"{OPEN_UP_TO + 1} Werte geschrieben: {OPEN_UP_TO + 1} in Advoware." in shown


def test_an_approved_plan_is_told_and_no_record() -> None:
    approved = Change(entity="beteiligte", kind="approved", reason="plan 72d5: Anna Betrieb", at=NOW)
    shown = page(change(1), approved)
    assert "<summary>Beteiligte: ein Datensatz</summary>" in shown
    assert "<b>Ganzer Bereich</b><p>Plan freigegeben <span class='small'>(Plan 72d5: Anna Betrieb)" in shown


def test_a_phone_leads_to_its_party() -> None:
    shown = page(change(1, entity="kommunikation", field="phone/50135"))
    assert "Telefon: übernommen in Advoware" in shown and "50135" not in shown
    assert 'href="https://crm.example/#CBeteiligte/view/id1"' in shown


def test_several_points_of_one_task_are_one_task() -> None:
    shown = page(tasks=(task(1, "strasse", "t1"), task(2, "anschrift", "t1"), task(3, "ort", "t2")), light=Light.YELLOW)
    assert shown.count("Aufgabe in EspoCRM öffnen") == 2
    assert "Konflikt entscheiden: Straße, Anschrift" in shown


def test_values_stand_there_only_when_asked_for_and_harmless() -> None:
    edit = change(1, old="alt", new="<script>neu</script>")
    assert "alt →" not in page(edit)
    assert "Zusatz: alt → &lt;script&gt;neu&lt;/script&gt;" in page(edit, values=True)


def test_fields_have_the_names_that_people_know() -> None:
    named = {
        name: field_name(name) for name in ("brief_anrede", "strasse", "iban", "email/7", "phone/primary", "eigen")
    }
    assert list(named.values()) == ["Briefanrede", "Straße", "IBAN", "E-Mail", "Telefon (Haupteintrag)", "eigen"]
