"""The output of `manage.py showmigrations --plan` and `manage.py sqlmigrate APP NAME`: Django."""

from __future__ import annotations

import re
from collections.abc import Mapping

from healthd.importing.alembic import own
from healthd.importing.records import IN_SQL, Found, Reading

LEDGER = "django_migrations"
PLANNED = re.compile(r"^\[[X ]\]\s+(\w+)\.(\w+)", re.MULTILINE)
NOT_SQL = re.compile(r"CANNOT BE WRITTEN AS SQL|^-- Raw Python operation", re.MULTILINE)
Name = tuple[str, str]  # of the application, and of its migration


def planned(output: str) -> tuple[Name, ...]:
    """Return the migrations that `showmigrations --plan` lists, in their order."""
    return tuple((match[1], match[2]) for match in PLANNED.finditer(output))


def read_django(plan: Mapping[Name, tuple[str, str | None]]) -> Reading:
    """Return the migrations of a plan with what `sqlmigrate` prints for each: forwards, and backwards if it can."""
    found, left = list[Found](), dict[str, str]()
    for number, ((application, name), (forwards, backwards)) in enumerate(plan.items(), 1):
        said = f"{application}.{name}"
        if NOT_SQL.search(forwards):
            left[f"{said}, an operation in Python"] = f"it has no SQL{IN_SQL}"
        text = own(forwards, LEDGER)
        if text:
            undo = None if backwards is None or NOT_SQL.search(backwards) else own(backwards, LEDGER) or None
            found.append(Found((number,), f"{application}_{name}", text, undo, (said,)))
        elif f"{said}, an operation in Python" not in left:
            left[said] = "it changes nothing in the database"
    return Reading(tuple(found), left)
