"""Setting up EspoCRM from a blank one, from half a one, and beside what an administrator arranged."""

import asyncio
from collections.abc import Callable, Iterable

import httpx
import pytest

from vmh_sync.crm_setup import steps as setup
from vmh_sync.crm_setup.people_steps import UnknownChoice
from vmh_sync.crm_setup.session import SetupChoices
from vmh_sync.crm_setup.steps import NotAdministrator
from vmh_sync.crm_setup.wanted import ROLE, ROLE_VALUES
from vmh_sync.crm_setup.webhook_steps import WebhookRefused
from vmh_sync.doctor.espocrm import expectations
from vmh_sync.doctor.line import Level
from vmh_sync.doctor.schema import compare
from vmh_sync.systems.espocrm.errors import Rejected
from vmh_sync_tests.pipeline.crm_setup.blank_crm import CHOICES, GATEWAY, BlankCrm, Killed


def test_one_run_takes_a_blank_installation_to_working_webhooks() -> None:
    crm = BlankCrm()
    left = crm.set_up()
    stands = crm.picture()
    assert [role for role, _ in stands["roles"]] == [ROLE]
    assert stands["users"] == [("vmh_sync", [ROLE])]
    assert len(stands["webhooks"]) == 9
    assert all(skips_own for _, _, skips_own in stands["webhooks"])
    assert ("CBeteiligte.update", "https://abgleich.example.org/vmh/webhook/beteiligte/update", True) in stands[
        "webhooks"
    ]
    assert stands["secrets"] == {True}
    assert stands["locking"] == {"CBeteiligte": True, "CAdressen": True, "CBankverbindungen": True}
    assert stands["parents"][-3:] == ["CBeteiligte", "CAdressen", "CBankverbindungen"]
    assert "CBeteiligte" in crm.crm.settings["tabList"]
    assert stands["teams"] == ["Abgleich"]
    assert crm.stored["ESPOCRM_DEFAULT_ASSIGNEE_ID"] == crm.anna.id
    assert not any(one.serious for one in left), left
    for expected in expectations({}):
        fields = crm.admin("GET", f"Metadata?key=entityDefs.{expected.espo_entity}.fields")
        assert [line for line in compare(expected, fields) if line.level is Level.PROBLEM] == []


def test_the_people_see_numbers_states_errors_and_the_children() -> None:
    crm = BlankCrm()
    crm.set_up()
    layouts = crm.picture()["layouts"]
    form = str(layouts["CBeteiligte", "detail"])
    assert all(name in form for name in ("betnr", "firmenname", "syncStatus", "syncErrorMessage"))
    assert layouts["CBeteiligte", "bottomPanelsDetail"].keys() == {"adressen", "bankverbindungen"}
    assert "iban" in str(layouts["CBankverbindungen", "detail"])
    assert "syncStatus" in layouts["CBeteiligte", "filters"]
    labels = [preset["label"] for preset in crm.picture()["filters"]["CBeteiligte"]]
    assert labels == [f"Abgleich: {what}" for what in ("fehlgeschlagen", "wartet", "Entscheidung nötig", "verschieden")]


def test_a_second_run_finds_nothing_to_do_and_a_plan_writes_nothing() -> None:
    crm = BlankCrm()
    assert crm.plan()
    assert crm.transport.writes == []
    assert crm.stored == {}
    crm.set_up()
    crm.transport.writes.clear()
    left = [step.text for step in crm.plan(SetupChoices(gateway=GATEWAY))]
    assert left == []
    crm.set_up(SetupChoices(gateway=GATEWAY))
    assert crm.transport.writes == []


def killed_and_run_again(spots: Callable[[int], Iterable[int]], *, answer_lost: bool) -> None:
    """Compare installations whose set-up died at each of these calls and was run again with an undisturbed one."""
    whole = BlankCrm()
    whole.set_up()
    wanted, calls = whole.picture(), whole.transport.calls
    assert len(whole.transport.writes) > 60
    for left in spots(calls):
        crm = BlankCrm()
        crm.transport.left, crm.transport.answer_lost = left, answer_lost
        with pytest.raises(Killed):
            crm.set_up()
        crm.transport.left = None
        crm.set_up()
        assert crm.picture() == wanted, left


