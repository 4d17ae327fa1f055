"""Lists the parties of Advoware, which has a search and no list.

Every name holds a letter or a digit, so one search per letter finds everybody. An answer that looks cut off (the same
full number of parties for several letters) is searched again with a second letter. Where there is no search, a person
names a range of numbers, which are read one by one.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vmh_sync.background import all_of
from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.systems.advoware.errors import CapabilityMissing
from vmh_sync.systems.advoware.records import Beteiligter
from vmh_sync.systems.spoilt_row import SpoiltRow

LETTERS = "eaiounrstlhdgmbkwfzpvcjyxqäöüß0123456789"
NUMBERS_AT_ONCE = 100
CUT_FROM = 50
"""Shorter answers are not taken for cut off."""

Listing = Callable[[int, int], None]
"""Told how much of how much was asked for: in a large office this is a matter of minutes."""


class NoList(Exception):
    """Advoware cannot tell which parties it has; ``str`` says in German what a person can do."""


@dataclass(frozen=True, slots=True)
class PartyScope:
    """The parties of Advoware that are meant: in these numbers, in what a search for ``text`` finds, or everywhere."""

    numbers: Sequence[int] | None = None
    text: str | None = None


async def list_parties(
    context: PassContext,
    where: PartyScope,
    notes: list[str],
    unreadable: list[str],
    listing: Listing = lambda done, total: None,
) -> dict[int, Beteiligter]:
    """Return the parties by number, as the search tells them, or those of the numbers that exist.

    What a person should know goes to ``notes``, what cannot be used to ``unreadable``. Raises :class:`NoList` where
    there is no search and no numbers were named, and any ``AdvowareError``.
    """
    if where.numbers is not None:
        return await _by_number(context, where.numbers, unreadable, listing)
    try:
        if where.text is not None:
            found: dict[int, Beteiligter] = {}
            await _search(context, where.text, found, unreadable)
            return found
        return await _by_letters(context, notes, unreadable, listing)
    except CapabilityMissing:
        raise NoList(
            "Advoware bietet hier keine Suche an. Bitte den Nummernkreis der Beteiligten nennen: --numbers VON-BIS."
        ) from None


async def _by_letters(
    context: PassContext, notes: list[str], unreadable: list[str], listing: Listing
) -> dict[int, Beteiligter]:
    found: dict[int, Beteiligter] = {}
    counts: dict[str, int] = {}
    for letter in LETTERS:
        counts[letter] = await _search(context, letter, found, unreadable)
        listing(len(counts), len(LETTERS))
    often = Counter(count for count in counts.values() if count >= CUT_FROM)
    cut = [letter for letter, count in counts.items() if often[count] > 1 and count == max(counts.values())]
    for number, letter in enumerate(cut, 1):
        for second in (*LETTERS, " "):
            await _search(context, letter + second, found, unreadable)
        listing(len(LETTERS) + number, len(LETTERS) + len(cut))
    if cut:
        notes.append(
            f"Die Suche von Advoware nennt offenbar höchstens {counts[cut[0]]} Beteiligte auf einmal; es wurde mit je "
            "zwei Buchstaben gesucht. Sicherer ist: --numbers VON-BIS."
        )
    return found


async def _search(context: PassContext, text: str, found: dict[int, Beteiligter], unreadable: list[str]) -> int:
    spoilt: list[SpoiltRow] = []
    parties = await context.advoware.search_beteiligte(text, spoilt, found)
    for row in spoilt:
        line = f"Advoware {row.attributes.get('betNr', '?')}: {row.error.message_for_people}"
        if line not in unreadable:
            unreadable.append(line)
    for party in parties:
        found.setdefault(party.bet_nr, party)
    return len(parties)


async def _by_number(
    context: PassContext, numbers: Sequence[int], unreadable: list[str], listing: Listing
) -> dict[int, Beteiligter]:
    found: dict[int, Beteiligter] = {}

    async def read(betnr: int) -> None:
        def blame(error: Exception) -> None:
            unreadable.append(f"Advoware {betnr}: {getattr(error, 'message_for_people', 'unerwarteter Fehler')}")

        with isolated(f"Advoware {betnr}", blame):
            party = await context.advoware.read_beteiligter(betnr)
            if party is not None:
                found[betnr] = party

    wanted = list(dict.fromkeys(numbers))
    for start in range(0, len(wanted), NUMBERS_AT_ONCE):
        await all_of(*(read(betnr) for betnr in wanted[start : start + NUMBERS_AT_ONCE]))
        listing(min(start + NUMBERS_AT_ONCE, len(wanted)), len(wanted))
    return dict(sorted(found.items()))
