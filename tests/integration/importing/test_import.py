"""Folders of other tools are imported in the tool's own order, and the files keep their meaning."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import Sql

from healthd.cli.main import run
from healthd.errors import ConfigError
from healthd.expected.files import read_migrations
from healthd.importing.conversion import Pair
from healthd.importing.records import NEEDS_A_HUMAN
from healthd.importing.tools import TOOLS
from healthd.importing.transfer import read_pairs, write_pairs

T = "CREATE TABLE t (a int);\n"
FOLDERS: Mapping[str, Mapping[str, str]] = {
    "golang-migrate": {
        "9_nine.up.sql": T,
        "9_nine.down.sql": "DROP TABLE t;\n",
        "10_ten.up.sql": "ALTER TABLE t ADD b int;\n",
        "10_ten.down.sql": "ALTER TABLE t DROP b;\n",
    },
    "postgrator": {
        "009.do.nine.sql": T,
        "009.undo.nine.sql": "DROP TABLE t;\n",
        "010.do.ten.sql": "ALTER TABLE t ADD b int;\n",
    },
    "dbmate": {
        "20240101000000_nine.sql": f"-- migrate:up\n{T}\n-- migrate:down\nDROP TABLE t;\n",
        "20240102000000_ten.sql": "-- migrate:up transaction:false\nALTER TABLE t ADD b int;\n-- migrate:down\n",
    },
    "goose": {
        "00009_nine.sql": f"-- +goose Up\n{T}-- +goose Down\nDROP TABLE t;\n",
        "00010_ten.sql": "-- +goose NO TRANSACTION\n-- +goose Up\nALTER TABLE t ADD b int;\n",
    },
    "sql-migrate": {
        "1_nine.sql": f"-- +migrate Up\n{T}-- +migrate Down\nDROP TABLE t;\n",
        "2_ten.sql": "-- +migrate Up notransaction\nALTER TABLE t ADD b int;\n-- +migrate Down\n",
    },
    "tern": {
        "001_nine.sql": f"{T}---- create above / drop below ----\nDROP TABLE t;\n",
        "002_ten.sql": "ALTER TABLE t ADD b int;\n",
    },
    "node-pg-migrate": {
        "1_nine.sql": f"-- Up Migration\n{T}-- Down Migration\nDROP TABLE t;\n",
        "2_ten.sql": "-- Up Migration\nALTER TABLE t ADD b int;\n",
    },
    "rambler": {
        "1_nine.sql": f"-- rambler up\n{T}-- rambler down\nDROP TABLE t;\n",
        "2_ten.sql": "-- rambler up\nALTER TABLE t ADD b int;\n",
    },
    "diesel": {
        "2024-01-01-000000_nine/up.sql": T,
        "2024-01-01-000000_nine/down.sql": "DROP TABLE t;\n",
        "2024-01-02-000000-0000_ten/up.sql": "ALTER TABLE t ADD b int;\n",
        "2024-01-02-000000-0000_ten/metadata.toml": "run_in_transaction = false\n",
    },
    "hasura": {
        "1700000000000_nine/up.sql": T,
        "1700000000000_nine/down.sql": "DROP TABLE t;\n",
        "1700000000001_ten/up.sql": "ALTER TABLE t ADD b int;\n",
    },
    "prisma": {
        "20240101000000_nine/migration.sql": T,
        "20240102000000_ten/migration.sql": "ALTER TABLE t ADD b int;\n",
        "migration_lock.toml": 'provider = "postgresql"\n',
    },
    "sqlx": {
        "20240101000000_nine.sql": T,
        "20240102000000_ten.sql": "-- no-transaction\nALTER TABLE t ADD b int;\n",
    },
    "flyway": {
        "V1_9__nine.sql": T,
        "U1_9__nine.sql": "DROP TABLE t;\n",
        "deeper/V1_10__ten.sql": "ALTER TABLE t ADD b int;\n",
        "deeper/V1_10__ten.sql.conf": "executeInTransaction=false\n",
    },
    "sqitch": {
        "sqitch.plan": "%syntax-version=1.0.0\n\nz/nine 2024-01-01T00:00:00Z A <a@b.c> # first\n"
        "ten [z/nine] 2024-01-02T00:00:00Z A <a@b.c> # second\n",
        "deploy/z/nine.sql": f"-- Deploy nine\nBEGIN;\n{T}COMMIT;\n",
        "revert/z/nine.sql": "BEGIN;\nDROP TABLE t;\nCOMMIT;\n",
        "deploy/ten.sql": "ALTER TABLE t ADD b int;\n",
        "verify/ten.sql": "SELECT b FROM t;\n",
    },
    "versions": {
        "v1.9/nine.up.sql": T,
        "v1.9/nine.down.sql": "DROP TABLE t;\n",
        "v1.10/ten.up.sql": "ALTER TABLE t ADD b int;\n",
    },
    "plain": {"9 nine.sql": T, "10 ten.sql": "ALTER TABLE t ADD b int;\n"},
}
WITHOUT_ROLLBACK = {"prisma", "sqlx", "plain"}
ALONE = {"dbmate", "goose", "sql-migrate", "diesel", "sqlx", "flyway"}


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())
    return folder


def pairs(folder: Path, files: Mapping[str, str], tool: str | None = None, **placeholders: str) -> list[Pair]:
    return read_pairs(write(folder, files), tool, placeholders)[2]


def one(folder: Path, apply: str, rollback: str = "") -> Pair:
    files = {"1_a.up.sql": apply} | ({"1_a.down.sql": rollback} if rollback else {})
    (made,) = pairs(folder, files)
    return made


@pytest.mark.parametrize("tool", FOLDERS)
def test_a_folder_tells_whose_it_is_and_comes_in_its_order(tool: str, tmp_path: Path) -> None:
    found, _, made = read_pairs(write(tmp_path / "theirs", FOLDERS[tool]), None, {})
    write_pairs(made, tmp_path / "sql", force=False)
    nine, ten = read_migrations([tmp_path / "sql"])

    assert tool == found
    assert ("nine", "ten") == (nine.id[-4:], ten.id[-3:])
    assert (tool not in WITHOUT_ROLLBACK) == (nine.rollback is not None and "DROP TABLE t" in nine.rollback)
    assert (True, tool not in ALONE) == (nine.transactional, ten.transactional)
    assert (tool in ALONE) == ("runs outside of a transaction: the other tool ran it that way" in made[1].said)


@pytest.mark.parametrize("tool", FOLDERS)
def test_what_is_brought_over_applies(tool: str, tmp_path: Path, database: str, sql: Sql) -> None:
    from healthd.migrations.engine.yoyo_backend import opened, yoyo_migration

    write_pairs(pairs(tmp_path / "theirs", FOLDERS[tool]), tmp_path / "sql", force=False)
    with opened(database, wait_s=1) as backend:
        for migration in read_migrations([tmp_path / "sql"]):
            backend.apply_one(yoyo_migration(migration))

    assert [("a",), ("b",)] == sql(
        database, "SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 ORDER BY attnum"
    )


def test_other_files_are_byte_for_byte_what_they_were(tmp_path: Path) -> None:
    text = "-- é\r\nSELECT 1 ;\r\n\r\n  \t"

    assert text == one(tmp_path, text).apply


# ── names ───────────────────────────────────────────────────────────────────────────────────────────────


def test_names_stay_what_they_were_where_they_sort_rightly(tmp_path: Path) -> None:
    assert ["000001_a", "000002_b"] == [
        made.name for made in pairs(tmp_path, {"000001_a.up.sql": "", "000002_b.up.sql": ""})
    ]


def test_names_are_composed_and_two_that_differ_in_form_alone_are_refused(tmp_path: Path) -> None:
    composed, decomposed = "0001_caf\u00e9", "0001_cafe\u0301"
    (made,) = pairs(tmp_path, {f"{decomposed}.up.sql": T, f"{decomposed}.down.sql": "DROP TABLE t;"})

    assert (composed, "DROP TABLE t;") == (made.name, made.rollback)
    with pytest.raises(ConfigError, match="the same name in two Unicode forms"):
        pairs(tmp_path, {f"{composed}.up.sql": T})


def test_versions_of_flyway_are_compared_as_numbers(tmp_path: Path) -> None:
    files = dict.fromkeys(["V1__a.sql", "V1_1__b.sql", "V1.10__d.sql", "V1.2.1__c.sql", "V11__e.sql"], "")

    assert "abcde" == "".join(made.name[-1] for made in pairs(tmp_path, files))


def test_of_several_databases_that_flyway_is_for_ours_is_taken(tmp_path: Path) -> None:
    files = {f"{folder}/V1__a.sql": f"SELECT '{folder}';" for folder in ("H2", "mysql", "postgresql")}
    _, reading, made = read_pairs(write(tmp_path, {**files, "V2__b.sql": T}), None, {})

    assert ["SELECT 'postgresql';", T] == [pair.apply for pair in made]
    assert {"H2/V1__a.sql": "for H2", "mysql/V1__a.sql": "for mysql"} == {
        file: reason.split(",")[0] for file, reason in reading.left.items()
    }


def test_two_files_that_differ_in_case_alone_are_numbered(tmp_path: Path) -> None:
    names = [made.name for made in pairs(tmp_path, {"1_a.up.sql": "", "1_A.up.sql": ""})]

    assert 2 == len({name.casefold() for name in names})


def test_of_several_dialects_ours_is_taken(tmp_path: Path) -> None:
    files = {"1_a.up.sql": "any", "1_a.postgres.up.sql": "SELECT 1", "1_a.mysql.up.sql": "theirs"}
    (made,) = pairs(tmp_path, files)

    assert "SELECT 1" == made.apply


# ── transactions ────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_for_ours_wins_also_where_the_others_run_outside_of_a_transaction(tmp_path: Path) -> None:
    files = {"1_a.autocommit.up.sql": "SELECT other;", "1_a.postgres.up.sql": T, "2_b.autocommit.up.sql": "SELECT 1;"}
    first, second = pairs(tmp_path, files)

    assert (T, True) == (first.apply, first.transactional)
    assert ("0002_b", False) == (second.name, second.transactional)


def test_begin_and_commit_around_a_file_are_taken_out(tmp_path: Path) -> None:
    made = one(tmp_path, f"-- Why.\nBEGIN;\n\n{T}\ncommit work ; -- done\n")

    assert f"-- Why.\n\n{T}\n-- done\n" == made.apply
    assert ("0001_a.sql: surrounding BEGIN and COMMIT removed",) == made.said


@pytest.mark.parametrize(
    "text",
    [
        f"SET x.y = 1;\nBEGIN;\n{T}COMMIT;\n",
        "BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2; COMMIT;",
        "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT;",
        "CREATE INDEX CONCURRENTLY i ON t (a);",
        "ALTER TYPE s ADD VALUE 'new'; UPDATE t SET a = 'new';",
        "DO $$ BEGIN FOR i IN 1..3 LOOP INSERT INTO t VALUES (i); COMMIT; END LOOP; END $$;",
        "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$; CALL p();",
        "VACUUM t;",
    ],
)
def test_what_cannot_be_one_transaction_says_so_in_its_first_line(tmp_path: Path, text: str) -> None:
    made = one(tmp_path, text)

    assert f"-- transactional: false\n{text}" == made.apply
    assert made.said[0].startswith("runs outside of a transaction: ")
    assert () == made.human


@pytest.mark.parametrize(
    "text", ["DO $$ BEGIN NULL; END $$;", "SELECT 'BEGIN;', 'x;commit;';", "SAVEPOINT s; ROLLBACK TO s;"]
)
def test_what_only_looks_like_it_stays_one_transaction(tmp_path: Path, text: str) -> None:
    assert text == one(tmp_path, text).apply


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("SELECT 1;\nCOMMIT;\nBEGIN;\nSELECT 2;\n", "BEGIN;\nSELECT 1;\nCOMMIT;\nBEGIN;\nSELECT 2;\nCOMMIT;\n"),
        ("SELECT 1; COMMIT; VACUUM t; BEGIN", "BEGIN;\nSELECT 1; COMMIT; VACUUM t; BEGIN\n;\nCOMMIT;\n"),
        ("COMMIT; VACUUM t; BEGIN; SELECT 2 -- two", "BEGIN;\nCOMMIT; VACUUM t; BEGIN; SELECT 2 -- two\n;\nCOMMIT;\n"),
        ("SELECT 1; COMMIT; VACUUM t; -- end", "BEGIN;\nSELECT 1; COMMIT; VACUUM t; -- end"),
    ],
)
def test_a_file_that_ends_the_transaction_of_the_tool_gets_its_own(tmp_path: Path, text: str, made: str) -> None:
    pair = one(tmp_path, text)

    assert f"-- transactional: false\n{made}" == pair.apply
    assert "0001_a.sql: BEGIN added: its first COMMIT ends the transaction that the tool began" in pair.said
    assert () == pair.human


@pytest.mark.parametrize("around", [("", ""), ("BEGIN;\n", "COMMIT;\n")])
def test_what_sets_how_its_transaction_is_isolated_runs_in_one_of_its_own(
    around: tuple[str, str], tmp_path: Path, database: str, sql: Sql
) -> None:
    from healthd.migrations.engine.yoyo_backend import opened, yoyo_migration

    begin, commit = around
    text = f"-- Why.\n{begin}SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\n{T}INSERT INTO t VALUES (1);\n{commit}"
    write_pairs([one(tmp_path, text)], tmp_path / "sql", force=False)
    (migration,) = read_migrations([tmp_path / "sql"])
    with opened(database, wait_s=1.0) as backend:
        backend.apply_one(yoyo_migration(migration))

    assert (1, 1) == (migration.apply.count("BEGIN;\n"), migration.apply.count("COMMIT;\n"))
    assert [(1,)] == sql(database, "SELECT a FROM t")


def test_a_procedure_that_commits_is_known_where_another_file_calls_it(tmp_path: Path) -> None:
    procedure = "CREATE PROCEDURE app.Fill() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;"
    first, second = pairs(tmp_path, {"1_a.up.sql": procedure, "2_b.up.sql": "CALL app.fill();"})

    assert (True, False) == (first.transactional, second.transactional)


# ── what needs a human ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT 1;\n\\i other.sql\n", "0001_a.sql, line 2: \\i, a psql meta-command"),
        ("COPY t FROM stdin;\n1\n\\.\n", "0001_a.sql, line 1: COPY from or to the client"),
        ("SELECT 1;\nDELETE FROM schema_migrations;", "0001_a.sql, line 2: refers to schema_migrations"),
        (
            "SELECT 'a\nb';\r\n/* 'c\r\nd' */\r\nSELECT 'e\r\nf';\r\n",
            "0001_a.sql, line 5: a string contains a Windows line",
        ),
        ("--! include roles.sql\nSELECT 1;", "0001_a.sql, line 1: `--! include roles.sql` instructs the other tool"),
        ("--liquibase formatted sql\nSELECT 1;", "0001_a.sql, line 1: `--liquibase formatted sql` instructs the other"),
        ("-- atlas:delimiter GO\nSELECT 1;", "0001_a.sql, line 1: `-- atlas:delimiter GO` instructs the other tool"),
        ('CREATE TABLE {{ index .Options "Namespace" }}.t ();', "0001_a.sql, line 1: placeholder index .Options"),
    ],
)
def test_what_a_human_must_do_is_told_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    (found,) = one(tmp_path, text).human

    assert found.startswith(words)


def test_every_command_of_psql_is_told(tmp_path: Path) -> None:
    text = "\\getenv role APP_ROLE\n\\set pw `echo $PW`\nSELECT 1;\n\\i other.sql\n"

    assert ["0001_a.sql, line 1: \\getenv", "0001_a.sql, line 2: \\set", "0001_a.sql, line 4: \\i"] == [
        words.partition(",")[0] + "," + words.split(",")[1] for words in one(tmp_path, text).human
    ]


def test_atlas_says_that_a_file_is_no_transaction(tmp_path: Path) -> None:
    (made,) = pairs(tmp_path, {"20240101000000_a.sql": "-- atlas:txmode none\n\nCREATE TABLE a ();\n"}, "plain")

    assert not made.transactional


def test_postgres_migrations_says_that_a_file_is_no_transaction_or_to_be_ignored(tmp_path: Path) -> None:
    head = "-- postgres-migrations {}\n\nCREATE TABLE a ();\n"
    files = {"0001_a.sql": head.format("disable-transaction"), "0002_b.sql": head.format("ignore")}
    alone, ignored = pairs(tmp_path, files, "plain")

    assert ((False, True), ()) == ((alone.transactional, ignored.transactional), alone.human)
    assert ["0002_b.sql, line 1: `-- postgres-migrations ignore` instructs the other tool: rewrite it in SQL"] == list(
        ignored.human
    )


def test_placeholders_of_flyway_are_filled_in_or_told(tmp_path: Path) -> None:
    files = {"V1__a.sql": "GRANT SELECT ON t TO ${reader}; SELECT '${Owner}';"}

    assert "GRANT SELECT ON t TO r; SELECT 'o';" == pairs(tmp_path, files, reader="r", owner="o")[0].apply
    assert ["0001_a.sql, line 1: placeholder Owner has no value: use --placeholder 'Owner=VALUE'"] == list(
        pairs(tmp_path, files, reader="r")[0].human
    )


def test_braces_in_quotes_are_no_placeholder_elsewhere(tmp_path: Path) -> None:
    text = "INSERT INTO t VALUES ('Dear {{ name }}, ${x}'); -- {{ y }}"

    assert (text, ()) == ((made := one(tmp_path, text)).apply, made.human)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ALTER ROLE app PASSWORD '${APP_PASSWORD}';", "APP_PASSWORD"),
        ("ALTER ROLE app PASSWORD E'${app_password:-secret}';", "app_password"),
        ("""ALTER ROLE app PASSWORD '{{ env "APP_PASSWORD" }}';""", "APP_PASSWORD"),
        ("ALTER ROLE app PASSWORD '{{- .Env.pw | quote -}}';", "pw"),
        ("DO $$ BEGIN EXECUTE 'GRANT x TO {{ os.Getenv `WHO` }}'; END $$;", "WHO"),
        ("GRANT x TO ${WHO:-nobody};", "WHO"),
        ("CREATE SCHEMA {{ getenv('HERE') }};", "HERE"),
        ("ALTER ROLE app PASSWORD '$APP_PASSWORD';", "APP_PASSWORD"),
        ("DO $$ BEGIN EXECUTE $x$ALTER ROLE app PASSWORD '$APP_PASSWORD'$x$; END $$;", "APP_PASSWORD"),
        ("ALTER ROLE app PASSWORD 'x$APP_PASSWORD-y';", "APP_PASSWORD"),
        ("GRANT x TO $app_role;", "app_role"),
        ("ALTER ROLE app PASSWORD '$(PW)';", "PW"),
        ("ALTER ROLE app PASSWORD '${env:PW}';", "PW"),
        ("ALTER ROLE app PASSWORD '${env.pw}';", "pw"),
        ("""ALTER ROLE app PASSWORD '<%= ENV["PW"] %>';""", "PW"),
        ("""ALTER ROLE app PASSWORD '#{ENV.fetch("PW", "none")}';""", "PW"),
    ],
)
def test_a_variable_of_the_environment_is_never_dropped_in_silence(tmp_path: Path, text: str, name: str) -> None:
    (made,) = pairs(tmp_path, {"1_a.up.sql": f"SELECT 1; -- {text}\n{text}"})

    assert (f"0001_a.sql, line 2: placeholder {name} has no value: use --placeholder '{name}=VALUE'",) == made.human
    (made,) = pairs(tmp_path, {"1_a.up.sql": text}, **{name: "value"})
    assert () == made.human
    assert "value" in made.apply


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 'costs $USD, $5.00 or $a_b', a <% b AND c %> d;",
        "PREPARE p AS SELECT $1; SELECT a$b_C, $x_Y$ $APP_ $x_Y$;",
        "CREATE FUNCTION f() RETURNS int LANGUAGE plperl AS $BODY_1$ return $MAX_ROWS; $BODY_1$;",
        "SELECT data #> '{a}', '#{title}', '^$(foo)';",
    ],
)
def test_what_only_looks_like_a_variable_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    assert (text, ()) == ((made := one(tmp_path, text)).apply, made.human)


GOOSE = """-- +goose Up
SELECT '$NOT_YET';
-- +goose ENVSUB ON
ALTER ROLE app PASSWORD '$APP_PASSWORD'; -- $NOBODY
GRANT $ROLE TO app; SELECT 'app_$ROLE$ROLE';
-- +goose ENVSUB OFF
SELECT $x$ ${not_here} $x$;
-- +goose ENVSUB ON
-- +goose Down
ALTER ROLE app PASSWORD '${OLD}';
"""


def test_what_goose_takes_from_the_environment_is_told_where_it_does(tmp_path: Path) -> None:
    (made,) = pairs(tmp_path, {"00001_a.sql": GOOSE})

    assert (
        "00001_a.sql, line 3: placeholder APP_PASSWORD has no value: use --placeholder 'APP_PASSWORD=VALUE'",
        "00001_a.sql, line 4: placeholder ROLE has no value: use --placeholder 'ROLE=VALUE'",
        "00001_a.rollback.sql, line 2: placeholder OLD has no value: use --placeholder 'OLD=VALUE'",
    ) == made.human
    (made,) = pairs(tmp_path, {"00001_a.sql": GOOSE}, app_password="p", role="r", old="o", not_yet="n")
    assert () == made.human
    assert ("PASSWORD 'p'; -- $NOBODY\nGRANT r TO app; SELECT 'app_rr'" in made.apply, "$NOT_YET" in made.apply) == (
        True,
        True,
    )
    assert made.rollback is not None
    assert "PASSWORD 'o'" in made.rollback


def test_tern_fills_in_quotes_too(tmp_path: Path) -> None:
    (made,) = pairs(tmp_path, {"001_a.sql": "SELECT '{{ .reader }}', '${x}';\n"}, "tern")

    assert ("001_a.sql, line 1: placeholder .reader has no value: use --placeholder '.reader=VALUE'",) == made.human


@pytest.mark.parametrize("words", ["shouldExecute=${run}", "flyway.placeholderPrefix=#[", "placeholderReplacement=no"])
def test_what_a_file_of_flyway_s_says_of_itself_is_not_dropped_in_silence(tmp_path: Path, words: str) -> None:
    reading = read_pairs(write(tmp_path, {"V1__a.sql": T, "V1__a.sql.conf": words}), None, {})[1]

    assert reading.left["V1__a.sql.conf"].endswith(NEEDS_A_HUMAN)


def test_variables_of_psql_are_placeholders(tmp_path: Path) -> None:
    text = "GRANT SELECT ON :app_schema.t TO :\"Reader\"; SELECT :'Reader', a::text, b[i:j], c[:k], f(d := 1), ':no';"
    filled = "GRANT SELECT ON s.t TO \"r\"; SELECT 'r', a::text, b[i:j], c[:k], f(d := 1), ':no';"

    (made,) = pairs(tmp_path, {"1_a.up.sql": text}, app_schema="s", reader="r")
    assert (filled, ()) == (made.apply, made.human)
    assert [
        "0001_a.sql, line 1: placeholder app_schema has no value: use --placeholder 'app_schema=VALUE'",
        "0001_a.sql, line 1: placeholder Reader has no value: use --placeholder 'Reader=VALUE'",
    ] == list(one(tmp_path, text).human)


def test_a_placeholder_with_a_value_is_filled_in_inside_of_quotes_too(tmp_path: Path) -> None:
    text = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT a FROM {{ schema }}.t $$;"
    (made,) = pairs(tmp_path, {"1_a.up.sql": text}, schema="s")

    assert text.replace("{{ schema }}", "s") == made.apply


def test_what_pg_dump_writes_for_psql_is_taken_out(tmp_path: Path) -> None:
    assert T == one(tmp_path, f"\\restrict x1\n{T}\\unrestrict x1\n").apply


def test_a_byte_order_mark_is_taken_out(tmp_path: Path) -> None:
    assert T == one(tmp_path, "\ufeff" + T).apply


def test_repeatable_files_come_last_once(tmp_path: Path) -> None:
    made = pairs(tmp_path, {"R__b.sql": "", "R__a.sql": "", "V7__x.sql": ""})

    assert ["0007_x", "0008_a", "0008_b"] == [one.name for one in made]
    assert made[1].said[0].startswith("repeatable: ")


def test_a_baseline_is_left_where_its_versions_are_there(tmp_path: Path) -> None:
    _, reading, made = read_pairs(write(tmp_path, {"V1__a.sql": T, "B1__a.sql": T, "V2__b.sql": ""}), None, {})

    assert 2 == len(made)
    assert {"B1__a.sql": "a baseline: the versions before it are imported instead"} == dict(reading.left)


# ── the verb ────────────────────────────────────────────────────────────────────────────────────────────


def test_code_is_told_and_the_exit_code_says_that_somebody_must_look(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = write(tmp_path / "theirs", {"1_a.up.sql": T, "2_b.up.go": "package x", "README.md": "hello"})
    code = run(["import", str(theirs), "--to", str(tmp_path / "sql"), "--format", "json"])
    captured = capsys.readouterr()
    document = json.loads(captured.out)

    assert 1 == code
    assert ["2_b.up.go: a migration in Go: rewrite it in SQL"] == document["human"]
    assert "schema_migrations" == document["ledger"]
    assert [str(tmp_path / "sql" / "0001_a.sql")] == document["written"]


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    theirs = write(tmp_path / "theirs", {"1_a.up.sql": T})

    assert 0 == run(["import", str(theirs), "--to", str(tmp_path / "sql"), "--dry-run"])
    assert not (tmp_path / "sql").exists()


def test_nothing_is_overwritten_unless_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = write(tmp_path / "theirs", {"1_a.up.sql": T, "2_b.up.sql": T})
    ours = write(tmp_path / "sql", {"0002_b.sql": "mine"})
    words = ["import", str(theirs), "--to", str(ours)]

    assert 3 == run(words)
    assert "0002_b.sql would be overwritten; nothing was written" in capsys.readouterr().err
    assert ["0002_b.sql"] == [path.name for path in ours.iterdir()]
    assert 0 == run([*words, "--force"])
    assert 0 == run(words), "what is there is what would be written"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no migrations were recognized in"),
        ({"20240101000000_a.rb": "", "schema.rb": ""}, "are programs in Ruby, not SQL"),
        ({"1_a.up.sql": "\udcff"}, "not UTF-8"),
        (None, "no such folder"),
    ],
)
def test_a_folder_that_is_none_is_one_clear_line(
    tmp_path: Path, files: Mapping[str, str] | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "theirs"
    for name, text in (files or {}).items():
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(text.encode(errors="surrogateescape"))
    if files == {}:
        folder.mkdir()

    assert 3 == run(["import", str(folder), "--to", str(tmp_path / "sql")])
    assert words in capsys.readouterr().err


def test_the_folder_that_holds_them_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        pairs(tmp_path, {"mysql/1_a.up.sql": T, "postgres/1_a.up.sql": T})

    assert "name the folder that contains them (mysql, postgres)" in caught.value.hint


def test_a_placeholder_without_a_value_is_refused(tmp_path: Path) -> None:
    theirs = write(tmp_path / "theirs", {"1_a.up.sql": T})

    assert 3 == run(["import", str(theirs), "--placeholder", "schema"])


# ── docs/how-to/import.md ──────────────────────────────────────────────────────────────────────────────────────


def test_the_docs_have_one_command_for_each_tool_and_name_the_ledgers() -> None:
    text = (Path(__file__).parents[3] / "docs" / "how-to" / "import.md").read_text()
    commands = set(re.findall(r"`healthd import \S+ --from (\S+)`", text))

    assert TOOLS.keys() == commands
    assert set() == {tool.ledger for name, tool in TOOLS.items() if name in LISTED} - set(re.findall(r"`(\w+)`", text))


LISTED = ("golang-migrate", "dbmate", "diesel", "sqlx", "flyway", "goose", "prisma")


def test_what_stands_in_folders_below_is_told_to_be_left(tmp_path: Path) -> None:
    files = {"1_a.sql": T, "old/0_b.sql": T, "old/older/0_c.sql": T}
    _, reading, made = read_pairs(write(tmp_path, files), None, {})

    assert ["1_a.sql"] == [source for pair in made for source in pair.sources]
    assert {"old/0_b.sql", "old/older/0_c.sql"} == reading.left.keys()


def test_a_change_that_sqitch_has_reworked_comes_twice_each_time_as_it_was(tmp_path: Path) -> None:
    files = {
        "sqitch.plan": "%project=p\na 2024 A <a@b.c>\n@v0 2024 A <a@b.c>\n@v1 2024 A <a@b.c>\n\nb [a] 2024 A <a@b.c>\n"
        "@v2 2024 A <a@b.c>\n"
        "a [a@v1 b] 2024 A <a@b.c>\n",
        "deploy/a@v1.sql": "SELECT 1;",
        "deploy/b.sql": "SELECT 2;",
        "deploy/a.sql": "SELECT 3;",
        "deploy/c.sql": "SELECT 4;",
        "verify/a.sql": "SELECT 5;",
    }
    _, reading, made = read_pairs(write(tmp_path, files), None, {})

    assert ["SELECT 1;", "SELECT 2;", "SELECT 3;"] == [pair.apply for pair in made]
    assert {"deploy/c.sql", "verify/a.sql"} == reading.left.keys()


def test_a_change_of_sqitch_s_plan_that_has_no_file_needs_a_human(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = write(tmp_path / "theirs", {"sqitch.plan": "a 2024\nb 2024\n", "deploy/a.sql": T})

    assert 1 == run(["import", str(theirs), "--to", str(tmp_path / "sql")])
    assert "needs a human: deploy/b.sql: listed in sqitch.plan, but the file does not exist" in capsys.readouterr().err


def test_folders_of_versions_are_compared_as_numbers_and_so_are_the_files_in_them(tmp_path: Path) -> None:
    files = {
        "0.9/10__d.sql": "SELECT 4;",
        "0.9/2__c.sql": "SELECT 3;",
        "0.8/b.sql": "SELECT 2;",
        "0.8/a.sql": "SELECT 1;",
        "0.10/0__e.sql": "SELECT 5;",
        "LATEST.sql": "SELECT 6;",
    }
    tool, reading, made = read_pairs(write(tmp_path, files), None, {})

    assert ("versions", {"LATEST.sql"}) == (tool, set(reading.left))
    assert [f"SELECT {number};" for number in range(1, 6)] == [pair.apply for pair in made]
    assert sorted(pair.name for pair in made) == [pair.name for pair in made]
    assert ["0.8/a.sql", "0.8/b.sql"] == [pair.sources[0] for pair in made if pair.said]


def test_files_of_one_way_and_of_both_stand_in_one_folder_of_sqlx(tmp_path: Path) -> None:
    files = {
        "20240101000000_a.up.sql": T,
        "20240101000000_a.down.sql": "DROP TABLE t;",
        "20240102000000_b.sql": "-- no-transaction\nALTER TABLE t ADD b int;",
        "20240103000000_c.up.sql": "ALTER TABLE t ADD c int;",
    }
    tool, reading, made = read_pairs(write(tmp_path, files), "sqlx", {})

    assert ("sqlx", {}) == (tool, reading.left)
    assert ["20240101000000_a", "20240102000000_b", "20240103000000_c"] == [one.name for one in made]
    assert [True, False, True] == [one.transactional for one in made]


def test_a_file_that_golang_migrate_passes_over_and_sqlx_would_run_needs_a_human(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"1_a.up.sql": T, "2_b.sql": "ALTER TABLE t ADD b int;"}

    assert 1 == run(["import", str(write(tmp_path / "theirs", files)), "--to", str(tmp_path / "sql")])
    assert "needs a human: 2_b.sql: sqlx would run it" in capsys.readouterr().err
