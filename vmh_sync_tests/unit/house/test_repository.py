"""House rules that no linter knows: settings explained, locks complete, no foreign traces, rooms of a human size."""

import ast
import re
import subprocess
import tomllib
from functools import cache
from importlib.metadata import distribution, distributions
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from pydantic_settings import BaseSettings

from vmh_sync import settings

ROOT = Path(__file__).resolve().parents[3]
LINE_LIMIT = 400
# Written by a tool, or text that grows by nature.
NO_LINE_LIMIT = (
    "requirements*.lock",
    "CHANGELOG.md",
    "vmh_sync/store/migrations/versions/*",
    "*.jsonl",
    "*.json",
    "*.sql",
)
# Split, so that this file does not find itself.
FOREIGN_TRACES = ("/wo" + "rk/", "/ro" + "ot/", "/opt/py" + "pi", "/opt/whe" + "els", "Co-Autho" + "red-By")
MAY_PRINT: frozenset[str] = frozenset()
MAY_SLEEP = frozenset(
    {
        "vmh_sync/coordination/rate.py",  # the blocking twin of an async wait, for Google's blocking client
        "vmh_sync/services/processes.py",  # waits for the ends of its children, bounded
        "vmh_sync/services/valkey.py",  # waits for a server process of our own, bounded
        "vmh_sync/services/valkey_guard.py",  # the same
        "vmh_sync/watchdog.py",  # a thread of its own that watches the end of a process, bounded
    }
)


def repository_files() -> list[Path]:
    """Return what git tracks or would add; in an unpacked archive without git, everything but dot folders."""
    if (ROOT / ".git").exists():
        listing = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        names = [ROOT / name for name in listing.split("\0") if name]
    else:
        names = [path for path in ROOT.rglob("*") if not {".venv", ".vmh"} & set(path.relative_to(ROOT).parts)]
    return [path for path in names if path.is_file() and path.suffix not in {".pyc", ".png", ".ico"}]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def names_in_the_product() -> set[tuple[str, str, bool]]:
    """Return module, name (``print``, ``time.sleep``) and whether it is called there; read once for all who ask."""
    return {
        (relative(path), name, isinstance(node, ast.Call))
        for path in (ROOT / "vmh_sync").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (name := _plain_name(node.func if isinstance(node, ast.Call) else node))
    }


def _plain_name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def settings_variables() -> set[str]:
    names = set()
    for kind in vars(settings).values():
        if isinstance(kind, type) and issubclass(kind, BaseSettings) and kind is not BaseSettings:
            prefix = kind.model_config.get("env_prefix", "").upper()
            names |= {info.alias or f"{prefix}{name.upper()}" for name, info in kind.model_fields.items()}
    return names


def deployment_variables() -> set[str]:
    """Variables that the files of a deployment read, and vmh_sync itself does not."""
    text = "\n".join((ROOT / name).read_text() for name in ("dagster.yaml", "docker-compose.yaml"))
    text += "\n".join(path.read_text() for path in (ROOT / "deploy").glob("*.yaml"))
    return set(re.findall(r"\{env: (\w+)\}", text)) | set(re.findall(r"(?<!\$)\$\{(\w+)", text))


def explained_variables() -> list[str]:
    return re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)


def test_env_example_explains_every_setting_and_nothing_else() -> None:
    explained = explained_variables()
    wanted = settings_variables() | deployment_variables()

    assert sorted(wanted - set(explained)) == [], "missing in .env.example"
    assert sorted(set(explained) - wanted) == [], "in .env.example, but nothing reads it"
    assert len(explained) == len(set(explained)), "explained twice"


