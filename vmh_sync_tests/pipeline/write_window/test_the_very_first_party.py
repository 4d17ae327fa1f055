"""The first party of an installation: its create was not answered, and no number is known that Advoware has given."""

import pytest

from vmh_sync.engine.writing import create_once
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.write_window.test_a_party_edited_before_it_was_found import (
    KEEPS_NO_REMARK,
    NAMES_ONLY,
    OTHER_PERSON,
    WINTER,
    assert_says,
    created_unheard,
)


@pytest.fixture(autouse=True)
def nobody_looks_in_the_pass_that_sent_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(create_once, "LOOK_AGAIN_AFTER", ())


def test_it_is_not_created_again(firm: Firm) -> None:
    firm.office.do("switches", **NAMES_ONLY)
    espo_id, betnr = created_unheard(firm, first=True, **WINTER)
    firm.office_edit(betnr, **OTHER_PERSON)
    firm.linked_party(lastName="Nachher")
    firm.until_quiet()
    assert_says(firm, espo_id, betnr, OTHER_PERSON)


def test_nor_is_it_where_it_is_alone_and_both_sides_were_edited(firm: Firm) -> None:
    firm.office.do("switches", **KEEPS_NO_REMARK)
    espo_id, betnr = created_unheard(firm, first=True, **WINTER)
    firm.office_edit(betnr, **OTHER_PERSON)
    firm.crm_edit(espo_id, lastName="Herbst", firstName="Udo", dateOfBirth="1990-01-01", zusatz=None)
    firm.sync(espo_id)
    assert len(firm.office_records()) == 1
    (task,) = firm.tasks()
    assert str(betnr) in task["name"]
