#!/bin/sh
# Rewrite both lock files from pyproject.toml. Pins already in the lock files stay unless an argument asks for more,
# e.g. `sh scripts/lock.sh --upgrade` or `sh scripts/lock.sh --upgrade-package httpx`.
# Use the oldest Python we support, Debian 12's 3.11.2 (VMH_PYTHON=/usr/bin/python3 make lock, in a clone without
# .venv): a newer one leaves out backports that the older needs. A test checks the locks for every Python.
#   requirements-dev.lock  everything: run time, every extra, the build backend
#   requirements.lock      what `make demo` and the image install; the same versions, by constraint
set -eu
cd "$(dirname "$0")/.."
compile() {
    CUSTOM_COMPILE_COMMAND="make lock" .venv/bin/python -m piptools compile --quiet \
        --generate-hashes --allow-unsafe --strip-extras --build-deps-for editable \
        --no-annotate --no-emit-find-links --no-emit-index-url --no-emit-trusted-host "$@" pyproject.toml
}
compile --all-extras --output-file requirements-dev.lock "$@"
compile --extra embedded --extra celery --constraint requirements-dev.lock --output-file requirements.lock
