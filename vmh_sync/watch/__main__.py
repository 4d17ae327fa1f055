"""``python -m vmh_sync.watch``."""

import sys

from vmh_sync.watch.process import main

sys.exit(main())
