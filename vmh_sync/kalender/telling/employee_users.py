"""Which user of EspoCRM an employee is, so that a task reaches the right person."""

from vmh_sync.kalender.context import CalendarContext, TaskDesk
from vmh_sync.kalender.reading.employees import Employee
from vmh_sync.systems.espocrm.errors import Forbidden
from vmh_sync.systems.espocrm.records import EspoRecord

_FIELDS = ("id", "userName", "emailAddress", "type", "isActive")
_PEOPLE = frozenset({"regular", "admin"})


async def user_of(context: CalendarContext, desk: TaskDesk, employee: Employee) -> str | None:
    """Return the id of the employee's user: as the settings say, else by user name or address; ``None`` if unclear.

    Raises the client's errors.
    """
    named = {kuerzel.upper(): user for kuerzel, user in context.settings.espocrm_users.items()}
    wanted = named.get(employee.kuerzel.upper())
    try:
        people = [user async for user in desk.espo.list_all("User", select=_FIELDS) if _is_person(user)]
    except Forbidden:
        return None  # the role may not read users: whoever gets the tasks of nobody gets these
    if wanted is not None:
        chosen = [user.id for user in people if wanted in (user.id, user.attributes.get("userName"))]
        return chosen[0] if len(chosen) == 1 else None
    mail = (employee.email or "").strip().casefold()
    for name, value in (("userName", employee.kuerzel.casefold()), ("emailAddress", mail), ("userName", mail)):
        found = [user.id for user in people if value and str(user.attributes.get(name) or "").casefold() == value]
        if len(found) == 1:
            return found[0]
    return None


def _is_person(user: EspoRecord) -> bool:
    return user.attributes.get("type", "regular") in _PEOPLE and user.attributes.get("isActive", True) is not False
