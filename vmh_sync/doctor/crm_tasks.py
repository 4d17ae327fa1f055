"""Checks of who gets tasks, and what they can hang on (specification, espocrm.md B1.5, B12; cases D3)."""

from vmh_sync.doctor.line import Line, hint, ok, problem
from vmh_sync.settings import EspoCrmSettings
from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync.systems.espocrm.errors import Forbidden
from vmh_sync.systems.espocrm.record_id import may_be_asked_for

TASKS = "Aufgaben"
_ASSIGN = "`vmh-sync crm setup --assignee ANMELDENAME` ausführen oder ESPOCRM_DEFAULT_ASSIGNEE_ID setzen."
_TEAM = "`vmh-sync crm setup --team NAME` ausführen oder ESPOCRM_DEFAULT_TEAM_ID entfernen."


async def check_tasks(espo: EspoClient, settings: EspoCrmSettings) -> list[Line]:
    """Return what keeps tasks from reaching a person; one good line when nothing does."""
    lines = [*await _parents(espo), *await _assignee(espo, settings), *await _team(espo, settings)]
    return lines or [ok(TASKS, "Aufgaben ohne zuständige Person kommen bei einem Menschen an.")]


async def _parents(espo: EspoClient) -> list[Line]:
    listed = await espo.metadata("entityDefs.Task.fields.parent.entityList")
    if isinstance(listed, list) and "CBeteiligte" not in listed:
        return [
            problem(
                TASKS,
                "Aufgaben können nicht mit Beteiligten verknüpft werden.",
                "`vmh-sync crm setup` ausführen, oder in EspoCRM beim Feld Task.parent CBeteiligte in die Liste der "
                "Entitäten aufnehmen.",
            )
        ]
    return []


async def _assignee(espo: EspoClient, settings: EspoCrmSettings) -> list[Line]:
    chosen = settings.default_assignee_id
    if chosen is None:
        text = (
            "Niemand ist eingetragen, der Aufgaben ohne zuständige Person bekommt; sie gehen an den API-Benutzer, als "
            "der sich niemand anmeldet."
        )
        return [hint(TASKS, text, _ASSIGN)]
    try:
        user = await espo.read("User", chosen) if may_be_asked_for(chosen) else None
    except Forbidden:
        text = "Ob es die Person aus ESPOCRM_DEFAULT_ASSIGNEE_ID noch gibt, darf der API-Benutzer nicht nachsehen."
        return [hint(TASKS, text, "In EspoCRM seiner Rolle das Leserecht auf Benutzer (User) geben.")]
    if user is None or user.attributes.get("isActive") is False:
        return [problem(TASKS, "Die Person aus ESPOCRM_DEFAULT_ASSIGNEE_ID gibt es in EspoCRM nicht mehr.", _ASSIGN)]
    if user.attributes.get("type") == "api":
        text = "Die Person aus ESPOCRM_DEFAULT_ASSIGNEE_ID ist ein API-Benutzer, als der sich niemand anmeldet."
        return [hint(TASKS, text, _ASSIGN)]
    return []


async def _team(espo: EspoClient, settings: EspoCrmSettings) -> list[Line]:
    chosen = settings.default_team_id
    if chosen is None:
        return []
    try:
        team = await espo.read("Team", chosen) if may_be_asked_for(chosen) else None
    except Forbidden:
        return []  # it exists, and this login is not in it
    if team is not None:
        return []
    text = "Das Team aus ESPOCRM_DEFAULT_TEAM_ID gibt es nicht mehr; Aufgaben werden ohne Team angelegt."
    return [hint(TASKS, text, _TEAM)]
