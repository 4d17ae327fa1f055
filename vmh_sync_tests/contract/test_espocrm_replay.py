"""The simulated EspoCRM answers as the real one did (docs/contract-replay.md)."""

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from vmh_sync_tests.contract.espocrm_deliveries import delivery_outcomes
from vmh_sync_tests.contract.espocrm_hidden_setup import BEFORE, STEPS, WAITED
from vmh_sync_tests.contract.espocrm_replay import Outcome, Replay, moment, recordings

# Name -> why the simulation answers otherwise; each is explained in docs/contract-replay.md.
KNOWN_DIFFERENCES: dict[str, str] = {
    "a06_app_user_of_api_user": "the real answer holds the whole state of the front end",
    "e60_settings_phoneNumberInternational_off": "the real answer lists all settings of an installation",
    "e62_settings_phoneNumberInternational_on": "the real answer lists all settings of an installation",
}

CORE = ("CBeteiligte", "CBankverbindungen", "CAdressen", "Task", "Note", "Webhook")


def ordered() -> list[dict[str, Any]]:
    """The recordings in the order in which they are played: that of the file, save for winners of a race."""
    by_name = {recording["name"]: recording for recording in recordings()}
    names = list(by_name)
    for loser, winner in BEFORE.items():
        names.remove(winner)
        names.insert(names.index(loser), winner)
    return [by_name[name] for name in names]


def group_of(recording: dict[str, Any]) -> str:
    """Return the entity type a recording concerns, ``login`` for logins, ``other`` for the rest."""
    name = recording["name"]
    if name[0] == "a" or name.startswith(("x04", "x1", "x2", "y02", "y03")):
        return "login"
    if name.startswith("w"):
        return "Webhook"
    path = recording["request"]["url"].split("/api/v1/")[1].split("?")[0].split("/")[0]
    if path == "MassAction":
        path = str(recording["request"]["body"]["entityType"])
    return path if path in CORE else "other"


def set_clock(replay: Replay, recording: dict[str, Any]) -> None:
    """Put the clock to the moment that a recorded write shows; on, if the recorder waited for a change to show."""
    body = recording["response"]["body"]
    if recording["request"]["method"] == "GET" or not isinstance(body, dict):
        return
    if recording["name"] in WAITED:
        replay.later(3)
    elif "modifiedAt" in body or "createdAt" in body:
        replay.clock.moment = moment(body.get("modifiedAt") or body["createdAt"])


async def play_all() -> dict[str, tuple[str, Outcome]]:
    """Return for every recording its group and how it compared."""
    replay = Replay()
    replay.bind("6b046421ad4c2dd4b", replay.crm.admin.id)
    outcomes: dict[str, tuple[str, Outcome]] = {}
    for recording in ordered():
        name = recording["name"]
        step = STEPS.get(name)
        if step is not None:
            await step(replay)
        if "response" not in recording:
            outcomes[name] = ("Webhook", await delivery_outcomes(replay, recording))
            continue
        set_clock(replay, recording)
        outcomes[name] = (group_of(recording), await replay.play(recording))
    await replay.client.aclose()
    return outcomes


def report(outcomes: dict[str, tuple[str, Outcome]]) -> str:
    """Return the figures per group and the differences, as text."""
    lines = []
    for group in (*CORE, "login", "other"):
        members = [outcome for kind, outcome in outcomes.values() if kind == group]
        agree = sum(1 for outcome in members if not outcome.differences)
        lines.append(f"{group:18} {len(members):3} apply, {agree:3} agree")
    total = sum(1 for _, outcome in outcomes.values() if not outcome.differences)
    lines.append(f"{'all':18} {len(outcomes):3} apply, {total:3} agree")
    for name, (_, outcome) in outcomes.items():
        lines += [f"{name}: {difference}" for difference in outcome.differences]
    return "\n".join(lines)


async def test_recordings_agree(
    record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = await play_all()

    text = report(outcomes)
    with capsys.disabled():
        sys.stdout.write(f"\n{text}\n")
    core = [outcome for group, outcome in outcomes.values() if group != "other"]
    agreeing = [outcome for outcome in core if not outcome.differences]
    record_property("contract_replay", json.dumps({"apply": len(core), "agree": len(agreeing)}))
    assert len(outcomes) == len(recordings())
    assert len(agreeing) / len(core) >= 0.9, text
    different = {name for name, (_, outcome) in outcomes.items() if outcome.differences}
    assert different == KNOWN_DIFFERENCES.keys(), text
