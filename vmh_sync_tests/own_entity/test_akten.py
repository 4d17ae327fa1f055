"""An entity of the firm's own beside the product: its folder and one variable, and every room knows it.

``akten/`` is what CONTRIBUTING.md ("Adding an entity") makes. Nothing in the product names it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from vmh_sync_tests.fixtures.gateway import KEYS, PATH_TOKEN, READ_KEY, DagsterDouble, GatewayProcess
from vmh_sync_tests.fixtures.sandbox import Sandbox, running_sandbox
from vmh_sync_tests.fixtures.warm_programs import carried_out

HERE = Path(__file__).parent
BOOKKEEPING = {
    "syncErrorMessage": {"type": "text"},
    "syncRetryCount": {"type": "int"},
    "advowareId": {"type": "varchar", "maxLength": 50},
    "advowareLastSync": {"type": "datetime"},
    "syncStatus": {"type": "enum", "options": ["dirty", "clean", "failed", "unclean"], "default": "dirty"},
}
FIELDS = {**{name: {"type": "varchar"} for name in ("aktenzeichen", "rubrum", "referat")}, **BOOKKEEPING}


def set_up(environment: dict[str, str]) -> None:
    """What an administrator does in EspoCRM: the entity type, its fields, the link to its party."""
    login = (environment["ESPOCRM_ADMIN_USER"], environment["ESPOCRM_ADMIN_PASSWORD"])
    with httpx.Client(base_url=environment["ESPOCRM_API_BASE_URL"], auth=login, trust_env=False) as admin:
        body: dict[str, Any] = {"name": "Akten", "type": "Base", "labelSingular": "Akte", "labelPlural": "Akten"}
        admin.post("/EntityManager/action/createEntity", json=body).raise_for_status()
        for name, definition in FIELDS.items():
            admin.post("/Admin/fieldManager/CAkten", json={"name": name, **definition}).raise_for_status()  # type: ignore[dict-item]
        link = {"entity": "CBeteiligte", "link": "akten", "linkForeign": "beteiligte", "label": "Akten"}
        link |= {"labelForeign": "Beteiligte", "linkType": "oneToMany", "entityForeign": "CAkten"}
        admin.post("/EntityManager/action/createLink", json=link).raise_for_status()
        for role in admin.get("/Role").json()["list"]:
            data = admin.get(f"/Role/{role['id']}").json()["data"]
            data["CAkten"] = {"create": "yes", "read": "all", "edit": "all", "delete": "no"}
            admin.put(f"/Role/{role['id']}", json={"data": data}).raise_for_status()


class House:
    """The product as a firm runs it, with the variable that names its own entity."""

    def __init__(self, sandbox: Sandbox, environment: dict[str, str], register: Path) -> None:
        self.crm = sandbox.crm
        self.environment = environment
        self._register = register

    def run(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        """Run ``vmh-sync`` and return what it prints as JSON."""
        done = carried_out([*arguments, "--json"], self.environment)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def rows(self) -> list[dict[str, Any]]:
        """The register of the other side."""
        return json.loads(self._register.read_text(encoding="utf-8"))

    def write(self, rows: list[dict[str, Any]]) -> None:
        """A person edits the register."""
        self._register.write_text(json.dumps(rows), encoding="utf-8")

    def tasks(self) -> list[dict[str, Any]]:
        """The tasks that are open in EspoCRM."""
        return [task for task in self.crm.state()["records"]["Task"] if task["status"] not in ("Completed", "Canceled")]

    def akte(self, espo_id: str) -> dict[str, Any]:
        """The file as EspoCRM holds it."""
        return next(row for row in self.crm.state()["records"]["CAkten"] if row["id"] == espo_id)


@pytest.fixture(scope="module")
def prepared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        set_up(sandbox.environment)
        yield sandbox


@pytest.fixture
def house(prepared_sandbox: Sandbox, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    register = tmp_path / "register.json"
    own = {
        "VMH_HOME": str(tmp_path / "vmh"),
        "REDIS_URL": redis_url,
        "VMH_ENTITIES": "akten",
        "VMH_API_KEYS": json.dumps(KEYS),
        "ESPOCRM_WEBHOOK_PATH_TOKEN": PATH_TOKEN,
        "PYTHONPATH": str(HERE),
        "AKTEN_REGISTER": str(register),
    }
    for name, value in {**prepared_sandbox.environment, **own}.items():
        monkeypatch.setenv(name, value)
    return House(prepared_sandbox, dict(os.environ), register)


def test_an_entity_of_the_firms_own_is_synced_watched_and_compared_like_the_others(
    house: House, tmp_path: Path
) -> None:
    party = str(house.crm.edit("CBeteiligte", "create", values={"lastName": "Muster"})["id"])
    values = {"name": "neu", "aktenzeichen": "12/26", "rubrum": "Muster ./. Huber", "beteiligteId": party}
    akte = str(house.crm.edit("CAkten", "create", values=values)["id"])

    # A pass in the foreground, in both directions.
    assert house.run("sync", "beteiligte", "--id", party)["synced"] == 1
    assert house.run("sync", "akten", "--id", akte, "--dry-run", "--save")["skipped"] == 1
    (plan,) = house.run("plan", "list")["plans"]
    assert house.run("plan", "apply", plan["id"])["synced"] == 1
    (row,) = house.rows()
    assert (row["az"], row["rubrum"]) == ("12/26", "Muster ./. Huber")
    house.write([{**row, "rubrum": "Muster ./. Meier"}])
    house.crm.edit("CAkten", "update", id=akte, values={"aktenzeichen": "13/26"})
    assert house.run("sync", "akten", "--all")["synced"] == 1
    assert (house.akte(akte)["aktenzeichen"], house.akte(akte)["rubrum"]) == ("13/26", "Muster ./. Meier")
    assert house.rows()[0]["az"] == "13/26"
    assert house.run("sync", "akten", "--all")["writes"] == {"advoware": 0, "espocrm": 0, "google": 0}

    # What the other side takes from nobody but a person is a task until it is done there.
    house.crm.edit("CAkten", "update", id=akte, values={"referat": "Bau"})
    for _ in range(2):
        house.run("sync", "akten", "--all")
        (task,) = house.tasks()
        assert "Referat bei „13/26 Muster ./. Meier“ ändern: bisher (leer), gewünscht „Bau“" in task["description"]
        assert house.akte(akte)["syncStatus"] == "unclean"
    house.write([{**house.rows()[0], "referat": "Bau"}])
    house.run("sync", "akten", "--all")
    assert (house.tasks(), house.akte(akte)["syncStatus"]) == ([], "clean")

    # What is known of it, also for its party's person.
    assert (house.run("record", akte)["entity"], house.run("record", akte)["status"]) == ("akten", "clean")
    told = json.loads(carried_out(["person", "export", party], house.environment).stdout)
    assert [row["id"] for row in told["espocrm"]["akten"]] == [akte]

    # A record that fails says so where its owner looks; a deleted one asks a person.
    broken = str(
        house.crm.edit("CAkten", "create", values={"name": "neu", "rubrum": "ohne", "beteiligteId": party})["id"]
    )
    assert house.run("sync", "akten", "--id", broken, code=3)["failures"][0]["id"] == broken
    assert "Aktenzeichen fehlt" in house.akte(broken)["syncErrorMessage"]
    house.crm.edit("CAkten", "delete", id=broken)

    # Doctor and reconcile.
    lines = house.run("doctor")["lines"]
    assert any(line["name"] == "Felder CAkten" for line in lines)
    assert house.run("reconcile")["entities"]["akten"] == {
        "compared": 1,
        "equal": 1,
        "different": 0,
        "differences": [],
        "only_espocrm": [],
        "only_advoware": [],
    }
    house.write([{**house.rows()[0], "rubrum": "anders"}])
    (difference,) = house.run("reconcile", code=3)["entities"]["akten"]["differences"]
    assert (difference["id"], difference["field"]) == (akte, "rubrum")

    # The register deletes nothing for us: a person is asked.
    house.write([{**house.rows()[0], "rubrum": "Muster ./. Meier"}])
    house.crm.edit("CAkten", "delete", id=akte)
    house.run("sync", "akten", "--id", akte)
    assert "„13/26 Muster ./. Meier“ löschen" in house.tasks()[0]["description"]

    # Webhook, record state, metrics.
    dagster = DagsterDouble()
    gateway = GatewayProcess(tmp_path / "gateway.log", VMH_DAGSTER_URL=dagster.url)
    try:
        with httpx.Client(base_url=gateway.url, trust_env=False, headers={"X-Api-Key": READ_KEY}) as http:
            taken = http.post(f"/vmh/webhook/{PATH_TOKEN}/akten/update", json=[{"id": akte}])
            assert taken.status_code == 200, taken.text
            assert dagster.launched.wait(30)
            assert dagster.launches[0]["selector"]["jobName"] == "sync_akten"
            state = http.get(f"/vmh/sync/akten/{akte}").json()
            assert (state["entity"], state["status"], state["waiting"]) == ("akten", "deleted_in_espocrm", True)
            assert 'vmh_inbox_waiting{entity="akten"} 1.0' in http.get("/metrics").text
    finally:
        gateway.stop()
        dagster.stop()


def test_dagster_shows_its_job_sensor_sweep_repair_asset_and_checks(house: House) -> None:
    code = (
        "import json; from vmh_sync.definitions import defs; r = defs.get_repository_def();"
        "g = r.asset_graph; shown = [k.to_user_string() for k in g.get_all_asset_keys()];"
        "shown += [f'{k.asset_key.to_user_string()}:{k.name}' for k in g.asset_check_keys];"
        "names = [*r.job_names, *(s.name for s in r.sensor_defs), *(s.name for s in r.schedule_defs)];"
        "print(json.dumps([*names, *shown]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=house.environment, check=True
    )
    names = set(json.loads(done.stdout.splitlines()[-1]))
    assert {"sync_akten", "repair_akten", "akten_dirty", "akten_failed_keys", "akten_sweep"} <= names
    assert {"akten", "akten:aktuell", "akten:keine_fehler", "akten:gleichstand"} <= names


@pytest.mark.parametrize(
    ("package", "said"),
    [("json", "json.entity ist nicht zu laden"), ("email", "email.entity ist nicht zu laden")],
)
def test_a_package_that_offers_no_entity_is_named(house: House, package: str, said: str) -> None:
    done = carried_out(["sync", "akten", "--all"], {**house.environment, "VMH_ENTITIES": package})
    assert done.returncode == 1
    assert said in done.stderr


@pytest.mark.parametrize(
    ("command", "module"),
    [
        (("person", "erase", "x", "--plan"), "entity"),
        (("doctor",), "entity"),
        (("sync", "halb", "--all"), "definitions"),
        (("up",), "entity"),
        (("up",), "definitions"),
    ],
)
def test_a_package_that_breaks_while_it_is_loaded_is_named_in_one_sentence(
    house: House, tmp_path: Path, command: tuple[str, ...], module: str
) -> None:
    package = tmp_path / "own" / "halb"
    package.mkdir(parents=True)
    code = {
        "entity": "from vmh_sync.entities import Entity\nENTITY = Entity('halb', 'Halbe', 'CHalbe', room='halb')\n",
        module: "1 / 0\n",
    }
    for name, text in {**code, "__init__": ""}.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    environment = {**house.environment, "VMH_ENTITIES": "halb", "PYTHONPATH": str(package.parent)}
    done = carried_out(command, environment)
    assert done.returncode == 1
    assert f"halb.{module} ist nicht zu laden (ZeroDivisionError)" in done.stderr
    assert "Traceback" not in done.stderr
