"""A process that holds a lease until it is killed: ``holder.py URL NAME SECONDS``. Prints ``held`` or ``busy``."""

import asyncio
import sys

from vmh_sync.coordination.connection import connect
from vmh_sync.coordination.leases import Leases


async def main(url: str, name: str, seconds: float) -> None:
    client = connect(url)
    async with Leases(client, seconds).hold(name) as lease:
        print("held" if lease else "busy", flush=True)  # noqa: T201 - the answer to the test
        await asyncio.Event().wait()


asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
