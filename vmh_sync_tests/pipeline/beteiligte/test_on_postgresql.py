"""The same situations with a real PostgreSQL as our database (specification, design.md 4)."""

import pytest

from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.beteiligte.test_bad_input import (
    test_a_party_deleted_in_advoware_is_marked_and_nothing_is_deleted_here,
    test_many_blanked_fields_at_once_stop_for_a_person,
    test_two_records_with_one_number_are_both_refused_until_a_person_decides,
)
from vmh_sync_tests.pipeline.beteiligte.test_master_data import (
    test_a_conflict_is_decided_kept_in_the_audit_and_told_to_a_person,
    test_a_field_that_advoware_ignores_becomes_a_task_that_closes_itself,
    test_a_new_party_is_created_once_and_gets_its_number,
    test_edits_of_different_fields_on_both_sides_both_survive,
)

__all__ = [
    "test_a_conflict_is_decided_kept_in_the_audit_and_told_to_a_person",
    "test_a_field_that_advoware_ignores_becomes_a_task_that_closes_itself",
    "test_a_new_party_is_created_once_and_gets_its_number",
    "test_a_party_deleted_in_advoware_is_marked_and_nothing_is_deleted_here",
    "test_edits_of_different_fields_on_both_sides_both_survive",
    "test_many_blanked_fields_at_once_stop_for_a_person",
    "test_two_records_with_one_number_are_both_refused_until_a_person_decides",
]


@pytest.fixture
def sqlite_url(postgres_url: str) -> str:
    """Put PostgreSQL where the firm's database stands."""
    return postgres_url


def test_this_module_really_uses_postgresql(firm: Firm) -> None:
    assert firm.store.dialect == "postgresql"
