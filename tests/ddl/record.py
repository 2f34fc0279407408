"""`make record`: record whether pg_dump's output changes after each statement of ddl/*.sql (see test_ddl)."""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from healthd.postgres import embedded

RECORD = Path(__file__).with_name("pg_dump.json")


def main() -> int:
    """Run the files on the embedded PostgreSQL, and write the record if all of them agreed."""
    with TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            "auto",
            "-p",
            "no:cacheprovider",
            "tests/ddl/test_ddl.py",
        ]
        environment = {**os.environ, "HEALTHD_RECORD": folder}
        environment.pop("HEALTHD_PG_BIN", None)
        if code := subprocess.run(command, cwd=RECORD.parents[2], env=environment, check=False).returncode:
            return code
        files = {path.stem: json.loads(path.read_text()) for path in sorted(Path(folder).glob("*.json"))}
    with embedded.temporary() as server, psycopg.connect(server.url()) as connection:
        version = connection.info.server_version
    RECORD.write_text(json.dumps({"server_version": version, "files": files}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
