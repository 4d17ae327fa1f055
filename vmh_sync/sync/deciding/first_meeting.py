"""What a first contact is about to write, so that after a crash our own writes are nobody's edits. Pure.

Where there is no base yet, the newer record wins (specification, sync-semantics.md 1), and our own write makes a record
the newer one. So what both sides said and are going to say is noted before the first write
(``engine/writing/noted_meetings.py``). After a crash it tells what is known in place of a base: the fields in which
both sides said the same and those that a side took over from us, and when each side was last changed by somebody else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from vmh_sync.sync.base import Base, Fields, Side
from vmh_sync.sync.deciding.read_back import learned
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.merge import NO_STAMPS, Stamps
from vmh_sync.sync.values import Value, alike, is_empty, same


class Recalled(NamedTuple):
    """What stands for a base, field by field (``None``: nothing), and when each side was changed by somebody else."""

    base: Base | None
    stamps: Stamps


def base_of_created(table: FieldTable, sent: Fields, stands: Fields, side: Side) -> Base | None:
    """Return what stands for a base of a record that a killed pass has made in ``side``, of what it was ``sent`` and
    says now.

    What the side refused, dropped or altered when the record was made is nobody's edit, nor is what it put where
    nothing was sent: of that nothing is known.
    """
    made = {
        name: learned(table[name].kind, before=None, sent=value, stands=stands[name])
        for name, value in sent.items()
        if name in table and name in stands and not is_empty(value)
    }
    known = {name: one.base for name, one in made.items() if one.arrived}
    told = {name: sent[name] for name in known}
    return (Base(known, told) if side is Side.ESPOCRM else Base(told, known)) if known else None


@dataclass(frozen=True, slots=True, repr=False)
class FirstMeeting:
    """What both sides said, what they were going to say, and when they were changed."""

    said: Base
    going_to_say: Base
    stamps: Stamps = NO_STAMPS

    def recall(self, table: FieldTable, espocrm: Fields, advoware: Fields, stamps: Stamps) -> Recalled:
        """Return what is known of two sides that say this now, and were changed at these moments."""
        now = {Side.ESPOCRM: espocrm, Side.ADVOWARE: advoware}
        known: dict[Side, dict[str, Value]] = {Side.ESPOCRM: {}, Side.ADVOWARE: {}}
        for name in self.going_to_say.espocrm.keys() & self.going_to_say.advoware.keys():
            if name in table and all(name in fields for fields in now.values()) and self._is_known(table, name, now):
                for side in Side:
                    known[side][name] = self.going_to_say.of(side)[name]
        base = Base(known[Side.ESPOCRM], known[Side.ADVOWARE]) if known[Side.ESPOCRM] else None
        return Recalled(base, self._stamps(table, now, stamps))

    def _is_known(self, table: FieldTable, name: str, now: Mapping[Side, Fields]) -> bool:
        kind = table[name].kind
        if same(kind, self.said.espocrm.get(name), self.said.advoware.get(name)):
            return True
        for side in Side:
            before, sent, stands = self.said.of(side).get(name), self.going_to_say.of(side)[name], now[side][name]
            if alike(kind, stands, sent) and not alike(kind, before, sent):
                return True
        return False

    def _stamps(self, table: FieldTable, now: Mapping[Side, Fields], stamps: Stamps) -> Stamps:
        def stamp(side: Side, current: datetime | None, before: datetime | None) -> datetime | None:
            said, sent = self.said.of(side), self.going_to_say.of(side)
            untouched = all(
                any(alike(table[name].kind, stands, one[name]) for one in (said, sent) if name in one)
                for name, stands in now[side].items()
                if name in table and (name in said or name in sent)
            )
            return before if untouched and before is not None else current

        return Stamps(
            stamp(Side.ESPOCRM, stamps.espocrm, self.stamps.espocrm),
            stamp(Side.ADVOWARE, stamps.advoware, self.stamps.advoware),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the form in which it is stored."""
        moments = (self.stamps.espocrm, self.stamps.advoware)
        return {
            "said": self.said.to_json(),
            "going_to_say": self.going_to_say.to_json(),
            "stamps": [moment.isoformat() if moment is not None else None for moment in moments],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "FirstMeeting":
        """Read the stored form."""
        espocrm, advoware = (datetime.fromisoformat(one) if one else None for one in stored["stamps"])
        return cls(
            Base.from_json(stored["said"]),
            Base.from_json(stored["going_to_say"]),
            Stamps(espocrm, advoware),
        )
