"""The settings of one process, and of each target and endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from healthd.contracts.json_shape import Shape
from healthd.errors import ConfigError
from healthd.model.contracts import Contract
from healthd.model.names import Key
from healthd.text import natural

# conform: one more may come, if it is as its parent promises; one that sql/ makes must stay.
# managed: they come and go; those that are there are as their parent promises.
# ignore: nothing about them is compared.
RULES = ("conform", "managed", "ignore")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of an application that we ask again and again. `url` may hold a password: it is never printed.

    `token_file` holds a bearer token, read at each question: it may be changed at any time.
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
        """Return what it is called among the targets."""
        return f"endpoint:{self.title}"


@dataclass(frozen=True, slots=True)
class Target:
    """One database that we watch. `dsn` may hold a password: it is never printed.

    `partitions` says for partitioned tables how their partitions are compared, in a word of partitions.RULES;
    `sample_rows` how many rows of each table that a contract's model reads are looked at: none unless it is asked for.
    """

    name: str
    dsn: str = field(repr=False)
    interval_s: float = 30.0
    deadline_s: float = 10.0
    contracts: tuple[Contract, ...] = ()
    partitions: Mapping[Key, str] = field(default_factory=dict)
    sample_rows: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one process; paths are absolute. `targets` is empty when no database is configured."""

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
    external_url: str = ""  # where others find the pages; without a / at its end
    allowed_hosts: tuple[str, ...] = ()

    def target(self, name: str) -> Target:
        """Return the target with this name."""
        for target in self.targets:
            if target.name == name:
                return target
        known = ", ".join(sorted((target.name for target in self.targets), key=natural)) or "none"
        raise ConfigError(f"no target is called {name!r}", hint=f"known targets: {known}")
