"""What the server that forks workers and sandboxes has imported and read before: each of them then starts at once."""

from vmh_sync.sandbox import run
from vmh_sync.systems.http import make_http
from vmh_sync_tests.chaos import worker

make_http(1.0, 1)  # reads the trusted certificates, which takes longer than a pass

__all__ = ["run", "worker"]
