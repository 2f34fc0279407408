"""The rules of the house (which module may know what), read from the imports."""

import ast
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import healthd

HOUSE = Path(healthd.__file__).parent

# Values in, values out: what such a module may import besides others of its sort, and nothing else.
EVERYWHERE = frozenset("__future__ collections collections.abc dataclasses datetime enum functools typing".split())
PURE: Mapping[str, frozenset[str]] = {
    "healthd.model": frozenset({"hashlib", "re"}),
    "healthd.model.respelling": frozenset({"itertools", "re"}),
    "healthd.errors": frozenset(),
    "healthd.comparison.causes": frozenset(),
    "healthd.comparison.judgement": frozenset(),
    "healthd.comparison.partitions": frozenset(),
    "healthd.comparison.server_texts": frozenset(),
    "healthd.comparison.consequences": frozenset({"re"}),
    "healthd.database.probes.sequences": frozenset(),
    "healthd.comparison.foreign_ledgers": frozenset(),
    "healthd.database.probes.collations": frozenset(),
    "healthd.comparison.moves": frozenset({"re"}),
    "healthd.comparison.outside_roles": frozenset(),
    "healthd.comparison.unreported": frozenset(),
    "healthd.comparison.extension_versions": frozenset(),
    "healthd.sqltext.routine_bodies": frozenset({"re"}),
    "healthd.comparison.detached_partitions": frozenset(),
    "healthd.comparison.adoption": frozenset(),
    "healthd.comparison.words": frozenset(),
    "healthd.comparison.swapped_columns": frozenset({"itertools"}),
    "healthd.comparison.swapped_texts": frozenset({"re"}),
    "healthd.comparison.renames": frozenset({"itertools", "re"}),
    "healthd.database.probes.edge_values": frozenset({"decimal", "ipaddress", "re", "uuid"}),
    "healthd.contracts": frozenset(),
    "healthd.contracts.violations": frozenset(),
    "healthd.contracts.files": frozenset({"json"}),
    "healthd.contracts.type_table": frozenset({"re"}),
    "healthd.contracts.row_conditions": frozenset(),
    "healthd.contracts.statements": frozenset({"re"}),
    "healthd.contracts.actual_schema": frozenset(),
    "healthd.contracts.privileges": frozenset(),
    "healthd.contracts.rules": frozenset(),
    "healthd.contracts.rules.columns": frozenset(),
    "healthd.contracts.rules.enums": frozenset(),
    "healthd.contracts.rules.nulls": frozenset(),
    "healthd.contracts.rules.types": frozenset(),
    "healthd.natural": frozenset({"re"}),
    "healthd.printable": frozenset(),
    "healthd.text": frozenset({"re"}),
    "healthd.contracts.json_shape": frozenset({"json", "re"}),
    "healthd.config.hosts": frozenset({"ipaddress", "re", "urllib.parse"}),
    "healthd.catalog.scope": frozenset(),
    "healthd.catalog.digests": frozenset({"hashlib"}),
    "healthd.comparison.lazy_objects": frozenset(),
    "healthd.migrations.impact": frozenset({"healthd.expected.files", "healthd.database.ledger"}),  # their records
    "healthd.expected.effects": frozenset(),
    "healthd.expected.codec": frozenset({"json"}),
    "healthd.expected.measurements": frozenset(),
    "healthd.expected.extensions": frozenset({"re", "healthd.expected.files"}),  # its records
    "healthd.migrations.guards": frozenset({"re", "healthd.expected.files"}),  # its records
    "healthd.sqltext.ledger_loss": frozenset({"re"}),
    "healthd.migrations.needs": frozenset(
        {"healthd.expected.files", "healthd.database.probes.surroundings"}
    ),  # their records
    "healthd.migrations.engine.lock_room": frozenset({"math"}),
    "healthd.expected.lockfile": frozenset({"hashlib", "json", "healthd.expected.files"}),  # its records
    "healthd.expected.default_places": frozenset({"re", "healthd.expected.files"}),  # its records
    "healthd.migrations.plan": frozenset({"re", "healthd.expected.files"}),  # its records
    "healthd.expected.session_settings": frozenset({"re"}),
    "healthd.importing.flyway": frozenset({"re"}),
    "healthd.importing.folder_per_migration": frozenset({"re"}),
    "healthd.importing.records": frozenset({"re"}),
    "healthd.importing.naming": frozenset({"re", "itertools"}),
    "healthd.importing.conversion": frozenset({"re"}),
    "healthd.importing.up_down": frozenset({"re"}),
    "healthd.importing.placeholders": frozenset({"bisect", "re"}),
    "healthd.importing.numbered_files": frozenset({"re"}),
    "healthd.importing.sections": frozenset({"re"}),
    "healthd.importing.sqitch": frozenset({"re"}),
    "healthd.importing.tools": frozenset({"re"}),
    "healthd.importing.versions": frozenset({"re"}),
    "healthd.lint.judge": frozenset({"re"}),
    "healthd.lint.page": frozenset({"sys"}),  # writes the page when it is run as a program
    "healthd.lint.rules": frozenset({"importlib", "pkgutil"}),  # finds its files
    "healthd.lint.source": frozenset({"re"}),
    "healthd.migrations.engine.cures": frozenset({"re"}),
    "healthd.expected.directives": frozenset({"re", "difflib", "pathlib"}),
    "healthd.expected.foreign": frozenset({"re", "pathlib"}),
    "healthd.sqltext.classify": frozenset({"re"}),
    "healthd.sqltext.statements": frozenset({"re"}),
    "healthd.model.migration_names": frozenset({"hashlib", "unicodedata"}),
    "healthd.migrations.engine.notices": frozenset({"collections", "re"}),
    "healthd.expected.distance": frozenset(),
    "healthd.sqltext.lock_releases": frozenset({"re"}),
    "healthd.expected.status": frozenset(),
    "healthd.sqltext.steps": frozenset({"hashlib", "re"}),
    "healthd.migrations.engine.recovery": frozenset({"re"}),
    "healthd.migrations.engine.progress": frozenset(),
    "healthd.report.documents": frozenset({"urllib.parse"}),
    "healthd.report.html": frozenset("markupsafe re unicodedata urllib.parse".split()),
    "healthd.report.page": frozenset("itertools jinja2 urllib.parse healthd.report.board".split()),
    "healthd.report.problems": frozenset({"sys"}),  # writes the runbook when it is run as a program
    "healthd.report.repair": frozenset(),
    "healthd.report.side_by_side": frozenset("difflib itertools re unicodedata".split()),
    "healthd.asgi.ids": frozenset({"re"}),
    "healthd.asgi.trouble": frozenset({"re"}),
    "healthd.catalog": frozenset({"importlib"}),  # finds its files
    "healthd.checks": frozenset({"importlib", "pkgutil", "types"}),  # finds its files
}
CLOCKS = frozenset({"now", "utcnow", "today", "monotonic", "perf_counter"})
INPUT_OUTPUT = frozenset({"open", "print", "input", "exec", "eval"})

