"""Turns: servers get as many rounds as they bear, one after the other, and none waits for another."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest

from healthd.daemon.turns import FIRST, MOST, SILENT, Server, Turn, Turns
from healthd.model.findings import Report
from healthd.rounds.timing import CONNECT, LOOK, READ

A, B = ("a:5432",), ("b:5432",)


def report(*taken: tuple[str, float], failure: str | None = None) -> Report:
    return Report(
        target="app", started_at=datetime.now(UTC), duration_s=0.1, findings=(), questions=taken, failure=failure
    )


class Holders:
    """Tasks that hold turns until they are let go."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.until: dict[str, asyncio.Event] = {}
        self.holding: set[str] = set()

    async def _hold(self, name: str, servers: tuple[str, ...]) -> None:
        async with self.turns.turn(name, servers):
            self.holding.add(name)
            try:
                await self.until[name].wait()
            finally:
                self.holding.discard(name)

    async def given(self) -> list[str]:
        """Return who has a turn, after whatever can happen now has happened."""
        for _ in range(5):
            await asyncio.sleep(0)
        return sorted(self.holding)

    def ask(self, servers: tuple[str, ...], *names: str) -> None:
        for name in names:
            self.until[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._hold(name, servers))

    async def let_go(self, *names: str) -> None:
        for name in names:
            self.until[name].set()
            await self.tasks.pop(name)

    async def end(self) -> None:
        for name, task in self.tasks.items():
            self.until[name].set()
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


async def test_a_server_has_as_many_rounds_as_it_bears_and_another_one_does_not_wait_for_it() -> None:
    turns = Turns()
    holders = Holders(turns)
    holders.ask(A, *(f"a{number}" for number in range(FIRST + 2)))
    holders.ask(B, "b0")

    first = [f"a{number}" for number in range(FIRST)]
    assert [*first, "b0"] == await holders.given()
    await holders.let_go("a1")
    assert ["a0", "a2", "a3", "a4", "b0"] == await holders.given()
    await holders.end()
    assert {0} == {server.running for server in turns.servers.values()}
    assert ({}, 0) == (turns.waiting, turns.counted)


async def test_servers_take_turns_when_there_is_room_for_few_rounds_in_all() -> None:
    turns = Turns(limit=1)
    holders = Holders(turns)
    holders.ask(A, "a0", "a1", "a2")
    holders.ask(B, "b0")
    order = []
    for _ in range(4):
        (name,) = await holders.given()
        order.append(name)
        await holders.let_go(name)

    assert ["a0", "a1", "b0", "a2"] == order


async def test_a_target_with_two_hosts_has_a_turn_on_both() -> None:
    turns = Turns()
    holders = Holders(turns)
    turns.servers["b:5432"] = Server(limit=1)
    holders.ask(B, "b0")
    holders.ask(("a:5432", "b:5432"), "both")
    holders.ask(A, "a0")

    assert ["a0", "b0"] == await holders.given()
    await holders.let_go("b0")
    assert ["a0", "both"] == await holders.given()
    await holders.end()


async def test_a_target_that_is_removed_gives_its_turn_back_or_waits_no_longer() -> None:
    turns = Turns()
    turns.servers["a:5432"] = Server(limit=1)
    holders = Holders(turns)
    holders.ask(A, "a0", "a1", "a2")
    assert ["a0"] == await holders.given()
    holders.tasks["a1"].cancel()
    holders.tasks["a0"].cancel()

    assert ["a2"] == await holders.given()
    await holders.end()
    assert ({}, 0, 0) == (turns.waiting, turns.counted, turns.servers["a:5432"].running)


async def test_a_turn_that_is_given_and_cancelled_at_once_is_given_back() -> None:
    turns = Turns()
    turns.servers["a:5432"] = Server(limit=1)
    holders = Holders(turns)
    holders.ask(A, "a0")
    await holders.given()
    holders.ask(A, "a1")
    await holders.given()
    holders.until["a0"].set()
    await asyncio.sleep(0)
    holders.tasks["a1"].cancel()
    await asyncio.gather(*holders.tasks.values(), return_exceptions=True)

    assert ({}, 0, 0) == (turns.waiting, turns.counted, turns.servers["a:5432"].running)


