"""A party as both sides hold it now, in canonical form: what ``map`` makes and ``diff`` reads. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vmh_sync.beteiligte.master_data.form import read_form
from vmh_sync.beteiligte.model import PERSON, Form, read_advoware, read_espo
from vmh_sync.engine.writing.sending import TakenBack
from vmh_sync.store.database.columns import JsonObject
from vmh_sync.sync.base import Base, Fields
from vmh_sync.sync.deciding.first_meeting import FirstMeeting, Recalled
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.merge import NO_STAMPS, Stamps
from vmh_sync.sync.values import Value


@dataclass(frozen=True, slots=True, repr=False)
class OpenTask:
    """A manual task of ours that is not closed yet."""

    id: int
    kind: str
    fields: tuple[str, ...]
    held: bool = False
    details: Mapping[str, object] = field(default_factory=dict)
    settled: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class PartyState:
    """The master data of one party. ``base`` is as its form sees it, ``agreed_name`` the name in the stored one.

    ``advoware`` is ``None`` while the party has no number there. ``espo_attributes`` are the raw EspoCRM attributes,
    which say what this installation has. ``retry_refused``: it is time to try again what a side refused.
    ``recalled`` is what a first contact that never came to its end knows in place of a base. ``sending`` is what a pass
    was about to write and did not live to note, ``taken_back`` what of it may have been set back by hand since.
    """

    espo_id: str
    betnr: int | None
    espo_attributes: Mapping[str, Any]
    espocrm: Fields
    advoware: Fields | None
    form: Form
    base: Base | None
    stamps: Stamps = NO_STAMPS
    tasks: tuple[OpenTask, ...] = field(default=())
    retry_refused: bool = False
    recalled: Base | None = None
    sending: JsonObject = field(default_factory=dict)
    taken_back: TakenBack = frozenset()
    agreed_name: Value = None


def party_state(
    *,
    espo_id: str,
    betnr: int | None,
    espo_attributes: Mapping[str, Any],
    advoware_attributes: Mapping[str, object] | None,
    base: Base | None,
    table: FieldTable,
    stamps: Stamps = NO_STAMPS,
    tasks: tuple[OpenTask, ...] = (),
    retry_refused: bool = False,
    meeting: FirstMeeting | None = None,
    made_from: Base | None = None,
) -> PartyState:
    """Bring both sides of a party into canonical form.

    ``espo_attributes`` is the EspoCRM record, ``advoware_attributes`` the attributes of the Advoware wire model, or
    ``None`` for a party that Advoware does not have. ``made_from`` is what a create without an answer sent.
    """
    told = None if advoware_attributes is None else read_advoware(advoware_attributes, table, PERSON)
    agreed_name = base.espocrm.get("name") if base else None
    form, base = read_form(espo_attributes, told, base, table)
    espocrm = read_espo(espo_attributes, table, form, base=base.espocrm if base else {})
    advoware = None if advoware_attributes is None else read_advoware(advoware_attributes, table, form)
    recalled = Recalled(None, stamps)
    if meeting is not None and base is None:
        recalled = meeting.recall(table, espocrm, advoware or {}, stamps)
    if made_from is not None:
        recalled = recalled._replace(base=made_from.with_more(recalled.base))
    return PartyState(
        espo_id=espo_id,
        betnr=betnr,
        espo_attributes=espo_attributes,
        espocrm=espocrm,
        advoware=advoware,
        form=form,
        base=base,
        stamps=recalled.stamps,
        tasks=tasks,
        retry_refused=retry_refused,
        recalled=recalled.base,
        agreed_name=agreed_name,
    )
