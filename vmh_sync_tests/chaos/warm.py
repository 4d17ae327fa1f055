"""What the server that forks workers and sandboxes has imported and read before: each of them then starts at once."""

from vmh_sync.engine.selecting.fingerprint import code_mark
from vmh_sync.sandbox import run
from vmh_sync.systems.advoware.records import WireRecord
from vmh_sync.systems.http import make_http
from vmh_sync_tests.chaos import worker

make_http(1.0, 1)  # reads the trusted certificates, which takes longer than a pass
code_mark()
for record in WireRecord.__subclasses__():
    record.model_rebuild()

__all__ = ["run", "worker"]
