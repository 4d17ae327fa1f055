"""``python -m vmh_sync.watch``; with ``--check`` only whether some watch gives signs of life.

``--pulse FD``: where ``vmh-sync up`` reads that this process turns.
"""

import argparse
import sys

from vmh_sync.watch.process import check, main

options = argparse.ArgumentParser(prog="python -m vmh_sync.watch")
options.add_argument("--check", action="store_true")
options.add_argument("--pulse", type=int)
asked = options.parse_args()
sys.exit(check() if asked.check else main(asked.pulse))
