#!/bin/sh
# Run the tests. Arguments go to pytest. The tests start the servers they need themselves.
set -eu
cd "$(dirname "$0")/.."
# Without a Chromium the browser tests fail, they are not skipped; chromium.sh has then said what to do.
sh scripts/chromium.sh || :
cores=$(nproc 2>/dev/null || echo 1)
workers=${VMH_TEST_WORKERS:-$((cores < 7 ? cores + 1 : 8))}
# The tests decide for themselves what settings they use: neither .env nor the shell may point them at real systems.
for name in $(env | grep -v '^VMH_\(PROOF\|TEST\)_' | sed -n 's/^\(\(ADVOWARE\|ESPOCRM\|GOOGLE_CALENDAR\|CALENDAR_SYNC\|VMH\|DAGSTER\|REDIS\)_[A-Z0-9_]*\)=.*/\1/p'); do
    unset "$name"
done
# The tests start hundreds of Python processes: none of them shall compile the product anew.
unset PYTHONDONTWRITEBYTECODE
# What the tests write is durable for nobody: in memory where there is plenty and programs may run from it.
folder_in_memory() {
    [ "$(df -Pk /dev/shm 2>/dev/null | awk 'END { print $4 + 0 }')" -gt 6000000 ] || return 1
    [ "$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo 2>/dev/null || echo 0)" -gt 12000000 ] || return 1
    made=$(mktemp -d /dev/shm/vmh.XXXXXX) && trap 'rm -rf "$made"' EXIT && trap 'exit 130' HUP INT TERM
    chmod 711 "$made" && printf '#!/bin/sh\n' > "$made/runs" && chmod 755 "$made/runs" && "$made/runs"
}
# The whole suite in several processes, one more than there are cores since many tests wait; a file always in one of them, in
# the order of conftest.py. With arguments in one process, as a person looking for a fault wants.
if [ "$#" = 0 ]; then
    set -- -n "$workers" --dist loadfile --no-loadscope-reorder
    if [ -z "${TMPDIR:-}" ] && folder_in_memory; then export TMPDIR="$made"; fi
fi
status=0
PATH="$(pwd -P)/.venv/bin:$PATH" .venv/bin/python -m pytest "$@" || status=$?
if [ "$status" = 5 ]; then
    echo "vmh_sync: pytest found no test for these arguments; that counts as a failure" >&2
fi
exit "$status"
