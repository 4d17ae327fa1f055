"""Steps for the role, the API user, the team and who gets tasks that belong to nobody (D3, D4)."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from vmh_sync.crm_setup.rights import lacking_rights
from vmh_sync.crm_setup.session import API_USER, LeftByHand, SetupSession, Step
from vmh_sync.crm_setup.wanted import ENTITIES, ROLE, ROLE_VALUES
from vmh_sync.systems.espocrm.errors import NotFound
from vmh_sync.systems.espocrm.query import equals

PEOPLE = ("regular", "admin")


class UnknownChoice(Exception):
    """A person or team that was named does not exist; the German message says which."""


async def people_steps(session: SetupSession) -> list[Step]:
    """Plan team, role, API user and default assignee; raises :class:`UnknownChoice`."""
    steps = await _team_steps(session)
    knew_key = session.can_log_in
    user, acl = await _api_user(session)
    if session.can_log_in and not knew_key:
        steps.append(Step(f"Schlüssel des API-Benutzers {API_USER} speichern", _keep_key))
    steps += await _role_steps(session, user, acl)
    if user is None:
        steps.append(Step(f"API-Benutzer {API_USER} anlegen und seinen Schlüssel speichern", _create_user))
    return [*steps, *await _assignee_steps(session)]


async def _team_steps(session: SetupSession) -> list[Step]:
    wanted = session.choices.team
    if not wanted:
        return []
    async for team in session.admin.list_all("Team", select=("name",)):
        if wanted in {team.id, team.attributes.get("name")}:
            session.team_id = team.id
            if team.id == session.default_team:
                return []
            return [Step(f"Team {wanted} für Aufgaben merken (ESPOCRM_DEFAULT_TEAM_ID)", _keep_team)]
    return [Step(f"Team {wanted} anlegen und für Aufgaben merken (ESPOCRM_DEFAULT_TEAM_ID)", _keep_team)]


async def _keep_team(session: SetupSession) -> None:
    if session.team_id is None:
        made = await session.admin.create("Team", {"name": session.choices.team})
        session.team_id = made.id
    session.keep("ESPOCRM_DEFAULT_TEAM_ID", session.team_id)
    session.default_team = session.team_id


async def _api_user(session: SetupSession) -> tuple[Mapping[str, object] | None, Mapping[str, object]]:
    """Return the API user as the administrator sees it (``None``: to be made), and its rights by entity type."""
    if not session.can_log_in:
        found = await _user_named(session, API_USER)
        if found is None:
            return None, {}
        session.user_id = str(found["id"])
        key = found.get("apiKey")
        if isinstance(key, str) and key:
            session.api_key = key
    if session.can_log_in:
        async with session.client() as espo:
            answer = await espo.app_user()
        session.user_id = str((answer.get("user") or {}).get("id"))
        table = (answer.get("acl") or {}).get("table")
        return await _as_admin(session), table if isinstance(table, dict) else {}
    session.left.append(
        LeftByHand(
            f"Den API-Benutzer {API_USER} gibt es schon, EspoCRM zeigt aber seinen Schlüssel nicht.",
            "In EspoCRM unter Verwaltung → API-Benutzer den Schlüssel ansehen und als ESPOCRM_API_KEY eintragen.",
            serious=True,
        )
    )
    return await _as_admin(session), {}


async def _keep_key(session: SetupSession) -> None:
    session.keep("ESPOCRM_API_KEY", str(session.api_key))


async def _as_admin(session: SetupSession) -> Mapping[str, object]:
    answer = await session.admin.call("GET", f"User/{session.user_id}")
    return answer if isinstance(answer, dict) else {}


async def _user_named(session: SetupSession, name: str) -> Mapping[str, object] | None:
    found = [user async for user in session.admin.list_all("User", where=(equals("userName", name),), select=("type",))]
    if not found:
        return None
    answer = await session.admin.call("GET", f"User/{found[0].id}")
    return answer if isinstance(answer, dict) else None


async def _role_steps(session: SetupSession, user: Mapping[str, Any] | None, acl: Mapping[str, Any]) -> list[Step]:
    held = {str(role) for role in (user or {}).get("rolesIds") or ()}
    own_roles = [role for role in await session.admin.rows("Role", {"maxSize": 200}) if role.get("name") == ROLE]
    own_roles.sort(key=lambda role: role.get("id") not in held)
    if len(own_roles) > 1:
        text = f"Es gibt {len(own_roles)} Rollen mit dem Namen {ROLE}; benutzt wird die, die der API-Benutzer hat."
        session.left.append(LeftByHand(text, "In EspoCRM die überzähligen Rollen umbenennen oder löschen."))
    session.role_id = str(own_roles[0]["id"]) if own_roles else None
    if user is not None and (user.get("type") != "api" or not lacking_rights(acl)):
        return []
    steps = []
    if session.role_id is None:
        steps.append(Step(f"Rolle {ROLE} für den API-Benutzer anlegen", _create_role))
    elif session.role_id in held or user is None:
        _note_narrow_role(session, own_roles[0], acl if session.role_id in held else None)
    if user is not None and session.role_id not in held:
        text = f"Rolle {ROLE} dem API-Benutzer {user.get('userName')} geben (die vorhandenen behält er)"
        steps.append(Step(text, partial(_give_role, held=sorted(held))))
    return steps


def _note_narrow_role(session: SetupSession, role: Mapping[str, object], acl: Mapping[str, object] | None) -> None:
    """Our role, found and perhaps changed by an administrator: it stays, what it lacks is told."""
    data = role.get("data")
    # A type that is only now being made stands in the role already, though not yet in what it grants.
    lacking = lacking_rights({**(data if isinstance(data, dict) else {}), **(acl or {})})
    if lacking:
        session.left.append(
            LeftByHand(
                f"Der Rolle {ROLE} fehlen Rechte: {'; '.join(lacking)}.",
                "In EspoCRM unter Verwaltung → Rollen ergänzen; crm setup ändert eine vorhandene Rolle nicht.",
                serious=True,
            )
        )


async def _create_role(session: SetupSession) -> None:
    made = await session.admin.create("Role", ROLE_VALUES)
    session.role_id = made.id


async def _give_role(session: SetupSession, *, held: list[str]) -> None:
    roles = [*held, str(session.role_id)]
    await session.admin.call("PUT", f"User/{session.user_id}", body={"rolesIds": roles})


async def _create_user(session: SetupSession) -> None:
    body: dict[str, Any] = {
        "userName": API_USER,
        "lastName": API_USER,
        "type": "api",
        "authMethod": "ApiKey",
        "isActive": True,
        "rolesIds": [session.role_id],
    }
    if session.team_id is not None:
        body["teamsIds"] = [session.team_id]
    answer = await session.admin.call("POST", "User", body=body)
    session.user_id = str(answer.get("id"))
    key = answer.get("apiKey") or (await _as_admin(session)).get("apiKey")
    session.api_key = str(key)
    session.keep("ESPOCRM_API_KEY", session.api_key)


async def _assignee_steps(session: SetupSession) -> list[Step]:
    wanted = session.choices.assignee
    if not wanted:
        return []
    async for user in session.admin.list_all("User", select=("userName", "name", "type", "isActive")):
        names = {user.id, user.attributes.get("userName"), user.attributes.get("name")}
        if wanted in names and user.attributes.get("type") in PEOPLE and user.attributes.get("isActive"):
            session.assignee_id = user.id
            if user.id == session.default_assignee:
                return []
            shown = user.attributes.get("userName")
            text = f"Aufgaben ohne zuständige Person an {shown} geben (ESPOCRM_DEFAULT_ASSIGNEE_ID)"
            return [Step(text, _keep_assignee)]
    raise UnknownChoice(
        f"In EspoCRM gibt es keine aktive Person „{wanted}“; bitte den Anmeldenamen angeben, wie er dort unter "
        "Verwaltung → Benutzer steht."
    )


async def _keep_assignee(session: SetupSession) -> None:
    session.keep("ESPOCRM_DEFAULT_ASSIGNEE_ID", str(session.assignee_id))
    session.default_assignee = session.assignee_id


async def note_people(session: SetupSession, default_assignee: str | None, default_team: str | None) -> None:
    """Note what is missing or gone of the people and teams that the settings name; and roles that see nothing."""
    if not (default_assignee or session.choices.assignee):
        session.left.append(
            LeftByHand(
                "Niemand ist eingetragen, der Aufgaben ohne zuständige Person bekommt; sie gehen an den API-Benutzer, "
                "als der sich niemand anmeldet.",
                "`vmh-sync crm setup --assignee ANMELDENAME` ausführen.",
            )
        )
    elif default_assignee and not session.choices.assignee and not await _exists(session, "User", default_assignee):
        session.left.append(
            LeftByHand(
                "Die Person aus ESPOCRM_DEFAULT_ASSIGNEE_ID gibt es in EspoCRM nicht mehr oder sie ist abgemeldet.",
                "`vmh-sync crm setup --assignee ANMELDENAME` ausführen.",
                serious=True,
            )
        )
    if default_team and not session.choices.team and not await _exists(session, "Team", default_team):
        session.left.append(
            LeftByHand(
                "Das Team aus ESPOCRM_DEFAULT_TEAM_ID gibt es nicht mehr; Aufgaben werden ohne Team angelegt.",
                "`vmh-sync crm setup --team NAME` ausführen oder die Einstellung entfernen.",
            )
        )
    await _note_blind_roles(session)


async def _exists(session: SetupSession, entity: str, record_id: str) -> bool:
    try:
        answer = await session.admin.call("GET", f"{entity}/{record_id}")
    except NotFound:
        return False
    return isinstance(answer, dict) and answer.get("isActive") is not False


async def _note_blind_roles(session: SetupSession) -> None:
    names = []
    for role in await session.admin.rows("Role", {"maxSize": 200}):
        data = role.get("data")
        known = data if isinstance(data, dict) else {}
        if role.get("name") != ROLE and role.get("id") != session.role_id and ENTITIES[0].name not in known:
            names.append(str(role.get("name")))
    if names:
        session.left.append(
            LeftByHand(
                f"Rollen, die nichts über die Beteiligten sagen: {', '.join(sorted(names))}.",
                "In EspoCRM unter Verwaltung → Rollen das Lesen und Ändern der drei Entitäten erlauben, "
                "sonst sehen diese Personen nichts davon.",
            )
        )
