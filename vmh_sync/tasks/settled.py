"""Whether a Task of EspoCRM is over. Its words are an administrator's (Entity Manager): some firms have others."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol

from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync.systems.espocrm.errors import ValidationRejected
from vmh_sync.systems.espocrm.records import EspoRecord

DONE = "Completed"
_OVER = frozenset({DONE, "Canceled"})
_TO_DO = frozenset({None, "", "Not Started", "Started", "Deferred"})
_SCOPE = "scopes.Task"


class Asking(Protocol):
    """What is needed of a pass."""

    @property
    def espo(self) -> EspoClient:
        """The CRM that the tasks stand in."""
        ...

    @property
    def told(self) -> dict[str, object]:
        """What EspoCRM said in this pass, by key."""
        ...


async def is_settled(context: Asking, task: EspoRecord) -> bool:
    """Whether a person (or we) closed this Task; what a word of the firm's own means is asked once a pass."""
    status = task.attributes.get("status")
    if status in _OVER or status in _TO_DO:
        return status in _OVER
    scope = await _scope(context)
    return status in (*_words(scope, "completedStatusList"), *_words(scope, "canceledStatusList"))


async def say_done(context: Asking, send: Callable[[str], Awaitable[object]]) -> bool:
    """Have ``send`` send the word by which a Task is done here; returns whether EspoCRM took one.

    The usual word may stand in EspoCRM's list although an administrator has put others in its place. Raises what
    ``send`` raises, and a ``ForeignSystemError`` where EspoCRM may tell its words another time.
    """
    with suppress(ValidationRejected):
        await send(DONE)
        return True
    scope = await _scope(context)
    if isinstance(scope, ForeignSystemError) and scope.retryable:
        raise scope
    for word in _words(scope, "completedStatusList"):
        if word != DONE:
            with suppress(ValidationRejected):
                await send(word)
                return True
    return False


async def _scope(context: Asking) -> object:
    """Return what EspoCRM tells of its Tasks, or why it tells nothing."""
    if _SCOPE not in context.told:
        try:
            context.told[_SCOPE] = await context.espo.metadata(_SCOPE)
        except ForeignSystemError as error:
            context.told[_SCOPE] = error
    return context.told[_SCOPE]


def _words(scope: object, name: str) -> Sequence[str]:
    words = scope.get(name) if isinstance(scope, dict) else None
    return [word for word in words if isinstance(word, str)] if isinstance(words, list) else []
