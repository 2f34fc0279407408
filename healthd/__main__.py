"""The process of the command line: its start and its exit."""

import gc
import os
import signal
import sys
from types import FrameType


def main() -> None:
    """Run the command line and exit with the exit code of the verb."""
    open_closed()
    if {"serve", "up"} & set(sys.argv[1:]):
        begin_daemon()
    gc.set_threshold(200_000)  # modules and a schema are many small records without cycles: collections only cost time
    sys.setswitchinterval(0.0005)  # replies of a server are handled at once while a thread reads files or imports
    from healthd.cli.main import run  # after set_threshold: no collections during its imports either

    code = run()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # the reader has closed the pipe
        code = code or UNREAD
    os._exit(code)  # skips the interpreter's teardown, which takes as long as loading click


def open_closed() -> None:
    """Open /dev/null for each of stdin, stdout and stderr that is closed when the process starts.

    Otherwise the first file or connection would get its descriptor, and output would be written there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            nothing = os.open(os.devnull, os.O_RDWR)
            if nothing != number:
                os.dup2(nothing, number)
                os.close(nothing)
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False))  # noqa: SIM115


def begin_daemon() -> None:
    """Until the daemon handles signals itself, hold back SIGHUP for it, and exit cleanly on SIGTERM."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    signal.signal(signal.SIGTERM, _ended)
    sys.unraisablehook = _dropped


def _ended(number: int, _frame: FrameType | None) -> None:
    """Exit. Python drops an exception that is raised in a callback, as at the end of an import.

    Then the signal is still pending, and the daemon stops as soon as it handles signals itself.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, [number])
    os.kill(os.getpid(), number)
    raise SystemExit(0)


def _dropped(what: "sys.UnraisableHookArgs") -> None:
    """Report an exception that Python drops, unless it is ours."""
    if what.exc_type is not SystemExit:
        sys.__unraisablehook__(what)


UNREAD = 120  # Python's own exit code when its output cannot be written

if __name__ == "__main__":
    main()
