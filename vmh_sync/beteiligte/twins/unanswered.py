"""Looks for the party that a create without an answer may have made, whatever a person has edited of it since.

It is known by our mark in its remark: searched for by the mark, and by the name where the search does not look into
remarks. A party without a mark that says what was sent may be it. Before anything is sent again, the search goes on by
a piece of the name, by the first name and by the numbers that were given since: a party that carries the mark is it,
and one that is new and belongs to nobody may be it. Then a person is asked, and nothing is created.
"""

from collections.abc import Mapping, Sequence

from vmh_sync.background import all_of
from vmh_sync.beteiligte.master_data.diff import CREATE_MARK
from vmh_sync.beteiligte.master_data.traits import advoware_traits, espo_traits
from vmh_sync.beteiligte.party import PartyRead
from vmh_sync.beteiligte.reading.sent_create import SentCreate, sent_create
from vmh_sync.beteiligte.twins.twin_question import (
    Twin,
    TwinSuspected,
    answered_already,
    asked_numbers,
    question_of,
)
from vmh_sync.beteiligte.twins.twin_search import free_numbers, free_with_mark, shown, unclaimed, with_mark
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.writing.create_once import CreatePutOff
from vmh_sync.matching.comparable import search_word
from vmh_sync.matching.compare import compare
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.sync.base import Side
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.values import alike, is_empty
from vmh_sync.systems.advoware.errors import CapabilityMissing, SpoiltRecord
from vmh_sync.systems.advoware.records import Beteiligter
from vmh_sync.systems.errors import Forbidden
from vmh_sync.systems.spoilt_row import SpoiltRow

_TELLING = ("name", "vorname", "geburtsdatum")
"""The fields that tell whether a party without a mark may be the one that was sent."""

_AT_ONCE = 10
"""Numbers that are read at the same time; as many in a row that nobody has are the end of what Advoware has given."""

_VOWELS = "aeiou"
"""Nearly every name has one: what to search for where no number is known that Advoware has given since."""

_MOST_READ = 60
_MOST_NUMBERS = 1000
"""How far the numbers are gone through: what was sent got one of the first that were given since."""


class CreateOutcomeUnknown(Exception):
    """A create was sent, its outcome is unknown and cannot be found out: a person must look."""


async def find_unanswered(
    context: PassContext, party: PartyRead, intent: Intent, table: FieldTable
) -> Beteiligter | None:
    """Return the party that an earlier create made, ``None`` if there is none.

    Raises :class:`CreateOutcomeUnknown` where there is no search, and ``TwinSuspected`` when a party without a mark may
    be it, unless a person has answered that it is somebody else: it is not linked by a guess.
    """
    try:
        found = await _find(context, party, await context.store.read(sent_create, intent), table)
        return await unclaimed(context, party, found, table)
    except CapabilityMissing:
        raise CreateOutcomeUnknown(f"{party.espo_id}: create sent, no search to find its outcome") from None


def wait_for_arrival(context: PassContext, intent: Intent) -> None:
    """Raise ``CreatePutOff`` while a create may still arrive.

    What was sent in the future was sent while the clock was wrong: nobody knows when, so it is not waited for.
    """
    if intent.sent_at is not None and intent.sent_at <= context.clock.now() and not _sent_again_next(context, intent):
        raise CreatePutOff(intent.sent_at + context.longest_request)


async def _find(context: PassContext, party: PartyRead, sent: SentCreate, table: FieldTable) -> Beteiligter | None:
    mark = CREATE_MARK.format(espo_id=party.espo_id)
    told = await _searched(context, sent, mark)
    found = await free_with_mark(context, party, told, mark)
    name = sent.fields.get("name")
    if found is not None or not name:
        return found or with_mark(told, mark)
    # Some installations search names only (specification, advoware-wire.md 5): the mark is read from what they find.
    named = await _searched(context, sent, str(name))
    told += named
    found = await free_with_mark(context, party, told, mark)
    if found is not None:
        return found
    candidates = {one.bet_nr: one for one in told if _says_what_was_sent(one, sent, table)}
    looked: Mapping[str, object] | None = None
    if _sent_again_next(context, sent.intent):
        since = [*told, *await _searched_wider(context, sent), *await _numbered_since(context, sent)]
        told += since
        found = await free_with_mark(context, party, told, mark)
        if found is not None:
            return found
        new = {one.bet_nr: one for one in since if sent.may_have_made(one, context.zone)}
        looked, asked_about = _first_look(party, sent.intent)
        candidates |= {number: one for number, one in new.items() if asked_about is None or number in asked_about}
    taken = with_mark(told, mark)
    if taken is None:
        await _ask_about(context, party, sent, list(candidates.values()), table, looked)
    return taken


