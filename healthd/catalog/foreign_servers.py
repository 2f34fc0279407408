"""Foreign servers: the location of the data of foreign tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.foreign_data_wrappers import options, repair_options, repair_secrets, secrets, written
from healthd.catalog.scope import own
from healthd.model.attributes import SECRET
from healthd.model.kinds import Dependent, Kind
from healthd.model.names import Key, literal, quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class ForeignServer:
    """A server; `options` and `secrets` are as in ForeignDataWrapper."""

    wrapper: str
    type: str | None
    version: str | None
    options: tuple[str, ...]
    secrets: Annotated[str | None, SECRET] = None


def repair(difference: Difference, expected: ForeignServer, actual: ForeignServer | None) -> Iterator[str]:
    """Yield the SQL that creates or alters a server."""
    name = difference.key.sql
    if actual is None:
        words = f" TYPE {literal(expected.type)}" if expected.type else ""
        words += f" VERSION {literal(expected.version)}" if expected.version else ""
        wrapper = quote(expected.wrapper)
        yield f"CREATE SERVER {name}{words} FOREIGN DATA WRAPPER {wrapper}{written(expected.options)};"
        yield from repair_secrets(f"ALTER SERVER {name}", expected.options)
    elif difference.attribute == "options":
        yield from repair_options(f"ALTER SERVER {name}", expected.options, actual.options)
    elif difference.attribute == "version":
        yield f"ALTER SERVER {name} VERSION {literal(expected.version) if expected.version else 'NULL'};"
    elif difference.attribute != "secrets":
        yield f"-- the {difference.attribute} of server {name} cannot be altered: drop the server and create it again"


def needed(key: Key, _record: ForeignServer, dependent: Dependent) -> bool:
    """Return whether a foreign table is on a server."""
    return getattr(dependent.record, "server", None) == key.path[0]


KIND = Kind(
    name="foreign_server",
    record=ForeignServer,
    grant_noun="FOREIGN SERVER",
    noun="SERVER",
    within={},
    renamable=True,
    needed=needed,
    depth=1,
    parent=lambda key, record: Key("foreign_data_wrapper", (record.wrapper,)),
    repair=repair,
    keeps_parts=True,
    replaced=lambda difference, expected, actual: difference.attribute in ("wrapper", "type"),
    some="SELECT FROM pg_catalog.pg_foreign_server",
    query=f"""
        SELECT s.srvname, w.fdwname, nullif(s.srvtype, ''), nullif(s.srvversion, ''), {options("s.srvoptions")},
               {secrets("s.srvoptions")}
          FROM pg_catalog.pg_foreign_server AS s
          JOIN pg_catalog.pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw
         WHERE {own("pg_foreign_server", "s.oid")}""",
)
