"""What a party costs besides calls: statements of our database exactly, and work as counted calls of functions.

Counted, not timed, so that a busy machine says the same as an idle one. What a pass costs whatever it holds is left
out: the figures are the difference between a pass over many parties and one over few. docs/benchmarks.md has them.
"""

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import CacheStats

from vmh_sync.store import Store
from vmh_sync.store.database.prepared import _InWords
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.beteiligte.test_recognised import come_to_rest, filled_party
from vmh_sync_tests.pipeline.kommunikation.sides import mail, phone

FEW, MANY = 2, 8
COUNTED = ("/vmh_sync/", "/httpx/", "/sqlalchemy/")
"""Whose functions are counted; how often an event loop or a pool of threads wakes up is chance."""

CREATED = {"INSERT": 16, "SELECT": 29, "UPDATE": 8, "read": 6, "write": 13}
"""Statements for a party that is created in Advoware with four children, none of them compiled anew, and the steps that
they make up: five creates, each announced before it is sent and stored after it, one more step of the party and one of
each record of a child."""
MOST_TRANSACTIONS_CREATED = {"BEGIN DEFERRED": 6, "BEGIN IMMEDIATE": 8}
"""Steps that are taken at the same moment share a transaction; how many do is chance. 1.5 and 2.5 were counted."""
MOST_CALLS_CREATED = 8_500
"""7,597 were counted."""
MOST_CALLS_UNCHANGED = 430
"""326 were counted by itself; after other tests it is about 60 more."""


class Work:
    """What was done: SQL by its first word (``BEGIN IMMEDIATE`` is a transaction that writes), steps, and calls."""

    def __init__(self) -> None:
        self.sql: Counter[str] = Counter()
        self.calls = 0

    def per_party(self, few: "Work") -> tuple[dict[str, float], float]:
        """What each further party added."""
        parties = MANY - FEW
        sql = {word: (self.sql[word] - few.sql[word]) / parties for word in sorted(self.sql | few.sql)}
        return {word: n for word, n in sql.items() if n}, (self.calls - few.calls) / parties


@contextmanager
def counting() -> Iterator[Work]:
    """Count what the block does, in all threads that it starts as well."""
    work = Work()
    ours: dict[str, bool] = {}

    def seen(frame: FrameType, what: str, _: object) -> None:
        if what != "call":
            return
        name = frame.f_code.co_filename
        if name not in ours:
            ours[name] = any(part in name for part in COUNTED) and "/sandbox/" not in name
        work.calls += ours[name]

    def carried_out(of: _InWords, *arguments: Any) -> Any:
        work.sql[of.words.split()[0]] += 1
        return prepared(of, *arguments)

    def executed(_c: Any, _cursor: Any, sql: str, _parameters: Any, context: Any, _many: bool) -> None:
        work.sql[sql.split()[0]] += 1
        # Not each miss: which form of a statement comes first in which pass is chance.
        work.sql["compiled anew"] += context.compiled is not None and context.cache_hit is CacheStats.NO_CACHE_KEY

    def begun(connection: Connection) -> None:
        work.sql[getattr(connection.dialect, "begin", "BEGIN")] += 1

    def counts(name: str) -> Any:
        step = getattr(Store, name)

        async def counted(*of: Any, **how: Any) -> Any:
            work.sql[name] += 1
            return await step(*of, **how)

        return counted

    steps = pytest.MonkeyPatch()
    prepared = _InWords.carried_out
    steps.setattr(_InWords, "carried_out", carried_out)
    for name in ("read", "write"):
        steps.setattr(Store, name, counts(name))
    event.listen(Engine, "before_cursor_execute", executed)
    event.listen(Engine, "begin", begun)
    threading.setprofile(seen)
    sys.setprofile(seen)
    try:
        yield work
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        steps.undo()
        event.remove(Engine, "before_cursor_execute", executed)
        event.remove(Engine, "begin", begun)


@pytest.fixture(autouse=True)
def versions(firm: Firm) -> None:
    """EspoCRM as ``crm setup`` leaves it."""
    firm.crm.do("set_switch", optimistic=dict.fromkeys(("CBeteiligte", "CAdressen", "CBankverbindungen"), True))


def counted(work: Callable[[], object]) -> Work:
    """What one piece of work comes to."""
    with counting() as found:
        work()
    return found


def parties_of(firm: Firm, number: int, begin: int) -> list[str]:
    """Parties that resemble nobody, each with a phone, an e-mail, an address and an account, typed in EspoCRM."""
    names = ["Adler", "Brühl", "Cordes", "Dierks", "Evers", "Fuhrmann", "Grote", "Hinrichs", "Ilse", "Jansen", "Köster"]
    found = []
    for name in names[begin : begin + number]:
        at = names.index(name)
        found.append(filled_party(firm))
        firm.crm_edit(
            found[-1],
            firstName=name[::-1].title(),
            lastName=name,
            emailAddressData=[mail(f"post@{name[0].lower()}{at}.example", primary=True)],
            phoneNumberData=[phone(f"+49511{7919 * (at + 11)}", primary=True)],
        )
    return found


def test_what_a_party_costs_in_statements_and_in_work(firm: Firm) -> None:
    firm.sync(*parties_of(firm, 1, 0))  # what only the first pass of a home does
    first, then = parties_of(firm, FEW, 1), parties_of(firm, MANY, 1 + FEW)
    few = counted(lambda: firm.sync(*first))
    statements, calls = counted(lambda: firm.sync(*then)).per_party(few)
    transactions = {word: statements.pop(word, 0) for word in MOST_TRANSACTIONS_CREATED}
    assert statements == CREATED
    assert all(most >= transactions[word] for word, most in MOST_TRANSACTIONS_CREATED.items()), transactions
    assert calls < MOST_CALLS_CREATED
    come_to_rest(firm, *first, *then)
    few = counted(lambda: firm.sync(*first))
    statements, calls = counted(lambda: firm.sync(*then)).per_party(few)
    assert statements == {}, "an unchanged party has no statement of its own"
    assert calls < MOST_CALLS_UNCHANGED