def test_defaults_in_env_example_are_the_real_ones() -> None:
    shown = dict(re.findall(r"^#([A-Z][A-Z0-9_]+)=(.+)$", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
    wrong = {}
    for kind in vars(settings).values():
        if not (isinstance(kind, type) and issubclass(kind, BaseSettings) and kind is not BaseSettings):
            continue
        prefix = kind.model_config.get("env_prefix", "").upper()
        for name, info in kind.model_fields.items():
            variable = info.alias or f"{prefix}{name.upper()}"
            if variable in shown and not _same(shown[variable], info.get_default(call_default_factory=True)):
                wrong[variable] = shown[variable]
    assert wrong == {}


def _same(shown: str, default: object) -> bool:
    if isinstance(default, bool):
        return shown == str(default).lower()
    if isinstance(default, int | float):
        return float(shown) == float(default)
    return shown.replace(" ", "") in {str(default), "{}" if default == {} else "", "[]" if default == [] else ""}


def test_env_example_holds_no_value_for_a_secret() -> None:
    secret = re.compile(r"^#?(\w*(?:PASSWORD|API_KEY|SECRET_KEY|ACCOUNT_JSON))=(.+)$", re.MULTILINE)

    assert secret.findall((ROOT / ".env.example").read_text()) == []


def test_only_settings_reads_the_environment() -> None:
    readers = [
        name
        for name, read, _ in names_in_the_product()
        if read in {"os.environ", "os.getenv"}
        and name not in {"vmh_sync/settings.py", "vmh_sync/env_file.py", "vmh_sync/setting_names.py"}
        # Starting a process with an environment is not reading settings.
        and not name.startswith(
            tuple(f"vmh_sync/{room}/" for room in ("services", "orchestration", "commands", "backup"))
        )
    ]
    assert readers == []


def test_no_trace_of_the_place_where_it_was_written() -> None:
    found = [
        f"{relative(path)}: {trace}"
        for path in repository_files()
        for trace in FOREIGN_TRACES
        if trace.lower() in path.read_text(encoding="utf-8", errors="replace").lower()
    ]
    assert found == []


def test_files_are_short_enough_to_read() -> None:
    long = {
        relative(path): lines
        for path in repository_files()
        if not any(path.relative_to(ROOT).match(pattern) for pattern in NO_LINE_LIMIT)
        and (lines := len(path.read_text(encoding="utf-8", errors="replace").splitlines())) > LINE_LIMIT
    }
    assert long == {}


def test_module_names_say_what_is_inside() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "stuff"}

    assert [relative(path) for path in repository_files() if path.stem in vague] == []


@pytest.mark.parametrize(
    ("call", "allowed"), [("print", MAY_PRINT), ("time.sleep", MAY_SLEEP)], ids=["print", "time.sleep"]
)
def test_calls_that_have_no_place_in_the_product(call: str, allowed: frozenset[str]) -> None:
    callers = {name for name, called, is_call in names_in_the_product() if is_call and called == call}
    assert sorted(callers - allowed) == []
    assert sorted(allowed - callers) == [], "no longer needs its exception"


def test_one_version_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    newest = re.search(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)

    assert newest is not None
    assert newest[1] == version
    assert distribution("vmh-sync").version == version


def locked(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / name).read_text(), flags=re.MULTILINE))


def test_the_demo_runs_on_the_versions_the_tests_ran_on() -> None:
    everything = locked("requirements-dev.lock")

    assert {name: everything.get(name) for name in locked("requirements.lock")} == locked("requirements.lock")


@pytest.mark.parametrize("python", ["3.11.2", "3.11.9", "3.12.0", "3.13.0"])
@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_locks_are_complete_for_every_python(lock: str, python: str) -> None:
    """The locks install with --no-deps: what they leave out is missing at run time, not at install time."""
    names = {canonicalize_name(name) for name in locked(lock)}
    environment: dict[str, str] = {key: str(value) for key, value in default_environment().items()} | {
        "python_version": python.rpartition(".")[0],
        "python_full_version": python,
        "extra": "",
    }
    missing = {
        f"{found.name} needs {requirement.name}"
        for found in distributions()
        if canonicalize_name(found.name) in names
        for requirement in map(Requirement, found.requires or [])
        if (requirement.marker is None or requirement.marker.evaluate(environment))
        and canonicalize_name(requirement.name) not in names
    }
    assert missing == set()


def test_every_locked_package_installs_on_the_oldest_python_that_the_readme_names() -> None:
    """Debian 12 has 3.11.2, and pip refuses what asks for more."""
    names = {canonicalize_name(name) for name in locked("requirements-dev.lock")}
    refused = {
        f"{found.name} {found.version} wants Python {wanted}"
        for found in distributions()
        if canonicalize_name(found.name) in names
        and (wanted := found.metadata["Requires-Python"]) is not None
        and not SpecifierSet(wanted).contains("3.11.2")
    }
    assert refused == set()


def test_celery_profile_is_the_production_file_with_another_launcher() -> None:
    production = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    celery = yaml.safe_load((ROOT / "deploy/dagster.celery.yaml").read_text())

    launcher = celery.pop("run_launcher")
    assert celery == production
    assert launcher["class"] == "CeleryRunLauncher"
    assert launcher["config"] == yaml.safe_load((ROOT / "deploy/celery.yaml").read_text())["execution"]["config"]
