"""`deploy/users.sql` and `revert/users.sql` in the order of `sqitch.plan`: Sqitch."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.importing.records import BRING, Files, Found, Reading
from healthd.model.migration_names import canonical

PLAN = "sqitch.plan"
CHANGE = re.compile(r"\+?\s*(?P<name>[^\s#%@+-][^\s\[#]*)")
TAG = re.compile(r"@(?P<tag>[^\s#]+)")
VERIFIES = "a verify script: the lock file records what each migration creates instead"


def read_sqitch(files: Files) -> Reading:
    """Return the changes of a plan; the earlier versions of a reworked change are in files with a tag in their name."""
    found, left = list[Found](), dict[str, str]()
    for place, stem in enumerate(_stems(files), 1):
        deploy, revert = f"deploy/{stem}.sql", f"revert/{stem}.sql"
        if deploy not in files:
            left[deploy] = f"listed in {PLAN}, but the file does not exist{BRING}"
            continue
        sources = (deploy, revert) if revert in files else (deploy,)
        found.append(Found((place,), stem, files[deploy], files.get(revert), sources))
    known = {source for one in found for source in one.sources}
    for file in files:
        if file.endswith(".sql") and file not in known:
            left[file] = VERIFIES if file.startswith("verify/") else f"not listed in {PLAN}"
    return Reading(tuple(found), left)


def _stems(files: Files) -> Iterator[str]:
    """Yield the name of each change's files, in the order of the plan.

    The files of a change that is reworked later have a tag in their name: the last tag before the rework for which
    a file exists.
    """
    lines = [line.strip() for line in canonical(files.get(PLAN, "")).splitlines()]
    changes = [(number, match["name"]) for number, line in enumerate(lines) if (match := CHANGE.match(line))]
    reworked: dict[int, int] = {}
    last: dict[str, int] = {}
    for number, name in changes:
        if name in last:
            reworked[last[name]] = number
        last[name] = number
    for number, name in changes:
        between = lines[number + 1 : reworked.get(number, number)]
        tagged = [f"{name}@{match['tag']}" for line in reversed(between) if (match := TAG.match(line))]
        yield next((stem for stem in tagged if f"deploy/{stem}.sql" in files), (*tagged, name)[0])
