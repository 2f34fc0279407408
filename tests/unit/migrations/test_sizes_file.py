"""A file of sizes is read as it was written, and anything else is refused in one line."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from healthd.database.ledger import Ledger
from healthd.errors import ConfigError
from healthd.migrations.sizes_file import AGAIN, Taken, document, load
from healthd.model.ledger import Applied, Interrupted
from healthd.model.observations import Size

NOW = datetime(2026, 11, 30, 6, tzinfo=UTC)
TAKEN = Taken(
    "orders-eu",
    NOW,
    180001,
    Ledger(
        (Applied("0001_a", NOW, "sha256:00", None), Applied("0002_b", None, None, None)),
        interrupted=(Interrupted("0003_c", "apply", 1, 2, True, NOW),),
    ),
    False,
    {"index:public.a.b": Size(8192, None), 'table:public."A b"': Size(0, 0)},
)
TEXT = json.dumps(document(TAKEN))


def test_a_file_is_read_as_it_was_written() -> None:
    assert TAKEN == load(TEXT, "sizes.json", NOW)


def changed(change: Callable[[Any], object]) -> str:
    content = json.loads(TEXT)
    change(content)
    return json.dumps(content)


def first(content: Any, part: str, **members: object) -> None:
    content[part][0] |= members


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is not JSON"),
        ("orders  8 kB, 3 rows\n", "it is not JSON"),
        ("[]", "an object with applied, format"),
        ("[" * 100_000, ""),
        ("{}", "'applied' is missing"),
        (changed(lambda one: one.update(format=2)), "it has format 2, but this version of healthd reads format 1"),
        (changed(lambda one: one.update(format=True)), "format is not a whole number"),
        (changed(lambda one: one.update(more=1)), "'more' is unknown"),
        (changed(lambda one: one.pop("running")), "'running' is missing"),
        (changed(lambda one: one.update(running=0)), "running is not true or false"),
        (changed(lambda one: one.update(target="")), "target is not a name: ''"),
        (changed(lambda one: one.update(target="a\x1b[2J")), r"target is not a name: 'a\x1b[2J'"),
        (changed(lambda one: one.update(taken_at="yesterday")), "Invalid isoformat string: 'yesterday'"),
        (changed(lambda one: one.update(taken_at="2026-11-30T06:00:00")), "not a time in UTC"),
        (changed(lambda one: one.update(taken_at="2026-11-30T06:00:00+01:00")), "not a time in UTC"),
        (changed(lambda one: one.update(server_version="18")), "server_version is not a whole number"),
        (changed(lambda one: one.update(relations={})), "relations is not a list"),
        (changed(lambda one: one["relations"].append(1)), "an object with relation, rows, size_bytes was expected"),
        (changed(lambda one: first(one, "relations", relation="orders")), "not the name of an object: 'orders'"),
        (changed(lambda one: first(one, "relations", size_bytes=-1)), "size_bytes is out of range: -1"),
        (changed(lambda one: first(one, "relations", size_bytes=10**400)), "size_bytes is out of range: 1"),
        (changed(lambda one: first(one, "relations", size_bytes=1.5)), "size_bytes is not a whole number"),
        (changed(lambda one: first(one, "relations", rows=True)), "rows is not a whole number"),
        (changed(lambda one: one["relations"].append(one["relations"][0])), "index:public.a.b is listed twice"),
        (changed(lambda one: first(one, "applied", id="0002_b")), "0002_b is applied twice"),
        (changed(lambda one: first(one, "applied", id="a\ud800")), r"id is not a name: 'a\ud800'"),
        (changed(lambda one: first(one, "applied", digest=1)), "digest is not a text"),
        (changed(lambda one: first(one, "interrupted", operation="x")), "unknown operation 'x'"),
        (changed(lambda one: first(one, "interrupted", at=None)), "at is not a text"),
    ],
)
def test_anything_else_is_refused_in_one_line(text: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text, "sizes.json", NOW)

    assert str(caught.value).startswith(f"sizes.json is not a file of sizes: {why}")
    assert str(caught.value).isprintable()
    assert AGAIN == caught.value.hint


def test_a_file_from_the_future_is_refused_unless_the_clocks_differ_a_little() -> None:
    assert TAKEN == load(TEXT, "sizes.json", NOW - timedelta(minutes=4))
    with pytest.raises(ConfigError, match=r"^sizes\.json was taken in the future: 2026-11-30T06:00:00"):
        load(TEXT, "sizes.json", NOW - timedelta(minutes=6))