def _first_look(party: PartyRead, intent: Intent) -> tuple[Mapping[str, object], set[int] | None]:
    """Return what the question notes of the first look that began when nothing could arrive any more.

    With it comes who was asked about then, ``None`` in the first look itself: what was sent was there, new to us. Else
    each party that the firm adds or edits later would make a person's answer void.
    """
    sent_at = intent.sent_at.isoformat() if intent.sent_at is not None else None
    question = question_of(party.tasks)
    looked = question.details.get("looked", {}) if question is not None else {}
    if looked.get("sent_at") == sent_at:
        return looked, asked_numbers(question)
    return {"sent_at": sent_at}, None


def _says_what_was_sent(party: Beteiligter, sent: SentCreate, table: FieldTable) -> bool:
    """Whether a party says what was sent, as far as it says anything."""
    told = table.read(Side.ADVOWARE, party.model_dump(), missing_is_empty=True)
    return all(
        is_empty(told.get(name)) or alike(table[name].kind, told.get(name), sent.fields.get(name)) for name in _TELLING
    )


def _sent_again_next(context: PassContext, intent: Intent) -> bool:
    """Whether nothing can arrive any more, so that not finding it lets another create leave."""
    return intent.sent_at is not None and context.clock.now() >= intent.sent_at + context.longest_request


async def _searched_wider(context: PassContext, sent: SentCreate) -> list[Beteiligter]:
    """Search by pieces of what was sent that may have outlived an edit of the name."""
    name, vorname = (str(sent.fields.get(field) or "") for field in ("name", "vorname"))
    texts = dict.fromkeys((search_word(name), search_word(vorname)))
    answers = [await _searched(context, sent, text) for text in texts if text and text != name]
    return [one for answer in answers for one in answer]


async def _searched(context: PassContext, sent: SentCreate, text: str) -> list[Beteiligter]:
    """Search; a party that is new and unreadable may be the one: of it the number is told.

    Raises what makes a row unusable where not even its number is known.
    """
    spoilt: list[SpoiltRow] = []
    found = await context.advoware.search_beteiligte(text, spoilt)
    for row in spoilt:
        number = row.number("betNr")
        if number is None:
            raise row.error
        if sent.numbers.before is None or number > sent.numbers.before:
            found.append(Beteiligter(bet_nr=number))
    return found


async def _numbered_since(context: PassContext, sent: SentCreate) -> list[Beteiligter]:
    """Read the parties of the numbers that Advoware has given since, and that are linked to nobody."""
    before, since, highest = sent.numbers
    if highest is None:  # nobody is linked yet: then all are looked at that were edited since
        answers = [await _searched(context, sent, vowel) for vowel in _VOWELS]
        return [one for answer in answers for one in answer if sent.may_have_made(one, context.zone)]
    start = before + 1 if before is not None else max(1, (since or 1) - _AT_ONCE)
    numbers = range(start, start + _MOST_NUMBERS)
    linked = await context.store.read(lambda tx: set(tx.links.get_many_by_betnr(numbers)))
    found: list[Beteiligter] = []
    unlinked = [number for number in numbers if number not in linked][:_MOST_READ]
    for at in range(0, len(unlinked), _AT_ONCE):
        some = unlinked[at : at + _AT_ONCE]
        read = await all_of(*(_read(context, number) for number in some))
        found += [one for one in read if one is not None]
        if not any(read) and some[-1] >= highest:
            break
    return found


async def _read(context: PassContext, number: int) -> Beteiligter | None:
    """Read a party; of one that is unreadable, or not for us to read, its number is told: it may be the one."""
    try:
        return await context.advoware.read_beteiligter(number)
    except (SpoiltRecord, Forbidden) as error:
        if error.concerns_all:
            raise
        return Beteiligter(bet_nr=number)


async def _ask_about(
    context: PassContext,
    party: PartyRead,
    sent: SentCreate,
    candidates: Sequence[Beteiligter],
    table: FieldTable,
    looked: Mapping[str, object] | None,
) -> None:
    free = await free_numbers(context, candidates)
    espocrm = espo_traits(party.espo.attributes if party.espo is not None else {}, table)
    twins = [
        Twin(
            one.bet_nr,
            shown(one),
            compare(espocrm, advoware_traits(one, table)),
            unheard=sent.may_have_made(one, context.zone),
        )
        for one in sorted(candidates, key=lambda one: one.bet_nr)
        if one.bet_nr in free
    ]
    twins.sort(key=lambda twin: -twin.resemblance.score)
    if twins and not await answered_already(context, party, twins):
        raise TwinSuspected(party.espo_id, twins, looked=looked)
