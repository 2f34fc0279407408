"""The ledger tables of other migration tools: an adopted database may still have them."""

from collections.abc import Iterable, Mapping

from healthd.model.names import Key
from healthd.model.snapshots import Difference

# Names that are not used for other tables; a table that sql/ creates is never taken for one of these.
LEDGERS: Mapping[str, str] = {
    "schema_migrations": "golang-migrate, dbmate or Rails",
    "ar_internal_metadata": "Rails",
    "flyway_schema_history": "Flyway",
    "databasechangelog": "Liquibase",
    "databasechangeloglock": "Liquibase",
    "__diesel_schema_migrations": "diesel",
    "_sqlx_migrations": "sqlx",
    "refinery_schema_history": "refinery",
    "seaql_migrations": "SeaORM",
    "goose_db_version": "goose",
    "gorp_migrations": "sql-migrate",
    "gopg_migrations": "go-pg",
    "bun_migrations": "bun",
    "bun_migration_locks": "bun",
    "atlas_schema_revisions": "Atlas",
    "alembic_version": "Alembic",
    "django_migrations": "Django",
    "_prisma_migrations": "Prisma",
    "knex_migrations": "Knex",
    "knex_migrations_lock": "Knex",
    "pgmigrations": "node-pg-migrate",
    "SequelizeMeta": "Sequelize",
    "mikro_orm_migrations": "MikroORM",
    "__drizzle_migrations": "Drizzle",
    "__EFMigrationsHistory": "Entity Framework",
}

IN_CODE = frozenset({"Rails", "SeaORM", "Knex", "Sequelize", "MikroORM", "Entity Framework"})  # no SQL to import


def ledgers(differences: Iterable[Difference]) -> dict[Key, str]:
    """Return the tool of each unexpected table that is the ledger of another tool."""
    return {
        one.key: LEDGERS[one.key.path[-1]]
        for one in differences
        if one.unexpected and one.key.kind == "table" and one.key.path[-1] in LEDGERS
    }


def noted(key: Key, tool: str) -> str:
    """Return the note about such a table."""
    return f"{key.sql} is the ledger of {tool} and is not compared; drop it once that tool is no longer used"
