"""What the server refuses is told with its cure: for a file that is one transaction, and for one that is none."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from conftest import Sql

from healthd.errors import MigrationFailed
from healthd.migrations.backend import opened, yoyo_migration
from healthd.migrations.files import read_migrations
from healthd.migrations.runner import standing

STEPS = "-- transactional: false\nCREATE TABLE public.a ();\n"
CUT = "SELECT pg_terminate_backend(own.pid) FROM (SELECT pg_backend_pid() AS pid) AS own;"
FUNCTION = "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;"
LABEL = "ALTER TYPE public.e ADD VALUE 'b';\nSELECT ('b' || '')::public.e"
CASES = {
    "25001 whole": ("SELECT 1;\nVACUUM;", "put `-- transactional: false` at the top of the file"),
    "25001 step": (f"{STEPS}BEGIN;\nVACUUM;\nCOMMIT;", "out of the file's BEGIN … COMMIT, then: healthd resume"),
    "25001 first": (
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;",
        "BEGIN ISOLATION LEVEL … COMMIT around its statements",
    ),
    "25001 later": (
        f"{STEPS}BEGIN;\nSELECT 1;\nSET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nCOMMIT;",
        "write BEGIN ISOLATION LEVEL …, or put it right behind the BEGIN, then: healthd resume",
    ),
    "2D000 whole": (f"{FUNCTION}\nSELECT f();", "put `-- transactional: false` at the top of the file"),
    "2D000 step": (f"{STEPS}{FUNCTION}\nSELECT f();", "make it a procedure, and CALL it outside of BEGIN … COMMIT"),
    "55P04 whole": (f"{LABEL};", "of use after its transaction only: use it in the next file"),
    "55P04 step": (f"{STEPS}BEGIN;\n{LABEL};\nCOMMIT;", "use it behind the COMMIT, then: healthd resume"),
    "57P01 whole": (f"SELECT 1;\n{CUT}", "a person ended the session: see to it, then run it again"),
    "57P01 step": (f"{STEPS}{CUT}", "a person ended the session: see to it, then: healthd resume"),
    "57014 whole": ("SET statement_timeout = 1;\nSELECT pg_sleep(9);", "statement_timeout stopped it"),
    "25006 whole": ("SET TRANSACTION READ ONLY;\nCREATE TABLE b ();", "says that this session only reads"),
}


@pytest.mark.parametrize("case", list(CASES))
def test_a_refusal_of_the_server_comes_with_its_cure(case: str, database: str, tmp_path: Path, sql: Sql) -> None:
    text, cure = CASES[case]
    sql(database, "CREATE TYPE public.e AS ENUM ('a')")
    (tmp_path / "1.sql").write_text(text)
    with opened(database, wait_s=1.0) as backend, pytest.raises(MigrationFailed) as caught:
        backend.apply_one(yoyo_migration(read_migrations([tmp_path])[0]))

    assert f"({case.split()[0]})" in str(caught.value)
    assert cure in caught.value.hint
    assert 2 == caught.value.exit_code
    assert () == asyncio.run(standing(database, (), None)).ledger.applied


def test_a_session_that_ends_at_a_statement_without_a_transaction_does_not_say_more_than_is_known(
    database: str, tmp_path: Path
) -> None:
    (tmp_path / "1.sql").write_text(
        f"{STEPS}CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; PERFORM 1 FROM (SELECT {CUT[7:-1]}) AS x; "
        "END $$;\nCALL p();"
    )
    with opened(database, wait_s=1.0) as backend, pytest.raises(MigrationFailed) as caught:
        backend.apply_one(yoyo_migration(read_migrations([tmp_path])[0]))

    assert str(caught.value).endswith("it is not marked; whether statement 3 is in is not known")
