"""`make soak`, much shorter: a daemon bears random faults of everything around it, and reports the truth."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
SHORT = "--minutes 0.12 --targets 8 --interval 1 --deadline 5 --longest 1.5".split()


def test_a_daemon_bears_random_faults_and_reports_the_truth() -> None:
    path = os.pathsep.join(map(str, (TESTS.parent, TESTS, TESTS / "support")))
    command = [sys.executable, "-m", "soak", *SHORT]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, timeout=600, check=False
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "ok   rounds that were not true: 0" in done.stdout
