"""What an update sends: the fields that changed in Advoware and our mark; the rest of the event is a person's."""

from collections.abc import Mapping

from vmh_sync.kalender.decision.operations import UpdateGoogle
from vmh_sync.kalender.form.google_form import OUR_KEYS, ReadEvent, read_event, to_event
from vmh_sync.kalender.form.recurrence import NotRepresentableError, from_google
from vmh_sync.kalender.form.text_form import exchange_tail
from vmh_sync.kalender.model import Appointment, BaseForm, CalendarRules
from vmh_sync.systems.google_calendar.event_changes import EventChanges

_KEYS: Mapping[str, frozenset[str]] = {
    "text": frozenset({"summary"}),
    "notiz": frozenset({"description"}),
    "ort": frozenset({"location"}),
    "private": frozenset({"visibility"}),
    "start": frozenset({"start"}),
    "end": frozenset({"end"}),
    "all_day": frozenset({"start", "end"}),
    "recurrence": frozenset({"recurrence"}),
}


def event_changes(
    operation: UpdateGoogle, current: Mapping[str, object], rules: CalendarRules, base: BaseForm | None = None
) -> EventChanges:
    """Return what to send so that ``current`` (as read from Google) says what the operation wants.

    ``base``: what both sides last agreed on.
    Raises ``UnreadableAppointmentError`` for an event whose times cannot be read.
    """
    now = read_event(current, rules, base)
    body = to_event(
        operation.form,
        rules,
        fr_nr=operation.fr_nr,
        source=operation.source,
        anonymised=operation.anonymised,
        decoration=operation.decoration,
    )
    properties = _properties(body)
    keys = {key for change in operation.changes for key in _KEYS[change.name]}
    keys |= _shown_differently(now, operation)
    if keys & {"start", "end"} and now.form.all_day != operation.form.all_day:
        keys |= {"start", "end"}
    if "start" in keys and not _still_means(current, operation.form, rules):
        keys.add("recurrence")
    values = {key: body.get(key) or None for key in keys}
    values |= {key: _in_its_zone(body[key], current.get(key)) for key in keys & {"start", "end"}}
    if "description" in keys and not any(change.name == "notiz" for change in operation.changes):
        before, after = now.decoration.description_tail, operation.decoration.description_tail
        kept = exchange_tail(str(current.get("description") or ""), before, after)
        values["description"] = body.get("description") if kept is None else kept
    return EventChanges(values, properties, OUR_KEYS)


def _properties(body: Mapping[str, object]) -> dict[str, str]:
    extended = body.get("extendedProperties")
    private = extended.get("private") if isinstance(extended, Mapping) else None
    return {str(key): str(value) for key, value in private.items()} if isinstance(private, Mapping) else {}


def _shown_differently(now: ReadEvent, operation: UpdateGoogle) -> set[str]:
    """Return the fields that show something besides the content (file number, preparation) and show it differently."""
    old, new = now.decoration, operation.decoration
    keys = set()
    if old.title_suffix != new.title_suffix:
        keys.add("summary")
    if old.description_tail != new.description_tail:
        keys.add("description")
    if (old.stretch_before, old.stretch_after) != (new.stretch_before, new.stretch_after):
        keys |= {"start", "end"}
    return keys


def _still_means(current: Mapping[str, object], wanted: Appointment, rules: CalendarRules) -> bool:
    """Tell whether the event's own rule says the wanted series from the new start on (a weekday is in the rule)."""
    lines = current.get("recurrence")
    if not isinstance(lines, list | tuple) or wanted.recurrence is None:
        return not lines and wanted.recurrence is None
    try:
        said = from_google([str(line) for line in lines], wanted.start, rules.zone, rules.open_series_year)
    except NotRepresentableError:
        return False
    return said == wanted.recurrence


def _in_its_zone(wanted: object, current: object) -> object:
    """Keep the zone that a person chose for the event: the moment has its offset, the zone is only how it is shown."""
    if not isinstance(wanted, Mapping) or not isinstance(current, Mapping):
        return wanted
    zone = current.get("timeZone")
    return {**wanted, "timeZone": zone} if "dateTime" in wanted and "dateTime" in current and zone else wanted
