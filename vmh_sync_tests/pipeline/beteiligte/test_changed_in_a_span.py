"""What was changed in a span of time is synced once more (a backfill): by what EspoCRM stamps, and by our audit log."""

from datetime import timedelta

import dagster as dg
import pytest
from typer.testing import CliRunner

from vmh_sync.beteiligte.pipeline import PIPELINE
from vmh_sync.cli import app
from vmh_sync.engine.selecting.span import Span, selection_name, span_of
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.jobs import job


def test_a_span_names_what_was_changed_in_it_on_either_side(firm: Firm) -> None:
    in_espocrm, _ = firm.linked_party(lastName="Muster")
    in_advoware, betnr = firm.linked_party(lastName="Beispiel")
    firm.until_quiet()
    day = timedelta(days=1)
    now = firm.clock.now()
    firm.office_edit(betnr, titel="Dr.")
    firm.sync(in_advoware)

    async def ids(context: object, span: Span) -> list[str]:
        return await PIPELINE.select(context, span.name)  # type: ignore[arg-type]

    assert set(firm.run(lambda context: ids(context, Span(now - day)))) == {in_espocrm, in_advoware}
    assert firm.run(lambda context: ids(context, Span(now + day))) == []
    assert firm.run(lambda context: ids(context, Span(now - 2 * day, now - day))) == []


def test_command_and_job_take_a_span(firm: Firm) -> None:
    espo_id = firm.crm_party(lastName="Muster")
    cli = CliRunner()

    assert cli.invoke(app, ["sync", "beteiligte", "--since", "1d", "--until", "1h"]).exit_code == 0
    assert not firm.office_records()
    assert cli.invoke(app, ["sync", "beteiligte", "--since", "1d"]).exit_code == 0
    assert firm.crm_record(espo_id)["betnr"]
    assert cli.invoke(app, ["sync", "beteiligte", "--until", "1d"]).exit_code == 2
    assert cli.invoke(app, ["sync", "beteiligte", "--since", "1d", "--all"]).exit_code == 2
    assert cli.invoke(app, ["sync", "adressen", "--since", "neulich"]).exit_code == 2
    with dg.DagsterInstance.ephemeral() as instance:
        done = job("sync_beteiligte").execute_in_process(
            run_config={"since": "2020-01-01", "until": "2020-01-02"}, instance=instance
        )
        assert done.success


@pytest.mark.parametrize("text", ["neulich", "2026-13-01"])
def test_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="gibt es nicht"):
        span_of(selection_name("pending", text, ""))


def test_without_a_span_the_selection_stays() -> None:
    assert selection_name("failed", "", " ") == "failed"
    assert span_of("failed") is None
