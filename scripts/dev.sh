#!/bin/sh
# Run a Dagster command in this clone: `sh scripts/dev.sh dagster job list`; without arguments `dagster dev`.
# dagster.yaml beside pyproject.toml is production's and names PostgreSQL; Dagster would take it from the working
# directory. Here DAGSTER_HOME is the embedded home that `vmh-sync up` uses too (.env and VMH_HOME count).
set -eu
cd "$(dirname "$0")/.."
bin=$(pwd -P)/.venv/bin
DAGSTER_HOME=$("$bin/python" -c '
import sys
from pathlib import Path
from vmh_sync.commands.passes.instance import dagster_home
from vmh_sync.orchestration.dagster_home import prepare_storage
from vmh_sync.settings import VmhSettings, load
from vmh_sync.store import upgrade
settings = load(VmhSettings)
home = dagster_home(settings)
if settings.database_url is None:
    upgrade(settings.database)  # the embedded one: the sensors that run at once look into it
prepare_storage(Path(home))  # several processes are about to open it at once
sys.stdout.write(home)')
export DAGSTER_HOME DAGSTER_DISABLE_TELEMETRY=1
VIRTUAL_ENV=${bin%/bin} PATH=$bin:$PATH
export VIRTUAL_ENV PATH
[ "$#" -gt 0 ] || set -- dagster dev
exec "$@"
