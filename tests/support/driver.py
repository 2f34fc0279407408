"""What the driver does with each Python type and each PostgreSQL type; writes docs/reference/types.md when run.

Every cell is tested on a server: values are inserted as an application inserts them, and read back.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql as compose
from psycopg.types.json import Jsonb

from healthd.contracts.type_table import POSTGRESQL, READ, TABLE

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "types.md"

# Values that a model of this type may have: usual values and boundary values.
SAMPLES: dict[str, tuple[Any, ...]] = {
    "bool": (True, False),
    "int": (0, -7, 2**15, 2**31, 2**62),
    "float": (0.5, -1e-3, 1e300, float("nan")),
    "decimal": (Decimal("0.1"), Decimal("12345678901234567890.123456789"), Decimal("NaN")),
    "str": (
        *("", "it's", "12", "Größe 🛠️", "x" * 300),
        *("true", "2003-02-01", "04:05", str(UUID(int=7)), "127.0.0.1"),
    ),
    "bytes": (b"", bytes(range(256))),
    "uuid": (UUID(int=0), UUID(int=2**128 - 1)),
    "date": (date(1, 1, 1), date(2003, 2, 1), date(9999, 12, 31)),
    "time": (time(0, 0), time(23, 59, 59, 999999)),
    "naive_datetime": (datetime(1, 1, 1), datetime(2003, 2, 1, 4, 5, 6, 789012)),  # noqa: DTZ001
    "aware_datetime": (datetime(2003, 2, 1, 4, 5, 6, 789012, tzinfo=UTC),),
    "timedelta": (timedelta(0), timedelta(days=-3), timedelta(days=400, microseconds=4)),
    "json": ({"a": [1, None, "ß"]}, [], ["x"]),
    "ip": (IPv4Address("127.0.0.1"), IPv4Address("10.0.0.255")),
}


SAMPLES["text"] = SAMPLES["str"]
SAMPLES = {name: SAMPLES[name] for name in TABLE}  # in the order of the table


def measure(connection: psycopg.Connection[Any], python: str, postgresql: str) -> str:
    """Return fits, care or never: what happened to the values of a Python type in a column of a PostgreSQL type.

    The connection is in a transaction; nothing is kept.
    """
    name = "mood" if postgresql == "enum" else postgresql
    with connection.transaction(force_rollback=True):
        connection.execute("CREATE TYPE pg_temp.mood AS ENUM ('', '12')")
        connection.execute("SET LOCAL search_path = pg_temp, pg_catalog")
        connection.execute(compose.SQL("CREATE TEMPORARY TABLE cell (value {})").format(compose.SQL(name)))
        found = [_survives(connection, value, "%s::text" if python == "text" else "%s") for value in SAMPLES[python]]
    if python in ("str", "text") and postgresql in ("enum", "character varying", "text"):
        return "fits" if any(one is True for one in found) else "never"  # lengths and labels are checked elsewhere
    if python == "int" and postgresql in ("smallint", "integer"):
        return "fits" if found[0] is True else "never"  # the application must respect its range
    if all(one is True for one in found):
        return "fits"
    return "never" if all(one is None for one in found) else "care"


def _survives(connection: psycopg.Connection[Any], value: Any, sent_as: str) -> bool | None:
    """Return whether a value comes back as it was sent; None if it cannot be sent."""
    sent = Jsonb(value) if isinstance(value, (dict, list)) else value
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(f"INSERT INTO cell VALUES ({sent_as})".encode(), [sent])
            row = connection.execute("SELECT c.value FROM cell AS c").fetchone()
    except (psycopg.Error, NotImplementedError, ValueError, OverflowError):
        return None
    assert row
    (back,) = row
    return type(back) is type(value) and (back == value or (back != back and value != value))


def table(connection: psycopg.Connection[Any]) -> dict[str, dict[str, str]]:
    """Return the verdict of every cell."""
    with connection.transaction():
        connection.execute("SET LOCAL TimeZone = 'UTC'")
        return {one: {other: measure(connection, one, other) for other in POSTGRESQL} for one in SAMPLES}


HEADER = """# Which Python type fits which PostgreSQL type

What psycopg does with the values of a Python type in a column of a PostgreSQL type.
`tests/support/driver.py` tests this on a server and writes this page; a test compares the two.
The rules for contracts use the same table.

- **fits**: every value comes back unchanged. The application must respect lengths, ranges and labels.
- care: some values are rejected, or come back as another type. For a contract this is a warning.
- never (·): no value can be written, or none comes back. For a contract this is critical.

`str` is sent without a type, and the server converts it to the type of the column.
`text` is a `str` that is cast to text, as SQLAlchemy does, and fits fewer types.
`json` is what `Jsonb` wraps: dict, list, nested models. `datetime` in a model is with or without time zone.

"""


def page(cells: dict[str, dict[str, str]]) -> str:
    """Return docs/reference/types.md: a line for each PostgreSQL type, a column for each Python type."""
    marks = {"fits": "**fits**", "care": "care", "never": "·"}
    lines = ["| PostgreSQL | the driver reads | " + " | ".join(cells) + " |", "|---" * (len(cells) + 2) + "|"]
    for one in POSTGRESQL:
        verdicts = " | ".join(marks[row[one]] for row in cells.values())
        lines.append(f"| {one} | {READ[one]} | {verdicts} |")
    return HEADER + "\n".join(lines) + "\n"


if __name__ == "__main__":
    from healthd.postgres import embedded

    with embedded.temporary() as server, psycopg.connect(server.url()) as connection:
        DOCUMENT.write_text(page(table(connection)), encoding="utf-8")
