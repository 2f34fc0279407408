"""The command line: one verb, one function. Results go to stdout, messages to stderr."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from healthd import __version__

if TYPE_CHECKING:
    import socket

    from healthd.config import Settings, Target
    from healthd.database import Reading
    from healthd.migrations.files import Migration
    from healthd.migrations.lockfile import LockFile
    from healthd.model import Snapshot

USAGE_ERROR = 3  # 2 means drift: a wrong word must not look like one
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with the exit code of its verb."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; errors are one line and a hint, never a traceback."""
    try:
        code = cli.main(args=arguments, prog_name="healthd", standalone_mode=False)
    except click.UsageError as error:
        return _refused(error.format_message(), f"{error.ctx.command_path} --help" if error.ctx else "", USAGE_ERROR)
    except click.ClickException as error:
        return _refused(error.format_message(), "", USAGE_ERROR)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:
        from healthd.errors import HealthdError

        if isinstance(error, HealthdError):
            return _refused(str(error), error.hint, error.exit_code)
        if os.environ.get("HEALTHD_TRACEBACK"):
            raise
        if isinstance(error, OSError) and error.filename:
            return _refused(f"cannot use {error.filename}: {error.strerror}", "check its owner and mode", 3)
        return _refused(
            f"healthd itself failed: {type(error).__name__}: {error}", "set HEALTHD_TRACEBACK=1 to see where", 3
        )
    return code if isinstance(code, int) else 0


def _refused(message: str, hint: str, code: int) -> int:
    from healthd.redact import hide

    say(f"healthd: {' '.join(hide(message).splitlines())}")
    if hint:
        say(f"    hint: {' '.join(hide(hint).splitlines())}")
    return code


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start here:  healthd up        Docs: README.md, docs/runbook.md, docs/migrations.md",
)
@click.version_option(__version__, message="healthd %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Plain-SQL migrations for PostgreSQL, and a daemon that proves the database still is what they say.

    The SQL files in sql/ are the schema. healthd applies them safely, and from then on keeps checking that
    columns, enum values and serialization are intact; when they are not, it says what changed and which SQL
    mends it.

    Exit codes: 0 fine, 1 something waits, 2 drift or a failed change, 3 cannot tell.
    """
    if context.invoked_subcommand is None:
        say(context.get_help())
        context.exit(USAGE_ERROR)


def verb(*, database: bool = True) -> Callable[[Callable[..., Any]], click.Command]:
    """Return a decorator that makes a function a verb, with the options that every verb has."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def wrapped(config: Path | None, **options: Any) -> Any:
            from healthd.config import read_settings

            settings = read_settings(config, database=options.pop("database", None))
            return function(settings, **options)

        command: Any = click.option(
            "--config", type=click.Path(path_type=Path), metavar="FILE", help="The yoyo.ini to read."
        )(wrapped)
        if database:
            command = click.option(
                "--database", metavar="URL", help="This database, whatever yoyo.ini or HEALTHD_DATABASE say."
            )(command)
        command = click.option(
            "--format", "style", type=click.Choice(["text", "json"]), default="text", help="For people, or machines."
        )(command)
        made: click.Command = cli.command(name=function.__name__.rstrip("_"))(command)
        return made

    return decorate


def out(style: str, text: str, document: Any) -> None:
    """Print a result: the text for people, or the document as JSON."""
    try:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False) if style == "json" else text)
    except BrokenPipeError:  # the reader has seen enough; the exit code still counts
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str) -> None:
    """Print a message to stderr."""
    click.echo(text, err=True)


# ── the main job ────────────────────────────────────────────────────────────────────────────────────────


