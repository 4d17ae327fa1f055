"""The ops of a run share what the first one read."""

from itertools import count

from vmh_sync.orchestration.jobs.opened_once import OpenedOnce


async def test_settings_are_read_once_a_run_and_outside_of_one_each_time() -> None:
    opened, numbers = OpenedOnce[object](), count(1)
    for expected in (1, 2):
        async with opened.run():
            assert [opened.settings(lambda: next(numbers)) for _ in range(2)] == [expected, expected]
    assert [opened.settings(lambda: next(numbers)) for _ in range(2)] == [3, 4]
