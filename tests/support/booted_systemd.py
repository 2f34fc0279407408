"""A real systemd as process 1 of namespaces of its own: what it writes to /etc, /var, /opt and /run ends with it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from servers import lacking, wait_for

ROOT = Path(__file__).parents[2]
PROGRAM = Path("/lib/systemd/systemd")
UNITS = Path("/etc/systemd/system")
HEALTHD = "/opt/healthd/bin/healthd"
PATIENCE_S = 120  # on a machine that is busy
# What the units of healthd refer to. Without the others of the host, nothing but healthd is started.
TARGETS = ("sysinit", "basic", "sockets", "shutdown", "network-online", "multi-user")

# Arguments: a folder, the file of the console, the cgroup. The last line is the only one that outlives it.
BOOT = f"""
set -e
folder=$1 console=$2
mount --make-rprivate /
mount -t tmpfs tmpfs "$folder"
for name in etc var opt; do
    mkdir -p "$folder/$name/upper" "$folder/$name/work"
    mount -t overlay -o "lowerdir=/$name,upperdir=$folder/$name/upper,workdir=$folder/$name/work" overlay "/$name"
done
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs tmpfs {UNITS}
for name in {" ".join(TARGETS)}; do
    printf '[Unit]\\nDefaultDependencies=no\\n' >"{UNITS}/$name.target"
done
umount -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --bind /proc/sys /proc/sys
mount -o remount,ro,bind /proc/sys
mount --bind "$console" /dev/console
mkdir -p /opt/python /opt/site /opt/code /opt/healthd/bin
mount --bind "{sys.base_prefix}" /opt/python
mount --bind "{sysconfig.get_path("purelib")}" /opt/site
mount --bind "{ROOT}" /opt/code
cat >{HEALTHD} <<'HEALTHD'
#!/bin/sh
export LD_LIBRARY_PATH=/opt/python/lib PYTHONPATH=/opt/code:/opt/site PYTHONDONTWRITEBYTECODE=1
exec /opt/python/bin/python{sys.version_info.major}.{sys.version_info.minor} -c '
import sys
sys.argv[0] = "{HEALTHD}"
from healthd.__main__ import main
main()' "$@"
HEALTHD
chmod 755 {HEALTHD}
mount --make-rshared /  # credentials reach a service as a mount of systemd's own
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_UNIT_PATH={UNITS} \\
    {PROGRAM} --system --unit=basic.target --log-target=console --show-status=no
"""


@dataclass(frozen=True)
class Systemd:
    """A systemd that runs; `pid` is its process as it is seen from here."""

    pid: int
    console: Path

    def command(self, *words: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program next to it."""
        enter = ["nsenter", "--target", str(self.pid), "--mount", "--pid", "--cgroup", "--uts", "--ipc", "--"]
        return subprocess.run(
            [*enter, *map(str, words)], input=stdin, capture_output=True, text=True, timeout=120, check=False
        )

    def run(self, *words: str | Path, stdin: str | None = None) -> str:
        """Run a program next to it that must succeed; return what it prints."""
        done = self.command(*words, stdin=stdin)
        assert 0 == done.returncode, (words, done.stdout, done.stderr, self.log())
        return done.stdout

    def write(self, path: str | Path, text: str) -> None:
        """Write a file that it sees."""
        self.run("sh", "-c", 'mkdir -p "$(dirname "$1")" && cat >"$1"', "sh", path, stdin=text)

    def bind(self, source: Path, path: str) -> None:
        """Let it see a file of ours."""
        self.run("sh", "-ec", 'mkdir -p "$(dirname "$2")"; touch "$2"; mount --bind "$1" "$2"', "sh", source, path)

    def properties(self, unit: str, *names: str) -> Mapping[str, str]:
        """Return properties of a unit."""
        lines = self.run("systemctl", "show", unit, *(f"--property={name}" for name in names)).splitlines()
        return dict(line.split("=", 1) for line in lines)

    def until(self, unit: str, **expected: str) -> None:
        """Wait until a unit has these properties."""

        def has_them() -> bool:
            time.sleep(0.3)  # to ask takes longer than most other conditions
            return expected.items() <= self.properties(unit, *expected).items()

        wait_for(has_them, timeout_s=PATIENCE_S)

    def log(self) -> str:
        """Return what systemd and the units printed."""
        units = self.command("sh", "-c", "cat /run/*.log").stdout
        return self.console.read_text(errors="replace") + units


@contextmanager
def booted(folder: Path) -> Iterator[Systemd]:
    """Boot a systemd, or skip the test: it needs root, namespaces, and a cgroup of version 2 that may be written."""
    if not PROGRAM.exists() or shutil.which("nsenter") is None:
        raise lacking("systemd and nsenter are not installed")
    if os.geteuid() != 0:
        pytest.skip("only root can boot a systemd in namespaces")
    console = folder / "console"
    console.touch()
    (folder / "files").mkdir()
    with _cgroup() as cgroup:
        own = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc"]
        enter = 'echo 0 >"$1/cgroup.procs" && shift && exec unshare --cgroup sh -c "$@"'
        command = [*own, "sh", "-c", enter, "sh", str(cgroup), BOOT, "sh", str(folder / "files"), str(console)]
        with (folder / "boot").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
            try:
                found = _ready(process, console, folder / "boot")
                yield found
                found.run("systemctl", "stop", "*.service")  # they remove their folders in /tmp
            finally:
                process.kill()


@contextmanager
def _cgroup() -> Iterator[Path]:
    """Make a cgroup of version 2 below our own, and remove it with those that were made in it."""
    mount = re.search(r"^\S+ (\S+) cgroup2 ", Path("/proc/mounts").read_text(), re.MULTILINE)
    own = re.search(r"^0::/(.*)$", Path("/proc/self/cgroup").read_text(), re.MULTILINE)
    if mount is None or own is None:
        pytest.skip("no cgroup of version 2 is mounted")
    made = Path(mount[1], own[1], f"healthd-test-{os.getpid()}")
    try:
        made.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup can be made: {error}")
    try:
        yield made
    finally:
        wait_for(lambda: not (made / "cgroup.events").read_text().startswith("populated 1"))
        for path in sorted((path for path in made.rglob("*") if path.is_dir()), reverse=True):
            path.rmdir()
        made.rmdir()


def _ready(process: subprocess.Popen[bytes], console: Path, log: Path) -> Systemd:
    """Return the systemd once it has reached its target; skip if namespaces are forbidden."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")

    def pid() -> str:
        if process.poll() is not None:
            pytest.skip(f"no systemd can be booted in namespaces: {log.read_text()}{console.read_text()}")
        return children.read_text().strip()

    found = Systemd(int(wait_for(pid)), console)
    wait_for(
        lambda: pid() and "active" == found.command("systemctl", "is-active", "basic.target").stdout.strip(),
        timeout_s=PATIENCE_S,
    )
    return found
