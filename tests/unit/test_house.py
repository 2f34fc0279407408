"""The rules of the house: layers that only look down, doors, and one door for each library; read from the imports."""

import ast
import functools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

import healthd

HOUSE = Path(healthd.__file__).parent

# From the bottom to the top: what stands here may import what stands before it, and nothing that stands after it.
LAYERS = """
    _version text errors background backoff model sqltext postgres catalog contracts database config expected comparison
    repair checks rounds migrations replay selftest lint importing beginning report daemon cli asgi testing
    __init__ __main__""".split()

# What may read and write, look at a clock, start threads or processes, or know how the process ends: a module, or all
# of a package. All others take values and return values.
DOORS = frozenset(
    """
    __main__ background
    beginning.dump beginning.first_migration beginning.frameworks beginning.placement
    asgi.frames asgi.measures asgi.middleware asgi.timing
    cli
    config.common_settings config.contract_section config.endpoint_section config.healthd_section config.ini
    config.named_files config.platforms config.reader config.sections config.target_files config.target_section
    config.web_file config.yaml_file
    contracts.application contracts.models
    daemon
    database
    expected.conflicted_lock expected.file_copies expected.file_export expected.files expected.folder expected.new_files
    expected.quick_read expected.store
    importing.transfer
    lint.squawk
    migrations.adopted migrations.baseline migrations.execution migrations.fleet migrations.database_state
    migrations.missing_files migrations.proof migrations.refusals migrations.repair_run migrations.run_plan
    migrations.safe_run migrations.standing
    migrations.up_to_date
    migrations.engine
    postgres
    replay
    report.connections report.exposition report.log report.logins report.metrics report.openapi
    report.openapi_schemas report.secure_connections report.tls report.tls_names report.traces report.web
    report.web_filters report.web_findings
    report.web_security report.web_server
    rounds.changed_reading rounds.follow_up rounds.complete_reading rounds.database_lists rounds.deadline
    rounds.endpoints rounds.examination rounds.failed_round rounds.round_connection rounds.opening rounds.questions
    rounds.readiness rounds.requests rounds.remembering rounds.running rounds.session rounds.timing
    selftest.trial
    testing""".split()
)

# Which modules may know a library.
LIBRARIES: Mapping[str, tuple[str, ...]] = {
    "psycopg": ("database",),
    "yoyo": ("migrations.engine.yoyo_backend", "migrations.engine.ledger_tables"),
    "sqlparse": ("migrations.engine.yoyo_backend",),
    "prometheus_client": ("report.metrics", "asgi.measures"),  # ours, and an application's
    "httpx": ("rounds.requests",),
    "starlette": ("report.web", "report.web_filters", "report.web_findings"),
    "uvicorn": ("report.web_server", "report.connections"),
    "jinja2": ("report.rendering",),
    "markupsafe": ("report.html",),
    "structlog": (
        "report.log",
        "daemon.alertmanager",
        "daemon.clock",
        "daemon.database_lists",
        "daemon.loop",
        "daemon.project_files",
        "daemon.rehearsals",
        "daemon.round_log",
        "daemon.service",
        "daemon.state",
        "daemon.target_files",
        "daemon.watch",
        "daemon.web_file",
        "asgi.middleware",
    ),
    "sqlalchemy": ("contracts.models.of_sqlalchemy", "asgi.timing"),
    "yaml": ("config.yaml_file",),
    "bcrypt": ("report.logins",),
    "click": ("cli",),
    "mcp": ("cli.mcp_server",),
    "opentelemetry": ("report.traces",),
    "pytest": ("testing.plugin",),
}

# What the standard library has for values.
PLAIN = frozenset(
    """
    __future__ base64 bisect collections collections.abc contextlib dataclasses datetime decimal difflib enum functools
    hashlib heapq html importlib ipaddress itertools json keyword math operator pathlib pkgutil re shlex string textwrap
    tomllib types typing unicodedata urllib.parse uuid""".split()
)
CLOCKS = frozenset({"now", "utcnow", "today", "monotonic", "perf_counter"})
INPUT_OUTPUT = frozenset({"open", "print", "input", "exec", "eval"})
FILES = frozenset(
    """
    chmod exists glob is_dir is_file iterdir mkdir open read_bytes read_text rename rglob stat touch unlink
    write_bytes write_text""".split()
)


