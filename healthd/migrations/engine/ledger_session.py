"""The ledger of a run: where its tables are, which migrations they name, and how missing tables are created."""

from __future__ import annotations

from typing import Any

from healthd.migrations.engine import ledger_rows, ledger_tables
from healthd.migrations.engine.session import Session
from healthd.model.migration_names import canonical
from healthd.model.names import quote


class LedgerSession(Session):
    """The connection of a run with its ledger."""

    _internal_schema_updated: bool  # defined by yoyo's backend
    _schema: str | None = None  # of the ledger, once determined
    missing: ledger_tables.Missing | None = None  # of the ledger's tables, once determined

    @property
    def ledger_schema(self) -> str:
        """Return the schema of the ledger, determined once: settings of the files do not change it."""
        if self._schema is None:
            self._schema = ledger_tables.schema_of(self)
        return self._schema

    def table(self, name: str) -> str:
        """Return the qualified name of a table of the ledger."""
        return f"{quote(self.ledger_schema)}.{quote(name)}"

    def list_tables(self, **_values: object) -> list[str]:
        """Return the tables in the schema of the ledger."""
        return sorted(ledger_tables.tables_of(self, self.ledger_schema))

    def get_applied_migration_hashes(self) -> list[str]:
        """Return the hashes of the applied migrations, for every Unicode form of their names, the oldest first."""
        marks = ledger_rows.marks(self, self.list_tables())
        return [other for mark, name in marks for other in dict.fromkeys((mark, *ledger_rows.hashes(mark, name)))]

    def applied_ids(self) -> frozenset[str]:
        """Return the ids of the applied migrations; for a row whose hash does not match its name, the hash."""
        marks = ledger_rows.marks(self, self.list_tables())
        return frozenset(canonical(name) if ledger_rows.hashes(mark, name) else mark for mark, name in marks)

    def as_it_is_known(self, migration: Any) -> None:
        """Give a migration the name and the hash in the ledger, if the ledger has another Unicode form of its name."""
        if migration.id.isascii():
            return
        if found := ledger_rows.name_in_ledger(self, self.list_tables(), migration.id):
            migration.id, migration.hash = found

    def ensure_internal_schema_updated(self) -> None:
        """Create the missing tables of yoyo and healthd, in a transaction of their own."""
        if self.lacks_tables():
            with self.transaction():
                self.make_tables()
            self.made_tables()

    def lacks_tables(self) -> bool:
        """Return whether tables of the ledger must still be created; raise if they cannot be created."""
        if self.missing is None:
            self.missing = ledger_tables.missing(self, self.ledger_schema)
        return bool(self.missing.create) and not self._internal_schema_updated

    def make_tables(self) -> None:
        """Create the missing tables of the ledger in the open transaction."""
        assert self.missing is not None
        ledger_tables.make(self, self.missing)

    def made_tables(self) -> None:
        """Record that the ledger is complete, and report which tables had been lost."""
        assert self.missing is not None
        self._internal_schema_updated = True
        for line in self.missing.again:
            self.say(line)

    def refuse_foreign_owner(self, owner: str) -> None:
        """Raise if this session may not give a role a new ledger."""
        ledger_tables.refuse_foreign_owner(self, owner)

    def give_ledger(self, owner: str) -> None:
        """Make a role the owner of the ledger in the open transaction: from then on it is the one that migrates."""
        ledger_tables.give(self, self.ledger_schema, owner)
