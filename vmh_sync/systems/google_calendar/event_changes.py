"""A change of some fields of an event that leaves everything else byte for byte as it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vmh_sync.systems.google_calendar.events import Event, Json

READ_ONLY = frozenset(
    {
        "kind",
        "etag",
        "id",
        "htmlLink",
        "created",
        "updated",
        "creator",
        "organizer",
        "hangoutLink",
        "attendeesOmitted",
        "privateCopy",
        "locked",
    }
)
"""What Google says about an event and does not let anybody write."""


@dataclass(frozen=True, slots=True)
class EventChanges:
    """New values by field name (``None``: the field goes away), and our private extended properties.

    ``own_properties`` are the names that are ours: one without a value is taken away, others are left alone.
    """

    values: Mapping[str, Any] = field(repr=False)
    properties: Mapping[str, str] = field(default_factory=dict)
    own_properties: frozenset[str] = frozenset()

    @property
    def only_properties(self) -> bool:
        """Whether nothing of the event itself changes: then a patch sends our properties alone."""
        return not self.values

    def to_insert(self, event_id: str) -> Json:
        """Return the body of ``events.insert``: only the changes, so it makes sense for a whole event only."""
        return {**self._present(), "id": event_id, "extendedProperties": {"private": dict(self.properties)}}

    def to_update(self, current: Event) -> Json:
        """Return the body of ``events.update``: the event as it was read, with the changes laid over it."""
        body = {key: value for key, value in current.raw.items() if key not in READ_ONLY}
        body = {key: value for key, value in body.items() if key not in self.values} | self._present()
        others = {key: text for key, text in current.private_properties.items() if key not in self.own_properties}
        extended = dict(current.raw.get("extendedProperties") or {})
        return {**body, "extendedProperties": {**extended, "private": {**others, **self.properties}}}

    def to_patch(self, current: Event) -> Json:
        """Return the body of ``events.patch``: the changes alone, with null where a value goes away."""
        wanted = {key: value if value or value is False else None for key, value in self.values.items()}
        values = {key: _laid_over(current.raw.get(key), value) for key, value in wanted.items()}
        gone = dict.fromkeys(self.own_properties)
        return {**values, "extendedProperties": {"private": {**gone, **self.properties}}}

    def _present(self) -> Json:
        return {key: value for key, value in self.values.items() if value or value is False}


def _laid_over(old: Any, new: Any) -> Any:
    """Return what makes ``new`` of ``old`` in a patch, which merges objects: what ``new`` does not name goes away."""
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return new
    return {key: _laid_over(old.get(key), new.get(key)) for key in {**old, **new}}
