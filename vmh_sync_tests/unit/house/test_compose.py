"""What the compose file must say for the product to be safe and quick; no Docker engine is needed to read it."""

from pathlib import Path

import yaml

COMPOSE = yaml.safe_load((Path(__file__).parents[3] / "docker-compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]


def test_the_gateway_runs_with_its_own_limits_and_knows_that_others_reach_it() -> None:
    # Served by uvicorn's command it would log addresses, wait for slow heads for ever and not ask for keys.
    gateway = SERVICES["gateway"]
    assert gateway["command"] == ["python", "-m", "vmh_sync.gateway"]
    assert gateway["environment"]["VMH_GATEWAY_HOST"] == "0.0.0.0"


def test_the_gateway_launches_runs_where_the_webserver_is() -> None:
    port = SERVICES["webserver"]["command"][SERVICES["webserver"]["command"].index("--port") + 1]
    assert SERVICES["gateway"]["environment"]["VMH_DAGSTER_URL"] == f"http://webserver:{port}"


def test_all_use_the_one_code_server() -> None:
    (location,) = yaml.safe_load((Path(__file__).parents[3] / "deploy/workspace.yaml").read_text())["load_from"]
    assert location["grpc_server"]["host"] in SERVICES
    assert str(location["grpc_server"]["port"]) in SERVICES["code"]["command"]
    for name in ("webserver", "daemon"):
        assert SERVICES[name]["command"][-1] == "deploy/workspace.yaml"


def test_the_watch_launches_runs_where_the_webserver_is_and_may_end_by_itself() -> None:
    watch = SERVICES["watch"]
    assert watch["command"] == ["python", "-m", "vmh_sync.watch"]
    assert watch["environment"]["VMH_DAGSTER_URL"] == SERVICES["gateway"]["environment"]["VMH_DAGSTER_URL"]
    assert watch["restart"] == "on-failure", "switched off it ends with 0, and must not start for ever"
