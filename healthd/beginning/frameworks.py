"""Migrations that are programs: Alembic and Django print the SQL that they would run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from healthd.errors import ConfigError
from healthd.importing import alembic, django
from healthd.importing.records import Reading
from healthd.importing.tools import BEGIN_WITH_DATABASE
from healthd.postgres.programs import last_words

MARKS: Mapping[str, str] = {"alembic": "alembic.ini", "django": "manage.py"}
LEDGERS: Mapping[str, str] = {"alembic": alembic.LEDGER, "django": django.LEDGER}
ABOVE = 3  # folders between the one with the migrations and the one with the mark
LIMIT_S = 600.0
REVISION = re.compile(r"^revision(?:\s*:\s*\w+)?\s*=\s*[\"']([^\"']+)", re.MULTILINE)
TITLE = re.compile(r"\A\s*(?:\"\"\"|''')\s*(.+)")


def find_framework(folder: Path) -> tuple[str, Path] | None:
    """Return the framework whose migrations a folder holds, and the folder of its project; None for any other."""
    for name, mark in MARKS.items():
        if (folder / mark).is_file():
            return name, folder
    inside = (folder / "env.py").is_file() or any(folder.glob("[0-9]*.py")) or folder.name == "versions"
    for above in folder.resolve().parents[:ABOVE] if inside else ():
        for name, mark in MARKS.items():
            if (above / mark).is_file():
                return name, above
    return None


def read_framework(name: str, folder: Path) -> Reading:
    """Return the migrations of a project; raise ConfigError if its own program cannot print them."""
    reading = _alembic(folder) if name == "alembic" else _django(folder)
    if not reading.found:
        raise ConfigError(f"{name} printed no SQL for {folder}", hint=BEGIN_WITH_DATABASE)
    return reading


def _alembic(folder: Path) -> Reading:
    program = (_program(folder, "alembic", "Alembic"),)
    upgrade = _output(folder, (*program, "upgrade", "heads", "--sql"))
    if "PRAGMA" in upgrade or "AUTOINCREMENT" in upgrade:
        raise _other_database("alembic.ini")
    try:
        downgrade = _output(folder, (*program, "downgrade", "head:base", "--sql"))
    except ConfigError:  # a revision without a downgrade: no rollbacks
        downgrade = ""
    titles = {}
    for path in folder.rglob("*.py"):
        if path.parent.name == "versions":
            text = path.read_text(encoding="utf-8", errors="replace")
            if (revision := REVISION.search(text)) and (title := TITLE.search(text)):
                titles[revision[1]] = title[1].strip("\"' .")
    return alembic.read_alembic(upgrade, downgrade, titles)


def _django(folder: Path) -> Reading:
    manage = (_program(folder, "python", "Django"), "manage.py")
    plan = django.planned(_output(folder, (*manage, "showmigrations", "--plan")))
    found: dict[django.Name, tuple[str, str | None]] = {}
    for application, name in plan:
        forwards = _output(folder, (*manage, "sqlmigrate", application, name))
        if "AUTOINCREMENT" in forwards:
            raise _other_database("the settings of Django")
        try:
            backwards = _output(folder, (*manage, "sqlmigrate", "--backwards", application, name))
        except ConfigError:  # it cannot be reversed
            backwards = None
        found[application, name] = forwards, backwards
    return django.read_django(found)


def _other_database(place: str) -> ConfigError:
    return ConfigError(
        f"{place}: the database is SQLite, and the SQL is for SQLite", hint="name a PostgreSQL database there"
    )


def _program(folder: Path, name: str, framework: str) -> str:
    """Return the path of a program of the project's environment; raise ConfigError if there is none."""
    own = (folder / ".venv", folder / "venv", Path(os.environ.get("VIRTUAL_ENV") or folder))
    for environment in own:
        if (path := environment / "bin" / name).is_file():
            return str(path.absolute())
    if path_found := shutil.which(name) or (shutil.which("python3") if name == "python" else None):
        return path_found
    raise ConfigError(
        f"{folder} contains migrations of {framework}, which are Python, and the program {name} was not found",
        hint=f"activate the environment of the project, so that {framework} can print their SQL; "
        f"or {BEGIN_WITH_DATABASE}",
    )


def _output(folder: Path, words: tuple[str, ...]) -> str:
    """Return what a program prints; raise ConfigError if it fails."""
    said = " ".join((Path(words[0]).name, *words[1:]))
    try:
        done = subprocess.run(
            words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=LIMIT_S
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigError(f"{said} failed in {folder}: {error}", hint=BEGIN_WITH_DATABASE) from error
    if done.returncode != 0:
        words_of_it = last_words(done.stderr.decode(errors="replace"))
        raise ConfigError(f"{said} failed in {folder}: {words_of_it}", hint=f"run it there; or {BEGIN_WITH_DATABASE}")
    return done.stdout.decode(errors="replace")
