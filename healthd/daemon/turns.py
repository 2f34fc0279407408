"""Turns: which targets are examined now, so that no server, and not this process, has more to do than it can bear.

How many rounds a server bears is learned from how fast it answers, as TCP learns what a network bears: one more after
as many rounds as there may be, half as many when it answers slowly or refuses a connection. The limit of the rounds on
all servers is learned in the same way: from how late this process comes to what it has to do, and from whether most
servers have become slow at once, which is not their fault.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic

from healthd.model.findings import Report
from healthd.rounds.timing import CONNECT, LOOK

FIRST = 4  # rounds on a server of which nothing is known yet
MOST = 8  # rounds on one server, each with one connection
SLOW, SLOW_S = 2.0, 0.1  # an answer that takes so many times as long as the fastest, and so much longer, is a slow one
FORGOTTEN = 1.005  # what the fastest answer is multiplied by in each round, so that it is one of the recent ones
SILENT = 4  # rounds without any answer, in a row

FIRST_IN_ALL, LEAST_IN_ALL = 8, 4
WAITS_S = 1.0  # a round without an answer for so long waits for its server, and costs this process nothing
BEAT_S, MORE = 0.25, 0.25  # by how much the limit on all servers grows with each beat in which it was reached
SOME = 4  # rounds that say whether most servers are slow
LATE_S = 0.2  # a process that comes so late has more to do than it can bear

Servers = tuple[str, ...]


@dataclass(slots=True)
class Server:
    """What is known of a server: how many rounds it bears, and how fast it answers."""

    limit: float = FIRST
    running: int = 0
    fastest_s: float | None = None
    unlearned: int = 0  # rounds that began before the limit was last lowered: they say nothing about the new one
    unanswered: int = 0  # rounds in a row

    def learn(self, answered_s: float | None, *, refused: bool, unfinished: bool = False) -> bool:
        """Adapt the limit to a round that ends, and return whether the server was slow.

        `answered_s` is how long its first answers took, None if there was none; `unfinished` is a round that had
        answers, and not all of them before its deadline.
        """
        slow = answered_s is not None and self._is_slow(answered_s)
        slow = slow or unfinished
        if self.unlearned:
            self.unlearned -= 1
        elif slow or refused:
            self.limit = max(1.0, self.limit / 2)
            self.unlearned = self.running - 1
        elif answered_s is not None:
            self.limit = min(float(MOST), self.limit + 1 / self.limit)
        return slow

    def _is_slow(self, answered_s: float) -> bool:
        known_s = self.fastest_s
        self.fastest_s = answered_s if known_s is None else min(known_s * FORGOTTEN, answered_s)
        return answered_s > SLOW * self.fastest_s + SLOW_S


@dataclass(slots=True, eq=False)
class Turn:
    """The turn of one target: it waits, then it is given, then it is over."""

    name: str
    servers: Servers
    given: asyncio.Future[None]
    waited_s: float = 0.0
    counted: bool = False  # in the rounds on all servers
    answered: bool = False
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class Turns:
    """Who is examined now, and who waits: in order for one server, and the servers in rotation."""

    most: int = 1024  # rounds on all servers
    limit: float = FIRST_IN_ALL
    counted: int = 0
    given_at: float = field(default_factory=monotonic)
    ended: int = 0  # rounds with an answer, since the limit on all servers was last adapted to them
    slow: int = 0  # of these
    servers: dict[str, Server] = field(default_factory=dict)
    waiting: dict[Servers, deque[Turn]] = field(default_factory=dict)

    @asynccontextmanager
    async def turn(self, name: str, servers: Servers) -> AsyncIterator[Turn]:
        """Wait for the turn of a target on its servers, and hold it for the block."""
        asked_at = monotonic()
        turn = Turn(name, servers, asyncio.get_running_loop().create_future())
        self.waiting.setdefault(servers, deque()).append(turn)
        self._give()
        try:
            await turn.given
            turn.waited_s = monotonic() - asked_at
            yield turn
        finally:
            self._end(turn)

    def learn(self, turn: Turn, report: Report, *, refused: bool = False) -> None:
        """Adapt the limits of the servers of a turn to its round."""
        taken = {word: seconds for word, seconds in report.questions if word in (CONNECT, LOOK)}
        answered = report.failure not in ("unreachable", "timeout") or turn.answered
        answered_s = sum(taken.values()) if answered and taken else None
        unfinished = answered and report.failure == "timeout"
        slow = False
        for server in map(self._server, turn.servers):
            server.unanswered = 0 if answered else server.unanswered + 1
            slow |= server.learn(answered_s, refused=refused, unfinished=unfinished)
        self.ended += answered
        self.slow += slow

    def heard(self, turn: Turn) -> None:
        """Note that a server has answered: its round costs this process something from now on."""
        turn.answered = True
        if not turn.counted and turn.timer is not None:
            turn.counted = True
            self.counted += 1

    def silent(self, servers: Servers) -> bool:
        """Return whether one of these servers did not answer the last rounds at all."""
        return any(self._server(name).unanswered >= SILENT for name in servers)

    def waiting_for(self, servers: Servers) -> Iterator[str]:
        """Yield the names of the targets that wait for one of these servers."""
        for each, turns in self.waiting.items():
            if not set(servers).isdisjoint(each):
                yield from (turn.name for turn in turns)

    def stalled_s(self) -> float:
        """Return for how long no turn was given although a target waits."""
        return monotonic() - self.given_at if self.waiting else 0.0

    async def adapt(self) -> None:
        """Adapt the limit of the rounds on all servers, forever, to how late this process comes."""
        while True:
            began = monotonic()
            await asyncio.sleep(BEAT_S)
            self.beat(late_s=monotonic() - began - BEAT_S)

    def beat(self, *, late_s: float) -> None:
        """Adapt the limit of all rounds to how late this process is, and to whether most servers are slow."""
        slow = self.ended >= SOME and self.slow > self.ended / 2
        if self.ended >= SOME:
            self.ended = self.slow = 0
        if late_s > LATE_S or slow:
            if self.counted <= self.limit:  # otherwise it was lowered before, and that has no effect yet
                self.limit = max(float(LEAST_IN_ALL), self.limit / 2)
        elif self.waiting and self.counted >= int(self.limit):
            self.limit = min(float(self.most), self.limit + MORE)
            self._give()

    def follow(self, wanted: Iterable[str]) -> None:
        """Forget the servers that no target is on, unless a round is."""
        known = set(wanted)
        self.servers = {name: server for name, server in self.servers.items() if name in known or server.running}

    def _server(self, name: str) -> Server:
        return self.servers.setdefault(name, Server())

    def _give(self) -> None:
        """Give turns while there is room."""
        given = True
        while given:
            given = False
            for servers in tuple(self.waiting):
                if self.counted >= min(int(self.limit), self.most):
                    return
                if all(server.running < int(server.limit) for server in map(self._server, servers)):
                    turns = self.waiting.pop(servers)
                    self._begin(turns.popleft())
                    given = True
                    if turns:
                        self.waiting[servers] = turns  # as the last one of the rotation

    def _begin(self, turn: Turn) -> None:
        if turn.given.done():  # it was cancelled
            return
        for server in map(self._server, turn.servers):
            server.running += 1
        self.given_at = monotonic()
        self.counted += 1
        turn.counted = True
        turn.timer = asyncio.get_running_loop().call_later(WAITS_S, self._waits, turn)
        turn.given.set_result(None)

    def _waits(self, turn: Turn) -> None:
        if not turn.answered:
            self._discount(turn)

    def _discount(self, turn: Turn) -> None:
        """Count a turn no longer, and give the next one."""
        if turn.counted:
            turn.counted = False
            self.counted -= 1
            self._give()

    def _end(self, turn: Turn) -> None:
        """Give a turn back, or stop waiting for it."""
        if turn.timer is not None:
            turn.timer.cancel()
            turn.timer = None
            for server in map(self._server, turn.servers):
                server.running -= 1
        elif turns := self.waiting.get(turn.servers):
            if turn in turns:
                turns.remove(turn)
            if not turns:
                del self.waiting[turn.servers]
        self._discount(turn)
        self._give()
