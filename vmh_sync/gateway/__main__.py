"""``python -m vmh_sync.gateway``."""

import sys

from vmh_sync.gateway.serve import serve

sys.exit(serve())
