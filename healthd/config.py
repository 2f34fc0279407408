"""yoyo.ini, the environment and the command line seen as one Settings."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from healthd.contracts import load as load_contract
from healthd.errors import ConfigError
from healthd.model import Contract

FILE = "yoyo.ini"
VARIABLE = "HEALTHD_DATABASE"

# Every key that may be written, by section; yoyo reads those of [DEFAULT] only.
KEYS: Mapping[str, frozenset[str]] = {
    "DEFAULT": frozenset(
        [
            "sources",
            "database",
            "batch_mode",
            "verbosity",
            "migration_table",
            "editor",
            "post_create_command",
            "prefix",
            "%inherit",
            "%include",
        ]
    ),
    "healthd": frozenset(
        ["listen", "interval_s", "deadline_s", "lock", "data", "postgres_bin", "log_level", "log_format", "runbook"]
    ),
    "target": frozenset(["database", "interval_s", "deadline_s", "contracts"]),
    "contract": frozenset(["file", "role"]),
}


@dataclass(frozen=True, slots=True)
class Target:
    """One database that we watch. `dsn` may hold a password: it is never printed."""

    name: str
    dsn: str = field(repr=False)
    interval_s: float = 30.0
    deadline_s: float = 10.0
    contracts: tuple[Contract, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one process; paths are absolute. `targets` is empty when no database is configured."""

    file: Path | None
    sources: tuple[Path, ...]
    lock: Path
    data: Path
    targets: tuple[Target, ...] = ()
    contracts: tuple[Contract, ...] = ()
    host: str = "127.0.0.1"
    port: int = 9899
    interval_s: float = 30.0
    deadline_s: float = 10.0
    postgres_bin: Path | None = None
    log_level: str = "info"
    log_format: str = "auto"
    runbook: str = "docs/runbook.md"

    def target(self, name: str) -> Target:
        """Return the target with this name."""
        for target in self.targets:
            if target.name == name:
                return target
        known = ", ".join(target.name for target in self.targets) or "none"
        raise ConfigError(f"no target is called {name!r}", hint=f"known targets: {known}")


def read_settings(file: Path | None = None, *, database: str | None = None) -> Settings:
    """Return the settings of `file` (or of the yoyo.ini found upward from here), `database` winning over all."""
    if file is not None and not file.is_file():
        raise ConfigError(f"no such file: {file}", hint="name a yoyo.ini with --config")
    path = (file or find()).resolve() if (file or find()) else None  # type: ignore[union-attr] # tested here
    parser = _parse(path) if path else _parser({})
    reader = _Reader(parser, path)
    reader.refuse_unknown()
    base = path.parent if path else Path.cwd()
    settings = reader.settings(base)
    contracts = {name: reader.contract(name, base) for name in reader.named("contract")}
    settings = replace(settings, contracts=tuple(contracts.values()))
    url = database or os.environ.get(VARIABLE)
    if url or not reader.named("target"):
        url = url or reader.get("DEFAULT", "database")
        targets: tuple[Target, ...] = (reader.only(url, settings),) if url else ()
    else:
        targets = tuple(reader.target(name, settings, contracts) for name in reader.named("target"))
    return replace(settings, targets=targets)


def find() -> Path | None:
    """Return the closest yoyo.ini in this folder or above, as yoyo does."""
    here = Path.cwd()
    return next((folder / FILE for folder in (here, *here.parents) if (folder / FILE).is_file()), None)


class _Interpolation(configparser.BasicInterpolation):
    """yoyo's own: %(NAME)s is another key, `here`, or a variable of the environment."""

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


def _parser(defaults: Mapping[str, str]) -> configparser.ConfigParser:
    return configparser.ConfigParser(interpolation=_Interpolation(defaults))


