"""Plays the recordings of real EspoCRMs (9.2.7, 9.3.9) against the simulated one and compares the answers.

Ids and keys that the recorded system made are bound to those of the simulation where they first appear; from then
on they must match. Dates are compared literally: the clock of the simulation stands at the moment that a recorded
write shows. Order of JSON keys is not compared; everything else is. Where the recorder put "…" for a value, any value
agrees; where it kept only a part of an object (``TRIMMED``), that part is compared.
"""

import base64
import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from vmh_sync.sandbox.crm import CrmConfig, CrmHooks, WebhookConfig, create_crm_app
from vmh_sync.sandbox.crm.versions import DEFAULT

RECORDINGS = Path(__file__).with_name("espocrm-9.2.7.jsonl")
SETUP_RECORDINGS = Path(__file__).with_name("espocrm-9.3.9-setup.jsonl")
TRIMMED = {"u01_app_user_api": {"body", "body.acl", "body.acl.table"}, "s01_settings_admin_subset": {"body"}}
"""Recording -> objects of which the recorder kept a part; the file says so in its names or with "…"."""
LEFT_OUT = "…"
HIDDEN = "<secret>"
START = datetime(2026, 11, 23, 16, 9, 21, tzinfo=UTC)
ID = re.compile(r"[0-9a-f]{17}")
SYNC_USER = "6b0465319b3f4367b"
"""The API user of the 9.2.7 recordings."""
WRONG_SECRET = "wrong" * 6
COMPARED_HEADERS = ("X-Status-Reason", "WWW-Authenticate", "Allow")


