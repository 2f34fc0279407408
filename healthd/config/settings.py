"""The settings of one process, and of each target and endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from healthd.contracts.json_shape import Shape
from healthd.database.passwords import PasswordCommand
from healthd.errors import ConfigError, HealthdError
from healthd.model.contracts import Contract
from healthd.model.names import Key
from healthd.model.profiles import Profile
from healthd.model.tenants import TenantRule
from healthd.text import did_you_mean, natural

if TYPE_CHECKING:
    from healthd.database.dsn import Dsn

LOCK = "schema.lock"

# conform: partitions may be added if they match their parent; a partition that sql/ defines must exist.
# managed: partitions may be added and dropped; those that exist must match their parent.
# ignore: partitions are not compared.
RULES = ("conform", "managed", "ignore")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of an application that is requested regularly. `url` may contain a password: it is never printed.

    `token_file` contains a bearer token, which is read for each request: it may be changed at any time.
    """

    title: str
    url: str = field(repr=False)
    status: int = 200
    max_latency_s: float = 1.0
    interval_s: float = 30.0
    deadline_s: float = 10.0
    shape: Shape = ()
    token_file: Path | None = None

    @property
    def name(self) -> str:
        """Return its name among the targets."""
        return f"endpoint:{self.title}"


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """The members of one Alertmanager cluster; each gets every alert. `urls` may contain passwords: never printed.

    `token_file` contains a bearer token, which is read for each request. `labels` are those that Prometheus adds to
    every alert (external_labels).
    """

    urls: tuple[str, ...] = field(repr=False)
    token_file: Path | None = None
    resend_s: float = 60.0
    timeout_s: float = 10.0
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """One database that is watched. `dsn` may contain a password: it is never printed.

    `partitions` is, for partitioned tables, one of RULES: how their partitions are compared. `sample_rows` is how many
    rows are sampled in each table that a contract's model reads: none by default. `profiles` are the platforms that
    made objects in it, which are not reported. `migrate_dsn` is for the verbs that change the database, `dsn` for all
    others; empty: the same. `sources` and `lock` are its own files; without them it has those of the settings.

    A target with patterns in `databases` is a group: not a database that is watched, but one that is asked for the
    databases of its server. Each that matches is a target with the name of its `group`.

    With `tenants`, the schemas that match are each compared with one schema of the files.
    """

    name: str
    dsn: str | Dsn = field(repr=False)
    interval_s: float = 30.0
    deadline_s: float = 10.0
    contracts: tuple[Contract, ...] = ()
    partitions: Mapping[Key, str] = field(default_factory=dict)
    sample_rows: int = 0
    profiles: tuple[Profile, ...] = ()
    migrate_dsn: str | Dsn = field(default="", repr=False)
    sources: tuple[Path, ...] = ()
    lock: Path | None = None
    labels: Mapping[str, str] = field(default_factory=dict)  # of its metrics
    deadline_max_s: float = 120.0  # up to which a round gets the time that the target needs
    databases: tuple[str, ...] = ()
    group: str = ""
    tenants: TenantRule | None = None

    @property
    def migrating(self) -> Target:
        """Return the target for a verb that changes the database."""
        return replace(self, dsn=self.migrate_dsn) if self.migrate_dsn else self


Signature = tuple[int, int, int, int]  # of a file: it is different when its content is


@dataclass(frozen=True, slots=True)
class TargetFile:
    """One file of a folder, with its targets and their places; those that it had before, while there is an `error`."""

    path: Path
    signature: Signature
    targets: tuple[Target, ...] = ()
    places: tuple[str, ...] = ()
    error: HealthdError | None = None

    def placed(self) -> Iterator[tuple[str, Target]]:
        """Yield the place of each target, and the target."""
        return zip(self.places, self.targets, strict=True)