@verb()
@click.option("--listen", metavar="HOST:PORT", help="Where to serve (default 127.0.0.1:9899).")
def up(settings: Settings, style: str, listen: str | None) -> None:
    """Apply what is pending, then serve. Without a database, on the PostgreSQL that comes along."""
    from contextlib import ExitStack
    from dataclasses import replace

    from healthd import embedded
    from healthd.config import read_settings
    from healthd.report.web import listening

    settings = _listen(settings, listen)
    _set_up_log(settings)
    with ExitStack() as stack:
        listener = stack.enter_context(listening(settings.host, settings.port))
        load, attempt = _again(settings), "healthd check"
        if not settings.targets:
            data = embedded.within_reach(settings.data, binaries=settings.postgres_bin)
            say(f"no database is configured: starting PostgreSQL on {data}")
            server = stack.enter_context(embedded.start(data, binaries=settings.postgres_bin))
            asyncio.run(_create_database(server.url(), embedded.DATABASE))
            load = functools.partial(read_settings, settings.file, database=server.url(embedded.DATABASE))
            settings = replace(load(), host=settings.host, port=settings.port)
            attempt = _attempt(settings)
        for target in settings.targets:
            _migrate_and_say(settings, target)
        lines = _places(listener) | {"database": url_of(settings.targets[0].dsn)}
        asyncio.run(_serve(settings, load, listener, lambda: _welcome(style, lines, attempt)))
        say("stopping")


def _places(listener: socket.socket) -> dict[str, str]:
    """Return where the page and the metrics are to be had."""
    host, port = listener.getsockname()[:2]
    web = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    return {"page": f"{web}/", "metrics": f"{web}/metrics"}


def _welcome(style: str, lines: dict[str, str], attempt: str = "") -> None:
    further = {"try": attempt, "stop": "Ctrl-C"} if attempt else {}
    out(style, "\n".join(f"{name:9} {value}" for name, value in (lines | further).items()), lines)
    sys.stdout.flush()


def _attempt(settings: Settings) -> str:
    """Return a command that makes a drift in the embedded database, if sql/ has what it changes."""
    from healthd.model import Key
    from healthd.programs import find_binaries

    enum = _lock_file(settings).expected().objects.get(Key("enum", ("public", "machinestatus")))
    if enum is None or "active" not in enum.labels:
        return "healthd check"
    bundled = shlex.quote(str(find_binaries(settings.postgres_bin) / "psql"))
    psql = "psql" if shutil.which("psql") else bundled
    drift = "ALTER TYPE machinestatus RENAME VALUE 'active' TO 'ACTIVE'"
    return f"{psql} '{url_of(settings.targets[0].dsn)}' -c \"{drift}\"  # then look at the page"


async def _create_database(server: str, name: str) -> None:
    from healthd.database import connect

    async with connect(server) as connection:
        known = await connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        if await known.fetchone() is None:
            await connection.execute(f'CREATE DATABASE "{name}"')


@verb()
@click.option("--listen", metavar="HOST:PORT", help="Where to serve (default 127.0.0.1:9899).")
def serve(settings: Settings, style: str, listen: str | None) -> None:
    """Watch every target and serve /metrics, the pages and the API. Changes no database."""
    from healthd.report.web import listening

    settings = _listen(_watched(settings), listen)
    _set_up_log(settings)
    with listening(settings.host, settings.port) as listener:
        asyncio.run(_serve(settings, _again(settings), listener, lambda: _welcome(style, _places(listener))))


def _again(settings: Settings) -> Callable[[], Settings]:
    """Return what reads the settings again: the same file, and the same --database."""
    from healthd.config import read_settings

    database = click.get_current_context().params.get("database")
    return lambda: _watched(read_settings(settings.file, database=database))


async def _serve(settings: Settings, load: Callable[[], Settings], listener: Any, started: Callable[[], None]) -> None:
    from healthd.daemon import serve as serve_forever

    await serve_forever(settings, load, listener, started=started)


def _listen(settings: Settings, listen: str | None) -> Settings:
    from dataclasses import replace

    if listen is None:
        return settings
    match = re.fullmatch(r"(?:\[([^]]+)]|([^][:]+)):([0-9]{1,5})", listen)
    if match is None or int(match[3]) > 65535:
        raise click.UsageError(f"--listen {listen}: write HOST:PORT, such as 127.0.0.1:9899 or [::1]:9899")
    return replace(settings, host=match[1] or match[2], port=int(match[3]))


def _set_up_log(settings: Settings) -> None:
    from healthd.report.log import configure

    configure(settings.log_level, settings.log_format)


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────


