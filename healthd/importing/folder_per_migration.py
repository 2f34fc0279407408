"""A folder for each migration, `NAME/up.sql` and `NAME/down.sql`: diesel, Hasura; `NAME/migration.sql`: Prisma."""

from __future__ import annotations

import re

from healthd.importing.records import Files, Found, Reading, in_order

SHAPE = re.compile(r"(?P<folder>[0-9][^/]*)/(?P<way>up|down|migration)\.sql$")
NAME = re.compile(r"(?P<version>[0-9]+(?:-[0-9]+)*)[_-]?(?P<name>.*)$")
ALONE = {
    "metadata.toml": re.compile(r"^\s*run_in_transaction\s*=\s*false\b", re.MULTILINE),
    "metadata.yaml": re.compile(r"^\s*createIndexConcurrently:\s*true\b", re.MULTILINE),
}


def read_folders(files: Files) -> Reading:
    """Return the migrations in the folders; versions are sorted as text, without their dashes."""
    found, left = list[Found](), dict[str, str]()
    ways: dict[str, dict[str, str]] = {}
    for file in files:
        if match := SHAPE.match(file):
            ways.setdefault(match["folder"], {})["rollback" if match["way"] == "down" else "apply"] = file
        elif file.endswith(".sql"):
            left[file] = "not a migration's up.sql, down.sql or migration.sql"
    for folder, halves in ways.items():
        if "apply" not in halves:
            left[halves["rollback"]] = "a rollback without its migration"
            continue
        named = NAME.match(folder)
        version, name = (named["version"], named["name"]) if named else (folder, "")
        alone = any(pattern.search(files.get(f"{folder}/{file}", "")) for file, pattern in ALONE.items())
        down = halves.get("rollback")
        found.append(
            Found(
                (version.replace("-", ""),),
                name,
                files[halves["apply"]],
                None if down is None else files[down],
                tuple(halves[way] for way in ("apply", "rollback") if way in halves),
                transactional=False if alone else None,
                stem="" if "-" in version else folder,
            )
        )
    return in_order(found, left)
