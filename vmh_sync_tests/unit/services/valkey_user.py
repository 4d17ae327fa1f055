"""A process that uses the embedded Valkey until it is told to end: ``valkey_user.py HOME``. Prints the URL."""

import sys
from pathlib import Path

from vmh_sync.services.valkey import ensure_redis

print(ensure_redis(Path(sys.argv[1])), flush=True)  # noqa: T201 - the answer to the test
sys.stdin.readline()