@verb(database=False)
@click.argument("name")
def new(settings: Settings, style: str, name: str) -> None:
    """Write an empty migration and its rollback: the next number, NAME, and a header to fill in."""
    from healthd.migrations.files import new_migration

    paths = [str(path) for path in new_migration(settings.sources[0], name)]
    out(style, "\n".join(paths), {"files": paths})


@verb(database=False)
@click.option("--check", is_flag=True, help="Write nothing; exit 2 when the files and the lock file disagree.")
def lock(settings: Settings, style: str, check: bool) -> int:
    """Replay sql/ on a throw-away PostgreSQL and write what it makes to sql/schema.lock."""
    from healthd.errors import LockFileChanged
    from healthd.migrations.lockfile import disagreements, dump, verified
    from healthd.migrations.replay import replay
    from healthd.sources import read_lock

    migrations = _migrations(settings)
    if check:
        try:
            known = verified(read_lock(settings))
            wrong = sorted(disagreements(known, migrations))
            if not wrong:
                wrong = _otherwise(known, asyncio.run(replay(migrations, postgres_bin=settings.postgres_bin)))
        except LockFileChanged as error:
            wrong = [str(error)]
        out(style, "\n".join(wrong) or f"{settings.lock.name} is what the files make", {"disagreements": wrong})
        if wrong:
            say("    hint: write it anew with: healthd lock")
        return 2 if wrong else 0
    made = asyncio.run(replay(migrations, postgres_bin=settings.postgres_bin))
    settings.lock.write_text(dump(made), encoding="utf-8")
    verdicts = {one.id: one.rollback for one in made.migrations}
    text = "\n".join(f"{name}  rollback {verdict}" for name, verdict in verdicts.items())
    out(style, f"{text}\nwrote {settings.lock}", {"file": str(settings.lock), "rollbacks": verdicts})
    return 0


def _otherwise(known: LockFile, made: LockFile) -> list[str]:
    """Return the migrations that a replay measured otherwise than the lock file says."""
    if known.server_version != made.server_version:
        say(
            f"the lock file is from PostgreSQL {known.server_version // 10000}, this replay from "
            f"{made.server_version // 10000}: the digests agree, the effects were not compared"
        )
        return []
    pairs = zip(known.migrations, made.migrations, strict=True)
    return [f"{one.id}: the replay measured something else" for one, other in pairs if one != other]


# ── one database ────────────────────────────────────────────────────────────────────────────────────────


@verb()
@click.option("--target", metavar="NAME", help="Which target, when there are several.")
def status(settings: Settings, style: str, target: str | None) -> int:
    """Say where each migration stands; reads only, takes no lock. Exit 0 clean, 1 pending, 2 drift, 3 cannot tell."""
    from healthd.migrations.runner import standing
    from healthd.model import Severity, State
    from healthd.rounds import conclude
    from healthd.sources import Files

    chosen = _one_target(settings, target)
    migrations = _migrations(settings)
    known = _lock_file(settings)
    stand = asyncio.run(standing(chosen.dsn, migrations, known))
    files = Files(known, [(one.id, one.digest) for one in migrations])
    report = conclude(chosen, files, stand.reading)
    drift = [one for one in report.findings if one.check != "migrations" and one.severity is Severity.CRITICAL]
    unclear = [one for one in report.findings if one.severity is Severity.UNKNOWN]
    lines = [f"{one.id}  {str(one.state).replace('_', ' ')}" for one in stand.migrations]
    lines += [f"drift: {one.message}" for one in drift] + [f"cannot tell: {one.message}" for one in unclear]
    rows = [{"id": one.id, "state": one.state} for one in stand.migrations]
    found = {"drift": [one.message for one in drift], "cannot_tell": [one.message for one in unclear]}
    out(style, "\n".join(lines), {"target": chosen.name, "migrations": rows, **found})
    if unclear:
        return 3
    if drift or stand.ids(State.EDITED, State.MISSING, State.UNKNOWN):
        return 2
    return 1 if stand.ids(State.PENDING, State.OUT_OF_ORDER) else 0


