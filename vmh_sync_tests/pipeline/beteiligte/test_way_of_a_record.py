"""The page that shows strangers the way of one record names what really runs, and little of it."""

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import dagster as dg

import vmh_sync
from vmh_sync.store.queue.inbox import InboxEvent
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.jobs import job
from vmh_sync_tests.pipeline.adressen.test_addresses import address
from vmh_sync_tests.pipeline.kommunikation.sides import mail

PRODUCT = Path(vmh_sync.__file__).parent
PAGE = (PRODUCT.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
MOST = 32
"""Half of what it was when everything stood two to four times."""
BEFORE_THE_RUN = ("gateway/", "watch/", "orchestration/triggers/dirty_sensor.py", "coordination/doorbell.py")
"""What brings the record to the run; other tests walk there."""
AFTER_A_FAILURE = ("engine/failures/ledger.py",)


def tables() -> tuple[list[str], list[str]]:
    """The files of the walk in its order, and those beside it."""
    page = PAGE.partition("## The way of one dirty record")[2].partition("A plan is frozen")[0]
    way, _, beside = page.partition("Beside it")
    rows = ["\n".join(line for line in part.splitlines() if line.startswith("|")) for part in (way, beside)]
    first, second = (re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.py)`", part) for part in rows)
    return first, second


def functions() -> set[tuple[str, str]]:
    """Return the functions that the walk names, each with its file."""
    page = PAGE.partition("## The way of one dirty record")[2].partition("A plan is frozen")[0]
    named = re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.py)`: (`\w+`(?:, `\w+`)*)", page)
    return {(file, name) for file, names in named for name in re.findall(r"\w+", names)}


@contextmanager
def running() -> Iterator[set[tuple[str, str]]]:
    """Collect the functions of the product that are called within the block, in any thread, with their files."""
    called: set[tuple[str, str]] = set()

    def seen(frame: FrameType, what: str, _: object) -> None:
        code = frame.f_code
        if what == "call" and code.co_name != "<module>" and code.co_filename.startswith(str(PRODUCT)):
            called.add((code.co_filename.removeprefix(f"{PRODUCT}/"), code.co_name))

    threading.setprofile(seen)
    sys.setprofile(seen)
    try:
        yield called
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def test_the_walk_is_short() -> None:
    way, beside = tables()
    assert 25 < len(way) <= MOST and f"({len(way)} files;" in PAGE
    assert len({*way, *beside}) == len(way) + len(beside), "a file that the reader opens twice"


def test_every_file_of_the_walk_does_something_for_one_edited_record(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(firstName="Erika", lastName="Muster", emailAddressData=[mail("a@b.example")])
    address(firm, espo_id)
    firm.until_quiet()
    firm.crm_edit(espo_id, firstName="Erna")
    firm.office_edit(betnr, vorname="Erik")  # a conflict, so that a person is asked
    with firm.store.transaction() as tx:
        tx.inbox.add("beteiligte", [InboxEvent(espo_id=espo_id, action="update", source="webhook")])
    with running() as called, dg.DagsterInstance.ephemeral() as instance:
        assert job("sync_beteiligte").execute_in_process(instance=instance, run_config={"selection": "pending"}).success
    assert firm.office_record(betnr)["vorname"] == firm.crm_record(espo_id)["firstName"]
    way, beside = tables()
    in_the_run = [name for name in (*way, *beside) if not name.startswith(BEFORE_THE_RUN + AFTER_A_FAILURE)]
    files = {file for file, _ in called}
    assert [name for name in in_the_run if name not in files] == []
    factories = {("orchestration/jobs/sync_job.py", "make_sync_job")}  # has made the job long before
    wanted = {(file, name) for file, name in functions() - factories if file in in_the_run}
    assert wanted - called == {("store/queue/inbox.py", "add")}, "the webhook's side of the inbox; the run claims"


def test_every_file_of_the_walk_says_where_in_it_to_look() -> None:
    way, beside = tables()
    assert {file for file, _ in functions()} == {*way, *beside}
    missing = [
        (file, name)
        for file, name in functions()
        if not re.search(rf"def {name}\b", (PRODUCT / file).read_text(encoding="utf-8"))
    ]
    assert missing == []
