"""Queries that wait for no table: what the server prints only under a lock is left out where another session holds one.

pg_get_* open the table of what they print. Each call is guarded, so that the objects of locked tables have a mark where
the text would be, and all other objects are read as ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from healthd.model.names import Key
from healthd.model.snapshots import TableLock

# The first part of a call is the comment of a text that is printed once for several objects: without it, each prints
# its own. The last argument is the oid of what is opened, or of what is printed.
CALL = re.compile(r"(/\* for several \*/ )?pg_catalog\.(pg_get_\w+)\((?:([\w.]+), )?([\w.]+)\)")
CLASSES: Mapping[str, str] = {
    "pg_get_expr": "relation",
    "pg_get_partkeydef": "relation",
    "pg_get_viewdef": "view",
    "pg_get_indexdef": "index",
    "pg_get_constraintdef": "constraint",
    "pg_get_ruledef": "rule",
    "pg_get_statisticsobjdef": "statistics",
    "pg_get_triggerdef": "trigger",
    "pg_get_function_sqlbody": "function",
}

# The relations that other sessions have locked, or wait to lock, so that nobody may read them; and what is printed only
# with them: their own objects, and the views, rules, functions and policies that name them.
QUERY = """
    WITH held AS MATERIALIZED (
            SELECT l.relation AS oid, min(l.pid) AS pid
              FROM pg_catalog.pg_locks AS l
              JOIN pg_catalog.pg_database AS d ON d.oid = l.database
             WHERE d.datname = pg_catalog.current_database()
               AND l.locktype = 'relation'
               AND l.mode = 'AccessExclusiveLock'
               AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
             GROUP BY 1),
         named AS MATERIALIZED (
            SELECT d.classid, d.objid, d.refobjid AS relation
              FROM pg_catalog.pg_depend AS d
              JOIN held AS h ON h.oid = d.refobjid
             WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass)
    SELECT 'relation', h.oid::bigint, h.oid::bigint, h.pid, n.nspname, c.relname, c.relkind
      FROM held AS h
      JOIN pg_catalog.pg_class AS c ON c.oid = h.oid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     UNION ALL
    SELECT o.class, o.oid::bigint, o.relation::bigint, NULL, NULL, NULL, NULL
      FROM (SELECT 'index', i.indexrelid, i.indrelid FROM pg_catalog.pg_index AS i
             UNION ALL SELECT 'constraint', k.oid, k.conrelid FROM pg_catalog.pg_constraint AS k
                        WHERE k.contype IN ('c', 'x') -- other definitions open no table
             UNION ALL SELECT 'rule', r.oid, r.ev_class FROM pg_catalog.pg_rewrite AS r
             UNION ALL SELECT 'statistics', s.oid, s.stxrelid FROM pg_catalog.pg_statistic_ext AS s
             UNION ALL SELECT 'trigger', t.oid, t.tgrelid FROM pg_catalog.pg_trigger AS t) AS o(class, oid, relation)
      JOIN held AS h ON h.oid = o.relation
     UNION ALL
    SELECT CASE d.classid WHEN 'pg_catalog.pg_proc'::pg_catalog.regclass THEN 'function'
                          WHEN 'pg_catalog.pg_policy'::pg_catalog.regclass THEN 'policy'
                          ELSE 'rule' END,
           d.objid::bigint, d.relation::bigint, NULL, NULL, NULL, NULL
      FROM named AS d
     WHERE d.classid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_policy'::pg_catalog.regclass,
                         'pg_catalog.pg_rewrite'::pg_catalog.regclass)
     UNION ALL
    SELECT 'view', r.ev_class::bigint, d.relation::bigint, NULL, NULL, NULL, NULL
      FROM named AS d
      JOIN pg_catalog.pg_rewrite AS r ON r.oid = d.objid AND r.rulename = '_RETURN'
     WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass"""


KINDS = {"v": "view", "m": "view", "f": "foreign_table", "S": "sequence", "i": "index", "I": "index"}


@dataclass(frozen=True, slots=True)
class Held:
    """The locked relations by oid, and for each class of objects whose texts cannot be printed, their relation.

    `mark` stands in place of a text, before a class and an oid: a word that nobody can guess, so that no text has it.
    """

    mark: str = ""
    relations: Mapping[int, TableLock] = field(default_factory=dict)
    objects: Mapping[str, Mapping[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Any], mark: str) -> Held:
        """Return what the rows of the query say."""
        relations: dict[int, TableLock] = {}
        objects: dict[str, dict[int, int]] = {}
        for class_, oid, relation, pid, schema, name, relkind in rows:
            objects.setdefault(class_, {})[oid] = relation
            if class_ == "relation":
                objects.setdefault("view", {})[oid] = relation
                table = Key(KINDS.get(relkind, "table"), (schema, name))
                by = f"by the session of process {pid}" if pid is not None else "by a prepared transaction"
                relations[oid] = TableLock(table, f"{table} is locked {by} (ACCESS EXCLUSIVE)")
        return cls(mark, relations, objects)

    def guarded(self, query: str) -> str:
        """Return a query that does not open the locked relations."""
        return CALL.sub(self._guarded, query) if self.relations else query

    def _guarded(self, match: re.Match[str]) -> str:
        call, class_, argument = match[0], CLASSES.get(match[2], ""), match[4]
        present = f"{match[3]} IS NOT NULL AND " if match[3] else ""  # of nothing, nothing is printed
        tests = [(class_, argument)]
        if argument.endswith(".polrelid"):  # a policy can name other tables than its own
            tests.append(("policy", f"{argument.removesuffix('.polrelid')}.oid"))
        marked = [
            f"WHEN {present}{oid} = ANY ('{{{','.join(map(str, sorted(found)))}}}'::pg_catalog.oid[])"
            f" THEN {'NULL' if match[1] else self._mark(one, oid)}"
            for one, oid in tests
            if (found := self.objects.get(one))
        ]
        return f"CASE {' '.join(marked)} ELSE {call} END" if marked else call

    def _mark(self, class_: str, oid: str) -> str:
        return f"'{self.mark} {class_} ' || {oid}::text"

    def lock_on(self, values: Iterable[Any]) -> TableLock | None:
        """Return the lock because of which a row has a mark; None if it has none."""
        for value in values:
            if isinstance(value, str) and (match := re.search(rf"{self.mark} (\w+) (\d+)", value)):
                return self.relations.get(self.objects[match[1]][int(match[2])])
        return None
