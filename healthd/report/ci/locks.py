"""Where files and lock file disagree, as annotations at the files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from healthd.model.severity import Severity
from healthd.report.ci.annotations import Annotation

RULE, UNSEEN = "lock_file_differs", "lock_file_not_compared"
TITLE = "The lock file is not what the files create"
UNSEEN_TITLE = "The lock file was not compared on a major version of PostgreSQL"
HELP = "Run `healthd lock`, review the lock file and commit it: also after a merge, in which two branches changed it."


def of_disagreements(lines: Iterable[str], files: Mapping[str, str], lock: str) -> Iterator[Annotation]:
    """Yield an annotation for each line of `disagreements`; `files` are the paths of the migrations by their ids."""
    for line in lines:
        path = files.get(line.partition(":")[0], lock)
        yield Annotation(
            Severity.CRITICAL, RULE, line, path, key=line, title=TITLE, help=HELP, details=("run: healthd lock",)
        )


def of_unseen(majors: Iterable[int], lock: str) -> Iterator[Annotation]:
    """Yield a note for each major version whose programs were not found."""
    for major in majors:
        words = f"the result on PostgreSQL {major} was not compared: its programs were not found (--also-on FOLDER)"
        yield Annotation(Severity.OK, UNSEEN, words, lock, key=str(major), title=UNSEEN_TITLE, help=words)
