"""Task texts show people the words that stand in their fields."""

from vmh_sync.sync.plan import TaskKind
from vmh_sync.tasks.task_texts import wording


def test_a_word_that_only_one_side_knows_is_shown_as_it_stands_there() -> None:
    details = {"wanted": "?advoware:Partnerschaft mbB", "standing": "GmbH", "side": "espocrm"}
    text = wording(TaskKind.VALUE_REFUSED, labels={"rechtsform": "Rechtsform"}, betnr=1, details=details)
    assert "„Partnerschaft mbB“" in text.description
    assert "?advoware" not in text.description
