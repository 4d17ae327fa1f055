"""The matcher on labelled parties (``python -m vmh_sync_tests.bench matching``): recall, wrong links, time."""

import sys
import time
from collections import Counter

from vmh_sync.matching.pairing import match
from vmh_sync_tests.fixtures.labelled_parties import labelled_parties


def main(number: int = 20_000, seed: int = 1) -> None:
    """Match two sides of ``number`` parties each and print what became of every kind of twin and trap."""
    made = labelled_parties(seed, number)
    begun = time.perf_counter()
    found = match(made.left, made.right)
    took = time.perf_counter() - begun
    certain = {(pair.one, pair.other) for pair in found.certain}
    asked = {(pair.one, pair.other) for pair in found.likely}
    twins = set(made.twins)
    print(f"{len(made.left)} and {len(made.right)} parties, {len(twins)} twins, {len(made.traps)} traps: {took:.1f} s")
    print(f"recall {len((certain | asked) & twins) / len(twins):.2%}, linked {len(certain)}, asked {len(asked)}")
    print(f"wrong links {len(certain - twins)}, questions about strangers {len(asked - twins)}")
    totals = Counter(made.twins.values())
    for kind, total in sorted(totals.items()):
        told = [pair for pair, its in made.twins.items() if its == kind]
        linked, questions = sum(pair in certain for pair in told), sum(pair in asked for pair in told)
        print(
            f"  {kind:<34}{total:>6}  linked {linked:>5}  asked {questions:>5}  missed {total - linked - questions:>4}"
        )
    for kind, total in sorted(Counter(made.traps.values()).items()):
        questions = sum(its == kind for pair, its in made.traps.items() if pair in asked)
        print(f"  trap: {kind:<28}{total:>6}  asked {questions:>5}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
