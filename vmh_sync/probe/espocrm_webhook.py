"""Tries on a webhook that is switched off, and deleted again, whether EspoCRM keeps what we ask of ours."""

from vmh_sync.probe.espocrm_calls import EspoCalls, attributes, ids
from vmh_sync.systems.espocrm.query import equals

WEBHOOK = "Webhook"
URL = "https://example.com/vmh-sync-probe"
"""Nothing is ever sent there: the webhook is switched off. A name that resolves, as EspoCRM asks for from 9.3.4 on."""
_BODY = {"event": "CBeteiligte.update", "url": URL, "isActive": False, "skipOwn": True}


async def try_webhook(calls: EspoCalls) -> None:
    """Create a webhook, read it and delete it; not in the recording, which would show its secret."""
    made = await calls.call("webhook_create", "POST", WEBHOOK, body=_BODY, kept=False)
    key = attributes(made).get("id")
    if not isinstance(key, str):
        calls.not_tried("espocrm_skip_own", f"es ließ sich kein Webhook anlegen (Antwort {made.answer.status})")
        return
    read = attributes(await calls.call("webhook_read", "GET", f"{WEBHOOK}/{key}", kept=False))
    calls.found("espocrm_skip_own", read.get("skipOwn") is True)
    await clean_webhooks(calls)


async def clean_webhooks(calls: EspoCalls) -> None:
    """Delete what a probe left that was killed."""
    left = await calls.listed("webhook_list", [equals("url", URL)], entity=WEBHOOK, select=("id",), kept=False)
    for key in sorted(map(str, ids(left))):
        await calls.call("webhook_delete", "DELETE", f"{WEBHOOK}/{key}", kept=False)
