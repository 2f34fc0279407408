"""What stops a server and removes its folders when the process that started it has ended, for whatever reason."""

import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

# It reads the server's process id, as soon as there is one, and then an empty line when nothing is left to stop. The
# end of the pipe before that means that our process has ended. PR_SET_PDEATHSIG is not used: it fires when the *thread*
# that started the server ends, and exists only on Linux.
#
# Signals to a group of processes, as systemd sends them, are not for it.
#
# A server that has just started has not written postmaster.pid yet; one that is not ours has another number in it. What
# initdb or a server has left may grow while it is being removed, so that is tried again.
SCRIPT = """
trap '' HUP INT TERM
data=$1 server= done=; shift
while read -r word; do
    [ "$word" ] || { done=1; break; }
    server=$word
done
if [ -z "$done" ] && [ "$server" ]; then
    tries=0 pid= told=
    while kill -0 "$server" && [ $((tries += 1)) -lt 300 ]; do
        if [ -z "$told" ]; then
            pid=; read -r pid <"$data/postmaster.pid"
            [ "$pid" = "$server" ] && kill -s INT "$server" && told=1
        elif [ ! -e "$data/postmaster.pid" ]; then
            break
        fi
        sleep 0.1
    done
fi
tries=0
while [ $# -gt 0 ] && ! rm -rf "$@" && [ $((tries += 1)) -lt 100 ]; do sleep 0.1; done
"""


class Watchdog:
    """A process that ends after ours; `litter` are the folders that it removes then."""

    def __init__(self, data: Path, litter: Sequence[Path]) -> None:
        self._litter = litter
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", SCRIPT, "healthd-watchdog", data, *litter],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def follow(self, server: int) -> None:
        """Stop this server, too."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{server}\n".encode())
            self._process.stdin.flush()

    def end(self) -> None:
        """Remove the folders; the server has stopped. A second time does nothing."""
        if self._process.returncode is None:
            self._process.communicate(b"\n")
            for folder in self._litter:  # it may have been killed
                shutil.rmtree(folder, ignore_errors=True)
