"""The simulated EspoCRM can be set up as the real 9.3.9 could (docs/contract-replay.md)."""

import json
import sys
from collections.abc import Callable

import pytest

from vmh_sync_tests.contract.espocrm_replay import SETUP_RECORDINGS, Outcome, Replay, moment, recordings
from vmh_sync_tests.contract.espocrm_setup_hidden import FILE_VERSION, START, stand

WANTED_SHARE = 0.98
KNOWN_DIFFERENCES: dict[str, str] = {}
"""Name -> why the simulation answers otherwise; each is explained in docs/contract-replay.md."""


async def play_all() -> list[Outcome]:
    """Return how every recording compared, in the order of the file."""
    file = recordings(SETUP_RECORDINGS)
    replay = Replay(FILE_VERSION, START)
    await stand(replay, file)
    outcomes = []
    for recording in file:
        body = recording["response"]["body"]
        if recording["request"]["method"] == "POST" and isinstance(body, dict) and "createdAt" in body:
            replay.clock.moment = moment(body["createdAt"])
        outcomes.append(await replay.play(recording))
    await replay.client.aclose()
    return outcomes


async def test_the_recordings_of_a_setup_agree(
    record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = await play_all()

    agreeing = [outcome for outcome in outcomes if not outcome.differences]
    lines = [f"set-up of 9.3.9    {len(outcomes):3} apply, {len(agreeing):3} agree"]
    lines += [f"{outcome.name}: {difference}" for outcome in outcomes for difference in outcome.differences]
    text = "\n".join(lines)
    with capsys.disabled():
        sys.stdout.write(f"\n{text}\n")
    record_property("contract_replay", json.dumps({"apply": len(outcomes), "agree": len(agreeing)}))
    assert len(outcomes) == len(recordings(SETUP_RECORDINGS))
    assert len(agreeing) / len(outcomes) >= WANTED_SHARE, text
    assert {outcome.name for outcome in outcomes if outcome.differences} == KNOWN_DIFFERENCES.keys(), text
