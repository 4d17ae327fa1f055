"""What the files of a deployment say: readable by their own rules, and only about what the code really has."""

import configparser
import fnmatch
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from vmh_sync.gateway.advoware import proxy
from vmh_sync.gateway.events import google_push
from vmh_sync.gateway.events.webhooks import webhook_router
from vmh_sync.gateway.http.call_metrics import OWN
from vmh_sync.gateway.monitoring import health
from vmh_sync.gateway.monitoring.metrics import Snapshot, SnapshotCollector
from vmh_sync.gateway.pages import morning_page
from vmh_sync.gateway.requests import record_state, triggers
from vmh_sync.sync.reporting.status import SyncStatus
from vmh_sync_tests.unit.house.test_repository import settings_variables

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
RULES = yaml.safe_load((DEPLOY / "prometheus" / "vmh-sync.rules.yaml").read_text(encoding="utf-8"))
RULE_TESTS = yaml.safe_load((DEPLOY / "prometheus" / "vmh-sync.test.yaml").read_text(encoding="utf-8"))
DASHBOARD = json.loads((DEPLOY / "grafana" / "vmh-sync.json").read_text(encoding="utf-8"))
LOADED_ONCE = {"migrate"}


def environment(service: str) -> dict[str, str]:
    return dict(SERVICES[service].get("environment") or {})


def test_every_container_has_bounded_logs_and_a_check_of_its_health() -> None:
    for name, service in SERVICES.items():
        options = service["logging"]["options"]
        assert {"max-size", "max-file"} <= set(options), name
        assert name in LOADED_ONCE or "healthcheck" in service, name


def test_only_who_syncs_gets_the_settings_of_the_firm() -> None:
    syncing = {name for name, service in SERVICES.items() if "env_file" in service}
    assert syncing == {"gateway", "watch", "code", "worker"}
    for name in ("webserver", "daemon"):
        foreign = [key for key in environment(name) if not key.startswith("DAGSTER_")]
        assert foreign == [], name
    assert not [key for key in environment("migrate") if not key.startswith("VMH_")]


def test_no_container_of_ours_gets_the_passwords_of_the_services_themselves() -> None:
    for name in ("gateway", "watch", "code", "worker"):
        given = environment(name)
        secrets = ("VMH_POSTGRES_ADMIN_PASSWORD", "VMH_POSTGRES_PASSWORD", "VMH_VALKEY_PASSWORD")
        for secret in (*secrets, "ESPOCRM_ADMIN_USER", "ESPOCRM_ADMIN_PASSWORD"):
            assert given[secret] == "", (name, secret)


def test_key_file_and_field_tables_lie_where_the_containers_look_for_them() -> None:
    for name in ("gateway", "watch", "code", "worker"):
        given, mounts = environment(name), [str(mount).split(":") for mount in SERVICES[name]["volumes"]]
        for variable in ("GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH", "VMH_FIELD_TABLES"):
            place = re.fullmatch(rf"\$\{{{variable}:\+(.+)\}}", given[variable])
            assert place is not None
            assert place[1] in {":".join(mount).rsplit(":", 2)[1] for mount in mounts if variable in ":".join(mount)}


# Prometheus and Grafana


def metric_names() -> set[str]:
    """Return every sample name that /metrics can show."""
    snapshot = Snapshot(database_up=True, redis_up=True, leases=0, held_back={}, google_spent=0)
    families = [*SnapshotCollector(snapshot, 600).collect(), *OWN.collect()]
    names = set()
    for family in families:
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
        names |= {family.name + suffix for suffix in suffixes}
    return names


def expressions() -> list[str]:
    rules = [rule["expr"] for group in RULES["groups"] for rule in group["rules"]]
    panels = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return rules + panels


def test_rules_and_dashboard_name_only_metrics_that_exist() -> None:
    assert len(expressions()) > 15
    used = {name for text in expressions() for name in re.findall(r"\bvmh_\w+", text) if name != "vmh_sync"}
    assert used - metric_names() == set()
    assert not [text for text in expressions() if text.count("(") != text.count(")")]


