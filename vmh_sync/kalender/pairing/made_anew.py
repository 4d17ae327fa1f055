"""An event that a client made anew, without our mark, and whose first one it deleted (kalender.md 5). Pure."""

from vmh_sync.kalender.form.google_form import ReadEvent
from vmh_sync.kalender.model import TIME_FIELDS, BaseForm, PairState, changed_fields


def says_the_same(event: ReadEvent, pair: PairState) -> bool:
    """Tell whether an event without our mark says what the pair's event last said, so that it may be that one anew."""
    return pair.base is not None and says_what(event, pair.base)


def says_what(event: ReadEvent, base: BaseForm) -> bool:
    """Tell the same of what both sides of a pair last agreed on."""
    if base.anonymised or event.mark is not None or event.obstacle is not None:
        return False
    return event.ours_to_take and not changed_fields(event.form, base.google) & (TIME_FIELDS | {"text"})
