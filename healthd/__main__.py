"""The process of the command line: how it begins and how it ends."""

import gc
import os
import signal
import sys
from types import FrameType


def main() -> None:
    """Run the command line and end the process with the exit code of its verb."""
    open_closed()
    if {"serve", "up"} & set(sys.argv[1:]):
        begin_daemon()
    gc.set_threshold(100_000)  # modules and a schema are many small records without cycles: looking for them costs
    sys.setswitchinterval(0.0005)  # who talks to a server is woken at once while a thread reads files or imports
    from healthd.cli.main import run  # what it loads is not looked through for cycles either

    code = run()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # nobody reads on
        code = code or UNREAD
    os._exit(code)  # what is left goes with the process: to take it apart takes as long as to load click


def open_closed() -> None:
    """Open what we were started without, of stdin, stdout and stderr, on nothing.

    The first file or connection would take its number, and what is printed would go there.
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
    """Until the daemon takes signals itself, keep a SIGHUP for it, and end in good order at SIGTERM."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    signal.signal(signal.SIGTERM, _ended)


def _ended(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


UNREAD = 120  # Python's own, when its output cannot be written

if __name__ == "__main__":
    main()
