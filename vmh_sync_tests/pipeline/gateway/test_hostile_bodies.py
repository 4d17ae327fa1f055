"""What nobody sane sends: the gateway answers clearly, stays up, and nothing unusable gets into the inbox."""

import json
import shutil
from pathlib import Path

import pytest

from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.gateway import WRITE_KEY, DagsterDouble, GatewayProcess
from vmh_sync_tests.fixtures.hostile import VALUES
from vmh_sync_tests.pipeline.gateway.test_webhooks import an_id, post, waiting

BODIES = {name: text for name, text in VALUES.items() if name != "1 MB"}
BODIES |= {
    "900 deep": "[" * 900 + "]" * 900,
    "told twice": f'{{"id": "{an_id(7)}", "id": "x"}}',
    "open": "[" * 100_000,
    "a long id": json.dumps([{"id": "a" * 900_000}]),
    "an id with NUL": '[{"id": "66aa11bb22cc33dd\\u0000"}]',
    "an id that is a surrogate": '[{"id": "\\ud83d"}]',
    "no UTF-8": "\udcff\udcfe",
    "too large": '"' + "x" * 1_100_000 + '"',
}


@pytest.fixture(params=["sqlite", "postgresql"])
def sqlite_url(request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path) -> str:
    """The firm's database, of both kinds."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    shutil.copy(sqlite_template, tmp_path / "store.sqlite3")
    return f"sqlite:///{tmp_path / 'store.sqlite3'}"


def test_a_hostile_body_is_refused_clearly_and_wedges_nothing(
    firm: Firm, gateway: GatewayProcess, dagster_double: DagsterDouble
) -> None:
    wrong = []
    with gateway.client(WRITE_KEY) as http:
        for name, text in BODIES.items():
            body = text.encode("utf-8", "surrogateescape")
            answers = {
                "webhook": post(gateway, body),
                "proxy": http.post("/advoware/proxy?endpoint=Beteiligte/1/Unbekannt", content=body),
                "calendar": http.post(
                    "/advoware/calendar/sync", content=body, headers={"content-type": "application/json"}
                ),
            }
            wrong += [
                (name, where, answer.status_code, answer.text[:100])
                for where, answer in answers.items()
                if not 400 <= answer.status_code < 500 or not isinstance(answer.json(), dict)
            ]
    assert not wrong
    assert waiting(firm.store) == []


def test_a_record_that_says_something_hostile_does_not_cost_the_others_of_its_delivery(
    firm: Firm, gateway: GatewayProcess, dagster_double: DagsterDouble
) -> None:
    """EspoCRM sends nothing again that was answered with 400."""
    values = {**VALUES, "1 MB": '"' + "x" * 900_000 + '"'}
    wrong = []
    for number, (name, value) in enumerate(values.items()):
        body = f'[{{"id": "{an_id(2 * number)}", "name": {value}}}, {{"id": "{an_id(2 * number + 1)}"}}]'
        answer = post(gateway, body.encode())
        if answer.status_code != 200 or answer.json().get("total_ids_in_batch") != 2:
            wrong.append((name, answer.status_code, answer.text))
    assert not wrong
    assert {espo_id for espo_id, _ in waiting(firm.store)} == {an_id(number) for number in range(2 * len(values))}
