"""A selection that does not exist stops the run with the possible ones, instead of syncing nothing in silence."""

import dagster as dg
import pytest

from vmh_sync.entities import with_records
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.jobs import job


@pytest.mark.parametrize("entity", [entity.name for entity in with_records()])
def test_unknown_selection_is_named_with_the_possible_ones(firm: Firm, entity: str) -> None:
    del firm  # its systems and settings are all that is needed
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(dg.DagsterInvalidConfigError, match=r"selection(.|\n)*dirrty(.|\n)*Auswahl"),
    ):
        job(f"sync_{entity}").execute_in_process(run_config={"selection": "dirrty"}, instance=instance)
