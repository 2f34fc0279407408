"""The tools whose folders can be imported: how each is recognized, and the table that is its ledger."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from healthd.errors import ConfigError
from healthd.importing.flyway import SHAPE, read_flyway
from healthd.importing.folder_per_migration import read_folders
from healthd.importing.numbered_files import read_plain
from healthd.importing.records import CODE, Files, Reading, code_left, in_order
from healthd.importing.sections import MARKS, marked, read_sections
from healthd.importing.sqitch import PLAN, read_sqitch
from healthd.importing.up_down import DO_UNDO, UP_DOWN, read_do_undo, read_up_down
from healthd.importing.versions import is_versions, read_versions

BEGIN_WITH_DATABASE = "begin with a database that it has migrated: healthd init --from URL --without-history"


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool: whether a folder belongs to it, how the folder is read, and the table in which it records migrations.

    `fills` is the beginning of a placeholder that it fills in everywhere, in quotes too; empty if it has none.
    """

    is_its: Callable[[Files], bool]
    read: Callable[[Files], Reading]
    ledger: str
    fills: str = ""


def _named(shape: str) -> Callable[[Files], bool]:
    pattern = re.compile(shape)
    return lambda files: any(pattern.match(file) for file in files)


def _holds(tool: str) -> Callable[[Files], bool]:
    return lambda files: any(marked(text, tool) for file, text in files.items() if file.endswith(".sql"))


def _sections(tool: str, ledger: str, fills: str = "") -> Tool:
    return Tool(_holds(tool), partial(read_sections, tool=tool), ledger, fills)


# In the order in which they are tried: the most specific first.
TOOLS: Mapping[str, Tool] = {
    "flyway": Tool(lambda files: any(SHAPE.match(file) for file in files), read_flyway, "flyway_schema_history", "${"),
    "sqitch": Tool(lambda files: PLAN in files, read_sqitch, "sqitch.changes"),
    "prisma": Tool(_named(r"[^/]+/migration\.sql$"), read_folders, "_prisma_migrations"),
    "hasura": Tool(_named(r"[0-9]{13}_[^/]*/up\.sql$"), read_folders, "hdb_catalog.schema_migrations"),
    "diesel": Tool(_named(r"[0-9][^/]*/up\.sql$"), read_folders, "__diesel_schema_migrations"),
    "postgrator": Tool(lambda files: any(DO_UNDO.match(file) for file in files), read_do_undo, "schemaversion"),
    "golang-migrate": Tool(lambda files: any(UP_DOWN.match(file) for file in files), read_up_down, "schema_migrations"),
    "dbmate": _sections("dbmate", "schema_migrations"),
    "goose": _sections("goose", "goose_db_version"),
    "sql-migrate": _sections("sql-migrate", "gorp_migrations"),
    "node-pg-migrate": _sections("node-pg-migrate", "pgmigrations"),
    "rambler": _sections("rambler", "migrations"),
    "tern": _sections("tern", "schema_version", "{{"),
    "sqlx": Tool(_named(r"[0-9]{14}_[^/]*\.sql$"), lambda files: _sqlx(files), "_sqlx_migrations"),
    "versions": Tool(is_versions, read_versions, ""),
    "plain": Tool(_named(r"[^/]+\.sql$"), read_plain, ""),
}
assert MARKS.keys() <= TOOLS.keys()


def _sqlx(files: Files) -> Reading:
    """Return the migrations in a sqlx folder, which may contain both reversible and forward-only migrations."""
    both = {file: text for file, text in files.items() if UP_DOWN.match(file)}
    one, two = read_plain({file: text for file, text in files.items() if file not in both}), read_up_down(both)
    return in_order((*one.found, *two.found), {**one.left, **two.left})


def tool_of(files: Files, folder: str) -> str:
    """Return the name of the tool whose layout a folder has; raise ConfigError when it has no known layout."""
    for name, tool in TOOLS.items():
        if tool.is_its(files):
            return name
    deeper = sorted({file.rpartition("/")[0] for file in files if "/" in file and file.endswith(".sql")})
    if not deeper and (programs := code_left(files)):
        languages = " and ".join(sorted({CODE[PurePosixPath(name).suffix] for name in programs}))
        raise ConfigError(f"the migrations in {folder} are programs in {languages}, not SQL", hint=BEGIN_WITH_DATABASE)
    named = f" ({', '.join(deeper[:5])})" if deeper else ""
    raise ConfigError(
        f"no migrations were recognized in {folder}",
        hint=f"name the folder that contains them{named}, or name the tool: --from {'|'.join(TOOLS)}",
    )
