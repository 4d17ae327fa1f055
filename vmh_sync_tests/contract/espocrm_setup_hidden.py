"""How the EspoCRM 9.3.9 of the set-up recordings stood when the recorder came: types, people, webhooks, records."""

from datetime import UTC, datetime
from typing import Any

from vmh_sync.sandbox.crm.webhooks.webhooks import Event, Item
from vmh_sync_tests.contract.espocrm_replay import Replay, recordings

START = datetime(2026, 11, 26, 22, 4, 3, tzinfo=UTC)
FILE_VERSION = "9.3.9"
ADMIN = "6b08acc179e576ca1"
SYNC_USER = "6b08ad0694c1f6998"
SYNC_ROLE = "6b08add3d533ed1a9"
PEOPLE_ROLE = "6b08aeb250cb6462c"
ANNA = "6b08aeb5adc33dba0"
KEY = "<api-key>"

_ENTITIES = (("Beteiligte", "Person", True), ("Adressen", "Base", False), ("Bankverbindungen", "Base", False))
_WORKING = {"create": "yes", "read": "all", "edit": "all", "delete": "no", "stream": "all"}
_TYPES = ("CBeteiligte", "CAdressen", "CBankverbindungen", "Task")


async def stand(replay: Replay, file: list[dict[str, Any]]) -> None:
    """Bring a blank EspoCRM to where the recorded one stood before the first recording."""
    answers = {recording["name"]: recording["response"]["body"] for recording in file}
    replay.bind(ADMIN, replay.crm.admin.id)
    await _types(replay)
    await _people(replay)
    await _webhooks(replay, answers["w06_webhook_list_api"]["list"])
    wanted = {"webhookAllowedAddressList": ["127.0.0.1:48800"], "webhookQueueEventPortionSize": 600}
    await replay.call("PUT", "Settings", wanted, as_user="admin")
    jobs = replay.crm.tables["ScheduledJob"].rows.values()
    for job in jobs:
        if job["job"] == "ProcessWebhookQueue":
            job["scheduling"] = "* * * * *"
    for row in answers["d02_list_max"]["list"]:
        replay.seed("CBeteiligte", row["id"], lastName="Alt", **{k: v for k, v in row.items() if k != "id"})
    _deliveries(replay, answers["w07_queue_items"])


async def _types(replay: Replay) -> None:
    for name, template, stream in _ENTITIES:
        body = {"name": name, "type": template, "labelSingular": name, "labelPlural": name, "stream": stream}
        await replay.call("POST", "EntityManager/action/createEntity", body, as_user="admin")
        switch = {"name": f"C{name}", "optimisticConcurrencyControl": True}
        await replay.call("POST", "EntityManager/action/updateEntity", switch, as_user="admin")
    states = ["pending_sync", "dirty", "syncing", "clean", "failed", "permanently_failed", "conflict"]
    status = {"name": "syncStatus", "type": "enum", "options": states, "default": "pending_sync", "label": "Abgleich"}
    await replay.call("POST", "Admin/fieldManager/CBeteiligte", status, as_user="admin")
    for link in ("adressen", "bankverbindungen"):
        body = {"entity": "CBeteiligte", "entityForeign": f"C{link.capitalize()}", "link": link}
        body |= {"linkForeign": "beteiligte", "linkType": "oneToMany"}
        await replay.call("POST", "EntityManager/action/createLink", body, as_user="admin")
    parents = ["Account", "Contact", "Lead", "Opportunity", "Case", "CBeteiligte"]
    body = {"type": "linkParent", "entityList": parents}
    await replay.call("PUT", "Admin/fieldManager/Task/parent", body, as_user="admin")


async def _people(replay: Replay) -> None:
    shared = {"assignmentPermission": "all", "userPermission": "all"}
    users = {"read": "all", "edit": "no"}
    data: dict[str, Any] = {**dict.fromkeys(_TYPES, _WORKING), "User": users, "Webhook": True}
    replay.at("2026-11-26 22:08:19")
    await _made(replay, "Role", {"name": "vmh_sync", "data": data, **shared}, SYNC_ROLE)
    replay.at("2026-11-26 22:04:54")
    body = {"userName": "vmh_sync_api", "lastName": "vmh_sync_api", "type": "api", "authMethod": "ApiKey"}
    made = await _made(replay, "User", {**body, "rolesIds": [replay.ours[SYNC_ROLE]]}, SYNC_USER)
    replay.secrets[KEY] = made["apiKey"]
    row = replay.crm.tables["User"].rows[made["id"]]
    replay.crm.tables["User"].update(row, {"modifiedAt": "2026-11-26 22:09:08"})
    replay.at("2026-11-26 22:12:02")
    full = dict.fromkeys(_TYPES, _WORKING | {"delete": "all"})
    await _made(replay, "Role", {"name": "Kanzlei", "data": {**full, "User": users}, **shared}, PEOPLE_ROLE)
    body = {"userName": "anna", "lastName": "Anna Sekretariat", "type": "regular"}
    await _made(replay, "User", {**body, "rolesIds": [replay.ours[PEOPLE_ROLE]]}, ANNA)


async def _made(replay: Replay, entity: str, body: dict[str, Any], recorded: str) -> dict[str, Any]:
    made: dict[str, Any] = await replay.call("POST", entity, body, as_user="admin")
    replay.bind(recorded, made["id"])
    return made


async def _webhooks(replay: Replay, hooks: list[dict[str, Any]]) -> None:
    replay.crm.settings["webhookAllowedAddressList"] = ["127.0.0.1:48800"]
    for hook in reversed(hooks):
        replay.at(hook["createdAt"])
        body = {"event": hook["event"], "url": hook["url"], "skipOwn": True}
        made = await replay.call("POST", "Webhook", body, as_user=KEY)
        replay.bind(hook["id"], made["id"])


def _deliveries(replay: Replay, answer: dict[str, Any]) -> None:
    """The two last items of the queue, and the records they are about."""
    webhooks = replay.api.webhooks
    for shown in reversed(answer["list"]):
        replay.forget("CBeteiligte", shown["targetId"])
        replay.ours.pop(shown["targetId"], None)
        replay.theirs.pop(shown["targetId"], None)
        first, _, last = shown["targetName"].partition(" ")
        replay.seed("CBeteiligte", shown["targetId"], firstName=first, lastName=last, **_by_anna(replay))
        payload = {**shown["data"], "modifiedById": replay.ours[ANNA]}
        event = Event("CBeteiligte", "update", payload, replay.ours[ANNA])
        item = Item(replay.ours[shown["webhookId"]], payload, attempts=1, event=event, number=shown["number"])
        item.created_at, item.processed_at, item.status = shown["createdAt"], shown["processedAt"], "Success"
        webhooks.finished.append(item)
    webhooks.number = answer["total"]


def _by_anna(replay: Replay) -> dict[str, Any]:
    return {"createdById": replay.ours[ANNA], "assignedUserId": replay.ours[ANNA]}


__all__ = ["FILE_VERSION", "START", "recordings", "stand"]