CALLERS = ("healthd.cli", "healthd.__main__")


@functools.cache
def modules() -> Mapping[str, str]:
    """Return the source of every module of the house by its name."""
    found = {}
    for path in sorted(HOUSE.rglob("*.py")):
        parts = path.relative_to(HOUSE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text(encoding="utf-8")
    return found


NAMES = frozenset(modules())


DOORS: Mapping[str, frozenset[str]] = {
    "psycopg": frozenset(name for name in NAMES if name.startswith("healthd.database")),
    "yoyo": frozenset({"healthd.migrations.engine.yoyo_backend", "healthd.migrations.engine.ledger_tables"}),
    "sqlparse": frozenset({"healthd.migrations.engine.yoyo_backend"}),
    "prometheus_client": frozenset({"healthd.report.metrics", "healthd.asgi.measures"}),  # ours, and an application's
    "httpx": frozenset({"healthd.rounds.endpoints"}),
    "starlette": frozenset({"healthd.report.web"}),
    "uvicorn": frozenset({"healthd.report.web"}),
    "jinja2": frozenset({"healthd.report.page"}),
    "markupsafe": frozenset({"healthd.report.html"}),
    "click": frozenset({"healthd.cli.main", "healthd.cli.options"}),  # and the verbs
}


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield the full name of each module that is imported, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where things come from"
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in NAMES else str(node.module) for name in inner)


