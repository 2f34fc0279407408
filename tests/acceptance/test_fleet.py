"""Many databases with two schemas and two roles, from one yoyo.ini: every verb on all of them, or on some."""

import asyncio
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest
from conftest import BINARIES, MakeDatabase, Sql

from acceptance.test_cli import healthd
from healthd.config.reader import read_settings
from healthd.expected.files import read_migrations
from healthd.expected.lockfile_text import dump
from healthd.postgres.embedded import Server
from healthd.replay.replay import replay

SHOPS, STOCKS = ("shop-1", "shop-2", "shop-10", "shop-eu"), ("stock-1", "stock-2", "stock-3")
FILES = {
    "shop": "CREATE TABLE public.orders (id integer PRIMARY KEY, note text);",
    "stock": "CREATE TABLE public.parts (id integer PRIMARY KEY, name text); CREATE INDEX parts_name ON parts (name);",
}
DOWN = {"shop": "DROP TABLE public.orders;", "stock": "DROP TABLE public.parts;"}


@pytest.fixture(scope="module")
def locks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The lock file of each schema."""
    folder, made = tmp_path_factory.mktemp("schemas"), {}
    for name in FILES:
        write(folder, name)
        made[name] = dump(asyncio.run(replay(read_migrations([folder / name]), postgres_bin=BINARIES)))
    return made


def write(folder: Path, name: str) -> None:
    (folder / name).mkdir()
    (folder / name / f"0001_{name}.sql").write_text(FILES[name])
    (folder / name / f"0001_{name}.rollback.sql").write_text(DOWN[name])


@pytest.fixture(scope="module")
def _roles(_administrator: psycopg.Connection) -> None:
    """A role that owns the databases, and another one with which healthd reads them."""
    _administrator.execute("DROP ROLE IF EXISTS fleet_deployer, fleet_monitor")
    _administrator.execute("CREATE ROLE fleet_deployer LOGIN; CREATE ROLE fleet_monitor LOGIN CONNECTION LIMIT 3")
    _administrator.execute("GRANT pg_read_all_data TO fleet_monitor")


@pytest.fixture(scope="module")
def templates(
    _administrator: psycopg.Connection,
    _roles: None,
    server: Server,
    tmp_path_factory: pytest.TempPathFactory,
    locks: dict[str, str],
) -> dict[str, str]:
    """The name of a database with the migrations of each schema."""
    made = {}
    for name in FILES:
        _administrator.execute(f"CREATE DATABASE fleet_{name} TEMPLATE template0".encode())
        made[name], url = f"fleet_{name}", server.url(f"fleet_{name}")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("GRANT CREATE ON SCHEMA public TO fleet_deployer")
        folder = tmp_path_factory.mktemp("template")
        write(folder, name)
        (folder / name / "schema.lock").write_text(locks[name])
        (folder / "yoyo.ini").write_text(f"[DEFAULT]\nsources = {name}\n")
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            assert 0 == healthd("migrate", "--database", url.replace("postgres@", "fleet_deployer@")).code
    return made


def configure(folder: Path, urls: Mapping[str, str], locks: Mapping[str, str]) -> None:
    """Write the project of these databases."""
    lines = ["[DEFAULT]", "sources = shop", "[healthd]", "rehearse = no"]
    for name, url in urls.items():
        escaped = url.replace("%", "%%")
        lines += [f"[target {name}]", f"database = {escaped.replace('postgres@', 'fleet_monitor@')}"]
        lines += [f"migrate_database = {escaped.replace('postgres@', 'fleet_deployer@')}"]
        lines += ["sources = stock", "labels = team=store, tier=1"] if name in STOCKS else []
    for name, text in locks.items():
        write(folder, name)
        (folder / name / "schema.lock").write_text(text)
    (folder / "yoyo.ini").write_text("\n".join(lines))


@pytest.fixture
def fleet(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_database: MakeDatabase,
    sql: Sql,
    locks: dict[str, str],
    _roles: None,
) -> dict[str, str]:
    """The URLs of seven empty databases by target."""
    urls = {name: make_database() for name in (*SHOPS, *STOCKS)}
    for url in urls.values():
        sql(url, "GRANT CREATE ON SCHEMA public TO fleet_deployer")
    configure(tmp_path, urls, locks)
    monkeypatch.chdir(tmp_path)
    return urls


@pytest.fixture
def migrated(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_database: MakeDatabase,
    locks: dict[str, str],
    templates: dict[str, str],
) -> dict[str, str]:
    """The URLs of seven databases with the migrations of their schemas, by target."""
    urls = {name: make_database(templates["stock" if name in STOCKS else "shop"]) for name in (*SHOPS, *STOCKS)}
    configure(tmp_path, urls, locks)
    monkeypatch.chdir(tmp_path)
    return urls


def test_each_target_gets_the_migrations_of_its_own_schema(fleet: dict[str, str], sql: Sql) -> None:
    code, out, _ = healthd("migrate", "--all", "--canary", "stock-2")

    assert (0, "7 applied") == (code, out.splitlines()[-1])
    assert out.splitlines()[1].startswith("stock-2 ")
    tables = "SELECT tablename, tableowner FROM pg_tables WHERE tablename IN ('orders', 'parts')"
    assert [("orders", "fleet_deployer")] == sql(fleet["shop-10"], tables)
    assert [("parts", "fleet_deployer")] == sql(fleet["stock-3"], tables)


def test_the_targets_of_a_pattern_are_migrated(fleet: dict[str, str]) -> None:
    code, out, _ = healthd("migrate", "--target", "stock-*")

    assert (0, 3) == (code, len([line for line in out.splitlines() if line.startswith("stock-")]))
    assert 1 == healthd("status", "--target", "shop-1").code


def test_every_verb_ends_with_a_summary(migrated: dict[str, str], sql: Sql) -> None:
    sql(migrated["stock-2"], "DROP INDEX parts_name")
    sql(migrated["shop-2"], "ALTER TABLE orders DROP COLUMN note")

    status = healthd("status", "--all")
    assert (2, "6 of 7 ok") == (status.code, status.err.splitlines()[-1])
    assert "shop-2:\n    0001_shop  applied\n    drift: column:public.orders.note is missing\n" in status.out
    assert ["shop-1:", "shop-2:", "shop-10:"] == [line for line in status.out.splitlines() if line[0] != " "][:3]

    plan = healthd("plan", "--all")
    assert (0, "7 of 7 ok") == (plan.code, plan.err.splitlines()[-1])

    check = healthd("check", "--target", "s*")
    assert (2, "5 of 7 ok") == (check.code, check.err.splitlines()[-1])

    documents = json.loads(healthd("status", "--target", "shop-*", "--format", "json").out)
    assert ["shop-1", "shop-2", "shop-10", "shop-eu"] == [one["target"] for one in documents]


def test_repairs_of_several_targets_are_one_script_that_connects(
    migrated: dict[str, str], sql: Sql, server: Server, tmp_path: Path
) -> None:
    sql(migrated["stock-2"], "DROP INDEX parts_name")
    sql(migrated["shop-2"], "ALTER TABLE orders DROP COLUMN note")

    repair = healthd("repair", "--all", "--no-rehearsal")
    assert (2, "5 of 7 ok") == (repair.code, repair.err.splitlines()[-1])
    assert 7 == repair.out.count("\\connect 'postgresql://fleet_deployer@")

    script = tmp_path / "repair.sql"
    script.write_text(repair.out)
    psql = [str(server.bin / "psql"), "-qX", "--file", str(script), migrated["shop-1"]]
    subprocess.run(psql, check=True, timeout=60)
    assert (0, "7 of 7 ok\n") == healthd("check")[::2]


def test_repairs_are_run_on_all_targets(migrated: dict[str, str], sql: Sql) -> None:
    sql(migrated["stock-2"], "DROP INDEX parts_name")
    sql(migrated["shop-2"], "ALTER TABLE orders DROP COLUMN note")

    code, _, err = healthd("repair", "--target", "*2", "--apply")

    assert (0, "2 of 2 ok") == (code, err.splitlines()[-1])
    assert any(line.startswith("stock-2: 1 statement run; nothing differs") for line in err.splitlines())
    assert 0 == healthd("check").code


def test_a_target_that_fails_is_one_of_the_results(migrated: dict[str, str]) -> None:
    ini = Path("yoyo.ini")
    ini.write_text(ini.read_text() + "\n[target gone]\ndatabase = postgresql://127.0.0.1:1/gone\n")

    code, out, err = healthd("status", "--all")

    assert (3, "7 of 8 ok") == (code, err.splitlines()[-1])
    assert "gone:\n    " in out
    assert "Traceback" not in out + err


def test_a_target_that_fails_is_a_comment_in_a_script(migrated: dict[str, str]) -> None:
    ini = Path("yoyo.ini")
    ini.write_text(ini.read_text() + "\n[target gone]\ndatabase = postgresql://127.0.0.1:1/gone\n")
    Path("stock/schema.lock").write_text("no lock file")

    code, out, err = healthd("repair", "--all")

    assert (3, "4 of 8 ok") == (code, err.splitlines()[-1])
    assert {"--", "\\co"} == {line[:3].strip() for line in out.splitlines() if line}
    assert "-- stock-1: " in out


def test_all_are_adopted(fleet: dict[str, str], sql: Sql) -> None:
    for name, url in fleet.items():
        files = FILES["stock" if name in STOCKS else "shop"]
        sql(url.replace("postgres@", "fleet_deployer@"), files)

    code, out, err = healthd("baseline", "--all")
    assert (0, "7 of 7 ok") == (code, err.splitlines()[-1])
    assert "stock-3: matches 0001_stock exactly; 1 migration is marked as applied" in out
    assert 0 == healthd("check").code


def test_a_change_is_adopted_into_the_files_of_its_target(migrated: dict[str, str], sql: Sql) -> None:
    sql(migrated["stock-1"], "CREATE INDEX parts_more ON parts (id, name)")

    code, out, _ = healthd("adopt", "stock-1", "more")

    assert (0, "stock") == (code, Path(out.splitlines()[0]).parent.name)


def test_files_are_written_and_checked_for_a_target(fleet: dict[str, str]) -> None:
    refused = healthd("new", "more")
    assert (3, True) == (refused.code, "the targets have several folders of migrations" in refused.err)
    assert Path("stock/0002_more.sql").resolve() == Path(
        healthd("new", "more", "--target", "stock-1").out.splitlines()[0]
    )
    assert 2 == healthd("lock", "--check", "--target", "stock-1").code
    assert 0 == healthd("lock", "--check", "--target", "shop-1").code
    assert 2 == healthd("lock", "--check").code
    code, out, _ = healthd("lock")
    assert (0, 2) == (code, out.count("wrote "))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["status"], "several targets are configured"),
        (["status", "--target", "nothing*"], "unknown target 'nothing*'"),
        (["status", "--all", "--target", "shop-1"], "--all and --target exclude each other"),
        (["migrate", "--target", "shop-*", "--canary", "stock-1"], "the canary stock-1 is not one of the targets"),
        (["migrate", "--target", "shop-1", "--jobs", "2"], "require --all"),
    ],
)
def test_which_targets_must_be_clear(fleet: dict[str, str], arguments: list[str], words: str) -> None:
    result = healthd(*arguments)

    assert (3, True) == (result.code, words in result.err)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("labels = team", "'team' is not NAME=VALUE"),
        ("labels = 1st=x", "'1st=x' is not NAME=VALUE"),
        ("labels = target=x", "target is healthd's own"),
        ("labels = a=1, a=2", "a occurs twice"),
        ("sources = package:x", "package:x is a Python package"),
        ("migrate_database = host", "migrate_database"),
    ],
)
def test_a_wrong_setting_is_named(fleet: dict[str, str], line: str, words: str) -> None:
    ini = Path("yoyo.ini")
    ini.write_text(ini.read_text() + f"\n[target wrong]\ndatabase = postgresql:///x\n{line}\n")

    result = healthd("status", "--target", "wrong")

    assert 3 == result.code
    assert words in result.err


def test_a_folder_that_is_missing_is_named(fleet: dict[str, str]) -> None:
    ini = Path("yoyo.ini")
    ini.write_text(ini.read_text() + "\n[target lost]\ndatabase = postgresql:///x\nsources = nowhere\n")

    result = healthd("status", "--target", "lost")

    assert (3, True) == (result.code, str(Path("nowhere").resolve()) in result.err)


def test_each_target_knows_its_files_and_labels(fleet: dict[str, str]) -> None:
    settings = read_settings()
    stock, shop = settings.target("stock-1"), settings.target("shop-1")

    assert [Path("shop/schema.lock").resolve(), Path("stock/schema.lock").resolve()] == list(settings.projects())
    assert (settings.of(stock).lock, settings.of(shop).lock) == tuple(settings.projects())[::-1]
    assert ({"team": "store", "tier": "1"}, {}) == (stock.labels, shop.labels)
