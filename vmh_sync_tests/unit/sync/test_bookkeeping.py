"""A value that an installation keeps in another form is never written twice (specification, sync-semantics.md 3)."""

import pytest

from vmh_sync.sync.reporting.status_values import differing


@pytest.mark.parametrize(
    ("wanted", "stands"), [(4711, "4711"), ("4711", 4711), (None, ""), (True, 1), (0, "0"), ("clean", " clean ")]
)
def test_what_means_the_same_is_not_written(wanted: object, stands: object) -> None:
    assert differing({"field": wanted}, {"field": stands}) == {}


@pytest.mark.parametrize(
    ("wanted", "stands"), [(4711, "471"), (0, None), (None, "4711"), (False, 1), ("clean", "Clean")]
)
def test_what_differs_is_written(wanted: object, stands: object) -> None:
    assert differing({"field": wanted}, {"field": stands}) == {"field": wanted}


def test_a_field_that_the_record_does_not_have_is_left_out() -> None:
    assert differing({"advowareRowId": "X"}, {"syncStatus": "clean"}) == {}
