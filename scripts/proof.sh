#!/bin/sh
# The long proofs (docs/guarantees.md): each prints its own counts; all are run, also when one fails.
#   VMH_PROOF_SEEDS       installations drawn at random (default 100)
#   VMH_PROOF_HISTORIES   random histories of killed, stopped and cut off processes, of 50 steps each (default 1000)
set -eu
cd "$(dirname "$0")/.."
export VMH_PROOF_SEEDS="${VMH_PROOF_SEEDS:-100}"
histories="${VMH_PROOF_HISTORIES:-1000}"
failed=0
part() {
    printf 'vmh_sync: proof: %s\n' "$*" >&2
    "$@" || failed=1
}
part sh scripts/test.sh -m proof
part sh scripts/test.sh vmh_sync_tests/crash vmh_sync_tests/pipeline/installations
part .venv/bin/python -m vmh_sync_tests.chaos --histories "$histories"
exit "$failed"
