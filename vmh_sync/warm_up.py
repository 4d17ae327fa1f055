"""Whatever is the same in each run, done in advance in the process that runs are forked from.

Two thirds of what a run did until its write were modules that are imported late, statements spelled out, models built,
and our own files read for their mark. Imported last of what is loaded before the first fork.
"""

import gc
import logging
import tempfile
from pathlib import Path

import dagster as dg

import vmh_sync.beteiligte.composition
import vmh_sync.beteiligte.kommunikation_alone
import vmh_sync.orchestration.prompt_queue  # noqa: F401 - dagster.yaml names it
from vmh_sync.bankverbindungen.model import iban_problem
from vmh_sync.definitions import defs
from vmh_sync.engine.selecting.fingerprint import code_mark
from vmh_sync.orchestration.dagster_internals.core import NO_OUTPUT_KEPT, InstanceRef
from vmh_sync.orchestration.run_tags import SILENT_CONSOLE
from vmh_sync.sync.values import phone
from vmh_sync.systems.advoware.records import Beteiligter
from vmh_sync.systems.http import trusted_certificates

_STORAGE = {"module": "vmh_sync.orchestration.dagster_sqlite", "class": "PatientSqliteStorage"}

_log = logging.getLogger(__name__)


@dg.op
async def _read() -> int:
    return 1


@dg.op
def _write(context: dg.OpExecutionContext, number: int) -> None:
    context.log.info("rehearsed")
    context.add_output_metadata({"number": number})


@dg.job(executor_def=dg.in_process_executor, resource_defs={"io_manager": dg.mem_io_manager})
def rehearsal() -> None:
    """Carry two ops out."""
    _write(_read())


def rehearse() -> None:
    """Carry a run out, in a Dagster of its own that is gone afterwards."""
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "dagster.yaml").touch()
        overrides = {
            "storage": {"custom": {**_STORAGE, "config": {"base_dir": home}}},
            "compute_logs": NO_OUTPUT_KEPT,
            "telemetry": {"enabled": False},
        }
        with dg.DagsterInstance.from_ref(InstanceRef.from_dir(home, overrides=overrides)) as instance:
            dg.execute_job(dg.reconstructable(rehearsal), instance, {"loggers": SILENT_CONSOLE})


def warm_up() -> None:
    """Do all of it; runs that are forked afterwards find it done."""
    defs.get_repository_def()  # kept by Dagster
    code_mark()
    trusted_certificates()
    iban_problem("DE02120300000000202051")
    phone("030 1234567")
    Beteiligter.model_rebuild()
    rehearse()
    gc.collect()
    gc.freeze()  # a fork that searches it for garbage would copy the memory that it shares


try:
    warm_up()
except Exception:  # noqa: BLE001 - any error would end the process that runs are forked from, and with it every run
    _log.exception("not warmed up: runs take longer to start")