@pytest.mark.parametrize("answer_lost", [False, True])
def test_killed_on_the_way_the_next_run_ends_where_an_undisturbed_one_does(*, answer_lost: bool) -> None:
    killed_and_run_again(lambda calls: range(5 + answer_lost, calls, 41), answer_lost=answer_lost)


@pytest.mark.proof
@pytest.mark.parametrize("answer_lost", [False, True])
def test_killed_at_any_call_the_next_run_ends_where_an_undisturbed_one_does(*, answer_lost: bool) -> None:
    killed_and_run_again(range, answer_lost=answer_lost)


def test_a_later_run_without_the_address_does_not_say_that_there_are_no_webhooks() -> None:
    crm, no_address = BlankCrm(), SetupChoices(assignee="anna")
    assert any("Ohne --webhook-url" in one.text for one in crm.set_up(no_address))
    crm.set_up()
    assert not any("Ohne --webhook-url" in one.text for one in crm.set_up(no_address))


def test_what_an_administrator_arranged_stays_and_what_is_missing_in_it_is_told() -> None:
    crm = BlankCrm()
    crm.set_up()
    arranged = [{"label": "Meins", "rows": [[{"name": "name"}, {"name": "betnr"}]]}]
    crm.admin("PUT", "CBeteiligte/layout/detail", arranged)
    crm.admin("PUT", f"Preferences/{crm.anna.id}", {"presetFilters": {"vmhSync": ["CBeteiligte", "CAdressen"]}})
    body = {"name": "CAdressen", "optimisticConcurrencyControl": False}
    crm.admin("POST", "EntityManager/action/updateEntity", body)
    left = "\n".join(one.line() for one in crm.set_up())
    assert crm.admin("GET", "CBeteiligte/layout/detail") == arranged
    assert "Formular von CBeteiligte wurde angepasst und bleibt so; es fehlen: firmenname, syncStatus" in left
    assert "Die Versionsprüfung von CAdressen hat jemand ausgeschaltet; sie bleibt aus." in left
    filters = crm.admin("GET", f"Preferences/{crm.anna.id}")["presetFilters"]
    assert "CBeteiligte" not in filters, "deleted searches stay deleted"
    assert len(filters["CBankverbindungen"]) == 2
    assert crm.crm.schema["CAdressen"].optimistic is False


def test_a_field_of_the_right_name_and_the_wrong_type_is_told_and_left() -> None:
    crm = BlankCrm()
    crm.admin("POST", "EntityManager/action/createEntity", {"name": "Beteiligte", "type": "Person"})
    crm.admin("POST", "Admin/fieldManager/CBeteiligte", {"name": "betnr", "type": "bool", "label": "Nummer"})
    (wrong,) = [one for one in crm.set_up() if one.serious]
    assert "CBeteiligte.betnr (Beteiligten-Nr.) gibt es schon, aber ist vom Typ bool statt int" in wrong.text
    assert crm.crm.schema["CBeteiligte"].fields["betnr"]["type"] == "bool"


def test_a_field_that_is_too_short_for_our_words_is_told_and_left() -> None:
    crm = BlankCrm()
    crm.admin("POST", "EntityManager/action/createEntity", {"name": "Beteiligte", "type": "Person"})
    lengths = {"syncStatus": 5, "betnr": 4, "firmenname": 30}
    for name, length in lengths.items():
        field = {"name": name, "type": "varchar", "maxLength": length}
        crm.admin("POST", "Admin/fieldManager/CBeteiligte", field)
    told = {one.text: one.serious for one in crm.set_up() if "statt" in one.text}
    assert told == {
        "Das Feld CBeteiligte.firmenname (Firmenname) nimmt nur 30 statt 150 Zeichen; längere Werte bleiben auf ihrer "
        "Seite und werden gemeldet.": False,
        "Das Feld CBeteiligte.betnr (Beteiligten-Nr.) nimmt nur 4 statt 10 Zeichen; nicht alle unsere "
        "Werte passen hinein.": True,
        "Das Feld CBeteiligte.syncStatus (Abgleich) nimmt nur 5 statt 19 Zeichen; nicht alle unsere "
        "Werte passen hinein.": True,
    }


