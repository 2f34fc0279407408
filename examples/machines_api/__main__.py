"""Serve the API: `python -m examples.machines_api`, on the database of `make run`."""

import argparse
import os
import sys
from pathlib import Path

import uvicorn

from examples.machines_api import callers
from examples.machines_api.app import create_app
from healthd import read_settings
from healthd.postgres import embedded
from healthd.report.log import configure


def main() -> int:
    """Find the database and serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m examples.machines_api", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="port on 127.0.0.1 (default: 8000)")
    parser.add_argument(
        "--database",
        default=os.environ.get("DATABASE_URL"),
        metavar="URL",
        help="URL of the database (default: DATABASE_URL, otherwise the PostgreSQL of `make run`)",
    )
    parser.add_argument(
        "--tokens",
        type=Path,
        metavar="FILE",
        help="file with a line `ORGANIZATION TOKEN` for each caller (default: machines-api.tokens next to the data "
        "folder of `make run`, created with one token)",
    )
    arguments = parser.parse_args()
    data = read_settings().data
    database = arguments.database or embedded.running(data, embedded.DATABASE)
    if database is None:
        sys.stderr.write("no database: start one with `make run`, or set DATABASE_URL\n")
        return 3
    tokens = arguments.tokens or data.parent / "machines-api.tokens"
    try:
        known = callers.read(tokens)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{tokens}: {error}\n")
        return 3
    configure()
    sys.stdout.write(f"machines http://127.0.0.1:{arguments.port}/machines\ntokens   {tokens}\n")
    sys.stdout.flush()
    uvicorn.run(create_app(database, known), host="127.0.0.1", port=arguments.port, log_config=None, access_log=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
