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
    "healthd.respelled": frozenset({"itertools", "re"}),
    "healthd.errors": frozenset(),
    "healthd.judging.causes": frozenset(),
    "healthd.judging.judge": frozenset(),
    "healthd.judging.partitions": frozenset(),
    "healthd.judging.printed": frozenset(),
    "healthd.judging.consequences": frozenset({"re"}),
    "healthd.counters": frozenset(),
    "healthd.judging.ledgers": frozenset(),
    "healthd.libraries": frozenset(),
    "healthd.judging.moves": frozenset({"re"}),
    "healthd.judging.strangers": frozenset(),
    "healthd.judging.unreported": frozenset(),
    "healthd.judging.versions": frozenset(),
    "healthd.bodies": frozenset({"re"}),
    "healthd.judging.detached": frozenset(),
    "healthd.judging.adoption": frozenset(),
    "healthd.judging.words": frozenset(),
    "healthd.judging.swaps": frozenset({"itertools"}),
    "healthd.judging.swapped_texts": frozenset({"re"}),
    "healthd.judging.renames": frozenset({"itertools", "re"}),
    "healthd.values": frozenset({"decimal", "ipaddress", "re", "uuid"}),
    "healthd.contracts": frozenset(),
    "healthd.contracts.beliefs": frozenset(),
    "healthd.contracts.files": frozenset({"json"}),
    "healthd.contracts.fits": frozenset({"re"}),
    "healthd.contracts.samples": frozenset(),
    "healthd.contracts.statements": frozenset({"re"}),
    "healthd.contracts.there": frozenset(),
    "healthd.contracts.privileges": frozenset(),
    "healthd.contracts.rules": frozenset(),
    "healthd.contracts.rules.columns": frozenset(),
    "healthd.contracts.rules.enums": frozenset(),
    "healthd.contracts.rules.nulls": frozenset(),
    "healthd.contracts.rules.types": frozenset(),
    "healthd.natural": frozenset({"re"}),
    "healthd.printable": frozenset(),
    "healthd.redact": frozenset({"re"}),
    "healthd.shapes": frozenset({"json", "re"}),
    "healthd.site": frozenset({"ipaddress", "re", "urllib.parse"}),
    "healthd.visible": frozenset(),
    "healthd.digest": frozenset({"hashlib"}),
    "healthd.judging.omitted": frozenset(),
    "healthd.migrations.breaks": frozenset({"healthd.migrations.files", "healthd.database.ledger"}),  # their records
    "healthd.migrations.effects": frozenset(),
    "healthd.migrations.entries": frozenset({"json"}),
    "healthd.migrations.locks": frozenset(),
    "healthd.migrations.extensions": frozenset({"re", "healthd.migrations.files"}),  # its records
    "healthd.migrations.guards": frozenset({"re", "healthd.migrations.files"}),  # its records
    "healthd.migrations.ledger_loss": frozenset({"re"}),
    "healthd.migrations.needs": frozenset(
        {"healthd.migrations.files", "healthd.database.surroundings"}
    ),  # their records
    "healthd.migrations.room": frozenset({"math"}),
    "healthd.migrations.lockfile": frozenset({"hashlib", "json", "healthd.migrations.files"}),  # its records
    "healthd.migrations.places": frozenset({"re", "healthd.migrations.files"}),  # its records
    "healthd.migrations.plan": frozenset({"re", "healthd.migrations.files"}),  # its records
    "healthd.migrations.session": frozenset({"re"}),
    "healthd.importing.flyway": frozenset({"re"}),
    "healthd.importing.folders": frozenset({"re"}),
    "healthd.importing.found": frozenset({"re"}),
    "healthd.importing.naming": frozenset({"re", "itertools"}),
    "healthd.importing.pair": frozenset({"re"}),
    "healthd.importing.pairs": frozenset({"re"}),
    "healthd.importing.placeholders": frozenset({"bisect", "re"}),
    "healthd.importing.plain": frozenset({"re"}),
    "healthd.importing.sections": frozenset({"re"}),
    "healthd.importing.sqitch": frozenset({"re"}),
    "healthd.importing.tools": frozenset({"re"}),
    "healthd.importing.versions": frozenset({"re"}),
    "healthd.lint.judge": frozenset({"re"}),
    "healthd.lint.page": frozenset({"sys"}),  # writes the page when it is run as a program
    "healthd.lint.rules": frozenset({"importlib", "pkgutil"}),  # finds its files
    "healthd.lint.source": frozenset({"re"}),
    "healthd.migrations.cures": frozenset({"re"}),
    "healthd.migrations.directives": frozenset({"re", "difflib", "pathlib"}),
    "healthd.migrations.foreign": frozenset({"re", "pathlib"}),
    "healthd.migrations.forms": frozenset({"re"}),
    "healthd.migrations.statements": frozenset({"re"}),
    "healthd.migrations.names": frozenset({"hashlib", "unicodedata"}),
    "healthd.migrations.notices": frozenset({"collections", "re"}),
    "healthd.migrations.prefixes": frozenset(),
    "healthd.migrations.releases": frozenset({"re"}),
    "healthd.migrations.status": frozenset(),
    "healthd.migrations.steps": frozenset({"hashlib", "re"}),
    "healthd.migrations.begun": frozenset({"re"}),
    "healthd.migrations.progress": frozenset(),
    "healthd.report.answer": frozenset({"urllib.parse"}),
    "healthd.report.markup": frozenset("markupsafe re unicodedata urllib.parse".split()),
    "healthd.report.page": frozenset("itertools jinja2 urllib.parse healthd.report.board".split()),
    "healthd.report.problems": frozenset({"sys"}),  # writes the runbook when it is run as a program
    "healthd.report.repair": frozenset(),
    "healthd.report.sides": frozenset("difflib itertools re unicodedata".split()),
    "healthd.asgi.ids": frozenset({"re"}),
    "healthd.asgi.trouble": frozenset({"re"}),
    "healthd.catalog": frozenset({"importlib"}),  # finds its files
    "healthd.checks": frozenset({"importlib", "pkgutil", "types"}),  # finds its files
}
CLOCKS = frozenset({"now", "utcnow", "today", "monotonic", "perf_counter"})
INPUT_OUTPUT = frozenset({"open", "print", "input", "exec", "eval"})