def test_without_an_administrator_nothing_is_done() -> None:
    crm = BlankCrm()
    crm.login = "anna"
    with pytest.raises(NotAdministrator, match="kein Administrator"):
        crm.set_up()
    assert crm.transport.writes == []
    assert crm.transport.calls == 1


def test_two_roles_of_our_name_are_told_and_one_is_used() -> None:
    crm = BlankCrm()
    for _ in range(2):
        crm.admin("POST", "Role", dict(ROLE_VALUES))
    left = crm.set_up()
    assert any(f"2 Rollen mit dem Namen {ROLE}" in one.text for one in left)
    assert len(crm.crm.roles) == 2
    assert len(crm.picture()["users"][0][1]) == 1


def test_a_role_that_lacks_rights_stays_and_the_rights_are_named() -> None:
    crm = BlankCrm()
    narrow = {"CBeteiligte": {"read": "all", "edit": "no"}, "Webhook": True}
    crm.admin("POST", "Role", {"name": ROLE, "data": narrow})
    left = [one for one in crm.set_up() if one.serious]
    assert any("CBeteiligte: ändern" in one.text for one in left)
    assert next(iter(crm.crm.roles.values())).data == narrow


def test_an_api_user_with_a_role_of_its_own_gets_ours_beside_it() -> None:
    crm = BlankCrm()
    role = crm.admin("POST", "Role", {"name": "Alt", "data": {"Account": {"read": "all"}}})
    body = {"userName": "alt_api", "lastName": "alt", "type": "api", "authMethod": "ApiKey", "rolesIds": [role["id"]]}
    crm.stored["ESPOCRM_API_KEY"] = crm.admin("POST", "User", body)["apiKey"]
    crm.set_up()
    assert crm.picture()["users"] == [("alt_api", ["Alt", ROLE])]
    assert len(crm.picture()["webhooks"]) == 9


def test_an_unknown_person_is_refused_before_anything_is_done() -> None:
    crm = BlankCrm()
    with pytest.raises(UnknownChoice, match="keine aktive Person „berta“"):
        crm.set_up(SetupChoices(assignee="berta"))
    assert crm.transport.writes == []


def test_a_team_and_a_person_that_are_gone_are_told() -> None:
    crm = BlankCrm()
    crm.set_up()
    crm.admin("DELETE", f"Team/{crm.stored['ESPOCRM_DEFAULT_TEAM_ID']}", None)
    crm.stored |= {"ESPOCRM_DEFAULT_ASSIGNEE_ID": "1" * 17}
    told = "\n".join(one.line() for one in crm.set_up(SetupChoices(gateway=GATEWAY)))
    assert "Das Team aus ESPOCRM_DEFAULT_TEAM_ID gibt es nicht mehr" in told
    assert "Die Person aus ESPOCRM_DEFAULT_ASSIGNEE_ID gibt es in EspoCRM nicht mehr" in told


def test_an_internal_address_is_told_in_the_plan_and_names_the_line_to_add() -> None:
    crm = BlankCrm()
    internal = SetupChoices(gateway="http://10.0.0.5:8800", assignee="anna")
    with pytest.raises(WebhookRefused) as refused:
        crm.set_up(internal)
    assert "'webhookAllowedAddressList' => ['10.0.0.5:8800']," in str(refused.value)
    assert "data/config.php" in str(refused.value)
    crm.crm.settings["webhookAllowedAddressList"] = ["10.0.0.5:8800"]
    assert not any(one.serious for one in crm.set_up(internal))


def test_how_late_webhooks_are_is_told_with_the_job_and_the_setting() -> None:
    crm = BlankCrm()
    (pace,) = [one for one in crm.set_up() if "Webhooks alle" in one.text]
    assert "alle 2 Minuten, je Lauf höchstens 20: 600 in der Stunde" in pace.text
    assert "500 Änderungen auf einmal brauchen 50 Minuten" in pace.text
    assert "webhookQueueEventPortionSize" in pace.remedy
    assert "ProcessWebhookQueue" in pace.remedy


