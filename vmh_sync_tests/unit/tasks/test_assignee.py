"""Who gets a task: never a robot while a person is known."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from vmh_sync.systems.espocrm.errors import Forbidden, NotFound
from vmh_sync.tasks.assignee import person_for

USERS = {
    "robot": {"type": "api", "isActive": True},
    "system": {"type": "system", "isActive": True},
    "left": {"type": "regular", "isActive": False},
    "clerk": {"type": "regular", "isActive": True},
    "chief": {"type": "admin", "isActive": True},
}


@dataclass
class Crm:
    """A CRM that shows its users, or not."""

    users: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: USERS)
    shows: bool = True
    asked: list[str] = field(default_factory=list)

    async def app_user(self) -> dict[str, Any]:
        self.asked.append("own user")
        return {"user": {"id": "robot"}}

    async def read(self, _entity: str, user_id: str) -> Any:
        self.asked.append(user_id)
        if not self.shows:
            raise Forbidden("User")
        assert user_id != "..", "it leads to another address"
        if user_id not in self.users:
            raise NotFound("User")
        return SimpleNamespace(id=user_id, attributes=self.users[user_id])

    async def list_page(self, _entity: str, *, where: Any, select: Any) -> Any:
        self.asked.append("list")
        if not self.shows:
            raise Forbidden("User")
        return SimpleNamespace(records=[SimpleNamespace(id=name, attributes=one) for name, one in self.users.items()])


def chosen(*candidates: str | None, default: str | None = None, crm: Crm | None = None) -> str | None:
    context = SimpleNamespace(espo=crm or Crm(), espo_settings=SimpleNamespace(default_assignee_id=default), told={})
    return asyncio.run(person_for(context, candidates))


@pytest.mark.parametrize(
    ("candidates", "default", "person"),
    [
        (("clerk", "chief"), "chief", "clerk"),
        (("robot", None, "clerk"), None, "clerk"),
        (("robot", "system", "left", "gone", ".."), "clerk", "clerk"),
        (("robot",), None, "chief"),
        ((), None, "chief"),
    ],
)
def test_the_first_person_gets_it(candidates: tuple[str | None, ...], default: str | None, person: str) -> None:
    assert chosen(*candidates, default=default) == person


def test_a_crm_that_shows_no_users_is_believed_about_others_and_nobody_is_guessed() -> None:
    hidden = Crm(shows=False)
    assert chosen("robot", "clerk", crm=hidden) == "clerk"
    assert chosen("robot", crm=hidden) is None
    assert chosen("robot", default="chief", crm=hidden) == "chief"


def test_a_crm_without_people_has_none() -> None:
    assert chosen(crm=Crm({"robot": USERS["robot"]})) is None


@pytest.mark.parametrize(
    ("crm", "calls"), [(Crm(), ["robot", "list"]), (Crm(shows=False), ["robot", "own user", "list"])]
)
def test_a_pass_asks_each_question_once(crm: Crm, calls: list[str]) -> None:
    context: Any = SimpleNamespace(espo=crm, espo_settings=SimpleNamespace(default_assignee_id=None), told={})

    async def thrice() -> list[str | None]:
        return [await person_for(context, ["robot"]) for _ in range(3)]

    person = "chief" if crm.shows else None
    assert asyncio.run(thrice()) == [person] * 3
    assert crm.asked == calls
