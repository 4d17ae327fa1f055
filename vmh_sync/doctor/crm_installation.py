"""Checks of the installation as a whole: how late its webhooks are, locks and pipelines (espocrm.md B9; cases D6)."""

from collections.abc import Mapping

from vmh_sync.clock import Clock
from vmh_sync.crm_setup.wanted import ENTITIES, NOT_LOCKABLE
from vmh_sync.doctor.line import Line, hint, ok, problem
from vmh_sync.settings import EspoCrmSettings, SettingsError
from vmh_sync.systems.espocrm.client import EspoClient, open_espocrm_admin
from vmh_sync.systems.espocrm.errors import EspoError
from vmh_sync.systems.espocrm.webhook_pace import QUEUE_JOB, pace_of
from vmh_sync.systems.retry import RetryPolicy

PACE = "Tempo der Webhooks"
LOCKS = "Gesperrte Datensätze"
PIPELINES = "Pipelines"
_FAST = 6000


async def check_installation(espo: EspoClient, settings: EspoCrmSettings, clock: Clock) -> list[Line]:
    """Return the lines; raises ``EspoError`` when EspoCRM does not answer."""
    return [await _pace(espo, settings, clock), *await _scopes(espo)]


async def _pace(espo: EspoClient, settings: EspoCrmSettings, clock: Clock) -> Line:
    answer = await espo.call("GET", "Settings")
    known: Mapping[str, object] = answer if isinstance(answer, dict) else {}
    pace = pace_of(await _job(settings, clock), known)
    if pace.is_off:
        return problem(PACE, pace.text, pace.remedy)
    return ok(PACE, pace.text) if pace.per_hour >= _FAST else hint(PACE, pace.text, pace.remedy)


async def _job(settings: EspoCrmSettings, clock: Clock) -> Mapping[str, object] | None:
    """The row of the job; only an administrator sees it, so ``None`` without one."""
    try:
        async with open_espocrm_admin(settings, clock=clock, retry=RetryPolicy(attempts=1)) as admin:
            jobs = await admin.rows("ScheduledJob", {"maxSize": 50})
    except (SettingsError, EspoError):
        return None  # the pace is then told by the usual schedule, and says that it is
    return next((row for row in jobs if row.get("job") == QUEUE_JOB), None)


async def _scopes(espo: EspoClient) -> list[Line]:
    lines: list[Line] = []
    for entity in ENTITIES:
        scope = await espo.metadata(f"scopes.{entity.name}")
        if not isinstance(scope, dict):
            continue
        if scope.get("pipelines"):
            text = f"{entity.name} hat eine Pipeline: EspoCRM verwirft dann Änderungen an „status“ ohne ein Wort."
            lines.append(hint(PIPELINES, text, "Das Feld syncStatus von Pipelines fernhalten."))
        if scope.get("lockable") is True:
            lines += await _locks(espo, entity.name)
    return lines


async def _locks(espo: EspoClient, entity: str) -> list[Line]:
    fields = await espo.metadata(f"entityDefs.{entity}.fields")
    known = fields if isinstance(fields, dict) else {}
    locked = [name for name in NOT_LOCKABLE if isinstance(known.get(name), dict) and not known[name].get("notLockable")]
    if not locked:
        return [ok(LOCKS, f"Den Stand des Abgleichs nimmt {entity} auch bei gesperrten Datensätzen an.")]
    text = f"An gesperrten Datensätzen von {entity} kann der Stand nicht vermerkt werden: {', '.join(locked)}."
    return [hint(LOCKS, text, "`vmh-sync crm setup` ausführen: Es macht diese Felder „nicht sperrbar“.")]