def calls(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted name of each thing that is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def is_pure(name: str) -> bool:
    return name in PURE or name.startswith(("healthd.catalog.", "healthd.checks.", "healthd.lint.rules."))


def broken(name: str, source: str) -> Iterator[str]:
    """Yield, in a few words each, the rules that a module breaks."""
    tree = ast.parse(source)
    imported, called = set(imports(tree)), set(calls(tree))
    if is_pure(name):
        allowed = EVERYWHERE | PURE.get(name, frozenset({"re"} if name.startswith("healthd.lint.rules.") else ()))
        for other in sorted(imported - allowed):
            if not is_pure(other) and not (other == "healthd" and name.startswith("healthd.report.")):
                yield f"pure, but imports {other}"
        for call in sorted(called):
            if call.rpartition(".")[2] in CLOCKS or call in INPUT_OUTPUT:
                yield f"pure, but calls {call}"
    for other in sorted(imported):
        library = other.partition(".")[0]
        a_verb = library == "click" and name.startswith("healthd.cli.")
        if library in DOORS and name not in DOORS[library] and not a_verb:
            yield f"{library} has another door"
        if name.startswith("healthd.checks.") and other.startswith("healthd.checks"):
            yield "a check imports a check"
        if name.startswith("healthd.report") and other.startswith(("healthd.database", "healthd.rounds.examination")):
            yield "a report reads a database"
        if other.startswith(CALLERS) and not name.startswith(CALLERS):
            yield "imports the command line"
    if "structlog.configure" in called and name != "healthd.report.log":
        yield "structlog is set up elsewhere"
    for node in ast.walk(tree):
        words = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
        if words in ("psycopg.connect", "psycopg.Connection", "psycopg.Cursor"):
            yield f"{words} is the synchronous twin"
        if isinstance(node, ast.ImportFrom) and node.module == "psycopg":
            for alias in node.names:
                if alias.name in ("connect", "Connection", "Cursor"):
                    yield f"psycopg.{alias.name} is the synchronous twin"


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_module_keeps_the_rules(name: str) -> None:
    assert [] == list(broken(name, modules()[name]))


def test_the_modules_that_must_be_pure_are_there() -> None:
    assert set() == PURE.keys() - NAMES
    assert set() == set().union(*DOORS.values()) - NAMES


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("healthd.model", "import os", "pure, but imports os"),
        ("healthd.model", "def f():\n    import logging", "pure, but imports logging"),
        ("healthd.comparison.causes", "from pathlib import Path", "pure, but imports pathlib"),
        (
            "healthd.comparison.judgement",
            "from datetime import datetime\nx = datetime.now()",
            "pure, but calls datetime.now",
        ),
        ("healthd.checks.enums", "print('!')", "pure, but calls print"),
        ("healthd.catalog.enums", "open('/etc/passwd')", "pure, but calls open"),
        ("healthd.checks.enums", "import structlog", "pure, but imports structlog"),
        ("healthd.contracts", "from healthd.config.reader import Target", "pure, but imports healthd.config.reader"),
        ("healthd.expected.status", "from healthd import rounds", "pure, but imports healthd.rounds"),
        ("healthd.rounds.examination", "import psycopg", "psycopg has another door"),
        ("healthd.rounds.examination", "from psycopg.rows import dict_row", "psycopg has another door"),
        ("healthd.cli.main", "import yoyo.backends", "yoyo has another door"),
        ("healthd.report.web", "from prometheus_client import Gauge", "prometheus_client has another door"),
        ("healthd.daemon.loop", "import uvicorn", "uvicorn has another door"),
        ("healthd.daemon.loop", "import click", "click has another door"),
        ("healthd.report.web", "import jinja2", "jinja2 has another door"),
        ("healthd.checks.enums", "from healthd.checks import columns", "a check imports a check"),
        ("healthd.report.web", "from healthd.database import connect", "a report reads a database"),
        ("healthd.daemon.loop", "from healthd import cli", "imports the command line"),
        ("healthd.rounds.examination", "from healthd.cli.options import say", "imports the command line"),
        ("healthd.daemon.loop", "from healthd.cli.verbs.up import up", "imports the command line"),
        ("healthd.daemon.loop", "import structlog\nstructlog.configure()", "structlog is set up elsewhere"),
        (
            "healthd.database.snapshot.reading",
            "import psycopg\npsycopg.connect('')",
            "psycopg.connect is the synchronous twin",
        ),
        (
            "healthd.database.snapshot.reading",
            "from psycopg import Connection",
            "psycopg.Connection is the synchronous twin",
        ),
    ],
)
def test_a_broken_rule_is_told(name: str, source: str, words: str) -> None:
    assert words in list(broken(name, source))


def test_a_record_of_the_catalog_is_frozen_and_hashable() -> None:
    from healthd.catalog import KINDS

    for kind in KINDS.values():
        parameters = kind.record.__dataclass_params__
        assert (parameters.frozen, parameters.eq) == (True, True)
        assert "__slots__" in vars(kind.record)
