"""Option entries that only the server uses: snapshots do not contain them, and they are listed on request."""

from conftest import MakeDatabase, Sql
from story import STORIES

from healthd.database.connection import connect
from healthd.database.snapshot.reading import take_snapshot
from healthd.database.snapshot.server_options import read_server_only

(STORY,) = (story for story in STORIES if story.name == "nothing_server_only_options")


async def test_a_snapshot_contains_no_entry_that_only_the_server_uses(database: str, sql: Sql) -> None:
    sql(database, STORY.given)
    async with connect(database) as connection:
        before = await take_snapshot(connection)
        sql(database, STORY.drift)

        assert before == await take_snapshot(connection)
        sql(
            database,
            "UPDATE pg_attribute SET attoptions = attoptions || '{n_distinct_inherited=4}' WHERE attname = 'kind'",
        )
        after = await take_snapshot(connection)
    changed = {str(key) for key, record in after.objects.items() if before.objects.get(key) != record}
    assert {"column:public.things.kind", "column:public.kinds.kind"} == changed


async def test_two_databases_of_one_server_have_the_same_snapshot(make_database: MakeDatabase, sql: Sql) -> None:
    taken = []
    for url in (make_database(), make_database()):
        sql(url, STORY.given)
        sql(url, "ALTER TABLE things ALTER COLUMN id TYPE integer")
        async with connect(url) as connection:
            taken.append(await take_snapshot(connection))

    assert taken[0] == taken[1]


async def test_each_entry_that_only_the_server_uses_is_listed(database: str, sql: Sql) -> None:
    sql(database, STORY.given)
    sql(database, STORY.drift)
    async with connect(database) as connection:
        entries = {(str(one.key), one.catalog, one.entry) for one in await read_server_only(connection)}

    relations = {
        "constraint:public.things.things_pkey",
        "index:public.readings_2025.readings_2025_id_idx",
        "table:public.readings",
        "view:public.kinds",
        "view:public.notes",
    }
    assert {(key, "pg_class.reloptions", "pg_relver=7") for key in relations} <= entries
    columns = ("things.id", "things.kind", "notes.note", "kinds.kind", "readings.at", "readings_2025.at", "pair.b")
    for name in columns:
        for entry in ("pg_attver=1", "a_name_of_the_future=2"):
            assert (f"column:public.{name}", "pg_attribute.attoptions", entry) in entries
    assert ("table:public.things", "pg_class.reloptions", "toast.pg_relver=7") in entries
    assert not any("n_distinct" in entry or "autovacuum" in entry for _, _, entry in entries)
