"""``python -m vmh_sync_tests.bench [name] [number]``: all benchmarks, or one of them."""

import argparse
from collections.abc import Callable

from vmh_sync_tests.bench import (
    bench_all,
    bench_calendar,
    bench_calendar_calls,
    bench_conversion,
    bench_gateway,
    bench_growth,
    bench_inbox_load,
    bench_lane,
    bench_matching,
    bench_parties,
    bench_steps,
    bench_transport,
    bench_workers,
)

BENCHES: dict[str, Callable[..., object]] = {
    "parties": bench_parties.main,
    "steps": bench_steps.main,
    "transport": bench_transport.main,
    "matching": bench_matching.main,
    "conversion": bench_conversion.main,
    "calendar": bench_calendar.main,
    "calendar_calls": bench_calendar_calls.main,
    "gateway": bench_gateway.main,
    "gateway_celery": bench_gateway.celery,
    "gateway_celery_postgres": bench_gateway.celery_postgres,
    "inbox_load": bench_inbox_load.main,
    "lane": bench_lane.main,
    "growth": bench_growth.main,
    "workers": bench_workers.main,
}
AIMS = "all"
"""The aims in half an hour; without a name each bench runs at its full size, which takes hours."""


def main() -> None:
    """Run the benchmarks named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="bench", description="Figures for docs/benchmarks.md; all, or those named.")
    parser.add_argument(
        "what", nargs="*", metavar="NAME|NUMBER", help=f"{', '.join((AIMS, *BENCHES))}; how many parties or edits"
    )
    asked: list[str] = parser.parse_args().what
    numbers = [int(word) for word in asked if word.isdigit()]
    names = [word for word in asked if not word.isdigit()]
    if unknown := [name for name in names if name not in (AIMS, *BENCHES)]:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    for name in names or BENCHES:
        print(f"== {name}")
        {AIMS: bench_all.main, **BENCHES}[name](*numbers[:1])


if __name__ == "__main__":
    main()
