"""From a party as the pass reads it to the part's plan. No I/O."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from vmh_sync.engine.passes.part import PartInput, PartPlan
from vmh_sync.kommunikation import task_texts
from vmh_sync.kommunikation.merge import plan_communication
from vmh_sync.kommunikation.model import AdvowareEntry, Channel, EspoEntry, Options, Pair, PartyCommunication
from vmh_sync.kommunikation.noted_lists import arrived, is_note
from vmh_sync.kommunikation.plan import KommunikationPlan, PairDelta, Quarantined
from vmh_sync.kommunikation.unreadable import as_agreed, problem_of, without_unreadable
from vmh_sync.kommunikation.unsettled import Adopted, Arriving, adopted, pointless, with_edits_told
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.store.pairs.kommunikation_states import KommunikationState
from vmh_sync.store.pairs.links import Link
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import RecordPlan, TaskKind, TaskWanted
from vmh_sync.systems.advoware.records import Beteiligter, Kommunikation
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync.tasks.manual_tasks import fingerprint as situation

ESPO_ENTITY = "CBeteiligte"
LISTS = {Channel.EMAIL: "emailAddressData", Channel.PHONE: "phoneNumberData"}
_PRIMARY = {Channel.EMAIL: "emailAddress", Channel.PHONE: "phoneNumber"}
_COPIES = ("tel_gesch", "tel_privat", "mobil", "fax_gesch", "email_gesch", "email", "internet")


@dataclass(slots=True, repr=False)
class Notes:
    """What our database knows of a party's Kommunikation. What was not sent while ``arriving`` has taken
    effect, or never will (``None``: nobody knows).
    """

    run_id: str
    options: Options
    party: Link | None = None
    state: KommunikationState | None = None
    pairs: tuple[Pair, ...] = ()
    tasks: list[ManualTask] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    arriving: Arriving | None = None


@dataclass(frozen=True, slots=True, repr=False)
class MappedEntries:
    """Both sides in canonical form, with the pairs.

    Of a crashed run: ``adopted`` are the entries it filled, ``noted`` what it certainly brought into EspoCRM's lists,
    ``settled`` the intents that are of no more use, ``in_flight`` those that may still fill an entry.
    """

    sides: PartyCommunication
    adopted: tuple[Adopted, ...] = ()
    noted: tuple[Pair, ...] = ()
    settled: tuple[Intent, ...] = ()
    in_flight: tuple[Intent, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class PlannedEntries:
    """What the executor carries out; ``mapped`` is what was planned from."""

    plan: KommunikationPlan
    mapped: MappedEntries
    problem: Exception | None = None
    still_refused: tuple[Quarantined, ...] = ()
    """What Advoware refused so far and is sent to it once more: not news if it refuses it again."""


def entry_of(record: Kommunikation) -> AdvowareEntry:
    """Return Advoware's wire record as the merge sees it."""
    return AdvowareEntry(record.id, record.tlf, record.bemerkung, record.komm_kz, record.online, record.row_id)


def entries_of(party: Beteiligter, pairs: Iterable[Pair] = ()) -> tuple[AdvowareEntry, ...] | None:
    """Return a party's entries, unusable ones as ``pairs`` know them; ``None`` when the answer held no list."""
    if not party.kommunikation_told:
        return None
    return (*map(entry_of, party.kommunikation), *as_agreed(party, pairs))


def listed(attributes: Mapping[str, object], channel: Channel) -> tuple[EspoEntry, ...] | None:
    """Return one of EspoCRM's lists; ``None`` when the record does not carry it (a hidden field, a list entry)."""
    items = attributes.get(LISTS[channel])
    if not isinstance(items, list):
        return None
    return tuple(EspoEntry.read(channel, item) for item in items if isinstance(item, Mapping))


def read_sides(espo: EspoRecord, advoware: Beteiligter, pairs: tuple[Pair, ...]) -> PartyCommunication:
    """Bring both sides and the pair table together."""
    names = advoware.FIELDS
    return PartyCommunication(
        emails=listed(espo.attributes, Channel.EMAIL),
        phones=listed(espo.attributes, Channel.PHONE),
        entries=entries_of(advoware, pairs),
        pairs=pairs,
        contacts={names[name]: getattr(advoware, name) for name in _COPIES},
    )


def map_entries(party: PartInput, notes: Notes) -> MappedEntries:
    """Bring full records of both sides and our pairs together."""
    found = read_sides(party.espo, party.advoware, notes.pairs)
    lists = tuple(intent for intent in notes.intents if is_note(intent))
    noted = tuple(arrived(lists, found, party.betnr))
    pairs = PairDelta((), noted).apply(notes.pairs)
    filled = [one for one in notes.intents if not is_note(one) and one.betnr == party.betnr]
    taken = adopted(filled, found, pairs)
    sides = replace(found, pairs=PairDelta((), tuple(one.pair for one in taken)).apply(pairs))
    done = (*lists, *pointless(notes.intents, taken, sides, notes.arriving))
    ended = {one.id for one in (*done, *(one.intent for one in taken))}
    return MappedEntries(sides, taken, noted, done, tuple(one for one in filled if one.id not in ended))


