"""The commands that are installed with the tests' Python, run as their users run them: each in a process of its own."""

import subprocess
import sys
from pathlib import Path

HEALTHD = str(Path(sys.executable).with_name("healthd"))
YOYO = str(Path(sys.executable).with_name("yoyo"))


def run_yoyo(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run yoyo in a folder that contains its yoyo.ini."""
    return subprocess.run([YOYO, *words], cwd=folder, capture_output=True, text=True, check=False, timeout=60)
