"""Who gets a task: a person who can act on it, never a robot that reads none (specification, espocrm.md B1.5)."""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Protocol, TypeVar, cast

from vmh_sync.settings import EspoCrmSettings
from vmh_sync.systems.espocrm.errors import Forbidden, NotFound, Rejected
from vmh_sync.systems.espocrm.query import equals
from vmh_sync.systems.espocrm.record_id import may_be_asked_for
from vmh_sync.tasks.settled import Asking

T = TypeVar("T")

_USER = "User"
_ROBOTS = frozenset({"api", "system"})
_PERSONS = ("admin", "regular")


class AssigneeContext(Asking, Protocol):
    """What finding a person needs of a pass."""

    @property
    def espo_settings(self) -> EspoCrmSettings:
        """Who gets the tasks of nobody."""
        ...


async def own_user(context: AssigneeContext) -> str | None:
    """Return the id of the user as whom we write; asked once a pass, as all of this but :func:`any_person`."""

    async def ask() -> str | None:
        user = (await context.espo.app_user()).get("user")
        return str(user["id"]) if isinstance(user, dict) and user.get("id") else None

    return await _once(context, "own user", ask)


async def person_for(context: AssigneeContext, candidates: Iterable[str | None]) -> str | None:
    """Return the first candidate who is a person, else the default assignee, else any active person of the CRM.

    None when nobody is known: some CRMs show their users to no API user.
    """
    for candidate in dict.fromkeys(one for one in candidates if one):
        if await _once(context, f"is a person: {candidate}", partial(_is_person, context, candidate)):
            return candidate
    default = context.espo_settings.default_assignee_id
    return default or await _once(context, "any person", partial(any_person, context))


async def _once(context: AssigneeContext, question: str, ask: Callable[[], Awaitable[T]]) -> T:
    if question not in context.told:
        context.told[question] = await ask()
    return cast("T", context.told[question])


async def _is_person(context: AssigneeContext, user_id: str) -> bool:
    if not may_be_asked_for(user_id):
        return False
    try:
        user = await context.espo.read(_USER, user_id)
    except Forbidden:
        return user_id != await own_user(context)
    except NotFound:
        return False
    kind = user.attributes.get("type") if user is not None else None
    return user is not None and kind not in _ROBOTS and user.attributes.get("isActive") is not False


async def any_person(context: AssigneeContext) -> str | None:
    """Return an active person of the CRM, an administrator before others; None when it shows none."""
    for kind in _PERSONS:
        try:
            page = await context.espo.list_page(_USER, where=(equals("type", kind),), select=("id", "type", "isActive"))
        except (Forbidden, Rejected):
            return None
        for user in page.records:
            if user.attributes.get("type") == kind and user.attributes.get("isActive") is not False:
                return user.id
    return None
