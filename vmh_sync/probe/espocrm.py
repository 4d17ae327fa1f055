"""A whole probe of EspoCRM: tries everything on the scratch record and puts it back."""

from vmh_sync.clock import Clock
from vmh_sync.probe.espocrm_assumptions import ESPOCRM_ASSUMPTIONS
from vmh_sync.probe.espocrm_calls import EspoCalls
from vmh_sync.probe.espocrm_lists import clean, try_lists, try_records
from vmh_sync.probe.espocrm_record import CHANGED, put_back, try_changes
from vmh_sync.probe.espocrm_webhook import clean_webhooks, try_webhook
from vmh_sync.probe.restore import Restore
from vmh_sync.probe.run import Probed
from vmh_sync.systems.espocrm.client import EspoClient

NO_RECORD = "der Datensatz ist nicht lesbar"
NOT_MADE = "es ließ sich nichts anlegen"
RESTORE = ("probe-espocrm-original.json", "id")
"""File and key of :class:`Restore`."""


async def probe_espocrm(client: EspoClient, record_id: str, restore: Restore, clock: Clock) -> Probed:
    """Try every assumption. Raises what the client raises; the next call then first puts back what is changed."""
    calls = EspoCalls(client, record_id)
    done = Probed(calls.findings, calls.exchanges)
    if (unfinished := restore.read(record_id)) is not None:
        await put_back(calls, unfinished)
        restore.forget()
    await clean(calls)
    await clean_webhooks(calls)
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
        await try_webhook(calls)
    finally:
        await clean(calls)
        await clean_webhooks(calls)
    calls.rest_not_tried(ESPOCRM_ASSUMPTIONS, NOT_MADE)
    return done
