"""Both sides' children in canonical form, and which EspoCRM record is which Advoware record. Pure.

Stored pair, then the EspoCRM id that Advoware's record names, then the Advoware id that EspoCRM's record names, then
what an unanswered create was sent with, then the same natural key (specification, entities.md 3 and 4), then one that
was not there before an unanswered create.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from vmh_sync.children.canonical import Canonical, read_canonical
from vmh_sync.children.kind import ACTIVE, ChildKind
from vmh_sync.children.moved import is_leftover
from vmh_sync.children.sync_state import PartyChildren, key_of, sent_key
from vmh_sync.engine.writing.typed_over import most_likely
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.store.pairs.links import Link
from vmh_sync.sync.base import Fields
from vmh_sync.sync.values import alike, is_empty
from vmh_sync.systems.advoware.records import WireRecord
from vmh_sync.systems.espocrm.records import EspoRecord


@dataclass(frozen=True, slots=True, repr=False)
class Pair:
    """One child: what each side has of it, as told and in canonical form.

    ``twin``: Advoware has the same one, but another record stands for it. ``leftover``: what the record left here when
    it was hung on another party, before it came back, or what a record left that was deleted and entered again.
    ``typed_over``: Advoware's may be what an unanswered create made, typed over since.
    """

    espo: EspoRecord | None = None
    advoware: WireRecord | None = None
    link: Link | None = None
    twin: bool = False
    leftover: Link | None = None
    espo_fields: Fields = field(default_factory=dict)
    advoware_fields: Fields = field(default_factory=dict)
    typed_over: bool = False

    @property
    def espo_id(self) -> str | None:
        """The EspoCRM id, also of a record that is gone."""
        return self.espo.id if self.espo is not None else self.link.espo_id if self.link is not None else None


def map_children(children: PartyChildren, kind: ChildKind) -> tuple[Pair, ...]:
    """Bring both sides into canonical form and return every child of a party once.

    A record that cannot be brought into it is set apart (:mod:`vmh_sync.children.canonical`).
    """
    return tuple(_Pairing(children, kind, read_canonical(children, kind)).pairs())


class _Pairing:
    def __init__(self, children: PartyChildren, kind: ChildKind, canonical: Canonical) -> None:
        self.children, self.kind = children, kind
        self.espo_fields, self.advoware_fields = canonical
        left = {str(link.advoware_id): link for link in children.links if self._is_left_alone(link)}
        self.leftovers = {key: link for key, link in left.items() if is_leftover(link) or not self._has_ended(key)}
        retired = {key for link in children.links for key in link.notes.retired} | {*left} - {*self.leftovers}
        taken = {str(link.advoware_id) for link in children.links}
        self.taken = taken - {*self.leftovers} | retired
        self.espo_keys = {espo_id: kind.natural_key(fields) for espo_id, fields in self.espo_fields.items()}
        self.advoware_keys = {key: kind.natural_key(fields) for key, fields in self.advoware_fields.items()}
        self.living = {key: natural for key, natural in self.advoware_keys.items() if key not in retired}

    def pairs(self) -> list[Pair]:
        children = self.children
        linked = {link.espo_id for link in children.links}
        # Sorted: of two records for one the older is taken, in whatever order the lists come.
        espo = {espo_id: record for espo_id, record in sorted(children.espo.items()) if espo_id not in linked}
        # One that stands for nothing yet comes before what a record has left behind.
        ordered = sorted(children.advoware.items(), key=lambda item: (item[0] in self.leftovers, len(item[0]), item[0]))
        advoware = {key: child for key, child in ordered if key not in self.taken}
        matched = self._matches(espo, advoware)
        back = {key for _, key in matched} & {*self.leftovers}
        typed_over = self._typed_over(espo, advoware, matched) if not self.kind.marks_what_it_creates else []
        links = [link for link in children.links if str(link.advoware_id) not in back]
        pairs = [self._linked(link) for link in sorted(links, key=lambda link: link.espo_id)]
        pairs += [self._pair(espo.pop(espo_id), advoware.pop(key)) for espo_id, key in matched]
        pairs += [replace(self._pair(espo.pop(one), advoware.pop(key)), typed_over=True) for one, key in typed_over]
        advoware = {key: child for key, child in advoware.items() if key not in self.leftovers}
        for espo_id, record in espo.items():
            natural = self.espo_keys[espo_id]
            pairs.append(self._pair(record, twin=natural is not None and natural in self.living.values()))
        return [*pairs, *(self._pair(None, child) for child in advoware.values())]

    def _is_left_alone(self, link: Link) -> bool:
        """Whether no record stands for the link any more: it was deleted, or hung on another party."""
        deleted = link.espo_id in self.children.gone_in_espocrm or link.state == "deleted_in_espocrm"
        return is_leftover(link) or (deleted and link.espo_id not in self.children.espo)

    def _has_ended(self, key: str) -> bool:
        """Whether the office has ended what a deleted record left: it takes no new one's place."""
        child = self.children.advoware.get(key)
        return child is not None and not self.kind.valid(child.model_dump(), self.children.today)

    def _pair(
        self,
        espo: EspoRecord | None,
        advoware: WireRecord | None = None,
        link: Link | None = None,
        *,
        twin: bool = False,
    ) -> Pair:
        return Pair(
            espo,
            advoware,
            link,
            twin,
            self.leftovers.get(key_of(advoware)) if espo is not None and advoware is not None else None,
            self.espo_fields[espo.id] if espo is not None else {},
            self.advoware_fields[key_of(advoware)] if advoware is not None else {},
        )

    def _linked(self, link: Link) -> Pair:
        own, natural = str(link.advoware_id), self.espo_keys.get(link.espo_id)
        twin = natural is not None and any(key != own and other == natural for key, other in self.living.items())
        return self._pair(self.children.espo.get(link.espo_id), self.children.advoware.get(own), link, twin=twin)

    def _matches(self, espo: Mapping[str, EspoRecord], advoware: Mapping[str, WireRecord]) -> list[tuple[str, str]]:
        found: dict[str, str] = {}
        free = set(advoware)

        def take(espo_id: str | None, key: str | None) -> None:
            if espo_id is None or espo_id not in espo or espo_id in found or key is None or key not in free:
                return
            left = self.leftovers.get(key)
            if left is None or is_leftover(left) or _is_active(espo[espo_id]):
                free.remove(key)
                found[espo_id] = key

        for key, child in advoware.items():
            take(self.kind.marked_for(child.model_dump()), key)
        for espo_id, record in espo.items():
            # One that came from another party names its child there.
            key = str(record.attributes.get(self.kind.key_attribute) or "")
            if espo_id not in self.children.foreign_links and not self._is_copy_of_another(espo_id, key):
                take(espo_id, key)
        left = [espo_id for espo_id in espo if espo_id not in found]
        sought = [(espo_id, sent_key(self.children.attempted.get(espo_id))) for espo_id in left]
        for espo_id, natural in (*sought, *((espo_id, self.espo_keys[espo_id]) for espo_id in left)):
            fitting = (key for key in advoware if key in free and self.advoware_keys[key] == natural)
            take(espo_id, next(fitting, None) if natural is not None else None)
        return list(found.items())

    def _is_copy_of_another(self, espo_id: str, key: str) -> bool:
        """Whether a record names the place of a deleted one and says something else: EspoCRM copies the number too."""
        left = self.leftovers.get(key)
        if left is None or is_leftover(left):
            return False
        natural = self.espo_keys[espo_id]
        return natural is None or natural != self.advoware_keys.get(key)

    def _typed_over(
        self, espo: Mapping[str, EspoRecord], advoware: Mapping[str, WireRecord], matched: Sequence[tuple[str, str]]
    ) -> list[tuple[str, str]]:
        """Return what unanswered creates may have made that holds something else by now."""
        paired = {espo_id for espo_id, _ in matched}
        free = {*advoware} - {key for _, key in matched} - {*self.leftovers}
        sent: dict[str, str] = {}
        says: dict[str, dict[int, str]] = {}
        for espo_id in espo:
            create = self.children.attempted.get(espo_id)
            if espo_id in paired or create is None or "seen" not in create.natural_key:
                continue
            if create.betnr != self.children.betnr or self.espo_keys[espo_id] != sent_key(create):
                continue  # sent to another party, or changed in EspoCRM since: nothing here stands for what it says
            new = [key for key in free if int(key) not in create.natural_key["seen"] and self._is_left(create, key)]
            sent[espo_id] = " ".join(sent_key(create) or ())
            says[espo_id] = {int(key): " ".join(self.advoware_keys[key] or ()) for key in new}
        in_order = sorted(sent, key=lambda one: self.children.attempted[one].created_at)
        likely = most_likely({espo_id: sent[espo_id] for espo_id in in_order}, says)
        return [(espo_id, str(number)) for espo_id, number in likely.items()]

    def _is_left(self, create: Intent, key: str) -> bool:
        """Whether Advoware's record still says what nobody changes who types another key over it."""
        table, says, sent = self.children.table, self.advoware_fields[key], create.natural_key.get("fields", {})
        steady = [name for name in self.kind.steady if name in table and not is_empty(sent.get(name))]
        return all(alike(table[name].kind, says.get(name), sent[name]) for name in steady)


def _is_active(espo: EspoRecord) -> bool:
    """One that is switched off takes no deleted one's place: that it has to go in Advoware too stands."""
    return espo.attributes.get(ACTIVE) is not False
