"""`V1_2__users.sql`, `U1_2__users.sql`, `R__views.sql`, and `.conf` files next to them: Flyway."""

from __future__ import annotations

import re

from healthd.importing.records import DECIDE, Files, Found, Reading, code_left, in_order
from healthd.importing.up_down import OTHERS

SHAPE = re.compile(r"(?:.*/)?(?P<kind>[VUB])(?P<version>[0-9]+(?:[._][0-9]+)*)__(?P<name>[^/]*)\.sql$")
REPEATABLE = re.compile(r"(?:.*/)?R__(?P<name>[^/]*)\.sql$")
ALONE = re.compile(r"^\s*executeInTransaction\s*=\s*false\b", re.MULTILINE | re.IGNORECASE)
CONFIGURED = re.compile(r"^\s*(?:flyway\.)?(shouldExecute|placeholder(?:Prefix|Suffix|Replacement))\s*=", re.MULTILINE)
AGAIN = "repeatable: imported once, after all others; from now on, change its objects with a new migration"


def read_flyway(files: Files) -> Reading:
    """Return the migrations in a Flyway location and the folders below it; versions are compared by their numbers.

    An undo file becomes the rollback. Each repeatable file becomes one migration, after all others. A baseline is
    left out if the versions before it exist, because they build the same schema.
    """
    left = {file: f"for {other}, not for PostgreSQL" for file in files if (other := _other(file))}
    files = {file: text for file, text in files.items() if file not in left}
    matches = {file: match for file in files if (match := SHAPE.match(file))}
    texts: dict[str, dict[tuple[int, ...], str]] = {"V": {}, "U": {}, "B": {}}
    left |= code_left(files)
    for file, match in matches.items():
        version = _version(match["version"])
        if version in texts[match["kind"]]:
            left[file] = f"it has the same version as {texts[match['kind']][version]}"
        texts[match["kind"]].setdefault(version, file)
    found = []
    for version, file in texts["V"].items():
        undo = texts["U"].pop(version, None)
        found.append(_found(files, version, matches[file]["name"], file, undo))
    for version, file in texts["B"].items():
        if any(other <= version for other in texts["V"]):
            left[file] = "a baseline: the versions before it are imported instead"
        else:
            found.append(_found(files, version, matches[file]["name"], file, None))
    left.update(dict.fromkeys(texts["U"].values(), "a rollback without its migration"))
    last = max((one.version for one in found), default=(0,))
    repeatable = sorted((match["name"], file) for file in files if (match := REPEATABLE.match(file)))
    for name, file in repeatable:
        found.append(_found(files, (int(last[0]) + 1,), name, file, None, AGAIN))
    known = {source for one in found for source in one.sources}
    for file, text in files.items():
        if file.endswith((".conf", ".toml")) and (said := CONFIGURED.findall(text)):
            left[file] = f"sets {', '.join(said)}, which is not imported{DECIDE}"
        if file.endswith(".sql") and file not in known:
            left.setdefault(file, "its name is not that of a Flyway migration (it may be a callback)")
    return in_order(found, left)


def _found(files: Files, version: tuple[int, ...], name: str, file: str, undo: str | None, *notes: str) -> Found:
    alone = ALONE.search(files.get(f"{file}.conf", "") + files.get(f"{undo}.conf", ""))
    sources = (file,) if undo is None else (file, undo)
    rollback = None if undo is None else files[undo]
    return Found(version, name, files[file], rollback, sources, False if alone else None, notes)


def _other(file: str) -> str | None:
    """Return the name of a folder of this file that is named after another database, in any case; None without one."""
    return next((part for part in file.split("/")[:-1] if part.casefold() in OTHERS), None)


def _version(text: str) -> tuple[int, ...]:
    """Return a version's numbers; in Flyway 1 and 1.0 are the same version."""
    numbers = [int(one) for one in re.split(r"[._]", text)]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
