"""What is checked of the house itself: leases and claims that nobody gives back, refused logins, EspoCRM's webhooks."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from vmh_sync.coordination.connection import AsyncRedis, connect
from vmh_sync.coordination.errors import translated
from vmh_sync.engine.installation.held_logins import held_back_logins
from vmh_sync.engine.passes.opening import PassSettings
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.entities import with_records
from vmh_sync.overview.verdicts import Verdict
from vmh_sync.overview.webhook_addresses import second_gateway
from vmh_sync.services.valkey import ensure_redis
from vmh_sync.settings import SettingsError
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm.client import open_espocrm_admin
from vmh_sync.systems.espocrm.errors import EspoError, Forbidden
from vmh_sync.systems.retry import RetryPolicy

LEASES, LOGINS, WEBHOOKS = "sperren", "anmeldungen", "webhooks"
SAYS = {
    LEASES: "Keine Sperre und kein Anspruch eines toten Laufs bleibt stehen.",
    LOGINS: "Kein System lehnt unsere Anmeldung ab.",
    WEBHOOKS: "Die Webhooks in EspoCRM sind eingeschaltet, und keine Zustellung ist gescheitert.",
}
OVERDUE = timedelta(minutes=15)
"""Claims last ten minutes and are given back within half a minute when their run dies."""
LOOK_BACK = timedelta(hours=24)
MOST_ITEMS = 200
"""EspoCRM's longest list."""
_LEASES = "vmh:lease:*"
_NO_END = -1
_SELECT = ("event", "isActive", "url")


async def house_verdicts(context: PassContext, settings: PassSettings) -> tuple[Verdict, ...]:
    """Look at everything. Raises ``StoreError``, ``CoordinationUnavailable``; foreign systems only worsen a verdict."""
    return (*await own_verdicts(context, settings), await webhooks(context, settings))


async def own_verdicts(context: PassContext, settings: PassSettings) -> tuple[Verdict, ...]:
    """Look at our own services; asks no foreign system. Raises ``StoreError``, ``CoordinationUnavailable``."""
    redis = connect(ensure_redis(settings.house.home, settings.house.redis_url))
    try:
        return await _leases(context, redis), await _logins(context, settings, redis)
    finally:
        await redis.aclose()


async def _leases(context: PassContext, redis: AsyncRedis) -> Verdict:
    endless = held = 0
    with translated():
        async for key in redis.scan_iter(match=_LEASES, count=500):
            held += 1
            endless += await redis.pttl(key) == _NO_END
    overdue = await context.store.read(lambda tx: tx.inbox.overdue_claims(context.clock.now() - OVERDUE))
    numbers = {"Sperren": held, "ohne Ende": endless, "überfällige Ansprüche": overdue}
    if not endless and not overdue:
        return Verdict(LEASES, passed=True, text=f"{held} Sperren, jede mit Ende.", numbers=numbers)
    text = (
        f"{endless} Sperren ohne Ende, {overdue} Ansprüche überfällig: `vmh-sync status` ansehen, Dienste neu starten."
    )
    return Verdict(LEASES, passed=False, text=text, grave=True, numbers=numbers)


async def _logins(context: PassContext, settings: PassSettings, redis: AsyncRedis) -> Verdict:
    held = await held_back_logins(redis, settings.advoware, settings.espocrm, context.clock)
    if not held:
        return Verdict(LOGINS, passed=True, text="Keine Anmeldung wird zurückgehalten.", numbers={"abgelehnt": 0})
    said = "; ".join(f"{one.system} bis {one.until:%H:%M} UTC" for one in held)
    text = f"Abgelehnte Anmeldungen: {said}. Schlüssel oder Kennwort prüfen, dann `vmh-sync doctor`."
    return Verdict(LOGINS, passed=False, text=text, grave=True, numbers={"abgelehnt": len(held)})


async def webhooks(context: PassContext, settings: PassSettings) -> Verdict:
    """Look whether EspoCRM has our webhooks, whether they are on, and which deliveries it has given up."""
    try:
        hooks = [hook.attributes async for hook in context.espo.list_all("Webhook", select=_SELECT)]
    except Forbidden:
        return Verdict(WEBHOOKS, passed=True, text="Der API-Benutzer darf Webhooks nicht sehen (Rolle: Webhook).")
    except ForeignSystemError as problem:
        return Verdict(WEBHOOKS, passed=False, text=problem.message_for_people)
    off = sorted({str(hook.get("event")) for hook in hooks if hook.get("isActive") is False and _is_own(hook)})
    lacking = sorted(_wanted() - {str(hook.get("event")) for hook in hooks})
    failed = await _failed_items(context, settings)
    numbers = {"eingerichtet": len(hooks), "abgeschaltet": len(off), "fehlen": len(lacking)}
    if failed is not None:
        numbers["gescheiterte Zustellungen"] = len(failed)
    second = second_gateway(hooks)
    said = [
        *([second] if second is not None else []),
        *([f"abgeschaltet: {', '.join(off)} (Verwaltung → Webhooks → Aktiv)"] if off else []),
        *([f"fehlen: {', '.join(lacking)} (`vmh-sync crm setup`)"] if lacking and hooks else []),
        *(
            [f"{len(failed)} Zustellungen gescheitert seit gestern; Löschungen darin werden nachgeholt"]
            if failed
            else []
        ),
    ]
    seen = "" if failed is not None else " Gescheiterte Zustellungen sieht nur ein Administrator (ESPOCRM_ADMIN_USER)."
    if not hooks:
        text = "Keine Webhooks eingerichtet: Änderungen werden nur durch Nachsehen bemerkt."
        return Verdict(WEBHOOKS, passed=True, text=text, numbers=numbers)
    text = "; ".join(said) + "." if said else f"{len(hooks)} Webhooks sind eingeschaltet." + seen
    return Verdict(
        WEBHOOKS, not said, text, grave=bool(off), numbers=numbers, rows=[_row(item) for item in failed or ()]
    )


def _wanted() -> set[str]:
    return {f"{entity.espocrm}.{action}" for entity in with_records() for action in ("create", "update", "delete")}


def _is_own(item: Mapping[str, object]) -> bool:
    return str(item.get("event")) in _wanted()


async def _failed_items(context: PassContext, settings: PassSettings) -> Sequence[Mapping[str, object]] | None:
    """Deliveries of the last day that EspoCRM has given up; ``None`` when we may not see them (espocrm.md B9)."""
    asked = {"maxSize": MOST_ITEMS, "orderBy": "number", "order": "desc"}
    once = RetryPolicy(attempts=1)
    try:
        async with open_espocrm_admin(settings.espocrm, clock=context.clock, retry=once) as admin:
            items = await admin.rows("WebhookQueueItem", asked)
    except (SettingsError, EspoError):
        return None
    since = context.clock.now() - LOOK_BACK
    return [item for item in items if item.get("status") == "Failed" and _is_own(item) and _created(item) >= since]


def _created(item: Mapping[str, object]) -> datetime:
    try:
        return datetime.fromisoformat(str(item.get("createdAt"))).replace(tzinfo=UTC)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)  # unreadable: rather told than hidden


def _row(item: Mapping[str, Any]) -> Mapping[str, str | int]:
    return {
        "Ereignis": str(item.get("event")),
        "Datensatz": str(item.get("targetId") or ""),
        "seit": str(item.get("createdAt") or ""),
        "Versuche": int(item.get("attempts") or 0),
    }
