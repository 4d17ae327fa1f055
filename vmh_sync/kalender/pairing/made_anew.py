"""An event made anew in place of one that was deleted: without our mark, or as a copy that carries it. Pure."""

from vmh_sync.kalender.form.google_form import ReadEvent
from vmh_sync.kalender.model import TIME_FIELDS, BaseForm, PairState, changed_fields


def says_the_same(event: ReadEvent, pair: PairState) -> bool:
    """Tell whether an event says what the pair's event last said, so that it may be that one anew (kalender.md 5)."""
    return pair.base is not None and says_what(event, pair.base, pair.fr_nr)


def says_what(event: ReadEvent, base: BaseForm, fr_nr: int) -> bool:
    """Tell the same of what both sides of a pair last agreed on; a mark of another number says that it is not."""
    if base.anonymised or event.obstacle is not None or (event.mark is not None and event.mark.fr_nr != fr_nr):
        return False
    return event.ours_to_take and not changed_fields(event.form, base.google) & (TIME_FIELDS | {"text"})
