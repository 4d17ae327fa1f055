"""``python -m vmh_sync.watch``; with ``--check`` only whether some watch gives signs of life."""

import sys

from vmh_sync.watch.process import check, main

sys.exit(check() if sys.argv[1:] == ["--check"] else main())