def plan_part(party: PartInput, notes: Notes, mapped: MappedEntries) -> PartPlan:
    """Plan from what was mapped."""
    sides, options = mapped.sides, notes.options
    plan = plan_communication(sides, options)
    if plan.suspicious_empty and _confirmed(plan, notes):
        options = replace(options, confirmed_empty=True)
        plan = plan_communication(sides, options)
    plain = plan
    again = _retried(party, plain)
    if again and any(one.refusal.may_pass for one in plain.quarantined):
        plan = plan_communication(sides, replace(options, retry_refused=again))
    plan = with_edits_told(without_unreadable(plan, party.advoware, sides.pairs), mapped.adopted, sides)
    problem = problem_of(party.espo, party.advoware)
    stops = sides.entries is None or bool(plan.suspicious_empty)
    wanted = task_texts.for_people(plan.tasks)
    settled = quiet_mark(party.espo.attributes, sides.entries or (), notes.pairs, options)
    unknown = notes.state is None or notes.state.quiet_mark != settled
    record = RecordPlan(
        entity=ESPO_ENTITY,
        espo_id=party.espo_id,
        betnr=party.betnr,
        operations=plan.operations(party.espo_id),
        tasks=unknown_tasks(wanted, notes.tasks),
        close_tasks=() if stops else task_texts.closing(notes.tasks, wanted),
        findings=plan.findings,
        conflicts=plan.conflicts,
        base_moves=stops or plan.base_moves or bool(mapped.adopted or mapped.settled) or unknown or problem is not None,
    )
    tries = plan is not plain and plain.writes_nothing and not plain.base_moves and not record.tasks
    tries = tries or (not record.tasks and _lists_once_more(plan, notes.tasks))
    work = PlannedEntries(plan, mapped, problem, plain.quarantined if plan is not plain else ())
    return PartPlan(record, plan.espocrm_attributes(), work, only_tries_again=tries)


def _retried(party: PartInput, plain: KommunikationPlan) -> frozenset[Side]:
    """Return the sides that get once more what they refused: it is time, or something of the party has changed.

    EspoCRM takes a whole list or nothing of it: what it refused goes there when nothing else does.
    """
    if plain.writes_nothing:
        return frozenset(Side) if party.retry_refused else frozenset()
    return frozenset({Side.ADVOWARE})


def _lists_once_more(plan: KommunikationPlan, tasks: Sequence[ManualTask]) -> bool:
    """Whether nothing is done but to send lists of which a task says that EspoCRM refuses them whole."""
    told = {task.fields for task in tasks if task.kind == TaskKind.VALUE_REFUSED and task.espo_task_id is not None}
    refused = [not one.added and (f"{one.channel.value}/list",) in told for one in plan.lists]
    return not plan.writes and bool(refused) and all(refused)


def unknown_tasks(wanted: Iterable[TaskWanted], tasks: Sequence[ManualTask]) -> tuple[TaskWanted, ...]:
    """Return the tasks that are not open for exactly this situation."""
    standing = {(task.kind, task.fields): task.fingerprint for task in tasks if task.espo_task_id is not None}
    return tuple(
        task for task in wanted if standing.get((str(task.kind), tuple(sorted(set(task.fields))))) != situation(task)
    )


def quiet_mark(
    attributes: Mapping[str, object], entries: Sequence[AdvowareEntry], pairs: Iterable[Pair], options: Options
) -> str:
    """Return a fingerprint of all that a list entry of EspoCRM and Advoware's read show of both sides.

    The remark counts only where an entry has no pair: there it may hold a marker. A firm that writes markers may go
    back to the system before this one: there the row ids count too, of which ``kommunikationHash`` is made.
    """
    paired = {pair.advoware_id for pair in pairs}
    told = sorted(
        (one.id, one.tlf or "", one.komm_kz or 0, one.online, "" if one.id in paired else one.bemerkung or "")
        for one in entries
    )
    primaries = [channel.normal(attributes.get(name)) for channel, name in _PRIMARY.items()]
    said: list[object] = [primaries, told]
    if options.write_markers:
        said.append(compatible_hash(entries))
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def compatible_hash(entries: Iterable[AdvowareEntry]) -> str:
    """Return ``kommunikationHash`` as the system before this one made it, so that a firm can go back to it.

    The first 16 hex digits of the MD5 over the sorted row ids. Nothing is decided by it here. It is written along with
    other fields; by itself only where a firm that may go back says so (``VMH_WRITE_MARKERS``).
    """
    row_ids = sorted(entry.row_id for entry in entries if entry.row_id)
    return hashlib.md5("".join(row_ids).encode(), usedforsecurity=False).hexdigest()[:16]


def _confirmed(plan: KommunikationPlan, notes: Notes) -> bool:
    """Whether an earlier run read the same side as empty: then a person has emptied it."""
    state = notes.state
    if state is None or state.empty_seen_by in (None, notes.run_id):
        return False
    return {str(side) for side in plan.suspicious_empty} <= set(state.empty_sides)
