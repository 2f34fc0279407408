"""Objects and differences as lines of JSON, as the lock file and snapshot files hold them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from healthd.catalog import KINDS
from healthd.errors import LockFileError
from healthd.model.attributes import Record, attributes
from healthd.model.names import Key
from healthd.model.snapshots import Difference, TableLock

OUTDATED = "regenerate it with: healthd lock"
Said = TypeVar("Said")


def line(entry: Mapping[str, Any]) -> str:
    """Return an entry as one line."""
    return json.dumps(entry, ensure_ascii=False) + "\n"


def read_line(name: str, number: int, text: bytes, read: Callable[[Any], Said]) -> Said:
    """Return the content of one line; raise LockFileError with its number."""
    try:
        return read(json.loads(text.decode()))
    except LockFileError as error:
        raise LockFileError(f"{name}, line {number}: {error}", hint=error.hint) from error
    except UnicodeDecodeError as error:
        raise LockFileError(f"{name}, line {number}: not UTF-8", hint=OUTDATED) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LockFileError(f"{name}, line {number}: not a valid line of a lock file", hint=OUTDATED) from error


def encode_objects(objects: Mapping[Key, Record]) -> dict[str, Any]:
    """Return objects as JSON values, sorted by key."""
    return {str(key): encode(record) for key, record in sorted(objects.items())}


def decode_objects(objects: Mapping[str, Any]) -> dict[Key, Record]:
    """Return the objects that `encode_objects` wrote; raise LockFileError when they cannot be decoded."""
    return dict(decode(text, values) for text, values in objects.items())


def encode_lock(lock: TableLock) -> dict[str, str]:
    """Return a table lock as JSON values."""
    return {"table": str(lock.table), "reason": lock.reason}


def decode_lock(values: Mapping[str, str]) -> TableLock:
    """Return the table lock that `encode_lock` wrote; raise KeyError or ValueError if there is none."""
    return TableLock(Key.parse(values["table"]), values["reason"])


def encode(record: Record) -> dict[str, Any]:
    """Return a record as JSON values."""
    known = attributes(type(record)).items()
    return {name: None if noted.passing else getattr(record, name) for name, noted in known}


def decode(text: str, values: Any) -> tuple[Key, Record]:
    """Return an object; raise LockFileError when this version cannot read it.

    An attribute that an older version did not have gets its default: the digests then differ, so it is compared.
    """
    try:
        key = Key.parse(text)
        record = KINDS[key.kind].record
        fields = dataclasses.fields(record)
        needed = {field.name for field in fields if field.default is dataclasses.MISSING}
        if not needed <= values.keys() <= {field.name for field in fields}:
            raise LockFileError(f"the attributes of {text} do not match this version of healthd", hint=OUTDATED)
        return key, record(**{name: frozen(value) for name, value in values.items()})
    except (ValueError, KeyError, AttributeError) as error:
        raise LockFileError(f"an object unknown to this version of healthd: {text}", hint=OUTDATED) from error


def frozen(value: Any) -> Any:
    """Return a value of a record: tuples where JSON has lists."""
    return tuple(map(frozen, value)) if isinstance(value, list) else value


def passing(key: Key, attribute: str | None) -> bool:
    """Return whether an attribute has a meaning only in this process."""
    return attribute is not None and attributes(KINDS[key.kind].record)[attribute].passing


def encode_difference(effect: Difference) -> dict[str, Any]:
    """Return a difference as JSON values."""
    if effect.attribute is not None:
        return {
            "changed": str(effect.key),
            "attribute": effect.attribute,
            "was": effect.expected,
            "is": effect.actual,
        }
    if effect.expected is None:
        return {"added": str(effect.key), "is": encode(effect.actual)}
    return {"removed": str(effect.key), "was": encode(effect.expected)}


def decode_difference(entry: Mapping[str, Any]) -> Difference:
    """Return a difference; raise LockFileError when this version cannot read it."""
    if "changed" in entry:
        key = Key.parse(entry["changed"])
        name = known(key, entry["attribute"])
        return Difference(key, name, frozen(entry["was"]), frozen(entry["is"]))
    if "added" in entry:
        key, record = decode(entry["added"], entry["is"])
        return Difference(key, None, None, record)
    key, record = decode(entry["removed"], entry["was"])
    return Difference(key, None, record, None)


def known(key: Key, attribute: str) -> str:
    """Return an attribute's name; raise LockFileError when its kind has no such attribute."""
    if key.kind not in KINDS or attribute not in attributes(KINDS[key.kind].record):
        raise LockFileError(f"an attribute unknown to this version of healthd: {attribute} of {key}", hint=OUTDATED)
    return attribute
