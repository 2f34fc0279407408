"""Passwords are checked one at a time; who tries wrong ones delays nobody whose password was right."""

import asyncio
import threading

import bcrypt
import pytest

from healthd.report import logins
from healthd.report.logins import MOST, MOST_OF_ONE, Logins, client_of

COST = 4
SECRET = "hunter2"
ALICE = bcrypt.hashpw(SECRET.encode(), bcrypt.gensalt(COST)).decode()
USERS = {"alice": ALICE, "bob": bcrypt.hashpw(b"other", bcrypt.gensalt(COST)).decode()}


class Checks:
    """What bcrypt is asked: the passwords, in their order; it can be stopped."""

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, bytes]] = []
        self.free = threading.Event()
        self.free.set()

    def checkpw(self, password: bytes, hashed: bytes) -> bool:
        self.asked.append((password, hashed))
        assert self.free.wait(20)
        return bcrypt.checkpw(password, hashed)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Checks:
    made = Checks()
    monkeypatch.setattr(logins, "bcrypt", made)
    return made


async def check(asked: Logins, user: str, password: str, address: str = "10.0.0.1") -> bool | None:
    return await asked.check(USERS, user, password.encode(), address)


async def test_a_user_has_one_password() -> None:
    asked = Logins()

    assert await check(asked, "alice", SECRET)
    assert await check(asked, "alice", "wrong") is False
    assert await check(asked, "bob", SECRET) is False
    assert await check(asked, "carol", SECRET) is False
    assert await check(asked, "alice", "") is False


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
async def test_hashes_of_every_tool_are_known(prefix: str) -> None:
    assert await Logins().check({"alice": prefix + ALICE[4:]}, "alice", SECRET.encode(), "")


async def test_an_unknown_user_is_refused_with_the_password_of_another() -> None:
    """The time of the check is that of a known user, because it is one: its result must not count."""
    asked = Logins()

    assert [False] * 20 == [await check(asked, f"user{number}", SECRET) for number in range(20)]


async def test_an_unknown_user_costs_what_a_known_one_does(checks: Checks) -> None:
    asked = Logins()
    for user in ("alice", *(f"user{number}" for number in range(20))):
        await check(asked, user, "wrong")

    assert 21 == len(checks.asked)
    assert {hashed.encode() for hashed in USERS.values()} == {hashed for _, hashed in checks.asked}
    before = checks.asked[-1]
    await check(asked, "user19", "wrong")
    assert before == checks.asked[-1]


async def test_a_right_password_is_checked_once_and_a_wrong_one_each_time(checks: Checks) -> None:
    asked = Logins()
    for _ in range(3):
        assert await check(asked, "alice", SECRET)
        assert await check(asked, "alice", "wrong") is False

    assert [SECRET.encode(), *[b"wrong"] * 3] == [password for password, _ in checks.asked]


async def test_another_hash_of_a_user_is_another_password() -> None:
    asked = Logins()
    assert await check(asked, "alice", SECRET)

    assert await asked.check({"alice": USERS["bob"]}, "alice", SECRET.encode(), "") is False
    assert await asked.check({"bob": USERS["bob"]}, "alice", SECRET.encode(), "") is False


async def test_what_is_remembered_is_bounded_and_no_password(monkeypatch: pytest.MonkeyPatch, checks: Checks) -> None:
    monkeypatch.setattr(logins, "REMEMBERED", 1)
    asked = Logins()
    for user, password in (("alice", SECRET), ("bob", "other"), ("alice", SECRET)):
        assert await check(asked, user, password)

    assert (1, 3) == (len(asked.right), len(checks.asked))
    assert SECRET.encode() not in b"".join(asked.right)
    assert SECRET not in repr(asked)


async def test_a_right_password_passes_while_wrong_ones_wait(checks: Checks) -> None:
    asked = Logins()
    assert await check(asked, "alice", SECRET)
    checks.free.clear()
    flood = [asyncio.create_task(check(asked, "alice", f"wrong{number}")) for number in range(50)]
    while len(checks.asked) < 2:  # noqa: ASYNC110 # it is asked in a thread
        await asyncio.sleep(0.01)

    assert await check(asked, "alice", SECRET)
    checks.free.set()
    answers = await asyncio.gather(*flood)
    assert {MOST_OF_ONE + 1, MOST_OF_ONE} >= {answers.count(False)}
    assert 50 == answers.count(False) + answers.count(None)


async def test_a_client_waits_for_one_password_of_another_at_most(checks: Checks) -> None:
    asked = Logins()
    checks.free.clear()
    flood = [asyncio.create_task(check(asked, "bob", f"wrong{number}", "10.6.6.6")) for number in range(50)]
    while not checks.asked:  # noqa: ASYNC110 # it is asked in a thread
        await asyncio.sleep(0.01)
    right = asyncio.create_task(check(asked, "alice", SECRET, "10.0.0.1"))
    await asyncio.sleep(0)
    checks.free.set()

    assert await right
    await asyncio.gather(*flood)
    assert [password for password, _ in checks.asked].index(SECRET.encode()) <= 2


async def test_all_that_waits_is_bounded(checks: Checks) -> None:
    asked = Logins()
    checks.free.clear()
    flood = [asyncio.create_task(check(asked, "bob", "wrong", f"10.0.{number}.1")) for number in range(200)]
    await asyncio.sleep(0)

    assert MOST == sum(map(len, asked.waiting.values()))
    checks.free.set()
    answers = await asyncio.gather(*flood)
    assert (MOST, 200 - MOST) == (answers.count(False), answers.count(None))


async def test_a_check_that_fails_answers_its_own_client_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(password: bytes, _hashed: bytes) -> bool:
        if password == b"bad":
            raise RuntimeError("no thread")
        return True

    monkeypatch.setattr(bcrypt, "checkpw", fails)
    asked = Logins()
    bad, good = await asyncio.gather(check(asked, "alice", "bad"), check(asked, "bob", "x"), return_exceptions=True)

    assert isinstance(bad, RuntimeError)
    assert good is True


@pytest.mark.parametrize("password", ["x" * 100, "a\0b", "é" * 50])
async def test_a_password_that_bcrypt_cannot_take_is_wrong(password: str) -> None:
    assert await check(Logins(), "alice", password) is False


async def test_a_long_password_counts_as_far_as_bcrypt_looks() -> None:
    long = "x" * 80
    users = {"alice": bcrypt.hashpw(long[:72].encode(), bcrypt.gensalt(COST)).decode()}

    assert await Logins().check(users, "alice", long.encode(), "")


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("", ""),
    ],
)
def test_a_client_is_an_address_or_a_network(address: str, client: str) -> None:
    assert client == client_of(address)
