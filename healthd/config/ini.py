"""An INI file as yoyo reads it, with variables, %inherit and %include, and the place of each key."""

from __future__ import annotations

import configparser
import os
import re
from collections import deque
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path

from healthd.config.named_files import is_file_or_unknown, real
from healthd.errors import ConfigError

Origins = dict[tuple[str, str | None], str]  # (section, key) → file and line


def parse(path: Path) -> tuple[configparser.ConfigParser, Origins]:
    """Return the file merged with others in yoyo's order: it overrides inherited files, included files override it."""
    files, order = {path: _read(path)}, deque([path])
    waiting: list[tuple[tuple[Path, ...], Path]] = [((), path)]
    while waiting:
        above, current = waiting.pop()
        inherited, included = (tuple(_others(current, files[current], key)) for key in ("%inherit", "%include"))
        for other in (*inherited, *included):
            if other in (*above, current):
                raise ConfigError(f"{other} includes itself", hint="remove one %inherit or %include")
            files[other] = _read(other)
            waiting.append(((*above, current), other))
        order.extendleft(inherited)
        order.extend(included)
    merged, origins = new_parser(_environment(path)), Origins()
    for one in order:
        parser = files[one]
        sections = {"DEFAULT": parser.defaults()} | {name: own(parser, name) for name in parser.sections()}
        merged.read_dict(
            {name: {key: _here(value, one) for key, value in section.items()} for name, section in sections.items()}
        )
        origins |= _origins(one)
    return merged, origins


def parse_alone(path: Path) -> tuple[configparser.ConfigParser, Origins]:
    """Return one file, without those that it inherits or includes."""
    return _read(path), _origins(path)


def own(parser: configparser.ConfigParser, section: str) -> Mapping[str, str]:
    """Return the section's own keys and values, as written, without the keys of [DEFAULT]."""
    return parser._sections.get(section, {})  # type: ignore[attr-defined,no-any-return] # noqa: SLF001 # no public way


def new_parser(defaults: Mapping[str, str]) -> configparser.ConfigParser:
    """Return a parser without a file; `defaults` are the values of variables."""
    return configparser.ConfigParser(interpolation=_Interpolation(defaults))


class _Interpolation(configparser.BasicInterpolation):
    """yoyo's own: %(NAME)s is another key, `here`, or an environment variable."""

    def __init__(self, defaults: Mapping[str, str]) -> None:
        self.defaults = defaults

    def before_get(
        self,
        parser: MutableMapping[str, Mapping[str, str]],
        section: str,
        option: str,
        value: str,
        defaults: Mapping[str, str],
    ) -> str:
        return super().before_get(parser, section, option, value, {**self.defaults, **defaults})

    def before_set(self, parser: object, section: str, option: str, value: str) -> str:  # noqa: ARG002
        """Accept a value as it is: an error in it is reported when it is read, without showing the value."""
        return value


def _read(path: Path) -> configparser.ConfigParser:
    """Return one file. Errors contain the number of the line but never its text, which may contain a password."""
    parser = new_parser(_environment(path))
    try:
        parser.read_string(_text(path))
    except configparser.MissingSectionHeaderError as error:
        raise _malformed(f"{path}, line {error.lineno}: no [section] above this line") from None
    except configparser.DuplicateSectionError as error:
        raise _malformed(f"{path}, line {error.lineno}: duplicate section [{error.section}]") from None
    except configparser.DuplicateOptionError as error:
        raise _malformed(f"{path}, line {error.lineno}: duplicate key [{error.section}] {error.option}") from None
    except configparser.ParsingError as error:
        raise _malformed(f"{path}, line {error.errors[0][0]}: neither a [section] nor KEY = VALUE") from None
    return parser


def _malformed(message: str) -> ConfigError:
    return ConfigError(message, hint="for the format, run `healthd docs configuration`")


def _text(path: Path) -> str:
    try:
        if path.is_fifo() or path.is_socket():  # to read it might never end
            raise ConfigError(f"{path} is a pipe or a socket, and not a file", hint="remove it, or name another file")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", hint="check its owner and mode") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8", hint="save the file as UTF-8") from error
    if "\0" in text:  # no name of a file can contain it, and no value means it
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ConfigError(f"{path}, line {line}: contains a NUL character", hint="remove it, or save the file as text")
    return text


def _environment(path: Path) -> dict[str, str]:
    known = {name.lower(): value.replace("%", "%%") for name, value in os.environ.items()}
    return known | {"here": str(path.parent).replace("%", "%%")}


def _here(value: str, path: Path) -> str:
    """Return a value with `%(here)s` replaced by the folder of its own file."""
    folder = str(path.parent).replace("%", "%%")
    return re.sub(r"%%|%\(here\)s", lambda match: "%%" if match[0] == "%%" else folder, value, flags=re.IGNORECASE)


def _others(path: Path, parser: configparser.ConfigParser, key: str) -> Iterator[Path]:
    """Yield the files that a file names in %inherit or %include."""
    try:
        names = parser.get("DEFAULT", key, fallback="").split()
    except configparser.InterpolationError:
        raise ConfigError(f"{path}: [DEFAULT] {key}: a variable in its value is not set") from None
    for name in names:
        other = real(path.parent / name.removeprefix("?"))
        if is_file_or_unknown(other):
            yield other
        elif not name.startswith("?"):
            raise ConfigError(f"{path} includes {other}, which does not exist", hint="write ?NAME for an optional file")


def _origins(path: Path) -> Origins:
    """Return the file and line of each section and key of a file."""
    found, section = Origins(), ""
    for number, line in enumerate(_text(path).splitlines(), 1):
        if match := re.match(r"\[(.+)\]", line):
            section = match[1]
            found.setdefault((section, None), f"{path}, line {number}")
        elif match := re.match(r"\s*([^\s#;=:][^=:]*?)\s*[=:]", line):
            found.setdefault((section, match[1].lower()), f"{path}, line {number}")
    return found
