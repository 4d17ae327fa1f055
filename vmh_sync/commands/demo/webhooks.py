"""Registers the demo's webhooks in the sandbox CRM, as ``docs`` tell an administrator to do."""

import json
import os

import httpx

from vmh_sync.entities import with_records

ACTIONS = ("create", "update", "delete")


def register_webhooks(gateway_url: str) -> int:
    """Create one webhook per entity and action, with ``skipOwn``; their secrets go into this process's environment.

    Takes the gateway's address; uses the API key of the environment, since a webhook leaves out the writes of the
    user who owns it. Returns how many were created.
    """
    secrets: dict[str, str] = {}
    headers = {"X-Api-Key": os.environ["ESPOCRM_API_KEY"]}
    with httpx.Client(base_url=os.environ["ESPOCRM_API_BASE_URL"], headers=headers, trust_env=False) as espocrm:
        for entity in with_records():
            for action in ACTIONS:
                url = f"{gateway_url}/vmh/webhook/{entity.name}/{action}"
                body = {"event": f"{entity.espocrm}.{action}", "url": url, "skipOwn": True}
                made = espocrm.post("/Webhook", json=body).raise_for_status().json()
                secrets[made["id"]] = made["secretKey"]
    os.environ["ESPOCRM_WEBHOOK_SECRETS"] = json.dumps(secrets)
    return len(secrets)
