"""The only door to bcrypt: passwords are checked in a thread, one at a time, and their clients take turns.

A check takes a tenth of a second of a processor, on purpose. A password that was right is remembered as a digest, so
that who has it never waits; whoever tries wrong ones waits for its turn, and after a few of them is refused at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

import bcrypt

REMEMBERED = 256  # passwords that were right
MOST_OF_ONE, MOST = 8, 128  # passwords that wait: of one client, and of all
MOST_BYTES = 72  # of a password that bcrypt looks at


@dataclass(frozen=True, slots=True)
class Question:
    """A password that waits for its check."""

    hashed: bytes
    password: bytes = field(repr=False)
    answer: asyncio.Future[bool]


@dataclass(slots=True)
class Logins:
    """The passwords that wait, by client, and digests of those that were right."""

    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    right: dict[bytes, None] = field(default_factory=dict, repr=False)  # the most recently used last
    waiting: dict[str, deque[Question]] = field(default_factory=dict)  # whose turn is next first
    thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "password"))
    work: asyncio.Task[None] | None = None

    async def check(self, users: Mapping[str, str], user: str, password: bytes, address: str) -> bool | None:
        """Return whether this is the password of this user; None if too many wait.

        An unknown user takes the time of a known one: the check is made with the hash of some other user.
        """
        password, known = password[:MOST_BYTES], users.get(user)
        digest = self._digest(user.encode(), (known or "").encode(), password)
        if known is not None and digest in self.right:
            self._remember(digest)
            return True
        hashed = known or self._other(users, user)
        client = client_of(address)
        if len(self.waiting.get(client, ())) >= MOST_OF_ONE or sum(map(len, self.waiting.values())) >= MOST:
            return None
        question = Question(hashed.encode(), password, asyncio.get_running_loop().create_future())
        self.waiting.setdefault(client, deque()).append(question)
        if self.work is None or self.work.done():
            self.work = asyncio.create_task(self._answer_all())
        if not await question.answer or known is None:
            return False
        self._remember(digest)
        return True

    async def _answer_all(self) -> None:
        """Check the passwords that wait: one of each client in turn."""
        loop = asyncio.get_running_loop()
        while self.waiting:
            client = next(iter(self.waiting))
            questions = self.waiting.pop(client)
            question = questions.popleft()
            if questions:
                self.waiting[client] = questions  # behind all others
            found = loop.run_in_executor(self.thread, _is_right, question.password, question.hashed)
            await asyncio.wait([found])
            if question.answer.cancelled():
                found.exception()
            elif (error := found.exception()) is not None:
                question.answer.set_exception(error)
            else:
                question.answer.set_result(found.result())

    def _remember(self, digest: bytes) -> None:
        self.right.pop(digest, None)
        self.right[digest] = None
        if len(self.right) > REMEMBERED:
            del self.right[next(iter(self.right))]

    def _other(self, users: Mapping[str, str], user: str) -> str:
        """Return the hash of some user: always the same one for the same unknown name."""
        hashes = sorted(users.values())
        return hashes[int.from_bytes(self._digest(user.encode())[:8]) % len(hashes)]

    def _digest(self, *parts: bytes) -> bytes:
        """Return a digest that only this process can make."""
        sizes = b"".join(len(part).to_bytes(8) for part in parts)
        return hmac.digest(self.secret, sizes + b"".join(parts), hashlib.sha256)


def client_of(address: str) -> str:
    """Return what counts as one client: an address, or a network of IPv6, in which a host has as many as it likes."""
    with suppress(ValueError):
        found = ip_address(address.partition("%")[0])
        if isinstance(found, IPv6Address):
            return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
    return address


def _is_right(password: bytes, hashed: bytes) -> bool:
    try:
        return bcrypt.checkpw(password, hashed)
    except ValueError:  # a password that bcrypt cannot take
        return False
