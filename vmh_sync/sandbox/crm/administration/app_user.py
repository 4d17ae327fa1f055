"""``GET App/user``: who is logged in, as far as a sync client needs it."""

from typing import TYPE_CHECKING

from vmh_sync.sandbox.crm.fields.table import Row
from vmh_sync.sandbox.crm.people.accounts import DEFAULT, FIXED, Account

if TYPE_CHECKING:
    from vmh_sync.sandbox.crm.state import Crm

_EMAIL_LISTS = ("emailAddress", "userEmailAddress", "excludeFromReplyEmailAddress")
_EMPTY = (
    *("salutationName", "middleName", "emailAddress", "phoneNumber", "avatarColor"),
    *("emailAddressIsOptedOut", "emailAddressIsInvalid", "phoneNumberIsOptedOut", "phoneNumberIsInvalid"),
    *("defaultTeamId", "defaultTeamName", "contactId", "contactName", "avatarId", "avatarName"),
    "workingTimeCalendarId",
)


def app_user(crm: "Crm", user: Account) -> Row:
    """Return the user with the rights on each entity type; the real answer holds the whole front end's state too."""
    row = crm.tables["User"].rows[user.id]
    shown = crm.render.plain(crm.layouts["User"], row) | _of_user(crm, user)
    scopes = {*crm.schema, *FIXED, *DEFAULT} - {"Webhook", "ScheduledJob"}
    table: Row = {scope: user.scope(scope) for scope in sorted(scopes)}
    if not user.is_admin:
        table["Note"] = table["Note"] | {"read": "own"}
    if user.level("Webhook", "create") != "no":
        table["Webhook"] = True
    fields = {scope: {name: {"read": "no"} for name in user.closed_fields(scope, "read")} for scope in crm.schema}
    acl: Row = {"table": table, "fieldTable": {scope: closed for scope, closed in fields.items() if closed}}
    for name in ("massUpdatePermission", "mentionPermission", "assignmentPermission", "userPermission"):
        acl[name] = user.permission(name)
    rest: Row = {
        "settings": {"version": crm.settings["version"]},
        "preferences": {},
        "language": crm.settings["language"],
    }
    return {"user": shown, "acl": acl} | rest


def _of_user(crm: "Crm", user: Account) -> Row:
    """The attributes of a user that the simulation keeps no columns for."""
    standing = crm.tables["Team"].rows
    names = {team: standing[team]["name"] for team in user.teams if team in standing}
    creator = crm.accounts.get(user.created_by or "")
    shown: Row = dict.fromkeys(_EMPTY) | {f"{name}List": [] for name in _EMAIL_LISTS}
    return shown | {
        "ipAddress": "127.0.0.1",
        "teamsIds": list(names),
        "teamsNames": names,
        "teamsColumns": {},
        "createdByName": creator.name if creator else None,
    }
