"""What happened on the recorded EspoCRM between the recordings, as far as an answer depends on it.

The file of recordings holds a selection in the order of the names. Each step below runs right before the recording
it is named after: it makes the records, roles and switches that stood there then. What a step makes through the API
is what the missing recordings (named in the comments) did.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from vmh_sync.sandbox.crm.fields.installations import recorded_fields
from vmh_sync_tests.contract.espocrm_outages import OUTAGE_STEPS
from vmh_sync_tests.contract.espocrm_replay import Replay

SYNC_USER = "6b0465319b3f4367b"
MR_MAIL = "6b0467f315c3e7448"
OLD_NUMBER = "6b046832db6490aca"
FRESH = "6b04683329591a86d"
FLAGS = "6b046f2ab509cfd42"
PARENT = "6b0468adcc62d6af3"

Step = Callable[[Replay], Awaitable[None]]
STEPS: dict[str, Step] = {}

# Recordings for which the recorder waited before the request, to see that modifiedAt stays.
WAITED = {"m15_bank_put_same", "m16_bank_put_same_link", "m14_bank_put_empty", "n01_nostream_put_empty"}
WAITED |= {"n03_nostream_put_same_emailAddress", "n04_nostream_put_emailData_as_read"}
WAITED |= {"n07_nostream_put_phoneData_as_read", "n08_nostream_put_whole_record_as_read"}
WAITED |= {"n12_base_without_stream_put_empty"}

# Parallel requests: the file lists them by number, the one that won comes first here.
BEFORE = {"i14_race_0": "i14_race_1"}


def before(name: str) -> Callable[[Step], Step]:
    """Register a step that runs right before a recording."""

    def register(step: Step) -> Step:
        STEPS[name] = step
        return step

    return register


def email(value: str, *, primary: bool = True, opt_out: bool = False, invalid: bool = False) -> dict[str, Any]:
    return {"emailAddress": value, "primary": primary, "optOut": opt_out, "invalid": invalid}


def phone(value: str, kind: str = "Mobile", *, opt_out: bool = False, invalid: bool = False) -> dict[str, Any]:
    return {"phoneNumber": value, "type": kind, "primary": True, "optOut": opt_out, "invalid": invalid}


@before("00_setup_user_fieldlim_api")
async def roles_and_fields(replay: Replay) -> None:
    for entity, fields in recorded_fields().items():
        for name, definition in fields.items():
            await replay.call("POST", f"Admin/fieldManager/{entity}", {"name": name, **definition}, as_user="admin")
    parents = ["Account", "Contact", "Lead", "Opportunity", "Case", "CBeteiligte", "CBankverbindungen", "CAdressen"]
    parent = {"type": "linkParent", "entityList": parents}
    await replay.call("PUT", "Admin/fieldManager/Task/parent", parent, as_user="admin")
    everything = {"create": "yes", "read": "all", "edit": "all", "delete": "all", "stream": "all"}
    editing = everything | {"stream": "no"}
    reading = editing | {"create": "no", "edit": "no", "delete": "no"}
    for role_id, name, data, fields in (
        ("6b04653175db80dd5", "API edit, syncStatus not editable", editing, {"syncStatus": {"edit": "no"}}),
        ("6b04653160f3267dc", "API read only, betnr hidden", reading, {"betnr": {"read": "no", "edit": "no"}}),
    ):
        body = {"name": name, "data": {"CBeteiligte": data}, "fieldData": {"CBeteiligte": fields}}
        role = await replay.call("POST", "Role", body, as_user="admin")
        replay.bind(role_id, role["id"])
    replay.at("2026-11-23 16:09:22")


@before("00_setup_user_sync_api")
async def same_second(replay: Replay) -> None:
    replay.at("2026-11-23 16:09:21")


@before("b18_create_datetime_micros")
async def iso_dates(replay: Replay) -> None:  # b16, b17
    for record_id, name, value in (
        ("6b04673ba8924098f", "X7", "2025-01-02T03:04:05Z"),
        ("6b04673bbaef78ebd", "X8", "2025-01-02T03:04:05+01:00"),
    ):
        made = await replay.call("POST", "CBeteiligte", {"lastName": name, "advowareLastSync": value})
        replay.bind(record_id, made["id"])


@before("b21_create_with_id_and_system_fields")
async def unknown_field(replay: Replay) -> None:  # b20
    replay.at("2026-11-23 16:18:03")
    made = await replay.call("POST", "CBeteiligte", {"lastName": "X11", "gibtEsNicht": 1})
    replay.bind("6b04673beda79bf21", made["id"])


@before("e40_shared_email_first_record")
async def shared_address(replay: Replay) -> None:
    replay.at("2026-11-23 16:19:56")
    made = await replay.call("POST", "CBeteiligte", {"lastName": "Shared1", "emailAddress": "shared@example.org"})
    replay.bind("6b0467ac5d4bdce58", made["id"])
    other = {"firstName": "Nr", "lastName": "Shared2", "emailAddressData": [email("shared@example.org", opt_out=True)]}
    await replay.client.post(
        "/api/v1/CBeteiligte",
        json=other,
        headers={"X-Api-Key": replay.secrets["<espo_api_key>"], "X-Skip-Duplicate-Check": "true"},
    )


@before("e45_put_same_emailData")
async def second_address(replay: Replay) -> None:  # e44
    replay.at("2026-11-23 16:20:00")
    both = [
        {"emailAddress": "shared@example.org", "primary": True},
        {"emailAddress": "second@example.org", "primary": False},
    ]
    await replay.call("PUT", "CBeteiligte/6b0467ac5d4bdce58", {"emailAddressData": both})


def plant_mr_mail(replay: Replay) -> None:
    replay.seed(
        "CBeteiligte",
        MR_MAIL,
        lastName="Mit Mail",
        betnr=5,
        syncStatus="clean",
        createdAt="2026-11-23 16:21:07",
        emailAddressData=[email("p1@example.org"), email("s1@example.org", primary=False)],
        phoneNumberData=[phone("+49711555")],
    )


@before("e51_get_after")
async def only_the_primary(replay: Replay) -> None:  # e50
    plant_mr_mail(replay)
    replay.at("2026-11-23 16:21:34")
    await replay.call("PUT", f"CBeteiligte/{MR_MAIL}", {"emailAddress": "neu-primary@example.org"})


@before("e65_1_phone_intl_on")
async def fresh_record(replay: Replay) -> None:
    seen = "2026-11-23 16:22:11"
    replay.seed("CBeteiligte", FRESH, lastName="Frisch", createdAt=seen, phoneNumberData=[phone("+497110000")])


@before("e70_old_national_put_phoneNumberData_intl")
async def national_number(replay: Replay) -> None:
    seen = "2026-11-23 16:22:10"
    replay.seed("CBeteiligte", OLD_NUMBER, lastName="Alt", createdAt=seen, phoneNumberData=[phone("0711 1234")])


@before("e80_shared_rows_first_record")
async def shared_rows(replay: Replay) -> None:
    replay.at("2026-11-23 16:51:52")
    first = {"emailAddressData": [email("sh@example.org")], "phoneNumberData": [phone("+49711123", "Office")]}
    made = await replay.call("POST", "CBeteiligte", {"lastName": "S1", "_skipDuplicateCheck": True, **first})
    replay.bind("6b046f283109191db", made["id"])
    second = {
        "emailAddressData": [email("sh@example.org", opt_out=True, invalid=True)],
        "phoneNumberData": [phone("+49711123", "Fax", opt_out=True)],
    }
    await replay.call("POST", "CBeteiligte", {"lastName": "S2", "_skipDuplicateCheck": True, **second})


@before("e81_put_data_without_flags")
async def flags_to_lose(replay: Replay) -> None:
    replay.at("2026-11-23 16:51:54")
    lists = {
        "emailAddressData": [email("fl@example.org", opt_out=True, invalid=True)],
        "phoneNumberData": [phone("+49711999", "Fax", opt_out=True, invalid=True)],
    }
    made = await replay.call("POST", "CBeteiligte", {"lastName": "Flags", **lists})
    replay.bind(FLAGS, made["id"])


@before("f01_delete")
async def to_delete(replay: Replay) -> None:
    replay.at("2026-11-23 16:24:12")
    made = await replay.call("POST", "CBeteiligte", {"lastName": "Zuloeschen", "emailAddress": "weg@example.org"})
    replay.bind("6b0468acac75ae86d", made["id"])
    child = {"name": "Kind", "iban": "DE0", "beteiligteId": "6b0468acac75ae86d"}
    made = await replay.call("POST", "CBankverbindungen", child)
    replay.bind("6b0468acd14ba8d1a", made["id"])


@before("g01_link_id")
async def parent_and_accounts(replay: Replay) -> None:
    replay.crm.note_number = 21
    replay.at("2026-11-23 16:24:13")
    made = await replay.call("POST", "CBeteiligte", {"lastName": "Eltern"})
    replay.bind(PARENT, made["id"])
    replay.at("2026-11-23 16:24:14")
    for number, record_id in enumerate(("6b0468ae000095916", "6b0468ae1ff778df1", "6b0468ae29ab26713"), 1):
        made = await replay.call("POST", "CBankverbindungen", {"name": f"K{number}", "iban": f"DE{number}"})
        replay.bind(record_id, made["id"])


@before("g09_unlink_query")
async def unlink_with_body(replay: Replay) -> None:  # g08
    await replay.call("DELETE", f"CBeteiligte/{PARENT}/bankverbindungen", {"id": "6b0468ae000095916"})


@before("h04_notification_notread_admin")
async def read_the_bell(replay: Replay) -> None:  # h03
    await replay.call("GET", "Notification", as_user="admin")


@before("h09_note_post")
async def time_of_the_note(replay: Replay) -> None:
    replay.at("2026-11-23 16:24:15")


async def change_role(replay: Replay, **changes: Any) -> None:
    role = await replay.call("GET", "Role/6b046531423b2741a", as_user="admin")
    data = role["data"] | changes.pop("data", {})
    await replay.call("PUT", "Role/6b046531423b2741a", {"data": data, **changes}, as_user="admin")


@before("h20_task_create_with_user_read")
async def may_read_users(replay: Replay) -> None:
    await change_role(replay, data={"User": {"read": "all", "edit": "no"}})
    replay.at("2026-11-23 16:25:01")
    made = await replay.call("POST", "CBeteiligte", {"lastName": "Aufgaben"})
    replay.bind("6b0468dda14bcafb1", made["id"])
    replay.crm.note_number = 25


@before("h26_notification_create_role_with_notification")
async def role_lists_notification(replay: Replay) -> None:
    await change_role(replay, data={"Notification": {"create": "yes", "read": "all"}})


@before("h30_note_mention_with_mentionPermission")
async def may_mention(replay: Replay) -> None:
    await change_role(replay, mentionPermission="all")
    replay.crm.notifications.clear()
    replay.crm.note_number, replay.crm.notification_number = 6, 0


@before("i01_get_version")
async def versioned_record(replay: Replay) -> None:
    replay.at("2026-11-23 16:24:16")
    made = await replay.call("POST", "CBankverbindungen", {"name": "V", "iban": "DEV"})
    replay.bind("6b0468b0c4a07a7ef", made["id"])


@before("i05_put_stale_other_field")
async def stale_but_equal(replay: Replay) -> None:  # i04
    await replay.call("PUT", "CBankverbindungen/6b0468b0c4a07a7ef", {"iban": "DEV2"})


@before("i08_put_empty_version")
async def version_in_body(replay: Replay) -> None:  # i07
    await replay.call("PUT", "CBankverbindungen/6b0468b0c4a07a7ef", {"iban": "DEV5", "versionNumber": 1})


@before("i09_list_version")
async def nine_accounts(replay: Replay) -> None:
    fill_up(replay, "CBankverbindungen", 9)


@before("i15_header_when_occ_off")
async def optimistic_off(replay: Replay) -> None:
    body = {"name": "CBankverbindungen", "optimisticConcurrencyControl": False}
    await replay.call("POST", "EntityManager/action/updateEntity", body, as_user="admin")


def fill_up(replay: Replay, entity: str, total: int) -> None:
    """Make the list as long as it was: add old records, or drop those made elsewhere in the file, oldest first."""
    table = replay.crm.tables[entity]
    while len(table.rows) > total:
        table.remove(table.ids[0])
    missing = [{"lastName": "alt", "name": "alt", "iban": "DE", "createdAt": "2026-11-23 10:00:00"}]
    replay.hooks.seed({"records": {entity: missing * (total - len(table.rows))}})


@before("k12_gzip")
async def parties_at_that_time(replay: Replay) -> None:
    table = replay.crm.tables["CBeteiligte"]
    newest = table.rows[replay.ours[PARENT]]["createdAt"]
    for record_id, row in list(table.rows.items()):
        if row["createdAt"] > newest and record_id != replay.ours[FLAGS]:
            table.remove(record_id)
    table.update(table.rows[replay.ours[FLAGS]], {"createdAt": "2026-11-23 12:00:00"})
    fill_up(replay, "CBeteiligte", 21)


@before("m01_plain_put_empty")
async def records_of_m(replay: Replay) -> None:
    made = {"createdAt": "2026-11-23 16:21:07", "betnr": 5, "syncStatus": "clean"}
    replay.seed("CBeteiligte", "6b0467f30660f7406", lastName="Ohne Mail", **made)
    plant_mr_mail(replay)
    account = {"name": "B", "iban": "DE1", "beteiligteId": MR_MAIL, "syncStatus": "clean"}
    replay.seed("CBankverbindungen", "6b0467f32bd617669", createdAt=made["createdAt"], **account)


@before("n01_nostream_put_empty")
async def stream_off(replay: Replay) -> None:
    replay.hooks.command("set_switch", {"stream": {"CBeteiligte": False}})
    replay.seed(
        "CBeteiligte",
        "6b046851082de1e27",
        lastName="Ohne Stream",
        betnr=5,
        syncStatus="clean",
        createdAt="2026-11-23 16:22:41",
        emailAddressData=[email("p2@example.org"), email("s2@example.org", primary=False)],
        phoneNumberData=[phone("+49711555")],
    )


@before("n11_base_with_stream_put_empty")
async def stream_on_addresses(replay: Replay) -> None:
    replay.hooks.command("set_switch", {"stream": {"CBeteiligte": True, "CAdressen": True}})
    replay.seed("CAdressen", "6b04685eddcd0d4ec", name="x", createdAt="2026-11-23 16:22:54")


@before("n12_base_without_stream_put_empty")
async def stream_off_addresses(replay: Replay) -> None:
    replay.hooks.command("set_switch", {"stream": {"CAdressen": False}})
    replay.seed("CAdressen", "6b046860c193fb9e5", name="x", createdAt="2026-11-23 16:22:56")


@before("w10_delivery_create")
async def webhook_events(replay: Replay) -> None:
    replay.at("2026-11-23 16:27:05")
    body: dict[str, Any] = {"firstName": "Web", "lastName": "Hook", "emailAddress": "wh@example.org", "betnr": 1}
    made = await replay.call("POST", "CBeteiligte", body, as_user="admin")
    replay.bind("6b04695997f61daa6", made["id"])
    path = "CBeteiligte/6b04695997f61daa6"
    both = [
        {"emailAddress": "wh@example.org", "primary": True},
        {"emailAddress": "wh2@example.org", "primary": False},
    ]
    for change in ({"betnr": 2}, {"syncStatus": "dirty"}, {}, {"emailAddressData": both}, {"firstName": "Webb"}):
        await replay.call("PUT", path, change, as_user="admin")
    await replay.call("DELETE", path, as_user="admin")
    await replay.app.state.delivery.run_until_idle()


for _name, _step in OUTAGE_STEPS.items():
    before(_name)(_step)


@before("y01_get_one_with_select")
async def benchmark_data(replay: Replay) -> None:
    replay.hooks.reset({})
    old = {"createdAt": "2026-11-23 16:34:00", "syncStatus": "clean"}
    parties = [{"lastName": f"Bench{number}", "betnr": 10_000 + number, **old} for number in range(1000)]
    replay.hooks.seed({"records": {"CBeteiligte": parties}})
    replay.seed("CBeteiligte", "6b046b33c14539d33", lastName="Warten", createdAt="2026-11-23 16:34:59")
    replay.crm.note_number = 1002
    replay.at("2026-11-23 16:44:13")
    made = await replay.call("POST", "CBeteiligte", {"lastName": "Andere"})
    replay.bind("6b046d5dd9f84a34a", made["id"])
