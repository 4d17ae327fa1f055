"""Both sides' children in canonical form: what ``map`` makes of them. Pure."""

from functools import partial

from vmh_sync.children.kind import ChildKind
from vmh_sync.children.sync_state import PartyChildren
from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.sync.base import Fields, Side
from vmh_sync.sync.fields import WrongKind

Canonical = tuple[dict[str, Fields], dict[str, Fields]]
"""EspoCRM's records by id and Advoware's by id as text, in canonical form."""


def read_canonical(children: PartyChildren, kind: ChildKind) -> Canonical:
    """Bring both sides into canonical form; set those records apart that hold what their fields never hold."""
    espo: dict[str, Fields] = {}
    advoware: dict[str, Fields] = {}
    for espo_id, record in list(children.espo.items()):
        with isolated(f"{kind.entity} {espo_id}", partial(_drop_in_espocrm, children, espo_id), foreseen=(WrongKind,)):
            told = record.attributes.get(kind.key_attribute)
            if isinstance(told, bool) or not isinstance(told, int | str | None):
                raise WrongKind(kind.key_attribute, Side.ESPOCRM, type(told).__name__)
            espo[espo_id] = children.table.read(Side.ESPOCRM, record.attributes)
    for key, child in list(children.advoware.items()):
        with isolated(f"{kind.entity} {key}", partial(_drop_in_advoware, children, key), foreseen=(WrongKind,)):
            fields = kind.read_advoware(children.table, child.model_dump())
            kind.natural_key(fields)
            advoware[key] = fields
    return espo, advoware


def _drop_in_espocrm(children: PartyChildren, espo_id: str, error: Exception) -> None:
    del children.espo[espo_id]
    children.spoilt_in_espocrm[espo_id] = error


def _drop_in_advoware(children: PartyChildren, key: str, error: Exception) -> None:
    del children.advoware[key]
    children.spoilt_in_advoware[key] = error
