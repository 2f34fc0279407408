"""The only door to PyYAML: a YAML file as places, whose errors name file, line and key, and never a value."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from healthd.errors import ConfigError
from healthd.text import did_you_mean

MOST_BYTES = 1 << 20
YES, NO = ("true", "yes", "on", "y"), ("false", "no", "off", "n")
NULL = ("", "~", "null")


@dataclass(frozen=True, slots=True)
class Place:
    """A value in a file, and the key that leads to it; scalars stay the text that they are."""

    path: Path
    key: str
    node: Any  # of PyYAML, which has no types

    def wrong(self, what: str, hint: str) -> ConfigError:
        """Return the error about this place."""
        key = f"{self.key}: " if self.key else ""
        line = f":{self.node.start_mark.line + 1}" if self.node is not None else ""
        return ConfigError(f"{self.path}{line}: {key}{what}", hint=hint)

    def members(self, known: Collection[str] | None = None) -> dict[str, Place]:
        """Return what a mapping maps; None and unknown keys are errors unless nothing is `known`."""
        if self.is_empty:
            return {}
        if not isinstance(self.node, yaml.MappingNode):
            raise self.wrong("is not a mapping", "write KEY: VALUE, one a line, indented below the key")
        found: dict[str, Place] = {}
        for key, value in self.node.value:
            place = Place(self.path, self.key, key)
            if not isinstance(key, yaml.ScalarNode):
                raise place.wrong("a key is not a text", "write KEY: VALUE, one a line")
            if known is not None and key.value not in known:
                hint = f"{did_you_mean(key.value, known)}known: {', '.join(known)}"
                raise place.wrong(f"unknown key {key.value!r}", hint)
            if key.value in found:
                raise place.wrong("a key occurs twice", "remove one of them")
            found[key.value] = Place(self.path, f"{self.key}.{key.value}" if self.key else key.value, value)
        return {name: place for name, place in found.items() if known is None or not place.is_empty}

    @property
    def is_empty(self) -> bool:
        """Return whether there is no value."""
        plain = isinstance(self.node, yaml.ScalarNode) and self.node.style is None
        return self.node is None or (plain and self.node.value.lower() in NULL)

    @property
    def text(self) -> str:
        """Return the value, a text."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.wrong("is not a text", "write one value behind the key")
        return str(self.node.value)

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the value, a list of texts."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.wrong("is not a list", "write - VALUE, one a line, indented below the key")
        return tuple(Place(self.path, self.key, node).text for node in self.node.value)

    @property
    def flag(self) -> bool:
        """Return the value, true or false."""
        if (word := self.text.lower()) not in (*YES, *NO):
            raise self.wrong("is not true or false", "write true or false")
        return word in YES


def read_yaml(path: Path) -> Place:
    """Return the only document of a file."""
    try:
        if not path.is_file():
            what = "not a regular file" if path.exists() else "no such file"
            raise ConfigError(f"{path}: {what}", hint="check its path")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        text = content.decode("utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", hint="check its owner and mode") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8", hint="save it as UTF-8") from None
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{path} is larger than {MOST_BYTES >> 20} MiB", hint="check its path")
    return Place(path, "", _composed(path, text))


def _composed(path: Path, text: str) -> Any:
    """Return the root of a document. PyYAML's own words quote what is wrong, which may be a password."""
    try:
        return yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        raise ConfigError(f"{path}{line}: not valid YAML", hint="check indentation and quotation marks") from None
    except RecursionError:
        raise ConfigError(f"{path}: not valid YAML: nested too deeply", hint="check its brackets") from None
