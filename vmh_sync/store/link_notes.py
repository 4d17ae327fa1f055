"""What a link remembers besides its base: stored as JSON, typed everywhere else. Only a migration changes its form."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.types import TypeDecorator

from vmh_sync.store.database.columns import Json, JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkNotes:
    """``assigned_user_id``: who had a party's record, for the task about its deletion: what is gone cannot be read.

    ``kept_differently``: what was sent of bookkeeping values and what EspoCRM made of it, by attribute. Of a child
    (address, bank account): ``active`` is what EspoCRM said last, ``delete_wanted`` whether a person has to delete it
    in Advoware, ``reported`` whether people were told so after it was deleted in EspoCRM, ``retired`` are the numbers
    that it had in Advoware before it was created anew, ``moved_to`` is the party that it was hung on and has left this
    behind (:data:`NOBODY`: none). Of either, ``sending`` is what a pass was about to change on both sides until the
    base knows it. Of a party, ``own_word`` is how EspoCRM's record stood after we had told a failure in it, and when it
    was edited before that.
    """

    assigned_user_id: str | None = None
    kept_differently: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    active: bool | None = None
    delete_wanted: bool = False
    reported: bool = False
    retired: tuple[str, ...] = ()
    moved_to: int | None = None
    sending: JsonObject = field(default_factory=dict)
    own_word: JsonObject = field(default_factory=dict)

    def to_json(self) -> JsonObject:
        """Return what is stored: only what differs from the default."""
        return {name: value for name in _NAMES if (value := getattr(self, name)) != getattr(NOTHING, name)}

    @classmethod
    def from_json(cls, stored: JsonObject) -> "LinkNotes":
        """Return what was stored; anything that does not look like it is no note."""
        if not stored:
            return NOTHING
        assignee, active, kept = stored.get("assigned_user_id"), stored.get("active"), stored.get("kept_differently")
        moved_to, sending, own_word = (stored.get(name) for name in ("moved_to", "sending", "own_word"))
        return cls(
            assigned_user_id=assignee if isinstance(assignee, str) else None,
            kept_differently=_kept(kept) if isinstance(kept, dict) else {},
            active=active if isinstance(active, bool) else None,
            delete_wanted=bool(stored.get("delete_wanted")),
            reported=bool(stored.get("reported")),
            retired=tuple(str(number) for number in stored.get("retired") or ()),
            moved_to=moved_to if isinstance(moved_to, int) else None,
            sending=sending if isinstance(sending, dict) else {},
            own_word=own_word if isinstance(own_word, dict) else {},
        )


NOTHING = LinkNotes()
NOBODY = 0
_NAMES = tuple(one.name for one in fields(LinkNotes))


class LinkNotesColumn(TypeDecorator[LinkNotes]):
    """A column of notes."""

    impl = Json
    cache_ok = True

    def process_bind_param(self, value: LinkNotes | None, dialect: Dialect) -> JsonObject | None:
        """Turn notes into what the database stores."""
        return value.to_json() if value is not None else None

    def process_result_value(self, value: Any | None, dialect: Dialect) -> LinkNotes:
        """Turn what is stored into notes."""
        return LinkNotes.from_json(value or {})

    @property
    def python_type(self) -> type[LinkNotes]:
        """The type that rows carry."""
        return LinkNotes


def _kept(stored: JsonObject) -> dict[str, tuple[str, str]]:
    return {
        name: (str(both[0]), str(both[1]))
        for name, both in stored.items()
        if isinstance(both, list | tuple) and len(both) == 2
    }