CALLERS = ("healthd.cli", "healthd.command", "healthd.verbs", "healthd.__main__")


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
    "yoyo": frozenset({"healthd.migrations.backend", "healthd.migrations.tables"}),
    "sqlparse": frozenset({"healthd.migrations.backend"}),
    "prometheus_client": frozenset({"healthd.report.metrics", "healthd.asgi.measures"}),  # ours, and an application's
    "httpx": frozenset({"healthd.endpoints"}),
    "starlette": frozenset({"healthd.report.web"}),
    "uvicorn": frozenset({"healthd.report.web"}),
    "jinja2": frozenset({"healthd.report.page"}),
    "markupsafe": frozenset({"healthd.report.markup"}),
    "click": frozenset({"healthd.cli", "healthd.command"}),  # and the verbs
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
        a_verb = library == "click" and name.startswith("healthd.verbs.")
        if library in DOORS and name not in DOORS[library] and not a_verb:
            yield f"{library} has another door"
        if name.startswith("healthd.checks.") and other.startswith("healthd.checks"):
            yield "a check imports a check"
        if name.startswith("healthd.report") and other.startswith(("healthd.database", "healthd.rounds")):
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
        ("healthd.judging.causes", "from pathlib import Path", "pure, but imports pathlib"),
        ("healthd.judging.judge", "from datetime import datetime\nx = datetime.now()", "pure, but calls datetime.now"),
        ("healthd.checks.enums", "print('!')", "pure, but calls print"),
        ("healthd.catalog.enums", "open('/etc/passwd')", "pure, but calls open"),
        ("healthd.checks.enums", "import structlog", "pure, but imports structlog"),
        ("healthd.contracts", "from healthd.config import Target", "pure, but imports healthd.config"),
        ("healthd.migrations.status", "from healthd import rounds", "pure, but imports healthd.rounds"),
        ("healthd.rounds", "import psycopg", "psycopg has another door"),
        ("healthd.rounds", "from psycopg.rows import dict_row", "psycopg has another door"),
        ("healthd.cli", "import yoyo.backends", "yoyo has another door"),
        ("healthd.report.web", "from prometheus_client import Gauge", "prometheus_client has another door"),
        ("healthd.daemon", "import uvicorn", "uvicorn has another door"),
        ("healthd.daemon", "import click", "click has another door"),
        ("healthd.report.web", "import jinja2", "jinja2 has another door"),
        ("healthd.checks.enums", "from healthd.checks import columns", "a check imports a check"),
        ("healthd.report.web", "from healthd.database import connect", "a report reads a database"),
        ("healthd.daemon", "from healthd import cli", "imports the command line"),
        ("healthd.rounds", "from healthd.command import say", "imports the command line"),
        ("healthd.daemon", "from healthd.verbs.up import up", "imports the command line"),
        ("healthd.daemon", "import structlog\nstructlog.configure()", "structlog is set up elsewhere"),
        ("healthd.database.reading", "import psycopg\npsycopg.connect('')", "psycopg.connect is the synchronous twin"),
        ("healthd.database.reading", "from psycopg import Connection", "psycopg.Connection is the synchronous twin"),
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
