"""`deploy/users.sql` and `revert/users.sql` in the order of `sqitch.plan`: Sqitch."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.importing.found import Files, Found, Reading

PLAN = "sqitch.plan"
CHANGE = re.compile(r"\+?\s*(?P<name>[^\s#%@+-][^\s\[#]*)")
TAG = re.compile(r"@(?P<tag>[^\s#]+)")
VERIFIES = "verifies a change: healthd proves with its lock file what each makes"


def read_sqitch(files: Files) -> Reading:
    """Return the changes of a plan; one that was reworked has its earlier files under the tag that came after it."""
    found, left = list[Found](), dict[str, str]()
    for place, stem in enumerate(_stems(files.get(PLAN, "")), 1):
        deploy, revert = f"deploy/{stem}.sql", f"revert/{stem}.sql"
        if deploy not in files:
            left[deploy] = f"named in {PLAN}, and not there"
            continue
        sources = (deploy, revert) if revert in files else (deploy,)
        found.append(Found((place,), stem, files[deploy], files.get(revert), sources))
    known = {source for one in found for source in one.sources}
    for file in files:
        if file.endswith(".sql") and file not in known:
            left[file] = VERIFIES if file.startswith("verify/") else f"not named in {PLAN}"
    return Reading(tuple(found), left)


def _stems(plan: str) -> Iterator[str]:
    """Yield what the files of each change are called, in the order of the plan."""
    lines = [line.strip() for line in plan.splitlines()]
    changes = [(number, match["name"]) for number, line in enumerate(lines) if (match := CHANGE.match(line))]
    last = {name: number for number, name in changes}
    for number, name in changes:
        tags = (match["tag"] for line in lines[number + 1 :] if (match := TAG.match(line)))
        yield name if number == last[name] else f"{name}@{next(tags, '')}"
