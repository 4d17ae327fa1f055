"""``python -m vmh_sync.sandbox``."""

from vmh_sync.sandbox.run import main

main()
