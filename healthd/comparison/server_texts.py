"""How a database's server prints the texts that the lock file has as another major version prints them.

Two major versions may print one view differently. When healthd applies a file itself, it records in the ledger how this
server prints what the file created. As long as the lock file's text is the one that this was recorded for, it is
replaced with the server's text, and everything is compared as if one major version had printed both sides.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from healthd.catalog import KINDS
from healthd.comparison.judgement import major
from healthd.comparison.mentions import qualified
from healthd.model.attributes import Record, attributes
from healthd.model.ledger import Printed, digest_of_text
from healthd.model.names import Key
from healthd.model.respelling import respelled
from healthd.model.snapshots import Place, Snapshot

Relation = tuple[str, ...]  # schema and name


def as_printed(
    expected: Snapshot, texts: Iterable[Printed], server_version: int
) -> tuple[Snapshot, Mapping[Place, str]]:
    """Return the expected objects as a database's server prints them, and the migrations that recorded these texts.

    If there are two records for one text, the last one counts; a record for a text that is not expected is ignored.
    """
    if major(expected) == server_version // 10000:
        return expected, {}
    found: dict[Key, dict[str, Printed]] = {}
    for one in texts:
        text = text_of(expected.objects.get(one.key), one.attribute)
        if text is not None and digest_of_text(text) == one.digest:
            found.setdefault(one.key, {})[one.attribute] = one
    objects = dict(expected.objects)
    for key, printed in found.items():
        objects[key] = replace(
            objects[key], **{name: one.text for name, one in printed.items() if one.text is not None}
        )
    recorded: dict[Place, str] = {
        (key, name): one.migration for key, printed in found.items() for name, one in printed.items()
    }
    return replace(expected, objects=objects), recorded


def text_of(record: Record | None, attribute: str) -> str | None:
    """Return a text of an object that major versions print differently; None if it has none."""
    known = attributes(type(record)).get(attribute) if record is not None else None
    return getattr(record, attribute) if known is not None and known.deparsed else None


def texts_of(record: Record) -> Iterable[tuple[str, str]]:
    """Yield each attribute of an object whose text major versions print differently, with the text."""
    for name in attributes(type(record)):
        if (text := text_of(record, name)) is not None:
            yield name, text


def textual() -> frozenset[str]:
    """Return the kinds with such texts."""
    return frozenset(kind.name for kind in KINDS.values() if any(map(kind.deparsed, attributes(kind.record))))


def same_text(text: str, other: str | None) -> bool:
    """Return whether two texts of one attribute are the same, as `diff` compares them."""
    return other is not None and (text == other or respelled(text) == respelled(other))


def speak_alike(text: str, other: str, objects: Collection[Relation], doubts: Collection[Relation]) -> bool:
    """Return whether two texts mention the same of these objects (schema and name), and none that is in doubt.

    Major versions print casts, aliases and the names of columns differently, but never another table.
    """
    one, two = qualified(text), qualified(other)
    return one.intersection(objects) == two.intersection(objects) and not (one | two).intersection(doubts)