def test_rules_name_only_statuses_that_exist() -> None:
    named = {status for text in expressions() for status in re.findall(r'status="(\w+)"', text)}
    assert named <= {str(status) for status in SyncStatus}


def test_every_alert_says_in_german_what_it_is_and_what_to_do() -> None:
    for group in RULES["groups"]:
        for rule in group["rules"]:
            assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
            assert rule["labels"]["severity"] in {"critical", "warning", "info"}
            assert all(rule["annotations"][part] for part in ("summary", "description"))


def test_it_is_said_of_every_alert_when_it_rings_and_when_not() -> None:
    cases = [case for test in RULE_TESTS["tests"] for case in test["alert_rule_test"]]
    alerts = {rule["alert"] for group in RULES["groups"] for rule in group["rules"]}
    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == alerts
    assert {case["alertname"] for case in cases if not case.get("exp_alerts")} == alerts


def test_prometheus_itself_agrees_where_its_tool_is_at_hand() -> None:
    """Without ``promtool`` only the tests around this one have looked at the rules."""
    checks = ("check config prometheus.yaml", "check rules vmh-sync.rules.yaml", "test rules vmh-sync.test.yaml")
    promtool = shutil.which("promtool")
    for check in checks if promtool else ():
        said = subprocess.run(
            [str(promtool), *check.split()],
            cwd=DEPLOY / "prometheus",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert said.returncode == 0, said.stdout + said.stderr


def test_the_panels_of_the_dashboard_lie_beside_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (column, row)
            for column in range(place["x"], place["x"] + place["w"])
            for row in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken and max(column for column, _ in cells) < 24, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


# systemd, Kubernetes, proxy


@pytest.mark.parametrize("unit", sorted((DEPLOY / "systemd").iterdir()), ids=lambda unit: unit.name)
def test_systemd_units_are_well_formed(unit: Path, tmp_path: Path) -> None:
    parser = configparser.RawConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit.read_text(encoding="utf-8"))
    assert {"service": "Service", "timer": "Timer"}[unit.suffix[1:]] in parser.sections()
    if shutil.which("systemd-analyze"):
        for one in (DEPLOY / "systemd").iterdir():
            text = one.read_text(encoding="utf-8").replace("/opt/vmh-sync/.venv/bin/vmh-sync", "/bin/true")
            (tmp_path / one.name).write_text(text, encoding="utf-8")
        said = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        mine = [line for line in said.stderr.splitlines() if "vmh-sync" in line]
        assert mine == []


def test_kubernetes_starts_what_the_image_has_and_passes_only_settings_that_exist() -> None:
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "vmh-sync.yaml").read_text(encoding="utf-8")))
    pods = [document["spec"]["template"]["spec"] for document in documents if "template" in document["spec"]]
    containers = [container for pod in pods for container in pod["containers"]]
    assert [container["command"] for container in containers] == [
        ["vmh-sync", "db", "upgrade"],
        ["python", "-m", "vmh_sync.gateway"],
        ["python", "-m", "vmh_sync.watch"],
    ]
    named = {variable["name"] for container in containers for variable in container.get("env", [])}
    assert named <= settings_variables()
    values = yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text(encoding="utf-8"))
    locked = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    chart = re.search(r"--version (\S+)", (DEPLOY / "kubernetes" / "values.yaml").read_text(encoding="utf-8"))
    assert chart is not None and f"dagster=={chart[1]} " in locked
    assert set(values["runLauncher"]["config"]) == {"k8sRunLauncher"}


def test_the_gateway_takes_webhooks_in_kubernetes_also_while_dagster_is_away() -> None:
    """Who is not ready gets no requests; what else is missing is for monitoring, not for the probes."""
    ours = (DEPLOY / "kubernetes" / "vmh-sync.yaml").read_text(encoding="utf-8")
    assert re.findall(r"(\w+)Probe: \{httpGet: \{path: (\S+),", ours) == [
        ("readiness", "/health"),
        ("liveness", "/health"),
    ]


