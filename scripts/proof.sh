#!/bin/sh
# The long proofs (docs/guarantees.md): each prints its own counts; all are run, also when one fails.
#   VMH_PROOF_SEEDS       installations drawn at random (default 100)
#   VMH_PROOF_HISTORIES   random histories of killed, stopped and cut off processes, of 50 steps each (default 1000)
#   VMH_PROOF_EXAMPLES    how many games people and real passes play in memory, for each entity (default 200)
#   VMH_SIMULATE_SEEDS    weeks of the whole house on virtual time (default 20)
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
part env VMH_PROOF_EXAMPLES="${VMH_PROOF_EXAMPLES:-200}" sh scripts/test.sh vmh_sync_tests/property
part .venv/bin/python -m vmh_sync_tests.simulation --seeds "${VMH_SIMULATE_SEEDS:-20}"
part .venv/bin/python -m vmh_sync_tests.chaos --histories "$histories" --jobs "$(nproc)"
exit "$failed"
