"""An alert as a task in an EspoCRM whose tasks have states and priorities of the firm's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from vmh_sync.alerts import ways
from vmh_sync.alerts.ledger import Message, Trouble
from vmh_sync.settings import AlertSettings
from vmh_sync.systems.espocrm.errors import ValidationRejected

WORDS = {"priority": ["Eilt"], "status": ["Offen", "Erledigt"]}


class OwnWords:
    """Takes only the words of the firm; tells those for a done task, if ``tells``."""

    def __init__(self, *, tells: bool) -> None:
        self.tells = tells
        self.task: dict[str, Any] = {}

    async def create(self, entity: str, values: dict[str, Any]) -> Any:
        self._save(entity, {"status": "Offen", **values})
        return SimpleNamespace(id="t1")

    async def update(self, entity: str, _id: str, values: dict[str, Any]) -> None:
        self._save(entity, values)

    async def metadata(self, _key: str) -> object:
        return {"completedStatusList": ["Completed", "Erledigt"]} if self.tells else None

    def _save(self, entity: str, values: dict[str, Any]) -> None:
        for name, words in WORDS.items():
            if values.get(name, words[0]) not in words:
                raise ValidationRejected(name, entity=entity, field=name, rule="valid")
        self.task |= values


@pytest.mark.parametrize(("tells", "in_the_end"), [(True, "Erledigt"), (False, "Offen")])
def test_it_arrives_and_so_does_its_end(monkeypatch: pytest.MonkeyPatch, tells: bool, in_the_end: str) -> None:
    crm = OwnWords(tells=tells)

    @asynccontextmanager
    async def opened(*_: object, **__: object) -> AsyncIterator[OwnWords]:
        yield crm

    monkeypatch.setattr(ways, "open_espocrm", opened)
    monkeypatch.setattr(ways, "load", lambda _kind: None)
    tell = ways.ways(AlertSettings(_env_file=None, espocrm_user_id="u1"))["EspoCRM"]
    trouble = Trouble("bereich:beteiligte", "Beteiligte", "1 fehlerhaft")
    since = datetime(2026, 11, 27, 8, tzinfo=UTC)
    mark = tell(Message("k", "EspoCRM", trouble, since, over=False))
    assert (mark, crm.task["name"]) == ("t1", "Abgleich: Störung: Beteiligte")
    tell(Message("k", "EspoCRM", trouble, since, over=True, mark="t1"))
    assert crm.task["status"] == in_the_end
    assert crm.task["description"].startswith("Behoben: Beteiligte")