def test_where_records_can_be_locked_our_fields_stay_writable() -> None:
    crm = BlankCrm(version="10.0.0")
    crm.set_up()
    crm.admin("POST", "EntityManager/action/updateEntity", {"name": "CBeteiligte", "lockable": True})
    crm.set_up()
    fields = crm.crm.schema["CBeteiligte"].fields
    assert fields["syncStatus"]["notLockable"] is True
    assert fields["syncErrorMessage"]["notLockable"] is True
    assert "notLockable" not in fields["firmenname"]
    assert crm.plan(SetupChoices(gateway=GATEWAY)) == []


def test_two_set_ups_at_once_make_nothing_twice() -> None:
    crm = BlankCrm()

    async def both() -> None:
        async with crm.session() as first, crm.session() as second:
            plans = [await setup.plan(one) for one in (first, second)]
            schema = [step for step in plans[0] if step.text.startswith(("Entität", "Feld", "Verknüpfung"))]
            await setup.carry_out(first, schema, lambda *_: None)
            await setup.carry_out(second, [s for s in plans[1] if s.text in {x.text for x in schema}], lambda *_: None)

    asyncio.run(both())
    crm.set_up(CHOICES)
    assert len(crm.picture()["webhooks"]) == 9


def test_a_status_field_that_lacks_our_words_is_told_and_left() -> None:
    crm = BlankCrm()
    crm.admin("POST", "EntityManager/action/createEntity", {"name": "Beteiligte", "type": "Person"})
    field = {"name": "syncStatus", "type": "enum", "options": ["pending_sync", "clean", "failed", "conflict", "neu"]}
    crm.admin("POST", "Admin/fieldManager/CBeteiligte", field)
    crm.admin("POST", "Admin/fieldManager/CBeteiligte", {"name": "titel", "type": "varchar", "readOnly": True})
    protected, lacking = (one for one in crm.set_up() if one.serious)
    assert protected.text.startswith("Das Feld CBeteiligte.titel (Titel) ist schreibgeschützt")
    assert lacking.text == (
        "Dem Feld CBeteiligte.syncStatus (Abgleich) fehlen Werte: dirty, permanently_failed, deleted_in_advoware."
    )
    assert crm.crm.schema["CBeteiligte"].fields["syncStatus"]["options"] == field["options"]


def test_what_espocrm_agreed_to_and_did_not_do_is_told() -> None:
    crm = BlankCrm()
    crm.transport.answers["POST .*fieldManager/CAdressen"] = httpx.Response(200, json=True)
    (undone,) = [one for one in crm.set_up() if one.serious]
    assert "getan ist es aber nicht: Feld CAdressen.adresse (Adresse) anlegen; " in undone.text
    crm.transport.answers.clear()
    assert [one for one in crm.set_up() if one.serious] == []


def test_where_metadata_say_nothing_the_parents_of_tasks_are_left_as_they_are() -> None:
    crm = BlankCrm()
    parents = list(crm.crm.schema["Task"].fields["parent"]["entityList"])
    crm.transport.answers["GET .*/Metadata"] = httpx.Response(200)
    assert any("Task.parent" in one.text for one in crm.set_up() if one.serious)
    assert crm.crm.schema["Task"].fields["parent"]["entityList"] == parents


@pytest.mark.parametrize(("field", "raised"), [("url", WebhookRefused), ("skipOwn", Rejected)])
def test_an_address_that_espocrm_refuses_is_told_as_the_address(field: str, raised: type[Exception]) -> None:
    crm = BlankCrm()
    data = {"messageTranslation": {"label": "validationFailure", "data": {"field": field, "type": "valid"}}}
    crm.transport.answers["POST .*/Webhook"] = httpx.Response(400, json=data)
    with pytest.raises(raised, match="--webhook-url" if field == "url" else "skipOwn"):
        crm.set_up()


def test_webhooks_whose_secrets_are_not_told_are_named() -> None:
    crm = BlankCrm()
    crm.set_up()
    del crm.stored["ESPOCRM_WEBHOOK_SECRETS"]
    hooks = [row | {"secretKey": None} for row in crm.crm.tables["Webhook"].rows.values()]
    crm.transport.answers["GET .*/Webhook"] = httpx.Response(200, json={"list": hooks, "total": len(hooks)})
    assert any("Geheimnisse der Webhooks nicht" in one.text for one in crm.set_up() if one.serious)
