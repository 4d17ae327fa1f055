#!/bin/sh
# Ask the npm package `emulate` anew for what vmh_sync_tests/contract/google/second_opinion.json holds.
# Needs Node and npm; nothing else in this repository does.
set -eu
cd "$(dirname "$0")/.."
VMH_SECOND_OPINION=1 .venv/bin/python -m pytest -q -p no:randomly vmh_sync_tests/contract/google/test_second_opinion.py
