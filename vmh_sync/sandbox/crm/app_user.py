"""``GET App/user``: who is logged in, as far as a sync client needs it."""

from typing import TYPE_CHECKING

from vmh_sync.sandbox.crm.accounts import DEFAULT, FIXED, Account
from vmh_sync.sandbox.crm.table import Row

if TYPE_CHECKING:
    from vmh_sync.sandbox.crm.state import Crm


def app_user(crm: "Crm", user: Account) -> Row:
    """Return the user with the rights on each entity type; the real answer holds the whole front end's state too."""
    row = crm.tables["User"].rows[user.id]
    shown = crm.render.plain(crm.layouts["User"], row) | {"teamsIds": [], "teamsNames": {}}
    scopes = {*crm.schema, *FIXED, *DEFAULT} - {"Webhook"}
    table = {scope: user.scope(scope) for scope in sorted(scopes)}
    fields = {scope: {name: {"read": "no"} for name in user.closed_fields(scope, "read")} for scope in crm.schema}
    acl: Row = {"table": table, "fieldTable": {scope: closed for scope, closed in fields.items() if closed}}
    for name in ("massUpdatePermission", "mentionPermission", "assignmentPermission", "userPermission"):
        acl[name] = user.permission(name)
    return {"user": shown, "acl": acl, "settings": {"version": crm.settings["version"]}}
