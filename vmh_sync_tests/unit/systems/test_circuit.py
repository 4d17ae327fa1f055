"""One refused login stops all callers for a growing time, and one caller alone tries again."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmh_sync.clock import ManualClock
from vmh_sync.systems import circuit as steps
from vmh_sync.systems.circuit import (
    PAUSES_SECONDS,
    CircuitState,
    LoginCircuit,
    LoginHeldBack,
    MemoryCircuits,
    ThreadLoginCircuit,
    Ticket,
    circuit_name,
)

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def login(clock: ManualClock) -> LoginCircuit:
    return LoginCircuit("espocrm:x", clock, MemoryCircuits())


async def refuse(login: LoginCircuit) -> float:
    return await login.refused(await login.enter(), "LoginRejected", "GET x: login refused", 401)


async def test_each_refusal_in_a_row_holds_back_longer_up_to_an_hour(login: LoginCircuit, clock: ManualClock) -> None:
    pauses = []
    for _ in range(7):
        pauses.append(await refuse(login))
        clock.advance(timedelta(seconds=pauses[-1] - 1))
        with pytest.raises(LoginHeldBack):
            await login.enter()
        clock.advance(timedelta(seconds=2))
    assert pauses == [60, 120, 300, 900, 3600, 3600, 3600]


async def test_a_success_closes_and_forgets_the_refusals(login: LoginCircuit, clock: ManualClock) -> None:
    for _ in range(3):
        clock.advance(timedelta(seconds=await refuse(login) + 1))
    await login.worked(await login.enter())
    assert (await login.enter()).trial == "", "many may go now"
    assert await refuse(login) == PAUSES_SECONDS[0]


async def test_while_one_tries_nobody_else_goes(login: LoginCircuit) -> None:
    first = await login.enter()
    others = [asyncio.create_task(login.enter()) for _ in range(20)]
    await asyncio.sleep(0.1)
    assert not any(other.done() for other in others)
    await login.worked(first)
    assert {ticket.trial for ticket in await asyncio.gather(*others)} == {""}


async def test_who_waited_for_a_refused_trial_is_held_back_without_trying(login: LoginCircuit) -> None:
    first = await login.enter()
    others = [asyncio.create_task(login.enter()) for _ in range(20)]
    await asyncio.sleep(0.05)
    await login.refused(first, "LoginRejected", "x", 401)
    ends = await asyncio.gather(*others, return_exceptions=True)
    assert {type(end) for end in ends} == {LoginHeldBack}


async def test_a_trial_without_an_answer_lets_the_next_one_try(login: LoginCircuit) -> None:
    first = await login.enter()
    await login.give_back(first)
    second = await login.enter()
    assert second.trial not in ("", first.trial)


async def test_calls_that_left_before_a_refusal_do_not_count_again(login: LoginCircuit) -> None:
    await login.worked(await login.enter())
    tickets = [await login.enter() for _ in range(9)]
    pauses = [await login.refused(ticket, "LoginRejected", "x", 401) for ticket in tickets]
    assert pauses == [60] * 9
    await login.worked(tickets[0])  # one of them even succeeds, late
    with pytest.raises(LoginHeldBack):
        await login.enter()


async def test_a_lock_out_holds_back_for_its_own_time_and_is_no_refusal_in_a_row(
    login: LoginCircuit, clock: ManualClock
) -> None:
    for _ in range(4):
        assert await login.refused(await login.enter(), "LockedOut", "x", 403, 65.0) == 65
        clock.advance(timedelta(seconds=66))
    assert await refuse(login) == 60


async def test_a_person_may_try_earlier_but_not_hammer(login: LoginCircuit, clock: ManualClock) -> None:
    await refuse(login)
    tries = 0
    for _ in range(60):
        try:
            ticket = await login.enter(person=True)
        except LoginHeldBack:
            clock.advance(timedelta(seconds=1))
            continue
        tries += 1
        await login.refused(ticket, "LoginRejected", "x", 401)
    assert tries <= 4


async def test_a_process_that_died_while_trying_does_not_block_the_others(clock: ManualClock) -> None:
    class Mortal(MemoryCircuits):
        def is_gone(self, owner: str) -> bool:
            return owner == "here"

    store = Mortal()
    await LoginCircuit("x", clock, store).enter()
    assert (await LoginCircuit("x", clock, store).enter()).trial


@pytest.mark.parametrize("jump", [timedelta(days=-365), timedelta(hours=-1), timedelta(days=365)])
async def test_a_clock_that_jumps_never_holds_back_longer_than_the_pause(
    login: LoginCircuit, clock: ManualClock, jump: timedelta
) -> None:
    pause = await refuse(login)
    clock.advance(jump)
    try:
        await login.give_back(await login.enter())
    except LoginHeldBack as held:
        assert held.seconds <= pause
    clock.advance(timedelta(seconds=pause + 1))
    assert (await login.enter()).trial


def test_unreadable_states_are_unknown_ones() -> None:
    for text in (None, "", "x", "[]", '{"unknown": 1}'):
        assert CircuitState.parse(text) == CircuitState()


def test_another_credential_has_another_circuit_and_its_name_tells_nothing() -> None:
    names = {
        circuit_name("espocrm", "key-1", "http://crm"),
        circuit_name("espocrm", "key-2", "http://crm"),
        circuit_name("espocrm", "key-1", "http://other"),
        circuit_name("advoware", "key-1", "http://crm"),
    }
    assert len(names) == 4
    assert not any("key" in name for name in names)


def test_threads_share_one_trial(clock: ManualClock) -> None:
    login = ThreadLoginCircuit("google:x", clock, MemoryCircuits())
    sent: list[Ticket] = []

    def call() -> None:
        try:
            ticket = login.enter()
        except LoginHeldBack:
            return
        sent.append(ticket)
        login.refused(ticket, "InvalidCredentialsError", "x", None)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent) == 1


@given(st.lists(st.tuples(st.sampled_from(["enter", "refused", "worked", "back"]), st.integers(-5000, 5000))))
def test_whatever_happens_at_most_one_tries_and_nobody_waits_for_ever(moves: list[tuple[str, int]]) -> None:
    """Any order of steps, with a clock that jumps both ways."""
    state, now, held = CircuitState(), 1_000_000.0, Ticket(0)
    for number, (move, jump) in enumerate(moves):
        now += jump
        if move == "enter":
            before = steps.bounded(state, now)
            state, leave = steps.enter(state, now, f"t{number}")
            if isinstance(leave, Ticket):
                assert not (leave.trial and before.trial and before.trial_until > now)
                held = leave
            elif isinstance(leave, float):
                assert 0 < leave <= max(PAUSES_SECONDS)
        elif move == "refused":
            state = steps.refused(state, now, held, kind="k", detail="d", status=401, pause=None)
        elif move == "worked":
            state = steps.worked(state, now, held)
        else:
            state = steps.given_back(state, held.trial)
    state, _ = steps.enter(state, now, "somebody looks after the last jump")
    _, leave = steps.enter(state, now + max(*PAUSES_SECONDS, steps.TRIAL_SECONDS) + 1, "last")
    assert isinstance(leave, Ticket)
