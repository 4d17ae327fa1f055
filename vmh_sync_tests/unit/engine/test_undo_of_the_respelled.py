"""A side that has a spelling of its own says what a change brought; any other spelling was typed since."""

import pytest

from vmh_sync.beteiligte.fields import FIELDS
from vmh_sync.engine.writing.undo import UndoRefused, require_unmoved
from vmh_sync.store.history.audit import Change
from vmh_sync.sync.base import Base, Side

RULE = FIELDS["zusatz"]
CHANGE = Change(
    entity="beteiligte", kind="applied", field="zusatz", side_written="advoware", reason="x", old="Alt", new="Neu"
)


@pytest.mark.parametrize(
    ("here", "there", "base", "unmoved"),
    [
        ("Neu", "NEU", Base({"zusatz": "Neu"}, {"zusatz": "NEU"}), True),
        ("Neu", "NEU", Base({"zusatz": "Neu"}, {"zusatz": "Neu"}), False),
        ("NEU", "Neu", Base({"zusatz": "Neu"}, {"zusatz": "Neu"}), False),
        ("Neu", "Neu", None, True),
        ("Neu", "NEU", None, False),
        ("Neu", "Anders", Base({"zusatz": "Neu"}, {"zusatz": "Anders"}), False),
    ],
)
def test_only_a_known_spelling_counts_as_what_was_brought(
    here: str, there: str, base: Base | None, unmoved: bool
) -> None:
    now = {Side.ESPOCRM: {"zusatz": here}, Side.ADVOWARE: {"zusatz": there}}
    if unmoved:
        require_unmoved(RULE, now, CHANGE, base)
    else:
        with pytest.raises(UndoRefused):
            require_unmoved(RULE, now, CHANGE, base)
