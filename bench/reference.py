"""Reference databases: as many tables as asked for, with what real ones have besides."""

from collections.abc import Iterator

COLUMNS = (
    "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    "parent_id bigint",
    "name text NOT NULL",
    "code varchar(40) NOT NULL DEFAULT 'none'",
    "amount numeric(12,2) NOT NULL DEFAULT 0",
    "ratio double precision",
    "is_open boolean NOT NULL DEFAULT true",
    "created_at timestamptz NOT NULL DEFAULT now()",
    "updated_at timestamptz NOT NULL DEFAULT now()",
    "due_on date",
    "tags text[] NOT NULL DEFAULT '{}'",
    "details jsonb",
    "note text",
    "owner_id uuid",
)


def schema(tables: int) -> Iterator[str]:
    """Yield the DDL of a reference database: 15 columns a table, keys, checks, indexes, enums, views and more."""
    yield "CREATE SCHEMA app;"
    body = "BEGIN NEW.updated_at = now(); RETURN NEW; END"
    yield f"CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $${body}$$;"
    for number in range(tables):
        enum = f"app.state_{number // 10}"
        table = f"app.t_{number:05}"
        if number % 10 == 0:
            yield f"CREATE TYPE {enum} AS ENUM ('new', 'open', 'waiting', 'done');"
            body = "SELECT $1 * 2"
            yield f"CREATE FUNCTION app.twice_{number}(bigint) RETURNS bigint LANGUAGE sql AS '{body}';"
        columns = ", ".join((*COLUMNS, f"state {enum} NOT NULL DEFAULT 'new'"))
        yield (
            f"CREATE TABLE {table} ({columns}, "
            f"CONSTRAINT t_{number:05}_amount_check CHECK (amount >= 0), "
            f"CONSTRAINT t_{number:05}_code_key UNIQUE (code, name));"
        )
        if number:
            yield (
                f"ALTER TABLE {table} ADD CONSTRAINT t_{number:05}_parent_fkey "
                f"FOREIGN KEY (parent_id) REFERENCES app.t_{number - 1:05} (id);"
            )
        yield f"CREATE INDEX ON {table} (parent_id);"
        yield f"CREATE INDEX ON {table} (created_at) WHERE is_open;"
        if number % 5 == 0:
            yield f"CREATE VIEW app.v_{number:05} AS SELECT id, name, state FROM {table} WHERE is_open;"
            yield f"CREATE TRIGGER touch BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION app.touch();"
