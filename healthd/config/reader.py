"""Read yoyo.ini, the environment and the command line into one Settings."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

from healthd.config.alertmanagers import alertmanager_in
from healthd.config.hosts import host_name, is_web
from healthd.config.ini import Origins, new_parser, parse, parse_alone
from healthd.config.labels import labels_in
from healthd.config.platforms import profile_names, read_profile
from healthd.config.sections import FILE, Sections
from healthd.config.settings import LOCK, RULES, Endpoint, Settings, Target, TargetFolder
from healthd.config.target_files import with_files
from healthd.config.target_names import misleading
from healthd.contracts import load as load_contract
from healthd.contracts.application import contract_in
from healthd.contracts.json_shape import Shape
from healthd.contracts.json_shape import load as load_shape
from healthd.database.passwords import PasswordCommand
from healthd.errors import ConfigError
from healthd.model.contracts import Contract
from healthd.model.ledger import BOOKS
from healthd.model.names import Key
from healthd.model.profiles import Profile

if TYPE_CHECKING:
    from healthd.database.dsn import Dsn

VARIABLE = "HEALTHD_DATABASE"
STATE = "STATE_DIRECTORY"  # of a systemd unit with StateDirectory=
OWN = frozenset(("target", "job", "instance", "__name__"))  # labels of metrics
MOST_ROWS = 100_000  # that are sampled in each table


def read_settings(file: Path | None = None, *, database: str | None = None) -> Settings:
    """Return the settings of `file` (or of the yoyo.ini in this folder or above); `database` overrides all targets."""
    if file is not None and not file.is_file():
        raise ConfigError(f"no such file: {file}", hint="name a yoyo.ini with --config")
    found = file or find()
    path = found.resolve() if found else None
    parser, origins = parse(path) if path else (new_parser({}), Origins())
    reader = _Reader(parser, path, origins)
    reader.refuse_unknown()
    reader.refuse_colliding()
    base = path.parent if path else Path.cwd()
    settings = reader.settings(base)
    contracts = {name: reader.contract(name, base) for name in reader.named("contract")}
    endpoints = tuple(reader.endpoint(name, base, settings) for name in reader.named("endpoint"))
    settings = replace(settings, contracts=tuple(contracts.values()), endpoints=endpoints)
    targets: tuple[Target, ...]
    if database:
        targets = (_only(database, settings, "--database"),)
    elif url := os.environ.get(VARIABLE):
        targets = (_only(url, settings, VARIABLE),)
    elif (names := reader.named("target")) or reader.get("healthd", "targets_dir"):
        targets = tuple(reader.target(name, base, settings, contracts) for name in names)
        folder = reader.folder(base, settings, contracts, targets)
        return with_files(replace(settings.declaring(targets), folder=folder))
    elif written := reader.get("DEFAULT", "database"):
        targets = (_only(written, settings, reader.place("DEFAULT", "database")),)
    else:
        targets = ()
    return replace(settings, targets=targets)


def _targets_in(path: Path, base: Path, settings: Settings, contracts: Mapping[str, Contract]) -> Mapping[str, Target]:
    """Return the targets of one target file, by their places."""
    parser, origins = parse_alone(path)
    reader = _Reader(parser, path, origins)
    for section in filter(None, ("DEFAULT" if reader.own("DEFAULT") else "", *reader.parser.sections())):
        if not section.startswith("target "):
            raise reader.wrong(section, None, "not allowed in a target file", "known: [target NAME]")
    reader.refuse_unknown()
    reader.refuse_colliding()
    names = reader.named("target")
    return {reader.place(f"target {name}", None): reader.target(name, base, settings, contracts) for name in names}


def find() -> Path | None:
    """Return the nearest yoyo.ini in this folder or above, as yoyo does."""
    here = Path.cwd()
    return next((folder / FILE for folder in (here, *here.parents) if (folder / FILE).is_file()), None)


def _only(dsn: str, settings: Settings, place: str) -> Target:
    """Return the only target when there are no target sections; it is named after its database."""
    known = _parsed(dsn, place)
    name = known.dbname or known.parameters.get("service") or "database"
    name = re.sub(r"[^\w.-]+", "_", name)
    if misleading("target", name):
        name = "database"
    return Target(
        name,
        _with(known, dsn, settings.password_command),
        settings.interval_s,
        settings.deadline_s,
        settings.contracts,
        settings.partitions,
        settings.sample_rows,
        settings.profiles,
        deadline_max_s=settings.deadline_max_s,
    )


def _parsed(dsn: str, place: str) -> Dsn:
    """Return a connection string, parsed. libpq's errors quote the text, and with it the password."""
    from healthd.database.dsn import Dsn  # psycopg takes 60 ms to import: only when a database is needed

    try:
        return Dsn.of(dsn)
    except ConfigError as error:
        words, hint = re.sub(r'".*"', '"…"', str(error), flags=re.DOTALL), error.hint
    if re.search(r"[?&]schema=", dsn):
        words, hint = "only yoyo supports schema=", "use ALTER ROLE … SET search_path = …, which applies to all clients"
    raise ConfigError(f"{place}: {words}", hint=hint)


