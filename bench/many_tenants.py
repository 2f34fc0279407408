"""What rounds cost on a database with a schema for each tenant, in processor seconds of healthd and of the server.

Usage: python bench/many_tenants.py [TENANTS …] (default 50 1000). Each tenant has 20 tables with a key, an index, a
check and a foreign key, an enum, a view and a function. Processor seconds depend less on other work than time does.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable

import psycopg
from processes import processor_s, resident_mb
from rounds import empty_database, prepare

from healthd.config.reader import read_settings
from healthd.config.settings import Target
from healthd.expected.store import read_files
from healthd.model.tenants import TenantRule
from healthd.rounds.examination import examine_again
from healthd.rounds.round import Round

TABLES = 20
DRIFT = "ALTER TABLE {0}.t_03 DROP COLUMN note; DROP INDEX {0}.t_05_number_idx;"


def schema(name: str) -> str:
    """Return the SQL of one tenant."""
    lines = [f"CREATE SCHEMA {name};", f"CREATE TYPE {name}.state AS ENUM ('new', 'open', 'done');"]
    for number in range(TABLES):
        table = f"{name}.t_{number:02}"
        parent = f"{name}.t_{max(0, number - 1):02}"
        lines.append(
            f"CREATE TABLE {table} (id bigint PRIMARY KEY, parent bigint REFERENCES {parent}, number integer NOT NULL, "
            f"note text, state {name}.state NOT NULL DEFAULT 'new', created timestamptz DEFAULT now(), "
            f"amount numeric CHECK (amount > 0)); CREATE INDEX t_{number:02}_number_idx ON {table} (number);"
        )
    lines.append(f"CREATE VIEW {name}.open AS SELECT id, note FROM {name}.t_00 WHERE state = 'open';")
    lines.append(f"CREATE FUNCTION {name}.count() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM {name}.t_00';")
    return "\n".join(lines)


async def counted(what: str, pid: int, work: Awaitable[Round]) -> Round:
    """Return a round, and print how many processor seconds it took here and in the session of the server."""
    began, server_s = time.process_time(), processor_s(pid)
    found = await work
    spent_s = time.process_time() - began
    print(
        f"    {what:44}{spent_s:6.2f} s healthd, {processor_s(pid) - server_s:6.2f} s server, "
        f"{len(found.report.findings)} findings, {resident_mb():.0f} MB",
        flush=True,
    )
    return found


async def measure(tenants: int) -> None:
    """Measure one size."""
    print(f"{tenants} tenants")
    async with empty_database() as (url, folder):
        await prepare(url, folder, 0, schema("tenant"))
        names = [f"tenant_{number}" for number in range(1, tenants + 1)]
        with psycopg.connect(url, autocommit=True) as connection:
            for name in names:
                connection.execute(schema(name).encode())
            connection.execute("VACUUM ANALYZE")
        rule = TenantRule(("tenant_*",), "tenant")
        files, target = read_files(read_settings(folder / "yoyo.ini")), Target("b", url, deadline_s=3600, tenants=rule)
        last = await examine_again(target, files, None)
        assert last.session is not None, last.report.findings
        pid = last.session.connection.info.backend_pid

        async def full(what: str, *statements: str) -> None:
            """Measure a round after these statements and one that moves the catalogs."""
            nonlocal last
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("CREATE OR REPLACE VIEW app.other AS SELECT 1 AS a; DROP VIEW app.other")
                for statement in statements:
                    connection.execute(statement.encode())
            last = await counted(what, pid, examine_again(target, files, last))

        last = await counted("a quiet round", pid, examine_again(target, files, last))
        await full("a full round, nothing differs")
        await full("three tenants differ", *(DRIFT.format(name) for name in names[:3]))
        await full(
            "a column is renamed in every tenant", *(f"ALTER TABLE {name}.t_07 RENAME note TO remark" for name in names)
        )
        await last.close()


if __name__ == "__main__":
    for size in [int(word) for word in sys.argv[1:]] or [50, 1000]:
        asyncio.run(measure(size))
