"""Every message of a difference, one for each attribute of each record: messages.txt."""

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from healthd.catalog import KINDS
from healthd.comparison.judgement import message
from healthd.model.attributes import attributes
from healthd.model.kinds import Kind
from healthd.model.names import Key
from healthd.model.snapshots import Difference

MESSAGES = Path(__file__).parent / "messages.txt"


def pairs(field: str, annotation: str) -> Iterator[tuple[Any, Any]]:
    """Yield sample values, expected and actual, for a field of this type."""
    if "bool" in annotation:
        yield from ((True, False), (False, True))
    elif "tuple" in annotation:
        yield from ((("one", "two"), ("one",)), (("one",), ()))
    elif field == "enabled":
        yield from (("origin", "disabled"), ("replica", "always"))
    else:
        yield (7, 9) if "int" in annotation else ("alpha", "beta")
        if "None" in annotation:
            yield from (("alpha", None), (None, "beta"))


def messages() -> Iterator[str]:
    for kind in KINDS.values():
        for field in dataclasses.fields(kind.record):
            if attributes(kind.record)[field.name].severity is not None:
                for expected, actual in pairs(field.name, str(field.type)):
                    yield said(kind, Difference(Key(kind.name, ("x",)), field.name, expected, actual))


def said(kind: Kind, difference: Difference) -> str:
    return f"{kind.name}: {message(difference).removeprefix(f'{difference.key}: ')}"


def test_every_message_has_been_reviewed() -> None:
    """To update: `python tests/unit/comparison/test_words.py > tests/unit/comparison/messages.txt`; review the diff."""
    assert MESSAGES.read_text().splitlines() == list(messages())


def test_no_message_repeats_itself_or_contains_the_name_of_a_field() -> None:
    for text in messages():
        first, _, second = text.partition(": ")[2].partition(", expected ")
        assert "_" not in text.partition(": ")[2]
        assert first != second
        assert "no of " not in text
        assert "no on " not in text


if __name__ == "__main__":
    sys.stdout.write("".join(f"{one}\n" for one in messages()))
