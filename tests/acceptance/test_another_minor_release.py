"""A share of the tests on the newest minor release, that of Debian's PostgreSQL (`make newest`)."""

import os
import re
import subprocess
import sys
from pathlib import Path

import matrix
import pytest
from servers import DEBIAN

PROGRAM = Path(matrix.__file__)


@pytest.mark.skipif(
    not DEBIAN.exists() and "CI" not in os.environ, reason=f"needs {DEBIAN} (apt install postgresql-15)"
)
def test_a_share_of_the_tests_passes_on_the_newest_server() -> None:
    """It is near the beginning of all tests, because it takes longest."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, str(PROGRAM), "newest", "-n", "0"]
    done = subprocess.run(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )

    assert 0 == done.returncode, done.stdout
    assert int(re.findall(r"(\d+) passed", done.stdout)[-1]) >= len(matrix.SHARE), done.stdout
