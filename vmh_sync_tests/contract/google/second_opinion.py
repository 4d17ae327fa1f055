"""The recorded answers of the npm package ``emulate``, and how they are asked anew (``make second-opinion``)."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httplib2

ANSWERS = Path(__file__).with_name("second_opinion.json")
ASK_ANEW = "VMH_SECOND_OPINION"
PACKAGE = "emulate@0.11.2"
PERSON = "kanzlei@example.test"
_KEPT_HEADERS = ("status", "content-type")
# emulate binds all interfaces; this start script holds it to loopback and tells the port it got.
_START = """
import net from "node:net";
import { createEmulator } from "emulate";
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function () {
  this.once("listening", () => console.log(JSON.stringify({ port: this.address().port })));
  return listen.call(this, { port: 0, host: "127.0.0.1" });
};
const person = "PERSON";
await createEmulator({
  service: "google",
  port: 1,
  seed: {
    tokens: { secret: { login: person, scopes: [] } },
    google: {
      users: [{ email: person, name: "Kanzlei" }],
      calendars: [{ id: "kanzlei", user_email: person, summary: "AW-SB", time_zone: "Europe/Berlin" }],
    },
  },
});
"""

Json = dict[str, Any]


class Recording(httplib2.Http):
    """What the official client talks through: gives the recorded answers in order, and accepts no other request."""

    def __init__(self, exchanges: list[Json]) -> None:
        super().__init__(proxy_info=None)
        self.url: str | None = None
        self.exchanges = exchanges
        self.next = 0

    @classmethod
    @contextmanager
    def of(cls, test: str) -> Iterator["Recording"]:
        """Play the answers for one test, or ask for them and keep them; in the end all must have been asked for."""
        if os.environ.get(ASK_ANEW):
            with _asked_anew(test) as asking:
                yield asking
            return
        playing = cls(json.loads(ANSWERS.read_text(encoding="utf-8"))[test])
        yield playing
        assert playing.next == len(playing.exchanges), "fewer requests than were recorded: make second-opinion"

    def request(  # type: ignore[override]
        self, uri: str, method: str = "GET", body: Any = None, headers: Mapping[str, str] | None = None, **_: Any
    ) -> tuple[httplib2.Response, bytes]:
        """Answer one request as it was answered when it was recorded."""
        exchange = self.exchanges[self.next]
        self.next += 1
        assert exchange["request"] == _asked(uri, method, body), (
            "another request than was recorded: make second-opinion"
        )
        return httplib2.Response(exchange["headers"]), exchange["content"].encode()


class _Asking(Recording):
    def __init__(self, url: str) -> None:
        super().__init__([])
        self.url = url

    def request(self, uri: str, method: str = "GET", body: Any = None, **rest: Any) -> tuple[httplib2.Response, bytes]:  # type: ignore[override]
        response, content = httplib2.Http.request(self, uri, method, body, **rest)
        headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
        answer = {"request": _asked(uri, method, body), "headers": headers, "content": content.decode()}
        self.exchanges.append(answer)
        return response, content


def _asked(uri: str, method: str, body: Any) -> Json:
    parts = urlsplit(uri)
    return {"method": method, "path": f"{parts.path}?{parts.query}", "body": json.loads(body) if body else None}


@contextmanager
def _asked_anew(test: str) -> Iterator[Recording]:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (home / "start.mjs").write_text(_START.replace("PERSON", PERSON), encoding="utf-8")
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(home), PACKAGE]
        subprocess.run(command, check=True, timeout=120, cwd=home)
        process = stack.enter_context(
            subprocess.Popen(["node", "start.mjs"], cwd=home, stdout=subprocess.PIPE, text=True)
        )
        stack.callback(process.terminate)
        assert process.stdout is not None
        asking = _Asking(f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}")
        yield asking
    answers = json.loads(ANSWERS.read_text(encoding="utf-8")) if ANSWERS.exists() else {}
    answers[test] = asking.exchanges
    ANSWERS.write_text(json.dumps(answers, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
