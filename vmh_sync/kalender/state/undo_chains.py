"""Which changes of appointments in the audit log are taken back together, and what stood there before them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from vmh_sync.engine.writing.undo import Chain, UndoRefused, ids_of
from vmh_sync.kalender.model import FLOWING_FIELDS, TIME_FIELDS, Appointment
from vmh_sync.kalender.state.audit_values import appointment_of, from_plain
from vmh_sync.store.history.audit import Change
from vmh_sync.whole_number import whole_number

_CAME = frozenset({"InsertGoogle", "CreateAdvoware"})
_WENT = frozenset({"DeleteGoogle", "DeleteAdvoware"})
_CHANGED = frozenset({"UpdateGoogle", "UpdateAdvoware"})
_FIELDS = FLOWING_FIELDS | {"private"}
_TIMES = "times"
_NOT_KEPT = "Was vorher dort stand, steht nicht im Protokoll; bitte von Hand ändern."


def _operation(change: Change) -> str:
    return change.reason.partition(":")[0]


def is_whole(change: Change) -> bool:
    """Tell whether an appointment came or went as a whole."""
    return _operation(change) in _CAME | _WENT


def came(chain: Sequence[Change]) -> bool | None:
    """Tell whether the appointment stands there by the newest whole change; ``None`` if none is among them."""
    return next((_operation(change) in _CAME for change in chain if is_whole(change)), None)


def is_of_a_field(change: Change) -> bool:
    """Tell whether one field of an appointment was changed; what an event shows besides is no such change."""
    return _operation(change) in _CHANGED and change.field in _FIELDS


def chains_of(changes: Sequence[Change]) -> list[Chain]:
    """Return changes (newest first) of one field, of the times, or of an appointment that came or went, together."""
    records: dict[str, list[Change]] = {}
    for change in changes:
        if is_whole(change) or is_of_a_field(change):
            records.setdefault(str(change.espo_id), []).append(change)
    return [chain for record in records.values() for chain in _chains_of_one(record)]


def _chains_of_one(record: Sequence[Change]) -> list[Chain]:
    if came(record) is not None:
        return [tuple(record)]
    found: dict[str, list[Change]] = {}
    for change in record:
        found.setdefault(_TIMES if change.field in TIME_FIELDS else str(change.field), []).append(change)
    return [tuple(chain) for chain in found.values()]


def belongs_with(change: Change, other: Change) -> bool:
    """Tell whether both are times that one write changed: the one is not taken back without the other."""
    one_write = (change.run_id, change.espo_id, change.reason) == (other.run_id, other.espo_id, other.reason)
    return one_write and {change.field, other.field} <= TIME_FIELDS and change.at == other.at


def whose(chain: Sequence[Change]) -> tuple[str, int]:
    """Return the Kürzel and the frNr of an appointment. Raises :class:`UndoRefused`."""
    kuerzel, _, number = str(chain[0].espo_id).rpartition("/")
    if not kuerzel or whole_number(number.removeprefix("-")) is None:
        raise UndoRefused("Zu diesem Eintrag ist kein Termin bekannt; bitte von Hand ändern.")
    return kuerzel, int(number)


@dataclass(frozen=True, slots=True, repr=False)
class FieldUndo:
    """One field: what stands there by the log, what stood there before, and the changes that are undone by it."""

    name: str
    stands: Any
    before: Any
    newest: Change
    change_ids: tuple[int, ...]

    @property
    def row(self) -> tuple[Change, tuple[int, ...]]:
        """What is noted of it in the audit log."""
        return self.newest, self.change_ids


def folded(chain: Sequence[Change], zone: ZoneInfo) -> tuple[FieldUndo, ...]:
    """Return what changes of fields come to, each from what stands now to what stood before all of them."""
    fields: dict[str, list[Change]] = {}
    for change in chain:
        fields.setdefault(str(change.field), []).append(change)
    return tuple(_folded(name, of, zone) for name, of in fields.items())


def _folded(name: str, of: Sequence[Change], zone: ZoneInfo) -> FieldUndo:
    newest, oldest = of[0], of[-1]
    if name not in _FIELDS or any(change.old is None and change.new is None for change in of):
        raise UndoRefused(_NOT_KEPT)
    try:
        stands, before = from_plain(name, newest.new, zone), from_plain(name, oldest.old, zone)
    except (KeyError, ValueError):
        raise UndoRefused(_NOT_KEPT) from None
    return FieldUndo(name, stands, before, replace(newest, old=oldest.old), ids_of(of))


def stood_before(chain: Sequence[Change], zone: ZoneInfo) -> tuple[Appointment, Mapping[str, object]]:
    """Return the appointment as it stood before it was changed and deleted, and what the log holds of its deletion."""
    wholes = [change for change in chain if is_whole(change)]
    if _operation(wholes[-1]) in _CAME:
        raise UndoRefused("Der Termin wurde in dieser Zeit angelegt und wieder gelöscht; es gibt nichts zu ändern.")
    went = wholes[0]
    older = [change for change in chain[chain.index(went) + 1 :] if is_of_a_field(change)]
    try:
        form = appointment_of(went.old, zone)
    except (KeyError, ValueError):
        form = None
    if form is None:
        raise UndoRefused("Der Inhalt des gelöschten Termins steht nicht im Protokoll; bitte von Hand eintragen.")
    for undo in folded(older, zone):
        form = replace(form, **{undo.name: undo.before})
    return form, went.old
