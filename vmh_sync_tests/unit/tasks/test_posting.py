"""What of a task is left out when EspoCRM refuses it, and that a person still learns whom it is about."""

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from vmh_sync.systems.espocrm.errors import ValidationRejected
from vmh_sync.tasks.posting import post_task


class _NoParty:
    """A CRM whose Task takes no CBeteiligte as parent: the list of a new installation."""

    def __init__(self) -> None:
        self.stored: dict[str, Any] = {}

    async def create(self, entity: str, values: dict[str, Any]) -> Any:
        if "parentId" in values:
            raise ValidationRejected("parent", entity=entity, field="parent", rule="valid")
        self.stored = values
        return SimpleNamespace(id="t1")


class _Open:
    def sending(self, _side: object) -> AbstractAsyncContextManager[None]:
        return nullcontext()


def test_a_task_without_parent_says_whom_it_is_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMH_ESPOCRM_LINK", "https://crm.example")
    crm = _NoParty()
    gate: Any = _Open()
    context: Any = SimpleNamespace(espo=crm)
    values = {"name": "Prüfen", "description": "Text.\n\nVorgang vmh-7"}
    asyncio.run(post_task(context, gate, values | {"parentType": "CBeteiligte", "parentId": "6b04"}))
    assert crm.stored == {
        "name": "Prüfen",
        "description": "Text.\n\nDatensatz in EspoCRM: https://crm.example/#CBeteiligte/view/6b04\n\nVorgang vmh-7",
    }
