"""The text of waivers.toml: read it, with errors that name file, entry and key; and write one more entry."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from healthd.catalog import KINDS
from healthd.errors import ConfigError
from healthd.model.attributes import attributes
from healthd.model.names import Key
from healthd.model.snapshots import NAME_OF, SCHEMA_OF, SWAPPED
from healthd.model.waivers import DIFFERENCES, Waiver, is_pattern
from healthd.text import printable

PAGE = "healthd docs waivers"
REQUIRED = ("key", "reason", "owner", "until")
OPTIONAL = ("attribute", "problem", "actual", "target")
OTHER_KINDS = ("database", "statement")  # kinds of keys in findings that are no objects
NEVER: Mapping[str, str] = {
    "migration": "the state of a migration cannot be waived: restore its file, or apply it",
    "endpoint": "an endpoint cannot be waived: change its section in yoyo.ini",
}
HEADER = re.compile(r"^\s*\[\[\s*waiver\s*\]\]", re.MULTILINE)


def read_waivers(text: str, name: str) -> tuple[Waiver, ...]:
    """Return the waivers in this text; raise ConfigError with the file, the entry and the key that are wrong."""
    try:
        document = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{name}: not valid TOML: {printable(str(error))}",
            hint="fix the line, or restore the file: it may have been cut off",
        ) from error
    for key in document:
        if key != "waiver":
            raise ConfigError(f"{name}: unknown key {key!r}", hint="each entry begins with a line [[waiver]]")
    entries = document.get("waiver", [])
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise ConfigError(f"{name}: waiver is not a list of tables", hint="each entry begins with a line [[waiver]]")
    lines = [text.count("\n", 0, match.end()) + 1 for match in HEADER.finditer(text)]
    known = lines if len(lines) == len(entries) else [0] * len(entries)  # a text may contain such a line, too
    places = (_place(name, number, line) for number, line in enumerate(known, 1))
    return tuple(_waiver(entry, place) for entry, place in zip(entries, places, strict=True))


def _place(name: str, number: int, line: int) -> str:
    return f"{name}, line {line}: waiver {number}" if line else f"{name}: waiver {number}"


def _waiver(entry: Mapping[str, Any], place: str) -> Waiver:
    for key in entry:
        if key not in (*REQUIRED, *OPTIONAL):
            raise _wrong(place, key, "unknown key", f"known: {', '.join((*REQUIRED, *OPTIONAL))}")
    for key in REQUIRED:
        if key not in entry:
            raise _wrong(place, key, "missing", "add it; if the file was cut off, restore it")
    texts = {key: _text(place, key, value) for key, value in entry.items() if key != "until"}
    waiver = Waiver(until=_day(place, entry["until"]), place=place, **texts)
    _check_key(place, waiver.key)
    _check_attribute(place, waiver)
    return waiver


def _text(place: str, key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(place, key, f"{printable(str(value))} is not a text", 'write it in quotation marks: "…"')
    if key != "actual" and not value.strip():
        raise _wrong(place, key, "empty", "write a text" if key in REQUIRED else "remove it")
    if key == "problem" and not re.fullmatch("[a-z_]+", value):
        raise _wrong(place, key, f"{printable(value)!r} is not the name of a problem", "copy it from healthd check")
    return value


def _day(place: str, value: Any) -> date:
    """Return the last day; TOML has dates, and a text in the same form is taken, too."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return day(str(value))
    except ValueError:
        raise _wrong(
            place, "until", f"{printable(str(value))!r} is not a date", "write the last day as YYYY-MM-DD"
        ) from None


def day(text: str) -> date:
    """Return the day that is written as YYYY-MM-DD; raise ValueError for anything else."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
        raise ValueError(text)
    return date.fromisoformat(text)


def _check_key(place: str, text: str) -> None:
    """Raise for a key that names nothing, and for a pattern that is about everything."""
    kind, _, name = text.partition(":")
    shown = printable(text)
    if not re.search(r"[^\W_]", name.replace("*", "").replace("?", "")):
        if not is_pattern(text):
            raise _wrong(place, "key", f"{shown!r} is not the name of an object", "copy it from healthd check")
        example = "write KIND:NAME, for example grant:table.public.*.reader"
        raise _wrong(place, "key", f"{shown!r} would hide too much", example)
    if kind in NEVER:
        raise _wrong(place, "key", f"{shown!r}: {NEVER[kind]}", f"remove the entry ({PAGE})")
    if kind not in KINDS and kind not in OTHER_KINDS:
        words = "the kind must be written out" if is_pattern(kind) else f"unknown kind {printable(kind)!r}"
        raise _wrong(place, "key", f"{shown!r}: {words}", "write KIND:NAME, as healthd check prints it")
    if is_pattern(text):
        return
    try:
        same = str(Key.parse(text)) == text
    except ValueError:
        same = False
    if not same:
        raise _wrong(place, "key", f"{shown!r} is not the name of an object", "copy it from healthd check")


def _check_attribute(place: str, waiver: Waiver) -> None:
    kind = KINDS.get(waiver.key.partition(":")[0])
    if waiver.attribute is None or kind is None or waiver.problem not in (None, *DIFFERENCES):
        return
    known = (*attributes(kind.record), NAME_OF, SCHEMA_OF, SWAPPED)
    if waiver.attribute not in known:
        words = f"{printable(waiver.attribute)!r} is not an attribute of the kind {kind.name}"
        raise _wrong(place, "attribute", words, f"known: {', '.join(known)}")


def _wrong(place: str, key: str, what: str, hint: str) -> ConfigError:
    return ConfigError(f"{place}: {key}: {what}", hint=hint)


def written(waiver: Waiver) -> str:
    """Return a waiver as an entry of the file."""
    texts = {key: value for key in (*REQUIRED, *OPTIONAL) if (value := getattr(waiver, key)) is not None}
    order = ("key", "attribute", "problem", "actual", "target", "reason", "owner", "until")
    lines = [f"{key} = {texts[key] if key == 'until' else quoted(texts[key])}" for key in order if key in texts]
    return "\n".join(["[[waiver]]", *lines]) + "\n"


def quoted(text: str) -> str:
    """Return a text as a basic string of TOML; one with several lines is written on several lines."""
    lines = ["".join(map(_escaped, line)) for line in text.split("\n")]
    if len(lines) == 1:
        return f'"{lines[0]}"'
    return '"""\n' + "\n".join(lines) + '"""'


ESCAPES: Mapping[str, str] = {'"': '\\"', "\\": "\\\\", "\t": "\\t", "\r": "\\r"}


def _escaped(letter: str) -> str:
    if letter in ESCAPES:
        return ESCAPES[letter]
    if letter.isprintable():
        return letter
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else f"\\U{ord(letter):08x}"


def appended(text: str, entries: tuple[Waiver, ...], name: str) -> str:
    """Return the text of a file with more entries at its end; everything that it contains is kept as it is."""
    end = "\r\n" if "\r\n" in text else "\n"
    more = "\n".join(written(one) for one in entries)
    before = text if not text or text.endswith("\n") else text + end
    whole = before + (end if before.strip() else "") + more.replace("\n", end)
    read_waivers(whole, name)  # entries as an inline list cannot be continued
    return whole
