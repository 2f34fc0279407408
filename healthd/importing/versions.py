"""A folder for each version, with files in it: `0.19/00__users.sql`, `v1.2/users.sql`, `81/02_users.up.sql`."""

from __future__ import annotations

import re

from healthd.importing.numbered_files import NUMBER
from healthd.importing.records import Files, Found, Reading, code_left, in_order
from healthd.importing.up_down import NO_TRANSACTION

SHAPE = re.compile(r"[vV]?(?P<folder>[0-9]+(?:[._][0-9]+)*)/(?P<file>[^/]+?)(?:\.(?P<way>up|down))?\.sql$")
BY_NAME = "its file name has no number: it is ordered by name among the files of its version"
Place = tuple[tuple[int, ...], str]


def is_versions(files: Files) -> bool:
    """Return whether there are folders of versions, and no numbered file next to them."""
    return any(map(SHAPE.match, files)) and not any(NUMBER.match(file) for file in files)


def read_versions(files: Files) -> Reading:
    """Return the migrations in the folders, by the folder's numbers, then the file's number, then the file's name."""
    matches = {file: match for file in files if (match := SHAPE.match(file))}
    left = code_left(files)
    left |= {file: "not in a version's folder" for file in files if file.endswith(".sql") and file not in matches}
    depth = max((len(_numbers(match["folder"])) for match in matches.values()), default=0)
    halves: dict[Place, dict[str, str]] = {}
    for file, match in matches.items():
        folder = _numbers(match["folder"])
        place = folder + (0,) * (depth - len(folder)), match["file"]
        way = "rollback" if match["way"] == "down" else "apply"
        if (other := halves.setdefault(place, {}).setdefault(way, file)) != file:
            left[file] = f"it has the same version and name as {other}"
    found = []
    for (folder, name), ways in halves.items():
        if "apply" not in ways:
            left[ways["rollback"]] = "a rollback without its migration"
            continue
        number = NUMBER.match(f"{name}.sql")
        down = ways.get("rollback")
        many = sum(other == folder for other, _ in halves) > 1
        found.append(
            Found(
                (*folder, int(number["version"]) if number else 0),
                (number["name"] if number else name).strip("_.- "),
                files[ways["apply"]],
                None if down is None else files[down],
                tuple(ways[way] for way in ("apply", "rollback") if way in ways),
                False if NO_TRANSACTION.search(files[ways["apply"]]) else None,
                (BY_NAME,) if many and not number else (),
            )
        )
    return in_order(found, left)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(one) for one in re.split(r"[._]", text))
