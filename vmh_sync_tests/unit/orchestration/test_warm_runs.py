"""A run that is forked finds everything loaded and worked out that is the same in each."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import vmh_sync
from vmh_sync.orchestration.code_server import PRELOADED

PRODUCT = Path(vmh_sync.__file__).parent
PASSES = ("beteiligte", "children", "coordination", "engine", "kalender", "kommunikation", "store", "sync", "systems")
SCRIPT = """
import gc, importlib, json, multiprocessing.connection, multiprocessing.forkserver, runpy, sys, threading
preloaded, late = map(json.loads, sys.argv[1:])
for name in preloaded:
    importlib.import_module(name)
warm = {*sys.modules}
from vmh_sync.engine.selecting.fingerprint import code_mark
from vmh_sync.systems.http import read_certificates
from vmh_sync.definitions import defs
import dagster
dagster.RepositoryDefinition.__init__ = None  # whoever put our jobs together anew would end here
defs.get_repository_def()
runpy.run_module("vmh_sync.orchestration.code_server", run_name="__mp_main__", alter_sys=True)
print(json.dumps({
    "new": sorted({*sys.modules} - warm),
    "cold": [name for name in late if name not in warm],
    "threads": threading.active_count(),
    "frozen": gc.get_freeze_count(),
    "worked out": [code_mark.cache_info().currsize, read_certificates.cache_info().currsize],
}))
"""


BROKEN = """
from vmh_sync.engine.selecting import fingerprint
def code_mark():
    raise RuntimeError("broken")
fingerprint.code_mark = code_mark
import vmh_sync.warm_up
print("goes on")
"""


def loaded_late() -> Iterator[str]:
    """Our modules that a step of a pass imports itself."""
    for room in PASSES:
        for file in (PRODUCT / room).rglob("*.py"):
            for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                    for node in ast.walk(function):
                        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("vmh_sync"):
                            yield node.module


def test_a_fork_loads_nothing_more_and_shares_what_the_same_work_comes_to() -> None:
    names = [json.dumps(PRELOADED), json.dumps(sorted({*loaded_late()}))]
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", SCRIPT, *names],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["new"] == found["cold"] == []
    assert found["worked out"] == [1, 1]
    assert found["threads"] == 1  # a fork would not have the others
    assert found["frozen"] > 100_000


def test_a_warm_up_that_breaks_leaves_the_process_that_runs_are_forked_from_alive() -> None:
    done = subprocess.run([sys.executable, "-c", BROKEN], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["goes on"], done.stderr
    assert "not warmed up" in done.stderr
