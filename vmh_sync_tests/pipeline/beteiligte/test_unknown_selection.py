"""A selection that does not exist stops the run with the possible ones, instead of syncing nothing in silence."""

import dagster as dg
import pytest

from vmh_sync.adressen.pipeline import sync_adressen
from vmh_sync.bankverbindungen.pipeline import sync_bankverbindungen
from vmh_sync.beteiligte.pipeline import sync_beteiligte
from vmh_sync_tests.fixtures.firm import Firm


@pytest.mark.parametrize("job", [sync_beteiligte, sync_adressen, sync_bankverbindungen], ids=lambda job: str(job.name))
def test_unknown_selection_is_named_with_the_possible_ones(firm: Firm, job: dg.JobDefinition) -> None:
    del firm  # its systems and settings are all that is needed
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(dg.Failure, match=r"Die Auswahl „dirrty“ gibt es nicht; möglich sind: .*dirty"),
    ):
        job.execute_in_process(run_config={"selection": "dirrty"}, instance=instance)