@verb()
@click.option("--target", metavar="NAME", help="Which target, when there are several.")
@click.option("--to", metavar="ID", help="Stop after this migration.")
@click.option("--wait", "wait_s", type=float, default=60.0, metavar="SECONDS", help="For another run's lock.")
@click.option("--allow-out-of-order", is_flag=True, help="Apply one that is older than what is applied.")
@click.option("--allow-edited", is_flag=True, help="Go on although an applied file was edited.")
def migrate(settings: Settings, style: str, target: str | None, **options: Any) -> None:
    """Apply what is pending: each file, its mark and its digest together or not at all."""
    chosen = _one_target(settings, target)
    done = _migrate_and_say(settings, chosen, **options)
    out(style, f"{chosen.name}: {len(done)} applied", {"target": chosen.name, "applied": list(done)})


@verb()
@click.option("--target", metavar="NAME", help="Which target, when there are several.")
@click.option("--to", metavar="ID", help="Roll back everything after this one (default: the last one only).")
def rollback(settings: Settings, style: str, target: str | None, to: str | None) -> None:
    """Undo the last migration, or all after --to, the newest first."""
    from healthd.migrations.runner import rollback as undo

    chosen = _one_target(settings, target)
    done = asyncio.run(undo(chosen.dsn, _migrations(settings), _lock_file(settings), say=say, to=to))
    out(style, f"{chosen.name}: {len(done)} rolled back", {"target": chosen.name, "rolled_back": list(done)})


def _migrate_and_say(settings: Settings, target: Target, **options: Any) -> tuple[str, ...]:
    from healthd.migrations.lockfile import disagreements
    from healthd.migrations.runner import migrate as apply

    migrations, known = _migrations(settings), _lock_file(settings)
    for line in sorted(disagreements(known, migrations)):
        say(f"{settings.lock.name}: {line} (healthd lock writes it anew)")
    return asyncio.run(apply(target.dsn, migrations, known, say=say, **options))


# ── look ────────────────────────────────────────────────────────────────────────────────────────────────


@verb()
@click.option("--target", metavar="NAME", help="Only this target.")
def check(settings: Settings, style: str, target: str | None) -> int:
    """Examine every target once. Exit 0 clean, 1 warning, 2 critical, 3 cannot tell."""
    from healthd.migrations.lockfile import disagreements
    from healthd.report.answer import document, text
    from healthd.rounds import examine
    from healthd.sources import Files

    settings = _watched(settings)
    targets = [settings.target(target)] if target else list(settings.targets)
    migrations, known = _migrations(settings), _lock_file(settings)
    for line in sorted(disagreements(known, migrations)):
        say(f"{settings.lock.name}: {line}")
    files = Files(known, [(one.id, one.digest) for one in migrations])

    async def all_rounds() -> Any:
        return await asyncio.gather(*(examine(one, files) for one in targets))

    reports = asyncio.run(all_rounds())
    out(style, "\n".join(map(text, reports)), [document(one) for one in reports])
    return int(max(one.severity for one in reports))


@verb()
@click.option("--target", metavar="NAME", help="Which target, when there are several.")
def repair(settings: Settings, style: str, target: str | None) -> int:
    """Print the SQL that brings a database back to what sql/ says. Runs nothing; exits as `check` does."""
    from healthd.report.answer import finding_document
    from healthd.report.repair import script
    from healthd.rounds import examine
    from healthd.sources import read_files

    chosen = _one_target(settings, target)
    report = asyncio.run(examine(chosen, read_files(settings)))
    out(style, script(report).rstrip("\n"), [finding_document(one) for one in report.findings])
    return int(report.severity)


@verb()
@click.option("--target", metavar="NAME", help="Which target, when there are several.")
def snapshot(settings: Settings, style: str, target: str | None) -> int:
    """Print every object of a database. Exit 3 when a kind could not be read."""
    from healthd.judge import one_line, summary
    from healthd.migrations.lockfile import encode_objects
    from healthd.report.answer import printable

    reading = asyncio.run(_read(_one_target(settings, target).dsn))
    taken = reading.snapshot
    lines = [printable(f"{key}  {one_line(summary(key, record))}") for key, record in sorted(taken.objects.items())]
    for kind, reason in taken.unreadable.items():
        say(f"{kind} cannot be read: {reason}")
    out(
        style,
        "\n".join(lines),
        {
            "server_version": taken.server_version,
            "migrator": reading.ledger.owner,
            "unreadable": dict(taken.unreadable),
            "objects": encode_objects(taken.objects),
        },
    )
    return 3 if taken.unreadable else 0