def _parse(path: Path, seen: tuple[Path, ...] = ()) -> configparser.ConfigParser:
    """Return the file merged with those that it inherits (below it) and includes (above it)."""
    if path in seen:
        raise ConfigError(f"{path} includes itself", hint="take one %inherit or %include out")
    environment = {name.lower(): value.replace("%", "%%") for name, value in os.environ.items()}
    parser = _parser(environment | {"here": str(path.parent)})
    try:
        parser.read_string(path.read_text(encoding="utf-8"), source=str(path))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", hint="check its owner and mode") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8", hint="save the file as UTF-8") from error
    except configparser.Error as error:
        raise ConfigError(" ".join(str(error).split()), hint="docs/configuration.md shows the format") from error
    merged = _parser(environment | {"here": str(path.parent)})
    raw = parser.defaults()
    for name in raw.get("%inherit", "").split():
        _merge(merged, path, name, (*seen, path))
    merged.read_dict({section: _own(parser, section) for section in parser.sections()})
    merged.read_dict({"DEFAULT": raw})
    for name in raw.get("%include", "").split():
        _merge(merged, path, name, (*seen, path))
    return merged


def _own(parser: configparser.ConfigParser, section: str) -> dict[str, str]:
    """Return what stands in a section itself, as it was written, without what [DEFAULT] lends it."""
    own: dict[str, str] = parser._sections[section]  # type: ignore[attr-defined] # noqa: SLF001 # no public way
    return own


def _merge(into: configparser.ConfigParser, path: Path, name: str, seen: tuple[Path, ...]) -> None:
    other = (path.parent / name.removeprefix("?")).resolve()
    if other.is_file():
        parser = _parse(other, seen)
        into.read_dict({section: _own(parser, section) for section in parser.sections()})
        into.read_dict({"DEFAULT": parser.defaults()})
    elif not name.startswith("?"):
        raise ConfigError(f"{path} includes {other}, which is not there", hint="write ?NAME if it may be missing")


