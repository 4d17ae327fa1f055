"""A process with many callers that all met a 401: ``token_callers.py URL CALLERS``.

Prints ``ready``, waits for a line, lets all callers refresh at once and prints the tokens they got.
"""

import asyncio
import sys

from vmh_sync.coordination.connection import connect
from vmh_sync.coordination.shared_token import SharedToken


async def main(url: str, callers: int) -> None:
    client = connect(url)
    shared = SharedToken[str](client, "t", serialise=str, parse=str, lifetime=lambda _token: 60)
    await client.ping()

    async def fetch() -> str:
        n = await client.incr("fetches")
        await asyncio.sleep(0.2)  # a login takes its time
        return f"token {n}"

    print("ready", flush=True)  # noqa: T201 - the answer to the test
    await asyncio.to_thread(sys.stdin.readline)
    tokens = await asyncio.gather(*(shared.refresh("old", fetch) for _ in range(callers)))
    print("|".join(tokens), flush=True)  # noqa: T201 - the answer to the test
    await client.aclose()


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
