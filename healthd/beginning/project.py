"""The files of a new project, as text: yoyo.ini, .gitignore, and an example of a migration."""

from collections.abc import Mapping
from pathlib import Path

from healthd.beginning.recipes import RECIPES

INI, IGNORE, SQL = "yoyo.ini", ".gitignore", "sql"
IGNORED = ".healthd/"

HEAD = """# One file for yoyo and for healthd. yoyo reads [DEFAULT] only; the other sections are healthd's.
# `healthd docs configuration` explains each key.

[DEFAULT]
sources = %(here)s/sql
"""
WITHOUT = """# Without a database, `healthd up` starts the embedded PostgreSQL.
# database = postgresql:///NAME
"""

EXAMPLE = "0001_create_orders"
APPLY = """-- Create the orders, and the states that an order can have.
-- Why:  an example of a migration; replace it with your own.
-- Lock: none on what exists; all objects are new.
CREATE TYPE public.order_status AS ENUM ('new', 'paid', 'sent');
CREATE TABLE public.orders (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer   text NOT NULL,
    status     public.order_status NOT NULL DEFAULT 'new',
    created_at timestamptz NOT NULL DEFAULT now()
);
"""
ROLLBACK = """-- Undo: create the orders.
DROP TABLE public.orders;
DROP TYPE public.order_status;
"""


def example() -> Mapping[str, str]:
    """Return the files of the example, by their paths below the project's folder."""
    return {f"{SQL}/{EXAMPLE}.rollback.sql": ROLLBACK, f"{SQL}/{EXAMPLE}.sql": APPLY}


def project(
    migrations: Mapping[str, str], *, database: str = "", postgres_bin: Path | None = None, ci: str | None = None
) -> Mapping[str, str]:
    """Return all files of a project with these migrations, by their paths below its folder; yoyo.ini is the last."""
    files = dict(migrations)
    if ci is not None:
        files[RECIPES[ci].file] = RECIPES[ci].text
    return files | {INI: settings_text(database, postgres_bin)}


def settings_text(database: str, postgres_bin: Path | None) -> str:
    """Return the text of yoyo.ini; `database` is a URL without a password, or empty."""
    named = f"database = {_value(database)}\n" if database else WITHOUT
    programs = f"postgres_bin = {_value(str(postgres_bin))}\n" if postgres_bin else ""
    return f"{HEAD}{named}\n[healthd]\nlisten = 127.0.0.1:9899\ninterval_s = 5\n{programs}"


def _value(text: str) -> str:
    """Return a value as configparser reads it, for which % begins the name of another key."""
    return text.replace("%", "%%")


def ignored(text: str) -> str:
    """Return the text of .gitignore with healthd's folder of data; unchanged if it has it already."""
    if {IGNORED, IGNORED.rstrip("/")} & {line.strip().lstrip("/") for line in text.splitlines()}:
        return text
    return f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{IGNORED}\n"