class _Reader:
    """The parsed file, with errors that name file, section and key."""

    def __init__(self, parser: configparser.ConfigParser, path: Path | None) -> None:
        self.parser, self.path = parser, path

    def named(self, word: str) -> tuple[str, ...]:
        """Return the names of the sections [word NAME]."""
        return tuple(s.removeprefix(f"{word} ").strip() for s in self.parser.sections() if s.startswith(f"{word} "))

    def own(self, section: str) -> tuple[str, ...]:
        """Return the keys that a section has itself, without those of [DEFAULT]."""
        if section == "DEFAULT":
            return tuple(self.parser.defaults())
        return tuple(_own(self.parser, section)) if self.parser.has_section(section) else ()

    def refuse_unknown(self) -> None:
        """Raise for the first section or key that nobody reads."""
        used = set(re.findall(r"%\((\w+)\)s", " ".join(self._values())))
        for section in ("DEFAULT", *self.parser.sections()):
            word = section.partition(" ")[0]
            wants_name = word in ("target", "contract")
            if word not in KEYS or wants_name != (" " in section.strip()):
                raise self.wrong(section, None, "no such section", "[healthd], [target NAME] or [contract NAME]")
            for key in self.own(section):
                if key not in KEYS[word] and not (section == "DEFAULT" and key in used):
                    raise self.wrong(section, key, "no such key", ", ".join(sorted(KEYS[word])))

    def _values(self) -> Iterator[str]:
        yield from self.parser.defaults().values()
        for section in self.parser.sections():
            yield from _own(self.parser, section).values()

    def wrong(self, section: str, key: str | None, what: str, known: str) -> ConfigError:
        """Return the error about a section or key, with the line it stands on."""
        place = f"{self.path or FILE}{self._line(section, key)}: [{section}]" + (f" {key}" if key else "")
        return ConfigError(f"{place}: {what}", hint=f"known: {known}" if known else "docs/configuration.md")

    def _line(self, section: str, key: str | None) -> str:
        inside = False
        for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines() if self.path else (), 1):
            if line.strip() == f"[{section}]":
                inside = True
                if key is None:
                    return f", line {number}"
            elif line.startswith("["):
                inside = False
            elif inside and key and re.match(rf"{re.escape(key)}\s*[=:]", line.strip(), re.IGNORECASE):
                return f", line {number}"
        return ""

    def get(self, section: str, key: str) -> str | None:
        """Return a section's own value, interpolated; None when it is not there or empty."""
        if key not in self.own(section):
            return None
        try:
            return self.parser.get(section, key).strip() or None
        except configparser.InterpolationMissingOptionError as error:
            raise self.wrong(section, key, f"%({error.reference})s is not set", "") from error
        except configparser.InterpolationError as error:
            raise self.wrong(section, key, "a lone % sign", "") from error

    def seconds(self, section: str, key: str, default: float) -> float:
        """Return a positive number of seconds."""
        text = self.get(section, key)
        if text is None:
            return default
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not 0 < value < float("inf"):
            raise self.wrong(section, key, f"{text!r} is not a number of seconds above 0", "a number such as 30")
        return value

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        """Return one of a few words; the first is the default."""
        value = self.get("healthd", key) or choices[0]
        if value not in choices:
            raise self.wrong("healthd", key, f"{value!r}", ", ".join(choices))
        return value

    def settings(self, base: Path) -> Settings:
        """Return everything but targets and contracts."""
        listen = self.get("healthd", "listen") or "127.0.0.1:9899"
        host, _, port = listen.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            raise self.wrong("healthd", "listen", f"{listen!r} is not HOST:PORT", "an address such as 127.0.0.1:9899")
        sources = tuple(base / source for source in (self.get("DEFAULT", "sources") or "sql").split())
        postgres_bin = self.get("healthd", "postgres_bin")
        return Settings(
            file=self.path,
            sources=sources,
            lock=base / (self.get("healthd", "lock") or sources[0] / "schema.lock"),
            data=base / (self.get("healthd", "data") or ".healthd/data"),
            host=host.strip("[]"),
            port=int(port),
            interval_s=self.seconds("healthd", "interval_s", 30.0),
            deadline_s=self.seconds("healthd", "deadline_s", 10.0),
            postgres_bin=base / postgres_bin if postgres_bin else None,
            log_level=self.choice("log_level", ("info", "debug", "warning", "error")),
            log_format=self.choice("log_format", ("auto", "json", "console")),
            runbook=self.get("healthd", "runbook") or "docs/runbook.md",
        )

    def contract(self, name: str, base: Path) -> Contract:
        """Return the contract of one section, read from its file."""
        section = f"contract {name}"
        file = self.get(section, "file")
        if file is None:
            raise self.wrong(section, "file", "missing", "file = PATH of a JSON contract")
        try:
            contract = load_contract((base / file).read_text(encoding="utf-8"), name)
        except (OSError, UnicodeDecodeError) as error:
            raise self.wrong(section, "file", f"cannot read {base / file}", "") from error
        except ValueError as error:
            raise self.wrong(section, "file", str(error), "") from error
        return replace(contract, role=self.get(section, "role") or contract.role)

    def target(self, name: str, settings: Settings, contracts: Mapping[str, Contract]) -> Target:
        """Return the target of one section; without a list of its own it has every contract."""
        section = f"target {name}"
        dsn = self.get(section, "database")
        if dsn is None:
            raise self.wrong(section, "database", "missing", "database = postgresql://…")
        chosen = self.get(section, "contracts")
        for wanted in (chosen or "").split():
            if wanted not in contracts:
                raise self.wrong(section, "contracts", f"no contract {wanted!r}", ", ".join(contracts) or "none")
        return Target(
            name,
            dsn,
            self.seconds(section, "interval_s", settings.interval_s),
            self.seconds(section, "deadline_s", settings.deadline_s),
            tuple(contracts[one] for one in chosen.split()) if chosen else settings.contracts,
        )

    def only(self, dsn: str, settings: Settings) -> Target:
        """Return the one target when no section names any, called like its database."""
        match = re.search(r"^\w[\w+]*://[^/?]*/([\w.-]+)|\bdbname\s*=\s*'?([\w.-]+)", dsn)
        name = (match[1] or match[2]) if match else "database"
        return Target(name, dsn, settings.interval_s, settings.deadline_s, settings.contracts)
