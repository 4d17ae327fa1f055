#!/bin/sh
# Every check that is not a test; stops at the first that fails.
set -eu
cd "$(dirname "$0")/.."
bin=.venv/bin

gate() {
    printf 'vmh_sync: check: %s\n' "$*" >&2
    "$@"
}

gate "$bin/ruff" check .
gate "$bin/ruff" format --check .
gate "$bin/mypy"
gate "$bin/lint-imports"
gate "$bin/hadolint" Dockerfile
gate "$bin/check-jsonschema" --builtin-schema vendor.compose-spec docker-compose.yaml
gate "$bin/zensical" build --strict
if [ -e vmh_sync/definitions.py ]; then
    # The code location must load with no setting made: settings are read when a run needs them.
    home=$(mktemp -d)
    trap 'rm -rf "$home"' EXIT
    trap 'exit 130' INT TERM
    DAGSTER_HOME=$home gate "$bin/dagster" definitions validate -w workspace.yaml
fi
