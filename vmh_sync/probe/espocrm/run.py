"""A whole probe of EspoCRM: tries everything on the scratch record and puts it back."""

from vmh_sync.clock import Clock
from vmh_sync.probe.espocrm.assumptions import ESPOCRM_ASSUMPTIONS
from vmh_sync.probe.espocrm.calls import EspoCalls, ids
from vmh_sync.probe.espocrm.lists import clean, try_lists, try_records
from vmh_sync.probe.espocrm.scratch_record import CHANGED, put_back, try_changes
from vmh_sync.probe.findings import Probed
from vmh_sync.probe.restore import Restore
from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync.systems.espocrm.query import equals

NO_RECORD = "der Datensatz ist nicht lesbar"
NOT_MADE = "es ließ sich nichts anlegen"
RESTORE = ("probe-espocrm-original.json", "id")
"""File and key of :class:`Restore`."""
WEBHOOK = "Webhook"
URL = "https://example.com/vmh-sync-probe"
"""Nothing is ever sent there: the webhook is switched off. A name that resolves, as EspoCRM asks for from 9.3.4 on."""
_BODY = {"event": "CBeteiligte.update", "url": URL, "isActive": False, "skipOwn": True}


async def probe_espocrm(client: EspoClient, record_id: str, restore: Restore, clock: Clock) -> Probed:
    """Try every assumption. Raises what the client raises; the next call then first puts back what is changed."""
    calls = EspoCalls(client, record_id)
    done = Probed(calls.findings, calls.exchanges)
    if (unfinished := restore.read(record_id)) is not None:
        await put_back(calls, unfinished)
        restore.forget()
    await clean(calls)
    await _clean_webhooks(calls)
    record = await calls.record("read")
    right = record.get("id") == record_id and bool(record.get("modifiedAt"))
    calls.found("espocrm_read", right)
    if not right:
        calls.rest_not_tried(ESPOCRM_ASSUMPTIONS, NO_RECORD)
        return done
    lists = [name for name in ("emailAddressData", "phoneNumberData") if not isinstance(record.get(name), list)]
    calls.fields("espocrm_contacts_read", tuple(lists), "fehlen")
    await try_lists(calls)
    restore.keep({name: record[name] for name in ("id", *CHANGED) if name in record})
    try:
        await try_changes(calls, record, clock)
    finally:
        done.not_put_back = await put_back(calls, record)
    restore.forget()
    try:
        await try_records(calls)
        await _try_webhook(calls)
    finally:
        await clean(calls)
        await _clean_webhooks(calls)
    calls.rest_not_tried(ESPOCRM_ASSUMPTIONS, NOT_MADE)
    return done


async def _try_webhook(calls: EspoCalls) -> None:
    """Create a webhook, read it and delete it; not in the recording, which would show its secret."""
    made = await calls.call("webhook_create", "POST", WEBHOOK, body=_BODY, kept=False)
    key = made.record.get("id")
    if not isinstance(key, str):
        calls.not_tried("espocrm_skip_own", f"es ließ sich kein Webhook anlegen (Antwort {made.answer.status})")
        return
    read = (await calls.call("webhook_read", "GET", f"{WEBHOOK}/{key}", kept=False)).record
    calls.found("espocrm_skip_own", read.get("skipOwn") is True)
    await _clean_webhooks(calls)


async def _clean_webhooks(calls: EspoCalls) -> None:
    """Delete what a probe left that was killed."""
    left = await calls.listed("webhook_list", [equals("url", URL)], entity=WEBHOOK, select=("id",), kept=False)
    for key in sorted(map(str, ids(left))):
        await calls.call("webhook_delete", "DELETE", f"{WEBHOOK}/{key}", kept=False)