@functools.cache
def modules() -> Mapping[str, str]:
    """Return the source of every module of the house by its name."""
    found = {}
    for path in sorted(HOUSE.rglob("*.py")):
        parts = path.relative_to(HOUSE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text(encoding="utf-8")
    return found


NAMES = frozenset(modules())


@functools.cache
def nodes(source: str) -> Sequence[ast.AST]:
    """Return the nodes of a module that the rules are about; each source is parsed once for all of them."""
    read = ast.Import | ast.ImportFrom | ast.Call | ast.Attribute
    return tuple(node for node in ast.walk(ast.parse(source)) if isinstance(node, read))


def imports(tree: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the full name of each module that is imported, wherever the import stands."""
    for node in tree:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where things come from"
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in NAMES else str(node.module) for name in inner)


def calls(tree: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the dotted name of each thing that is called."""
    for node in tree:
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def within(name: str, places: Collection[str]) -> bool:
    """Return whether a module is one of these, or in one of these packages."""
    own = name.removeprefix("healthd.")
    return any(own == place or own.startswith(f"{place}.") for place in places)


def layer(name: str) -> int:
    """Return in which layer a module is, counted from the bottom."""
    first = name.removeprefix("healthd").removeprefix(".").partition(".")[0]
    return LAYERS.index(first or "__init__")


def imported_names(tree: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Yield module and name of each `from module import name`."""
    for node in tree:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield str(node.module), alias.name


def impure(tree: Iterable[ast.AST]) -> Iterator[str]:
    """Yield, in a few words each, what a module does that is not for values only."""
    for module in imports(tree):
        if not module.startswith("healthd") and module not in PLAIN and module.partition(".")[0] not in LIBRARIES:
            yield f"pure, but imports {module}"
    for call in calls(tree):
        last = call.rpartition(".")[2]
        if last in CLOCKS or call in INPUT_OUTPUT or (last in FILES and "." in call):
            yield f"pure, but calls {call}"
    for module, name in imported_names(tree):
        # Records, types and constants of a door are values; what it does is not.
        if module in NAMES and f"{module}.{name}" not in NAMES and within(module, DOORS) and name[:1].islower():
            yield f"pure, but imports {name} of {module}"


def broken(name: str, source: str) -> Iterator[str]:
    """Yield, in a few words each, the rules that a module breaks."""
    tree = nodes(source)
    imported, called = sorted(set(imports(tree))), set(calls(tree))
    if not within(name, DOORS) and name not in ("healthd", "healthd.asgi"):  # these only hand on names
        yield from sorted(set(impure(tree)))
    for other in imported:
        if other in NAMES and layer(other) > layer(name):
            yield f"imports {other}, which stands above"
        library = other.partition(".")[0]
        if library in LIBRARIES and not within(name, LIBRARIES[library]):
            yield f"{library} has another door"
        if name.startswith("healthd.checks.") and other.startswith("healthd.checks"):
            yield "a check imports a check"
        if name.startswith("healthd.report") and other.startswith(("healthd.database", "healthd.rounds")):
            yield "a report reads a database"
        if other.startswith("healthd.cli") and not name.startswith(("healthd.cli", "healthd.__main__")):
            yield "imports the command line"
    if "structlog.configure" in called and name != "healthd.report.log":
        yield "structlog is set up elsewhere"
    for node in tree:
        is_one = isinstance(node, ast.Attribute) and node.attr in ("connect", "Connection", "Cursor")
        words = ast.unparse(node) if is_one else ""
        if words in ("psycopg.connect", "psycopg.Connection", "psycopg.Cursor"):
            yield f"{words} is the synchronous twin"
        if isinstance(node, ast.ImportFrom) and node.module == "psycopg":
            for alias in node.names:
                if alias.name in ("connect", "Connection", "Cursor"):
                    yield f"psycopg.{alias.name} is the synchronous twin"


def circles(arrows: Mapping[str, Collection[str]]) -> list[list[str]]:
    """Return the groups of modules that import each other; none in a house where all arrows run down."""
    left = {name: set(others) - {name} for name, others in arrows.items()}
    while free := [name for name, others in left.items() if not others]:
        for name in free:
            del left[name]
        for others in left.values():
            others.difference_update(free)
    return [sorted(left)] if left else []


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_module_keeps_the_rules(name: str) -> None:
    assert [] == list(broken(name, modules()[name]))


def test_no_modules_import_each_other_in_a_circle() -> None:
    arrows = {name: [one for one in imports(nodes(source)) if one in NAMES] for name, source in modules().items()}

    assert [] == circles(arrows)
    assert [["a", "b"]] == circles({"a": ["b"], "b": ["a"], "c": ["a"], "d": []} | {"c": []})


def test_layers_and_doors_are_there() -> None:
    there = {name.removeprefix("healthd.") for name in NAMES} | {"__init__"}

    assert set(LAYERS) == {name.partition(".")[0] for name in there if name != "healthd"}
    assert set() == DOORS - there
    assert set() == {place for places in LIBRARIES.values() for place in places} - there


def test_a_door_is_one_for_a_reason() -> None:
    """A module that does nothing but compute is not listed; a package is a door when some module of it is one."""
    needless = [
        place
        for place in sorted(DOORS)
        if not any(
            list(impure(nodes(source))) or any(one.partition(".")[0] in LIBRARIES for one in imports(nodes(source)))
            for name, source in modules().items()
            if within(name, {place})
        )
    ]

    assert [] == needless


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("healthd.model.findings", "import os", "pure, but imports os"),
        ("healthd.model.findings", "def f():\n    import logging", "pure, but imports logging"),
        ("healthd.comparison.causes", "import os.path", "pure, but imports os.path"),
        (
            "healthd.comparison.judgement",
            "from datetime import datetime\nx = datetime.now()",
            "pure, but calls datetime.now",
        ),
        ("healthd.checks.enums", "print('!')", "pure, but calls print"),
        ("healthd.catalog.enums", "open('/etc/passwd')", "pure, but calls open"),
        (
            "healthd.lint.judge",
            "from pathlib import Path\nPath('x').read_text()",
            "pure, but calls Path('x').read_text",
        ),
        ("healthd.checks.enums", "import structlog", "structlog has another door"),
        ("healthd.migrations.plan", "from healthd.expected.files import read_migrations", "pure, but imports"),
        ("healthd.contracts", "from healthd.config.settings import Target", "which stands above"),
        ("healthd.expected.status", "def f():\n    from healthd.rounds import examination", "which stands above"),
        ("healthd.rounds.examination", "import psycopg", "psycopg has another door"),
        ("healthd.rounds.examination", "from psycopg.rows import dict_row", "psycopg has another door"),
        ("healthd.cli.main", "import yoyo.backends", "yoyo has another door"),
        ("healthd.report.web", "from prometheus_client import Gauge", "prometheus_client has another door"),
        ("healthd.daemon.loop", "import uvicorn", "uvicorn has another door"),
        ("healthd.daemon.loop", "import click", "click has another door"),
        ("healthd.report.web", "import jinja2", "jinja2 has another door"),
        ("healthd.checks.enums", "from healthd.checks import columns", "a check imports a check"),
        ("healthd.report.web", "from healthd.database.connection import connect", "a report reads a database"),
        ("healthd.daemon.loop", "from healthd.cli import main", "imports the command line"),
        ("healthd.rounds.examination", "from healthd.cli.options import say", "imports the command line"),
        ("healthd.daemon.loop", "import structlog\nstructlog.configure()", "structlog is set up elsewhere"),
        ("healthd.database.connection", "import psycopg\npsycopg.connect('')", "psycopg.connect is the synchronous"),
        ("healthd.database.connection", "from psycopg import Connection", "psycopg.Connection is the synchronous"),
    ],
)
def test_a_broken_rule_is_reported(name: str, source: str, words: str) -> None:
    assert any(words in one for one in broken(name, source))


def test_a_record_of_the_catalog_is_frozen_and_hashable() -> None:
    from healthd.catalog import KINDS

    for kind in KINDS.values():
        parameters = kind.record.__dataclass_params__
        assert (parameters.frozen, parameters.eq) == (True, True)
        assert "__slots__" in vars(kind.record)
