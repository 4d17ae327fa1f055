#!/bin/sh
# Run the tests. Arguments go to pytest. The tests start the servers they need themselves.
set -eu
cd "$(dirname "$0")/.."
# Without a Chromium the browser tests fail, they are not skipped; chromium.sh has then said what to do.
sh scripts/chromium.sh || :
# The tests decide for themselves what settings they use: neither .env nor the shell may point them at real systems.
for name in $(env | grep -v '^VMH_PROOF_' | sed -n 's/^\(\(ADVOWARE\|ESPOCRM\|GOOGLE_CALENDAR\|CALENDAR_SYNC\|VMH\|DAGSTER\|REDIS\)_[A-Z0-9_]*\)=.*/\1/p'); do
    unset "$name"
done
# The tests start hundreds of Python processes: none of them shall compile the product anew.
unset PYTHONDONTWRITEBYTECODE
# The whole suite in two processes, a file always in one of them; with arguments in one, as a person looking for a fault wants.
if [ "$#" = 0 ]; then
    set -- -n 2 --dist loadfile
fi
status=0
PATH="$(pwd -P)/.venv/bin:$PATH" .venv/bin/python -m pytest "$@" || status=$?
if [ "$status" = 5 ]; then
    echo "vmh_sync: pytest found no test for these arguments; that counts as a failure" >&2
fi
exit "$status"
