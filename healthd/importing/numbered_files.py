"""`1_users.sql`, forward only: sqlx, Supabase, Drizzle, folders that are run with psql; also pairs such as ours."""

from __future__ import annotations

import re

from healthd.importing.records import Files, Found, Reading, code_left, in_order
from healthd.importing.up_down import NO_TRANSACTION

NUMBER = re.compile(r"V?(?P<version>[0-9]+)(?P<name>[^/]*)\.sql$")
NUMBERS = re.compile(r"V?(?P<version>[0-9]+(?:[._-][0-9]+)*)(?P<name>(?![0-9A-Za-z])[^/]*)\.sql$")
SNAPSHOTS = frozenset({"schema.sql", "structure.sql", "seed.sql", "seeds.sql"})
BELOW = "in a subfolder: import that folder separately"


def read_plain(files: Files) -> Reading:
    """Return the files that begin with a number, by number; if there are none, all files, by name."""
    left = code_left(files) | dict.fromkeys((file for file in files if file.endswith(".sql") and "/" in file), BELOW)
    names = [file for file in files if file.endswith(".sql") and file not in left]
    names = [file for file in names if not file.endswith(".rollback.sql")]
    numbered = {file: match for file in names if (match := NUMBER.match(file))}
    if len({int(match["version"]) for match in numbered.values()}) < len(numbered):
        numbered |= {file: match for file in numbered if (match := NUMBERS.match(file))}
    found = []
    for file in names:
        match = numbered.get(file)
        if file in SNAPSHOTS or (numbered and match is None):
            left[file] = "its name is not that of a migration"
            continue
        version = tuple(int(one) for one in re.split(r"[._-]", match["version"])) if match else ()
        name = match["name"].strip("_.- ") if match else file.removesuffix(".sql")
        undo = file.removesuffix(".sql") + ".rollback.sql"
        rollback = files.get(undo)
        sources = (file,) if rollback is None else (file, undo)
        alone = NO_TRANSACTION.search(files[file])
        found.append(
            Found(
                version, name, files[file], rollback, sources, False if alone else None, stem=file.removesuffix(".sql")
            )
        )
    return in_order(found, left)
