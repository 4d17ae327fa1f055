"""How much hypothesis plays: a fixed, bounded share in the normal run, new draws in the long proof."""

import os

from hypothesis import settings

PROOF_EXAMPLES = int(os.environ.get("VMH_PROOF_EXAMPLES", "0"))


def play(examples: int, steps: int = 30) -> settings:
    """Return the settings of a machine: always the same examples, or ``VMH_PROOF_EXAMPLES`` new ones."""
    if PROOF_EXAMPLES:
        return settings(max_examples=PROOF_EXAMPLES, stateful_step_count=50, deadline=None)
    return settings(max_examples=examples, stateful_step_count=steps, deadline=None, derandomize=True, database=None)
