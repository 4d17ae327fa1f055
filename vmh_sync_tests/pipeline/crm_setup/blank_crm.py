"""A blank EspoCRM in memory, and set-up against it, cut off after so many calls."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import SecretStr

from vmh_sync.clock import SystemClock
from vmh_sync.crm_setup import steps as setup
from vmh_sync.crm_setup.session import LeftByHand, SetupChoices, SetupSession, Step
from vmh_sync.sandbox.crm import Crm, CrmConfig, create_crm_app
from vmh_sync.sandbox.crm.people.accounts import Account
from vmh_sync.settings import EspoCrmSettings
from vmh_sync.systems.espocrm.auth import basic_login
from vmh_sync.systems.espocrm.client import EspoClient

GATEWAY = "https://abgleich.example.org/"
CHOICES = SetupChoices(gateway=GATEWAY, assignee="anna", team="Abgleich")


class Killed(Exception):
    """The process died here."""


@dataclass
class CuttingTransport(httpx.AsyncBaseTransport):
    """Passes calls on; after so many, the process is dead: before the call left, or before its answer came."""

    inner: httpx.AsyncBaseTransport
    left: int | None = None
    answer_lost: bool = False
    calls: int = 0
    writes: list[str] = field(default_factory=list)
    answers: dict[str, httpx.Response] = field(default_factory=dict)
    """What is answered to calls of such a method and path instead of passing them on."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        dies = self.left is not None and self.calls > self.left
        if dies and not self.answer_lost:
            raise Killed
        line = f"{request.method} {request.url.path}"
        for pattern, answer in self.answers.items():
            if re.search(pattern, line):
                return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        if request.method != "GET":
            self.writes.append(f"{request.method} {request.url.path}")
        response = await self.inner.handle_async_request(request)
        if dies:
            raise Killed
        return response


@dataclass
class BlankCrm:
    """The installation, what the product stored, and how often it was called."""

    version: str = "9.3.9"
    stored: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        config = CrmConfig(schema="blank", version=self.version, admin_password="geheim", with_users=False)
        self.app = create_crm_app(config)
        self.crm: Crm = self.app.state.api.crm
        anna = Account(self.crm.ids.new(), "anna", "Anna Sekretariat", "regular", password="geheim")
        self.anna = self.crm.add_account(anna)
        self.transport = CuttingTransport(httpx.ASGITransport(self.app))
        self.login = "admin"

    @asynccontextmanager
    async def session(self, choices: SetupChoices = CHOICES) -> AsyncIterator[SetupSession]:
        """Open a session as a new process would, with what earlier ones stored."""
        async with httpx.AsyncClient(transport=self.transport) as http:

            def settings(key: str | None) -> EspoCrmSettings:
                chosen = key or self.stored.get("ESPOCRM_API_KEY") or "-"
                return EspoCrmSettings(api_base_url="http://crm.example/api/v1", api_key=SecretStr(chosen))

            @asynccontextmanager
            async def client_of(key: str | None) -> AsyncIterator[EspoClient]:
                yield EspoClient(settings(key), http=http, clock=SystemClock())

            known = EspoCrmSettings(
                api_base_url="-", api_key=SecretStr("-"), webhook_secrets=self.stored.get("ESPOCRM_WEBHOOK_SECRETS", "")
            )
            yield SetupSession(
                admin=EspoClient(
                    settings(None), login=basic_login(self.login, "geheim"), http=http, clock=SystemClock()
                ),
                client_of=client_of,
                keep=self.stored.__setitem__,
                choices=choices,
                has_login="ESPOCRM_API_KEY" in self.stored,
                secrets={name: value.get_secret_value() for name, value in known.webhook_secrets.items()},
            )

    def plan(self, choices: SetupChoices = CHOICES) -> list[Step]:
        """Plan only."""

        async def planned() -> list[Step]:
            async with self.session(choices) as session:
                return await setup.plan(session)

        return asyncio.run(planned())

    def set_up(self, choices: SetupChoices = CHOICES) -> list[LeftByHand]:
        """Plan and carry out; returns what is left by hand."""

        async def done() -> list[LeftByHand]:
            async with self.session(choices) as session:
                await setup.check_administrator(session)
                await setup.carry_out(session, await setup.plan(session), lambda *_: None)
                await setup.note_remaining(
                    session,
                    self.stored.get("ESPOCRM_DEFAULT_ASSIGNEE_ID"),
                    self.stored.get("ESPOCRM_DEFAULT_TEAM_ID"),
                )
                return list(session.left)

        return asyncio.run(done())

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """Do something as the administrator does; returns the JSON."""

        async def called() -> Any:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app)) as http:
                headers = {"Authorization": self.crm.credentials()["admin_basic"]}
                answer = await http.request(method, f"http://crm.example/api/v1/{path}", json=body, headers=headers)
                assert answer.is_success, (answer.status_code, answer.headers.get("X-Status-Reason"))
                return answer.json() if answer.content else None

        return asyncio.run(called())

    def picture(self) -> dict[str, Any]:
        """Everything set-up makes, without ids, keys and times, to compare two installations."""
        crm = self.crm
        custom = {name: entity for name, entity in crm.schema.items() if entity.custom}
        layouts = ("detail", "detailSmall", "list", "listSmall", "filters", "bottomPanelsDetail")
        hooks = [(hook["event"], hook["url"], hook["skipOwn"]) for hook in crm.tables["Webhook"].rows.values()]
        api = [account for account in crm.accounts.values() if account.is_api]
        return {
            "fields": {name: entity.fields for name, entity in custom.items()},
            "links": {name: sorted(entity.links) for name, entity in custom.items()},
            "locking": {name: entity.optimistic for name, entity in custom.items()},
            "parents": crm.schema["Task"].fields["parent"]["entityList"],
            "layouts": {(e, n): crm.page_layouts.read(crm.admin, e, n) for e in custom for n in layouts},
            "webhooks": sorted(hooks),
            "roles": [(role.name, role.data) for role in crm.roles.values()],
            "users": [(user.user_name, [role.name for role in user.roles]) for user in api],
            "teams": [row["name"] for row in crm.tables["Team"].rows.values()],
            "filters": self.admin("GET", f"Preferences/{self.anna.id}")["presetFilters"],
            "stored": sorted(self.stored),
            "secrets": {hook["secretKey"] in self.stored.get("ESPOCRM_WEBHOOK_SECRETS", "") for hook in self._hooks()},
        }

    def _hooks(self) -> list[dict[str, Any]]:
        return list(self.crm.tables["Webhook"].rows.values())