class SettableClock:
    """A clock that stands where it is put, backwards too."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


@dataclass
class Outcome:
    """How one recording compared; ``differences`` is empty if it agrees."""

    name: str
    differences: list[str] = field(default_factory=list)


def recordings(file: Path = RECORDINGS) -> list[dict[str, Any]]:
    """The recordings in the order of the file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def moment(text: str) -> datetime:
    """Read a stored date-time (UTC)."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Replay:
    """A simulated EspoCRM, a client for it, and the bindings between recorded and simulated ids."""

    def __init__(self, version: str = DEFAULT, start: datetime = START) -> None:
        self.clock = SettableClock(start)
        self.received: dict[str, list[httpx.Request]] = {}
        config = CrmConfig(
            clock=self.clock,
            schema="blank",
            version=version,
            with_users=False,
            formula_dirty=False,
            webhooks=WebhookConfig(interval=0),
        )
        self.app = create_crm_app(config, transport=httpx.MockTransport(self._receive))
        self.api = self.app.state.api
        self.crm = self.api.crm
        self.hooks = CrmHooks(self.app)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=True), base_url="http://crm.example"
        )
        self.ours: dict[str, str] = {}
        self.theirs: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.admin = self.crm.credentials()["admin_basic"]

    def _receive(self, request: httpx.Request) -> httpx.Response:
        self.received.setdefault(request.url.path, []).append(request)
        return httpx.Response(200)

    def bind(self, recorded: str, simulated: str) -> bool:
        """Take two ids (or keys) as the same; ``False`` if one of them is bound otherwise already."""
        if recorded in self.ours or simulated in self.theirs:
            return self.ours.get(recorded) == simulated
        self.ours[recorded], self.theirs[simulated] = simulated, recorded
        return True

    def translate(self, text: str) -> str:
        """Replace recorded ids in a text by the simulated ones."""
        return ID.sub(lambda match: self.ours.get(match.group(), match.group()), text)

    async def call(self, method: str, path: str, body: Any = None, *, as_user: str = "<espo_api_key>") -> Any:
        """Make a request of the hidden setup and return its JSON; it must succeed."""
        headers = {"Authorization": self.admin} if as_user == "admin" else {"X-Api-Key": self.secrets[as_user]}
        content = None if body is None else self.translate(json.dumps(body))
        headers["Content-Type"] = "application/json"
        response = await self.client.request(
            method, f"/api/v1/{self.translate(path)}", content=content, headers=headers
        )
        assert response.is_success, (method, path, response.status_code, response.headers.get("X-Status-Reason"))
        return response.json()

    def seed(self, entity: str, record_id: str, **values: Any) -> None:
        """Put a record there as it stood before the recording; replaces an earlier one with that id."""
        self.forget(entity, record_id)
        self.bind(record_id, record_id)
        record = {"id": record_id, "createdById": self.ours.get(SYNC_USER), **values}
        self.hooks.seed({"records": {entity: [json.loads(self.translate(json.dumps(record)))]}})

    def forget(self, entity: str, record_id: str) -> None:
        """Remove a record without a trace."""
        table = self.crm.tables[entity]
        simulated = self.ours.get(record_id, record_id)
        if simulated in table.rows:
            table.remove(simulated)
        table.deleted.pop(simulated, None)

    def at(self, text: str) -> None:
        """Put the clock to a stored date-time."""
        self.clock.moment = moment(text)

    def later(self, seconds: float) -> None:
        """Move the clock on."""
        self.clock.moment += timedelta(seconds=seconds)

    def headers(self, recording: dict[str, Any]) -> dict[str, str]:
        """The recorded headers with the simulation's keys in them."""
        name, request = recording["name"], recording["request"]
        headers = dict(request["headers"])
        if "X-Api-Key" in headers:
            headers["X-Api-Key"] = self.secrets.get(headers["X-Api-Key"], headers["X-Api-Key"])
        if headers.get("Authorization") == "Basic <admin>":
            headers["Authorization"] = "Basic YWRtaW46d3Jvbmc=" if "bad_basic" in name else self.admin
        if "X-Hmac-Authorization" in headers:
            wrong = "wrong" in name or "bad_hmac" in name
            headers["X-Hmac-Authorization"] = self.hmac_header(request["method"], request["url"], wrong=wrong)
        return headers

    def hmac_header(self, method: str, url: str, *, wrong: bool = False) -> str:
        """Sign a request as the HMAC user, with the right secret or a wrong one."""
        path = self.translate(httpx.URL(url).path.removeprefix("/api/v1"))
        secret = WRONG_SECRET if wrong else self.secrets["<espo_hmac_secret_key>"]
        digest = hmac.new(secret.encode(), f"{method} {path}".encode(), hashlib.sha256).hexdigest()
        return base64.b64encode(f"{self.secrets['<espo_hmac_api_key>']}:{digest}".encode()).decode()

    async def play(self, recording: dict[str, Any]) -> Outcome:
        """Send the recorded request and compare the answer."""
        request, expected = recording["request"], recording["response"]
        body = request["body"]
        content = body if isinstance(body, str) or body is None else json.dumps(body)
        response = await self.client.request(
            request["method"],
            self.translate(request["url"]),
            content=None if content is None else self.translate(content),
            headers=self.headers(recording),
        )
        outcome = Outcome(recording["name"])
        if response.status_code != expected["status"]:
            reason = response.headers.get("X-Status-Reason")
            outcome.differences.append(f"status {response.status_code} ({reason}) instead of {expected['status']}")
            return outcome
        self._compare_headers(expected["headers"], response, outcome)
        self._compare("body", expected["body"], _body_of(response), outcome)
        return outcome

    def _compare_headers(self, expected: dict[str, str], response: httpx.Response, outcome: Outcome) -> None:
        for name in COMPARED_HEADERS:
            wanted = expected.get(name)
            wanted = self.translate(wanted) if wanted is not None else None
            if response.headers.get(name) != wanted:
                outcome.differences.append(f"{name}: {response.headers.get(name)!r} instead of {wanted!r}")
        kind = expected.get("Content-Type", "").split(";")[0]
        found = response.headers.get("Content-Type", "").split(";")[0]
        if kind != found:
            outcome.differences.append(f"Content-Type: {found!r} instead of {kind!r}")

    def compare(self, name: str, expected: Any, found: Any) -> Outcome:
        """Compare two JSON values; ids are bound on the way."""
        outcome = Outcome(name)
        self._compare("body", expected, found, outcome)
        return outcome

    def _compare(self, path: str, expected: Any, found: Any, outcome: Outcome) -> None:
        if expected == LEFT_OUT:
            return
        if isinstance(expected, dict) and isinstance(found, dict):
            self._compare_objects(path, expected, found, outcome)
        elif isinstance(expected, list) and isinstance(found, list):
            if len(expected) != len(found):
                outcome.differences.append(f"{path}: {len(found)} items instead of {len(expected)}")
                return
            for position, pair in enumerate(zip(expected, found, strict=True)):
                self._compare(f"{path}[{position}]", *pair, outcome)
        elif isinstance(expected, str) and isinstance(found, str):
            self._compare_texts(path, expected, found, outcome)
        elif expected != found or type(expected) is not type(found):
            outcome.differences.append(f"{path}: {found!r} instead of {expected!r}"[:300])

    def _compare_texts(self, path: str, expected: str, found: str, outcome: Outcome) -> None:
        if expected == HIDDEN:
            if not found:
                outcome.differences.append(f"{path}: no secret")
        elif path.endswith(("apiKey", "secretKey")):
            if self.secrets.setdefault(expected, found) != found:
                outcome.differences.append(f"{path}: another key")
        elif ID.fullmatch(expected) and ID.fullmatch(found):
            if not self.bind(expected, found):
                outcome.differences.append(f"{path}: another record")
        elif expected != found:
            outcome.differences.append(f"{path}: {found!r} instead of {expected!r}"[:300])

    def _compare_objects(self, path: str, expected: dict[str, Any], found: dict[str, Any], outcome: Outcome) -> None:
        renamed = {self.ours.get(key, key): value for key, value in expected.items()}
        missing, extra = renamed.keys() - found.keys(), found.keys() - renamed.keys()
        if missing:
            outcome.differences.append(f"{path}: without {sorted(missing)}"[:300])
        if extra and path not in TRIMMED.get(outcome.name, ()):
            outcome.differences.append(f"{path}: also has {sorted(extra)}"[:300])
        for key in renamed.keys() & found.keys():
            self._compare(f"{path}.{key}", renamed[key], found[key], outcome)


def _body_of(response: httpx.Response) -> Any:
    if not response.content:
        return ""
    try:
        return response.json()
    except ValueError:
        return response.text
