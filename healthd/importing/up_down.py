"""`1_users.up.sql` with `1_users.down.sql`: golang-migrate, sqlx, morph and pop; `1.do.users.sql`: Postgrator."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.importing.records import OTHERWISE, Files, Found, Reading, code_left, in_order

UP_DOWN = re.compile(
    r"V?(?P<version>[0-9]+)(?P<name>[^/]*?)(?:\.(?P<dialect>(?!autocommit\b)[a-z]+[0-9]?))?(?P<alone>\.autocommit)?"
    r"\.(?P<way>up|down)\.(?:sql|pgsql)$"
)
DO_UNDO = re.compile(r"(?P<version>[0-9]+)\.(?P<way>do|undo)(?P<name>\.[^/]*)?(?P<dialect>\.\b)?(?P<alone>\.\b)?\.sql$")
SIMPLE = re.compile(r"[0-9]+_[^/]*\.sql$")
OURS = ("postgres", "postgresql", "pg", "psql")
OTHERS = (
    *("mysql", "mariadb", "sqlite", "sqlite3", "cockroach", "cockroachdb"),
    *("mssql", "sqlserver", "oracle", "db2", "h2", "hsqldb", "derby"),
)
NO_TRANSACTION = re.compile(
    r"^--\s*(?:no-transaction|morph:nontransactional|atlas:txmode\s+none|postgres-migrations\s+disable-transaction)\s*$",
    re.MULTILINE,
)
Key = tuple[int, str]


def read_up_down(files: Files) -> Reading:
    """Return the migrations in a folder of `….up.sql` and `….down.sql`; if there are several dialects, PostgreSQL's."""
    return _read(files, UP_DOWN)


def read_do_undo(files: Files) -> Reading:
    """Return the migrations in a folder of `N.do.name.sql` and `N.undo.name.sql`."""
    return _read(files, DO_UNDO)


def _read(files: Files, shape: re.Pattern[str]) -> Reading:
    ups: dict[Key, str] = {}
    stems: dict[str, str] = {}
    downs: dict[Key, str] = {}
    left, alone = code_left(files), set[str]()
    # Files without a dialect come first: a file for PostgreSQL then takes their place.
    for file in sorted(files, key=lambda file: any(f".{ours}." in file for ours in OURS)):
        match = shape.match(file)
        if match is None:
            if SIMPLE.match(file):
                left[file] = f"sqlx would run it, golang-migrate would ignore it{OTHERWISE}"
            elif file.endswith(".sql"):
                left[file] = "its name is not that of a migration"
            continue
        version, name, dialect = int(match["version"]), match["name"] or "", match["dialect"]
        if dialect in OTHERS:
            left[file] = f"for {dialect}, not for PostgreSQL"
            continue
        if dialect and dialect not in OURS:
            name += f".{dialect}"
        if match["alone"] or NO_TRANSACTION.search(files[file]):
            alone.add(file)
        stems[file] = match["version"] + name
        (ups if match["way"] in ("up", "do") else downs)[version, name.strip("_.- ")] = file
    return in_order(_joined(files, ups, downs, stems, alone, left), left)


def _joined(
    files: Files,
    ups: dict[Key, str],
    downs: dict[Key, str],
    stems: dict[str, str],
    alone: set[str],
    left: dict[str, str],
) -> Iterator[Found]:
    """Yield each migration with its rollback, whose name may differ, but whose number never does."""
    for key, up in ups.items():
        namesakes = [other for other in ups if other[0] == key[0]]
        strangers = [other for other in downs if other[0] == key[0] and other not in ups]
        if key not in downs and len(namesakes) == len(strangers) == 1:
            downs[key] = downs.pop(strangers[0])
        down = downs.pop(key, None)
        sources = (up,) if down is None else (up, down)
        version, name = key
        transactional = False if alone.intersection(sources) else None
        rollback = None if down is None else files[down]
        yield Found((version,), name, files[up], rollback, sources, transactional, stem=stems[up])
    left.update(dict.fromkeys(downs.values(), "a rollback without its migration"))
