"""What is left by hand at the end: checked, not assumed; with what to do, in German (D4, D6)."""

from collections.abc import Mapping

from vmh_sync.crm_setup.session import LeftByHand, SetupSession
from vmh_sync.crm_setup.wanted import ENTITIES
from vmh_sync.systems.espocrm.errors import BadConfiguration, Forbidden, NotFound
from vmh_sync.systems.espocrm.internal_hosts import (
    REFUSED_SINCE,
    host_and_port,
    looks_internal,
    not_internal_advice,
    version_numbers,
)
from vmh_sync.systems.espocrm.webhook_pace import QUEUE_JOB, pace_of

FAST_ENOUGH = 6000
"""Events an hour above which nobody need hear about the pace."""


async def note_installation(session: SetupSession) -> None:
    """Note what the installation's own settings make slow, invisible or impossible."""
    settings = await session.admin.call("GET", "Settings")
    known: Mapping[str, object] = settings if isinstance(settings, dict) else {}
    _note_internal(session, known)
    await _note_pace(session, known)
    await _note_tabs(session, known)
    await _note_switched_off(session)


def _note_internal(session: SetupSession, settings: Mapping[str, object]) -> None:
    gateway = session.choices.gateway
    if gateway is None or version_numbers(settings.get("version")) < REFUSED_SINCE or not looks_internal(gateway):
        return
    listed = settings.get("webhookAllowedAddressList")
    allowed = [str(name) for name in listed] if isinstance(listed, list) else []
    if host_and_port(gateway) not in allowed:
        session.left.append(LeftByHand(not_internal_advice(gateway, allowed), "", serious=True))


async def _note_pace(session: SetupSession, settings: Mapping[str, object]) -> None:
    try:
        jobs = await session.admin.rows("ScheduledJob", {"maxSize": 50})
    except (Forbidden, NotFound, BadConfiguration):
        return
    job = next((row for row in jobs if row.get("job") == QUEUE_JOB), None)
    pace = pace_of(job, settings)
    if pace.is_off:
        session.left.append(LeftByHand(pace.text, pace.remedy, serious=True))
    elif pace.per_hour < FAST_ENOUGH:
        session.left.append(LeftByHand(pace.text, pace.remedy))


async def _note_tabs(session: SetupSession, settings: Mapping[str, object]) -> None:
    """EspoCRM itself puts a new entity type there; who took it away may want it so, but should hear of it."""
    tabs, party = settings.get("tabList"), ENTITIES[0].name
    exists = isinstance(await session.admin.metadata(f"scopes.{party}"), dict)
    if exists and isinstance(tabs, list) and party not in tabs:
        session.left.append(
            LeftByHand(
                "„Beteiligte“ steht nicht in der Navigationsleiste.",
                "In EspoCRM unter Verwaltung → Benutzeroberfläche bei den Reitern hinzufügen.",
            )
        )


async def _note_switched_off(session: SetupSession) -> None:
    for entity in ENTITIES:
        scope = await session.admin.metadata(f"scopes.{entity.name}")
        if not isinstance(scope, dict):
            continue
        if scope.get("disabled") is True:
            text = f"Die Entität {entity.name} ist abgeschaltet."
            session.left.append(LeftByHand(text, "Im Entity Manager wieder einschalten.", serious=True))
        if await session.admin.metadata(f"entityDefs.{entity.name}.optimisticConcurrencyControl") is False:
            session.left.append(
                LeftByHand(
                    f"Die Versionsprüfung von {entity.name} hat jemand ausgeschaltet; sie bleibt aus.",
                    "Im Entity Manager „Optimistic concurrency control“ einschalten, damit gleichzeitige Änderungen "
                    "erkannt werden.",
                )
            )
