"""The network between the product and its services: a proxy before each, which may be slow, stand still or break."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_CHUNK = 65536
_PATIENCE = 30


class Cable:
    """What lies between the clients and one service. All methods but those of the connections are for other threads.

    ``delay``: seconds that each piece of data takes, in both directions. ``lost_answers``: so many of the next answers
    do not arrive, their connections break instead.
    """

    def __init__(self, dial: Callable[[], Awaitable[Streams]]) -> None:
        self._dial = dial
        self._flows = asyncio.Event()
        self._flows.set()
        self._ends: set[asyncio.StreamWriter] = set()
        self.delay = 0.0
        self.lost_answers = 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until one of its ends is gone."""
        self._ends.add(writer)
        try:
            there, back = await self._dial()
            self._ends.add(back)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._questions(reader, back))
                    group.create_task(self._answers(there, writer))
            finally:
                self._ends.discard(back)
                back.transport.abort()
        except* OSError:
            pass  # one end is gone, and the other is told by what follows
        finally:
            self._ends.discard(writer)
            writer.transport.abort()

    async def _questions(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(_CHUNK):
            await self._take_its_time()
            if source.at_eof() or source.exception():
                raise ConnectionAbortedError  # who asked has given up: it would arrive after everybody's time
            target.write(data)
            await target.drain()
        raise ConnectionResetError

    async def _answers(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(_CHUNK):
            await self._take_its_time()
            if self.lost_answers > 0:
                self.lost_answers -= 1
                raise ConnectionAbortedError
            target.write(data)
            await target.drain()
        raise ConnectionResetError

    async def _take_its_time(self) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)
        await self._flows.wait()

    def hold(self, seconds: float) -> None:
        """Let nothing through for a while (to be called in the proxy's loop)."""
        self._flows.clear()
        asyncio.get_running_loop().call_later(seconds, self._flows.set)

    def cut(self) -> None:
        """Break all connections (to be called in the proxy's loop)."""
        for end in self._ends:
            end.transport.abort()

    def mend(self) -> None:
        """Be a good network again."""
        self.delay = 0.0
        self.lost_answers = 0


class Network:
    """Proxies before TCP ports and unix sockets, in a thread with a loop of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._servers: list[asyncio.Server] = []
        self.cables: list[Cable] = []

    def before_port(self, port: int) -> int:
        """Put a proxy before a port of loopback; returns the proxy's own."""

        async def serve() -> int:
            cable = Cable(lambda: asyncio.open_connection("127.0.0.1", port))
            server = await asyncio.start_server(cable.connected, "127.0.0.1", 0)
            self._keep(cable, server)
            return int(server.sockets[0].getsockname()[1])

        return self._run(serve())

    def before_socket(self, path: Path, own: Path) -> None:
        """Put a proxy with the unix socket ``own`` before the one at ``path``."""

        async def serve() -> None:
            cable = Cable(lambda: asyncio.open_unix_connection(str(path)))
            self._keep(cable, await asyncio.start_unix_server(cable.connected, str(own)))

        self._run(serve())

    def _keep(self, cable: Cable, server: asyncio.Server) -> None:
        self.cables.append(cable)
        self._servers.append(server)

    def hold(self, cable: Cable, seconds: float) -> None:
        """Let nothing through one cable for a while."""
        self._loop.call_soon_threadsafe(cable.hold, seconds)

    def cut(self, cable: Cable) -> None:
        """Break all connections of one cable."""
        self._loop.call_soon_threadsafe(cable.cut)

    def mend(self) -> None:
        """Be a good network again."""
        for cable in self.cables:
            cable.mend()

    def close(self) -> None:
        """Stop all proxies."""

        async def stop() -> None:
            for server in self._servers:
                server.close()
            own = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in own:
                task.cancel()
            await asyncio.gather(*own, return_exceptions=True)

        self._run(stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)
