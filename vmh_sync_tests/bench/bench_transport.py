"""What sending one request costs: ``python -m vmh_sync_tests.bench transport [calls]``.

CPU (user and system) of this process per call, the server being another one; so a busy machine hardly matters.
"""

import asyncio
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager

import httpx
import uvloop

from vmh_sync.systems.http import HttpClient, make_http

AT_ONCE = 8
_BODY = b'{"betNr": 7, "name": "Muster", "kommunikation": [%s]}' % b",".join(b'{"id": %d}' % i for i in range(60))
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)


class _Server(asyncio.Protocol):
    """Answers every request alike, at next to no cost."""

    def __init__(self) -> None:
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for _ in requests:
            assert isinstance(self._transport, asyncio.Transport)
            self._transport.write(_ANSWER)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Server, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


@contextmanager
def _serving() -> Iterator[str]:
    command = [sys.executable, "-m", "vmh_sync_tests.bench.bench_transport", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def main(calls: int = 3_000) -> None:
    """Print the CPU a call of httpx's own client, that we compare with, and of the product's, with both event loops."""
    print(f"command: python -m vmh_sync_tests.bench transport {calls}")
    with _serving() as url:
        for title in ("bare httpx.AsyncClient", "the product's client"):
            for run in (asyncio.run, uvloop.run):
                client = httpx.AsyncClient(trust_env=False) if title.startswith("bare") else make_http(30, AT_ONCE)
                spent = run(_measured(client, url, calls))
                print(f"  {title}, {run.__module__.partition('.')[0]}: {spent:.3f} ms CPU a call")


async def _measured(client: AbstractAsyncContextManager[HttpClient], url: str, calls: int) -> float:
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(http: HttpClient, number: int) -> None:
        async with limit:
            headers = {"Accept": "application/json", "Authorization": "Bearer x"}
            (await http.request("GET", f"{url}/api/v1/advonet/Beteiligte/{number}", headers=headers)).json()

    async with client as http:
        await asyncio.gather(*(one(http, number) for number in range(100)))
        before = _cpu()
        await asyncio.gather(*(one(http, number) for number in range(calls)))
        return (_cpu() - before) * 1000 / calls


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    asyncio.run(_serve())