@dataclass(frozen=True, slots=True)
class TargetFolder:
    """A folder of target files, and what was read from it; `own` are the targets of yoyo.ini, by their places."""

    path: Path
    parse: Callable[[Path], Mapping[str, Target]] = field(repr=False, compare=False)
    own: Mapping[str, Target] = field(default_factory=dict)
    files: tuple[TargetFile, ...] = ()
    error: HealthdError | None = None

    @property
    def errors(self) -> Mapping[Path, HealthdError]:
        """Return what is wrong, by folder or file."""
        found = {one.path: one.error for one in self.files if one.error is not None}
        return found if self.error is None else {self.path: self.error, **found}


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one process; paths are absolute. `targets` is empty when no database is configured.

    The databases of `groups` are targets as soon as their names are known (see `config.databases`). `unlisted` are the
    groups of which that could not be established, or not for every database, and why.
    """

    file: Path | None
    sources: tuple[Path, ...]
    lock: Path
    data: Path
    targets: tuple[Target, ...] = ()
    contracts: tuple[Contract, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    host: str = "127.0.0.1"
    port: int = 9899
    interval_s: float = 30.0
    deadline_s: float = 10.0
    postgres_bin: Path | None = None
    also_on: tuple[Path, ...] = ()
    log_level: str = "info"
    log_format: str = "auto"
    runbook: str = "/runbook"
    partitions: Mapping[Key, str] = field(default_factory=dict)
    lock_timeout_s: float | None = None
    max_wait_s: float = 300.0
    sample_rows: int = 0
    profiles: tuple[Profile, ...] = ()
    rehearse: bool = True  # the daemon plays the scripts of its rounds on a scratch server
    rehearse_limit_s: float = 60.0
    external_url: str = ""  # where others reach the pages; without a / at its end
    allowed_hosts: tuple[str, ...] = ()
    web_config: Path | None = None  # TLS and users of the web server
    password_command: PasswordCommand | None = None  # for databases without a password of their own
    folder: TargetFolder | None = None  # of further targets, which `targets` contains
    state_dir: Path | None = None  # where the daemon keeps what it remembers; None: nowhere
    deadline_max_s: float = 120.0
    groups: tuple[Target, ...] = ()
    unlisted: Mapping[str, HealthdError] = field(default_factory=dict)
    alertmanager: Alertmanager | None = None

    @property
    def runbook_url(self) -> str:
        """Return the address of the runbook for others; empty if none is known."""
        if "://" in self.runbook:
            return self.runbook
        return f"{self.external_url}{self.runbook}" if self.external_url and self.runbook.startswith("/") else ""

    @property
    def declared(self) -> tuple[Target, ...]:
        """Return the targets and groups that have a section."""
        return *(one for one in self.targets if not one.group), *self.groups

    def declaring(self, declared: Sequence[Target]) -> Settings:
        """Return these settings with the targets and groups of these sections."""
        groups = tuple(one for one in declared if one.databases)
        return replace(self, targets=tuple(one for one in declared if not one.databases), groups=groups)

    def of(self, target: Target) -> Settings:
        """Return these settings with the migrations and the lock file of a target."""
        if not target.sources:
            return self if target.lock is None else replace(self, lock=target.lock)
        return replace(self, sources=target.sources, lock=target.lock or target.sources[0] / LOCK)

    def projects(self) -> Mapping[Path, Settings]:
        """Return the settings for each lock file: those of the targets, or of yoyo.ini if there is no target."""
        return {own.lock: own for own in map(self.of, (*self.targets, *self.groups))} or {self.lock: self}

    def refuse_wrong_files(self) -> None:
        """Raise the first error in the folder of targets, and state how many there are."""
        errors = list(self.folder.errors.values()) if self.folder is not None else []
        if len(errors) > 1:
            raise ConfigError(f"{errors[0]} (and {len(errors) - 1} more target files are wrong)", hint=errors[0].hint)
        if errors:
            raise errors[0]

    def refuse_unlisted(self) -> None:
        """Raise the first error of a group whose databases are not all targets."""
        for error in self.unlisted.values():
            raise error

    def section(self, name: str) -> Target:
        """Return the target of this name, or the group that sets what a target of this name has."""
        if all(target.name != name for target in self.targets):
            for group in self.groups:
                if name == group.name or name.startswith(f"{group.name}/"):
                    return group
        return self.target(name)

    def target(self, name: str) -> Target:
        """Return the target with this name; raise the error of its group if that is not listed."""
        for target in self.targets:
            if target.name == name:
                return target
        for group, error in self.unlisted.items():
            if name == group or name.startswith(f"{group}/"):
                raise error
        known = ", ".join(sorted((target.name for target in self.targets), key=natural)) or "none"
        meant = did_you_mean(name, (target.name for target in self.targets))
        raise ConfigError(f"unknown target {name!r}", hint=f"{meant}known targets: {known}")