def test_kubernetes_asks_nothing_of_the_image_that_its_user_may_not() -> None:
    """The chart's webserver listens on the port of its service, and Dagster's home is mounted over the image's."""
    values = yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text(encoding="utf-8"))
    port = values["dagsterWebserver"]["service"]["port"]
    assert port >= 1024
    assert values["dagsterWebserver"]["readinessProbe"]["httpGet"]["port"] == port
    ours = (DEPLOY / "kubernetes" / "vmh-sync.yaml").read_text(encoding="utf-8")
    assert re.findall(r"webserver:(\d+)", ours) == [str(port)] * 2
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert f"DAGSTER_HOME={values['global']['dagsterHome']}\n" in image
    assert set(re.findall(r"^USER (.+)", image, re.MULTILINE)) == {"10001:10001", "root", "postgres"}


def test_kubernetes_has_the_limits_of_the_production_file() -> None:
    values = yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text(encoding="utf-8"))
    production = yaml.safe_load((ROOT / "dagster.yaml").read_text(encoding="utf-8"))
    daemon, queue = values["dagsterDaemon"], values["dagsterDaemon"]["runCoordinator"]["config"]["queuedRunCoordinator"]
    runs = production["concurrency"]["runs"]
    assert queue["maxConcurrentRuns"] == runs["max_concurrent_runs"]
    assert queue["tagConcurrencyLimits"] == runs["tag_concurrency_limits"]
    assert daemon["runMonitoring"]["maxRuntimeSeconds"] == production["run_monitoring"]["max_runtime_seconds"]
    assert daemon["runRetries"]["retryOnAssetOrOpFailure"] is production["run_retries"]["retry_on_asset_or_op_failure"]
    assert values["telemetry"]["enabled"] is False


def test_kubernetes_gets_an_image_with_the_launcher_that_its_values_name() -> None:
    values = yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text(encoding="utf-8"))
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8").split(" AS kubernetes\n")[1].split("\nFROM ")[0]
    assert "COPY deploy/kubernetes/requirements.lock" in image
    assert values["runLauncher"]["type"] == "K8sRunLauncher"
    more = (DEPLOY / "kubernetes" / "requirements.lock").read_text(encoding="utf-8")
    locked = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    postgres = re.search(r"^dagster-postgres==(\S+)", locked, re.MULTILINE)
    assert postgres is not None and f"dagster-k8s=={postgres[1]} " in more  # one release of Dagster's libraries
    assert not set(re.findall(r"^([\w.-]+)==", more, re.MULTILINE)) & set(
        re.findall(r"^([\w.-]+)(?:\[.*\])?==", locked, re.MULTILINE)
    )


def test_the_proxy_passes_on_to_the_gateway_whatever_it_answers_but_the_metrics() -> None:
    text = (DEPLOY / "proxy" / "Caddyfile").read_text(encoding="utf-8")
    passed = re.search(r"@gateway path (.+)", text)
    assert passed is not None
    modules = (google_push, proxy, triggers, record_state, health, morning_page)
    routers = (webhook_router(), *(module.router for module in modules))
    paths = {str(getattr(route, "path", "")) for router in routers for route in router.routes}
    paths |= {"/tickets", "/tickets/{ticket_id}/triage"}  # of the example
    assert len(paths) > 20
    left = {path for path in paths if not any(fnmatch.fnmatch(path, one) for one in passed[1].split())}
    assert left == set()


def test_the_proxy_lets_nobody_to_dagster_without_a_login_and_hides_the_metrics() -> None:
    text = (DEPLOY / "proxy" / "Caddyfile").read_text(encoding="utf-8")
    assert text.count("{") == text.count("}")
    last = text[text.rindex("\thandle {") :]
    assert last.index("basic_auth") < last.index("reverse_proxy")
    assert re.search(r"handle /metrics \{\s+respond 404", text)
    assert "webserver" not in text[: text.rindex("\thandle {")].split("{$VMH_DOMAIN}", 1)[1]