@verb(database=False)
@click.argument("a")
@click.argument("b")
def diff(settings: Settings, style: str, a: str, b: str) -> int:
    """Compare A (expected) with B (actual): each a target, a URL, a lock file or a snapshot file.

    Exit 0 the same, 2 different, 3 cannot tell.
    """
    from healthd.judge import message, sides
    from healthd.model import UNREADABLE
    from healthd.model import diff as differences
    from healthd.report.answer import printable
    from healthd.roles import comparable

    (one_side, its_migrator), (other_side, other_migrator) = _resolve(settings, a), _resolve(settings, b)
    found = differences(*comparable(one_side, other_side, its_migrator, other_migrator))
    rows = []
    for one in found:
        expected, actual = (None, one.actual) if one.attribute == UNREADABLE else sides(one)
        rows.append({"key": str(one.key), "attribute": one.attribute, "expected": expected, "actual": actual})
    out(style, "\n".join(printable(message(one)) for one in found) or "the same", rows)
    if any(one.attribute == UNREADABLE for one in found):
        return 3
    return 2 if found else 0


@verb(database=False)
@click.argument("problem", nargs=-1)
def explain(settings: Settings, style: str, problem: tuple[str, ...]) -> None:  # noqa: ARG001 # every verb has them
    """Print the runbook's page on a PROBLEM; without one, list them all."""
    from healthd.report.problems import SECTIONS, section

    for name in problem:
        if name not in SECTIONS:
            raise click.UsageError(f"no problem is called {name!r}; there are: {', '.join(SECTIONS)}")
    listed = "\n".join(f"{one.name:22} {one.title}" for one in SECTIONS.values())
    pages = "\n".join(line for name in problem for line in section(SECTIONS[name]))
    out(style, pages or listed, {name: SECTIONS[name].title for name in problem or SECTIONS})


# ── helpers ─────────────────────────────────────────────────────────────────────────────────────────────


def _watched(settings: Settings) -> Settings:
    """Return settings with a target: without any, the database of the `healthd up` that runs in this folder."""
    if settings.targets:
        return settings
    from healthd import embedded
    from healthd.config import read_settings
    from healthd.errors import ConfigError

    url = embedded.running(settings.data, embedded.DATABASE)
    if url is None:
        raise ConfigError(
            "no database is configured",
            hint="--database URL, HEALTHD_DATABASE, or `database` in yoyo.ini; or start one: healthd up",
        )
    return read_settings(settings.file, database=url)


def _one_target(settings: Settings, name: str | None) -> Target:
    from healthd.errors import ConfigError

    settings = _watched(settings)
    if name:
        return settings.target(name)
    if len(settings.targets) > 1:
        names = ", ".join(one.name for one in settings.targets)
        raise ConfigError("there are several targets", hint=f"say which: --target NAME ({names})")
    return settings.targets[0]


def url_of(dsn: str) -> str:
    """Return a connection string as a URL that psql takes, without its password."""
    from healthd.database import url_of

    return url_of(dsn)


def _migrations(settings: Settings) -> tuple[Migration, ...]:
    from healthd.migrations.files import read_migrations

    return read_migrations(settings.sources)


def _lock_file(settings: Settings) -> LockFile:
    from healthd.sources import read_lock

    return read_lock(settings)


async def _read(dsn: str) -> Reading:
    from healthd.database import connect, read

    async with connect(dsn) as connection:
        return await read(connection)


def _resolve(settings: Settings, text: str) -> tuple[Snapshot, str | None]:
    """Return the snapshot that a word on the command line means, and for a database the role that migrates it."""
    from healthd.sources import read_snapshot

    path = Path(text)
    if path.is_file():
        return read_snapshot(path)
    dsn = text if "://" in text or "=" in text else _watched(settings).target(text).dsn
    reading = asyncio.run(_read(dsn))
    return reading.snapshot, reading.ledger.owner