def _with(known: Dsn, text: str, command: PasswordCommand | None) -> str | Dsn:
    """Return a connection string with the command that prints its password, unless it has a password."""
    return text if command is None or known.has_password else replace(known, command=command)


def _folders(base: Path, source: str) -> tuple[Path, ...]:
    """Return the folders that one source names; as in yoyo it may be a pattern."""
    if (base / source).is_dir():
        return (base / source,)
    return tuple(base / name for name in sorted(glob(source, root_dir=base))) or (base / source,)  # noqa: PTH207 # it may be absolute


class _Reader(Sections):
    """What each section means."""

    def rows(self, section: str, default: int) -> int:
        """Return how many rows are sampled in each table; 0 means none."""
        text = self.get(section, "sample_rows")
        if text is None:
            return default
        if not re.fullmatch("[0-9]{1,6}", text) or int(text) > MOST_ROWS:
            raise self.wrong(
                section, "sample_rows", f"{text!r} is not a number of rows", f"write a number from 0 to {MOST_ROWS}"
            )
        return int(text)

    def profiles(self, section: str, default: tuple[Profile, ...]) -> tuple[Profile, ...]:
        """Return the profiles of these names, separated by commas or blanks; `none` is no profile."""
        names = tuple(dict.fromkeys(filter(None, re.split(r"[,\s]+", self.get(section, "profile") or ""))))
        if not names or names == ("none",):
            return () if names else default
        for name in names:
            if name not in (known := profile_names()):
                hint = f"known: {', '.join(known)}; or none, alone"
                raise self.wrong(section, "profile", f"unknown profile {name!r}", hint)
        return tuple(map(read_profile, names))

    def settings(self, base: Path) -> Settings:
        """Return everything but targets and contracts."""
        listen = self.get("healthd", "listen") or "127.0.0.1:9899"
        host, _, port = listen.rpartition(":")
        if not host or not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535:
            raise self.wrong("healthd", "listen", f"{listen!r} is not HOST:PORT", "for example: 127.0.0.1:9899")
        sources = self.sources("DEFAULT", base) or _folders(base, "sql")
        if (table := self.get("DEFAULT", "migration_table") or BOOKS[0]) != BOOKS[0]:
            raise self.wrong("DEFAULT", "migration_table", f"{table!r} is not supported", f"use {BOOKS[0]}")
        postgres_bin, web_config = self.get("healthd", "postgres_bin"), self.get("healthd", "web_config")
        return Settings(
            file=self.path,
            sources=sources,
            lock=base / (self.get("healthd", "lock") or sources[0] / LOCK),
            data=base / (self.get("healthd", "data") or ".healthd/data"),
            host=host.strip("[]"),
            port=int(port),
            interval_s=self.seconds("healthd", "interval_s", 30.0),
            deadline_s=self.seconds("healthd", "deadline_s", 10.0),
            deadline_max_s=self.seconds("healthd", "deadline_max_s", 120.0),
            postgres_bin=base / postgres_bin if postgres_bin else None,
            also_on=tuple(base / folder for folder in (self.get("healthd", "also_on") or "").split()),
            log_level=self.choice("log_level", ("info", "debug", "warning", "error")),
            log_format=self.choice("log_format", ("auto", "json", "console")),
            runbook=self.get("healthd", "runbook") or "/runbook",
            partitions=self.partitions("healthd"),
            lock_timeout_s=self.seconds("healthd", "lock_timeout_s", 0.0) or None,
            max_wait_s=self.seconds("healthd", "max_wait_s", 300.0),
            sample_rows=self.rows("healthd", 0),
            profiles=self.profiles("healthd", ()),
            rehearse=self.choice("rehearse", ("yes", "no")) == "yes",
            rehearse_limit_s=self.seconds("healthd", "rehearse_limit_s", 60.0),
            external_url=self.external_url(),
            allowed_hosts=self.allowed_hosts(),
            web_config=base / web_config if web_config else None,
            state_dir=self.state_dir(base),
            password_command=self.password_command("healthd", base, None),
            alertmanager=alertmanager_in(self, base),
        )

    def sources(self, section: str, base: Path) -> tuple[Path, ...]:
        """Return the folders of migrations that a section names."""
        found: list[Path] = []
        for source in (self.get(section, "sources") or "").split():
            if source.startswith("package:"):
                raise self.wrong(section, "sources", f"{source} is a Python package", "name a folder of SQL files")
            found += _folders(base, source)
        return tuple(found)

    def external_url(self) -> str:
        """Return the address under which others reach the pages, without a / at its end; empty when it is not set."""
        url = self.get("healthd", "external_url") or ""
        if url and (not is_web(url) or re.search(r"[?#@\s]", url)):
            known = "for example: https://healthd.example.com, without user, password, ? and #"
            raise self.wrong("healthd", "external_url", "not a valid http:// or https:// address", known)
        return url.rstrip("/")

    def allowed_hosts(self) -> tuple[str, ...]:
        """Return additional host names that the web server answers to."""
        names = tuple(re.split(r"[,\s]+", self.get("healthd", "allowed_hosts") or ""))
        for name in filter(None, names):
            if name != "*" and host_name(bare := name.removeprefix("*.")) != bare.lower():
                known = "write names without a port, for example healthd.example.com or *.example.com"
                raise self.wrong("healthd", "allowed_hosts", f"{name!r} is not a host name", known)
        return tuple(filter(None, names))

    def folder(
        self, base: Path, settings: Settings, contracts: Mapping[str, Contract], targets: tuple[Target, ...]
    ) -> TargetFolder | None:
        """Return the folder of target files, not read yet; None if there is none."""
        path = self.get("healthd", "targets_dir")
        if path is None:
            return None
        if not (base / path).is_dir():
            raise self.wrong("healthd", "targets_dir", f"no such directory: {base / path}", "create it")
        parse_file = partial(_targets_in, base=base, settings=settings, contracts=contracts)
        own = {self.place(f"target {one.name}", None): one for one in targets}
        return TargetFolder(base / path, parse_file, own)

    def password_command(self, section: str, base: Path, default: PasswordCommand | None) -> PasswordCommand | None:
        """Return the command that prints the password; a target without its own has that of [healthd]."""
        text = self.get(section, "password_command")
        ttl_s = self.seconds(section, "password_ttl_s", default.ttl_s if default else 0.0)
        if text is None:
            return replace(default, ttl_s=ttl_s) if default else None
        try:
            words = shlex.split(text)
        except ValueError:
            words = []
        if not any(words):  # its text is not shown: it may be the password itself
            hint = "write a program and its arguments, quoted as in a shell"
            raise self.wrong(
                section, "password_command", "not a command: it is empty, or a quotation mark is not closed", hint
            )
        return PasswordCommand(tuple(words), ttl_s, base)

    def state_dir(self, base: Path) -> Path | None:
        """Return the folder in which the daemon keeps its state: that of systemd, if none is set."""
        folder = self.get("healthd", "state_dir") or os.environ.get(STATE, "").partition(":")[0]
        return base / folder if folder else None

    def partitions(self, section: str) -> Mapping[Key, str]:
        """Return how the partitions of each named table are compared, from SCHEMA.TABLE: RULE by lines or commas."""
        found: dict[Key, str] = {}
        entries = list(filter(None, map(str.strip, re.split(r"[,\n]", self.get(section, "partitions") or ""))))
        if not entries:
            return {}
        for entry in entries:
            name, colon, word = (part.strip() for part in entry.rpartition(":"))
            try:
                key = Key.parse(f"table:{name}")
            except ValueError:
                key = Key("table", ())
            if not colon or len(key.path) != 2:
                raise self.wrong(
                    section, "partitions", f"{entry!r} is not SCHEMA.TABLE: RULE", "for example: public.events: managed"
                )
            if word not in RULES:
                raise self.wrong(section, "partitions", f"{word!r} is not a valid rule", f"valid: {', '.join(RULES)}")
            if key in found:
                raise self.wrong(section, "partitions", f"{key.sql} occurs twice", "remove one of the entries")
            found[key] = word
        return found

    def contract(self, name: str, base: Path) -> Contract:
        """Return the contract of one section, read from its file or taken from an application's models."""
        section = f"contract {name}"
        file, models = self.get(section, "file"), self.get(section, "models")
        if file is None and models is None:
            raise self.wrong(section, "file", "missing", "write file = PATH of a JSON contract")
        if file is not None and models is not None:
            raise self.wrong(section, "models", "file is set too", "set either file or models")
        contract = self._models(section, name, models, base) if file is None else self._file(section, name, file, base)
        return replace(contract, role=self.get(section, "role") or contract.role)

    def _models(self, section: str, name: str, models: str | None, base: Path) -> Contract:
        try:
            return replace(contract_in((models or "").split(), base), name=name)
        except ConfigError as error:
            raise self.wrong(section, "models", str(error), error.hint) from error

    def _file(self, section: str, name: str, file: str, base: Path) -> Contract:
        try:
            return load_contract((base / file).read_text(encoding="utf-8"), name)
        except (OSError, UnicodeDecodeError) as error:
            raise self.wrong(section, "file", f"cannot read {base / file}", "") from error
        except ValueError as error:
            raise self.wrong(section, "file", f"{base / file}: {error}", "") from error
        except (TypeError, AttributeError) as error:
            raise self.wrong(section, "file", f"{base / file} is not a contract", "") from error

    def endpoint(self, name: str, base: Path, settings: Settings) -> Endpoint:
        """Return the endpoint of one section; its contract is read from its file."""
        section = f"endpoint {name}"
        url = self.get(section, "url") or ""
        if not is_web(url):
            raise self.wrong(section, "url", "missing, or not an http:// or https:// address", "write url = http://…")
        status = self.get(section, "status") or "200"
        if not re.fullmatch("[1-5][0-9][0-9]", status):
            raise self.wrong(section, "status", f"{status!r} is not an HTTP status", "for example: 200")
        shape: Shape = ()
        file = self.get(section, "contract")
        if file is not None:
            try:
                shape = load_shape((base / file).read_text(encoding="utf-8"))
            except OSError as error:
                raise self.wrong(section, "contract", f"cannot read {base / file}", "") from error
            except (ValueError, TypeError) as error:
                raise self.wrong(section, "contract", f"{base / file}: {error}", "") from error
        token_file = self.get(section, "token_file")
        return Endpoint(
            name,
            url,
            int(status),
            self.seconds(section, "max_latency_s", 1.0),
            self.seconds(section, "interval_s", settings.interval_s),
            self.seconds(section, "deadline_s", settings.deadline_s),
            shape,
            base / token_file if token_file is not None else None,
        )

    def target(self, name: str, base: Path, settings: Settings, contracts: Mapping[str, Contract]) -> Target:
        """Return the target of one section; without its own list of contracts it has all of them."""
        section = f"target {name}"
        dsn = self.get(section, "database")
        if dsn is None:
            raise self.wrong(section, "database", "missing", "write database = postgresql://…")
        known = _parsed(dsn, self.place(section, "database"))
        command = self.password_command(section, base, settings.password_command)
        if known.has_password and self.get(section, "password_command"):
            hint = "remove the password from database, or password_command"
            raise self.wrong(section, "password_command", "database contains a password", hint)
        migrate_dsn = self.get(section, "migrate_database") or ""
        migrating = _parsed(migrate_dsn, self.place(section, "migrate_database")) if migrate_dsn else None
        lock = self.get(section, "lock")
        chosen = self.get(section, "contracts")
        for wanted in (chosen or "").split():
            if wanted not in contracts:
                raise self.wrong(
                    section, "contracts", f"unknown contract {wanted!r}", f"known: {', '.join(contracts) or 'none'}"
                )
        return Target(
            name,
            _with(known, dsn, command),
            self.seconds(section, "interval_s", settings.interval_s),
            self.seconds(section, "deadline_s", settings.deadline_s),
            tuple(contracts[one] for one in chosen.split()) if chosen else settings.contracts,
            {**settings.partitions, **self.partitions(section)},
            self.rows(section, settings.sample_rows),
            self.profiles(section, settings.profiles),
            _with(migrating, migrate_dsn, command) if migrating else "",
            self.sources(section, base),
            base / lock if lock else None,
            labels_in(self, section, OWN),
            self.seconds(section, "deadline_max_s", settings.deadline_max_s),
            self.databases(section),
        )

    def databases(self, section: str) -> tuple[str, ...]:
        """Return the patterns of a group of databases; none for a target that is one database."""
        if "databases" not in self.own(section):
            return ()
        patterns = tuple((self.get(section, "databases") or "").split())
        if not any(included := [one for one in patterns if not one.startswith("!")]):
            known = "write the names of databases, with * and ?; !PATTERN leaves some of them out"
            raise self.wrong(section, "databases", "no pattern of databases to include", known)
        if "!" in patterns or any("," in one for one in included):
            known = "for example: shop_* !shop_test_*"
            raise self.wrong(section, "databases", "not patterns that are separated by blanks", known)
        return patterns
