"""``python -m vmh_sync_tests.bench [name] [number]``: all benchmarks, or one of them."""

import sys

from vmh_sync_tests.bench import (
    bench_calendar,
    bench_calendar_calls,
    bench_conversion,
    bench_gateway,
    bench_inbox_load,
    bench_lane,
    bench_matching,
    bench_parties,
    bench_transport,
    bench_workers,
)

BENCHES = {
    "parties": bench_parties.main,
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
    "workers": bench_workers.main,
}


def main() -> None:
    """Run the benchmarks named on the command line, or all."""
    names = [argument for argument in sys.argv[1:] if argument in BENCHES] or list(BENCHES)
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    for name in names:
        print(f"== {name}")
        BENCHES[name](*numbers[:1])


main()
