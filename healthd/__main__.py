"""The process of the command line: how it begins and how it ends."""

import gc
import os
import sys


def main() -> None:
    """Run the command line and end the process with the exit code of its verb."""
    gc.set_threshold(100_000)  # modules and a schema are many small records without cycles: looking for them costs
    sys.setswitchinterval(0.0005)  # who talks to a server is woken at once while a thread reads files or imports
    from healthd.cli import run  # what it loads is not looked through for cycles either

    code = run()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # nobody reads on
        code = code or UNREAD
    os._exit(code)  # what is left goes with the process: to take it apart takes as long as to load click


UNREAD = 120  # Python's own, when its output cannot be written

if __name__ == "__main__":
    main()