async def test_a_round_that_waits_for_its_server_is_in_nobodys_way() -> None:
    turns = Turns(limit=1)
    async with AsyncExitStack() as stack:
        silent = await stack.enter_async_context(turns.turn("silent", A))
        holders = Holders(turns)
        holders.ask(B, "b0")
        assert [] == await holders.given()
        turns._waits(silent)  # what the timer of the turn does

        assert ["b0"] == await holders.given()
        turns.heard(silent)
        assert 2 == turns.counted
        turns._waits(silent)
        assert 2 == turns.counted
        await holders.end()
    assert (0, 0) == (turns.counted, turns.servers["a:5432"].running)


def test_a_server_that_answers_as_fast_as_ever_bears_more_up_to_a_bound() -> None:
    server = Server(running=1)
    limits = []
    for _ in range(60):
        server.learn(0.01, refused=False)
        limits.append(server.limit)

    assert FIRST < limits[0] < FIRST + 1
    assert limits == sorted(limits)
    assert MOST == limits[-1]


@pytest.mark.parametrize(("answered_s", "refused"), [(0.5, False), (0.01, True), (None, True)])
def test_a_server_that_slows_down_or_refuses_bears_half(answered_s: float | None, refused: bool) -> None:
    server = Server(limit=8, running=8, fastest_s=0.01)
    server.learn(answered_s, refused=refused)

    assert 4 == server.limit
    for _ in range(7):  # the rounds that had begun before say nothing about the new limit
        server.learn(0.5, refused=True)
    assert 4 == server.limit
    server.learn(0.5, refused=True)
    assert 2 == server.limit


def test_at_least_one_round_is_left() -> None:
    server = Server(running=1)
    for _ in range(10):
        server.learn(None, refused=True)

    assert 1 == server.limit


async def test_silence_says_nothing_about_how_much_a_server_bears() -> None:
    turns = Turns()
    turn = Turn("app", A, asyncio.get_running_loop().create_future())
    for _ in range(SILENT):
        assert not turns.silent(A)
        turns.learn(turn, report((CONNECT, 10.0), failure="timeout"))

    assert turns.silent(A)
    assert FIRST == turns.servers["a:5432"].limit
    turn.answered = True
    turns.learn(turn, report((CONNECT, 0.01), (LOOK, 0.01), (READ, 9.0), failure="timeout"))
    assert not turns.silent(A)
    assert FIRST / 2 == turns.servers["a:5432"].limit


async def test_all_servers_have_fewer_rounds_when_most_of_them_slow_down_at_once_or_this_process_is_late() -> None:
    turns = Turns(limit=16)
    turn = Turn("app", A, asyncio.get_running_loop().create_future(), answered=True)
    fast, slow = report((CONNECT, 0.01), (LOOK, 0.01)), report((CONNECT, 2.0), (LOOK, 0.01))
    for one in (fast, fast, slow, slow):
        turns.learn(turn, one)
    turns.beat(late_s=0.0)
    assert 16 == turns.limit
    for one in (fast, slow, slow, slow):
        turns.learn(turn, one)
    turns.beat(late_s=0.0)
    assert 8 == turns.limit
    turns.beat(late_s=1.0)
    assert 4 == turns.limit
    turns.beat(late_s=1.0)
    assert 4 == turns.limit


async def test_all_servers_have_more_rounds_when_they_would_use_them() -> None:
    turns = Turns(limit=1, most=2)
    holders = Holders(turns)
    holders.ask(A, "a0", "a1", "a2")
    assert ["a0"] == await holders.given()
    for _ in range(8):
        turns.beat(late_s=0.0)

    assert ["a0", "a1"] == await holders.given()
    assert 2 == turns.limit
    await holders.end()


async def test_what_no_target_needs_is_forgotten_when_its_rounds_are_over() -> None:
    turns = Turns()
    holders = Holders(turns)
    holders.ask(A, "a0")
    holders.ask(B, "b0")
    await holders.given()
    turns.follow(["b:5432"])
    assert {"a:5432", "b:5432"} == set(turns.servers)
    await holders.end()
    turns.follow(["b:5432"])

    assert {"b:5432"} == set(turns.servers)


async def test_nothing_is_stalled_while_nobody_waits() -> None:
    turns = Turns(given_at=0.0)
    holders = Holders(turns)
    assert 0 == turns.stalled_s()
    turns.servers["a:5432"] = Server(limit=1)
    holders.ask(A, "a0", "a1")
    await holders.given()
    turns.given_at = 0.0

    assert 0 < turns.stalled_s()
    await holders.end()
