"""A selection that does not exist is refused before a run begins, instead of syncing nothing in silence."""

import dagster as dg
import pytest

from vmh_sync.entities import with_records
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.jobs import job


@pytest.mark.parametrize("entity", [entity.name for entity in with_records()])
def test_unknown_selection_is_refused_and_named(firm: Firm, entity: str) -> None:
    del firm  # its systems and settings are all that is needed
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(dg.DagsterInvalidConfigError, match=r"selection not in enum type Auswahl got dirrty"),
    ):
        job(f"sync_{entity}").execute_in_process(run_config={"selection": "dirrty"}, instance=instance)
