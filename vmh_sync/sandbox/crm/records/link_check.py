"""Whether a record may point where a request wants it to (specification, espocrm.md B1.5, B3, B12)."""

from typing import TYPE_CHECKING

from vmh_sync.sandbox.crm.errors import unrelatable, unrelatable_forbidden, validation_failure
from vmh_sync.sandbox.crm.fields.layout import TEAMS_KEY, Layout
from vmh_sync.sandbox.crm.fields.table import Row
from vmh_sync.sandbox.crm.people.accounts import Account

if TYPE_CHECKING:
    from vmh_sync.sandbox.crm.state import Crm


def check_links(crm: "Crm", user: Account, layout: Layout, values: Row, row: Row) -> None:
    """Raise 403 (400 for a parent of a type that is not listed) if a changed link leads nowhere it may."""
    entity = layout.entity.name
    known = crm.tables["Team"].rows
    if any(team not in known for team in values.get(TEAMS_KEY) or ()):
        raise unrelatable(entity, "teams", "Team")
    for link, definition in layout.entity.links.items():
        target = values.get(f"{link}Id")
        if target is None or target == row.get(f"{link}Id"):
            continue
        foreign = definition.entity
        if definition.kind == "belongsToParent":
            foreign = values.get(f"{link}Type", row.get(f"{link}Type"))
            if definition.entity_list and foreign not in definition.entity_list:
                raise validation_failure(entity, link, "valid")
        table = crm.tables.get(foreign or "")
        linked = table.rows.get(target) if table else None
        if linked is None:
            raise unrelatable(entity, link, foreign or "")
        level = user.level(foreign or "", "read")
        if level not in {"all", "yes"} and not (level in {"own", "team"} and user.owns(linked)):
            raise unrelatable_forbidden(entity, link, foreign or "")
