"""Google's real client over the wire in memory: the cut is httplib2's ``Http``.

What the product gives to a thread runs here as one callback, so a call that takes long lets time pass for everybody.
"""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httplib2
from pydantic import SecretStr

from vmh_sync.fence import seconds_for_a_write
from vmh_sync.sandbox.google import GoogleConfig
from vmh_sync.sandbox.google.keys import key_for
from vmh_sync.sandbox.google.tokens import AccessToken
from vmh_sync.settings import GoogleCalendarSettings
from vmh_sync.systems.google_calendar.service import SCOPES, ServiceFactory
from vmh_sync_tests.inmemory.loop import Died
from vmh_sync_tests.inmemory.network import BASE, Wire
from vmh_sync_tests.inmemory.world import World

_ENDLESS = datetime(2100, 1, 1, tzinfo=UTC)


class HttpOnWire:
    """What Google's client needs of httplib2, with a token that does not end."""

    _wire: Wire

    def connect(self, world: World) -> None:
        """Lead to this world from now on: there is one at a time."""
        email = world.google.config.service_account_email
        tokens = world.google.api.tokens._tokens
        tokens["in-memory"] = AccessToken(email, frozenset(SCOPES), _ENDLESS, is_service_account=True)
        self._wire = world.wire

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **more: Any
    ) -> tuple[httplib2.Response, bytes]:
        """Carry one request; raises what httplib2 raises where no answer comes, :class:`Died` for a sender's death."""
        del more
        wire = self._wire
        if wire.cut:
            raise ConnectionRefusedError("the network is gone")
        content = body.encode() if isinstance(body, str) else bytes(body or b"")
        said = [*(headers or {}).items(), ("authorization", "Bearer in-memory")]
        sent, fate = wire.judge(method, uri)
        wire.loop.pass_time(fate.seconds)
        if fate.dies == "before":
            raise Died
        if fate.answer == "refused":
            raise ConnectionRefusedError("refused")
        if sent.is_write:
            seconds_for_a_write()
        told = wire.outcome(fate, sent, uri, said, content)
        if fate.dies == "after":
            raise Died
        answer = told()
        if answer is None:
            raise TimeoutError("no answer")
        status, lines, text = answer
        return httplib2.Response({**dict(lines), "status": str(status)}), text


class ServicesOnWire(ServiceFactory):
    """The product's factory with the wire in the place of the network."""

    def __init__(self) -> None:
        base = BASE.format(name="google")
        key = json.dumps(key_for(GoogleConfig().service_account_email).as_json(f"{base}/token"))
        self.settings = GoogleCalendarSettings(_env_file=None, service_account_json=SecretStr(key), api_endpoint=base)
        self.wired = HttpOnWire()
        super().__init__(self.settings)

    def _authorized_http(self) -> Any:
        return self.wired


_services = cache(ServicesOnWire)
"""Made once: reading Google's discovery document and the key takes longer than many passes."""


def services_for(world: World) -> ServicesOnWire:
    """Return the factory, connected with this world."""
    services = _services()
    services.wired.connect(world)
    return services
