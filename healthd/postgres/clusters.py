"""A new cluster: what initdb makes, or for a scratch server a copy of what it made before."""

import hashlib
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from healthd.postgres.programs import Programs

# A folder in which new clusters are kept, so that the next scratch server need not run initdb: that is most of the
# time such a server takes to start. Only its owner may write to it.
KEPT = "HEALTHD_CLUSTERS"


def make_cluster(data: Path, programs: Programs, *, durable: bool, scratch: bool = False) -> None:
    """Make a cluster if there is none. An interruption leaves nothing that could be taken for a cluster."""
    unfinished, finished = data / "initdb.unfinished", data / "initdb.finished"
    if not finished.exists():
        if (data / "PG_VERSION").exists():
            return
        kept = _kept(programs) if scratch else None
        shutil.rmtree(unfinished, ignore_errors=True)
        if kept is None or not _copy(kept, unfinished, programs):
            shutil.rmtree(unfinished, ignore_errors=True)
            _initdb(unfinished, programs, durable=durable)
            if kept is not None:
                _keep(unfinished, kept)
        unfinished.rename(finished)
    for entry in sorted(finished.iterdir(), key=lambda entry: entry.name == "PG_VERSION"):
        entry.rename(data / entry.name)
    finished.rmdir()


def _initdb(folder: Path, programs: Programs, *, durable: bool) -> None:
    # The builtin provider sorts equally on every system; before PostgreSQL 17 only the C library's is available.
    builtin = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
    locale = builtin if int(programs.major) >= 17 else ("--locale=C.UTF-8",)
    safety = () if durable else ("--no-sync",)
    where = ("-D", str(folder), "--username=postgres", "--auth=trust", "--encoding=UTF8")
    programs.run("initdb", *where, *locale, *safety)


def _kept(programs: Programs) -> Path | None:
    """Return where the cluster of these very programs is kept; None if nowhere, or where others could have made it."""
    if not (folder := os.environ.get(KEPT)):
        return None
    with suppress(OSError):
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = Path(folder).stat()
        if facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
            return None
        build = (programs.bin / "postgres").stat()
        identity = f"{programs.bin}\0{build.st_size}\0{build.st_mtime_ns}"
        return Path(folder, f"cluster-{hashlib.sha256(identity.encode()).hexdigest()[:16]}")
    return None


def copy_of(data: Path) -> Path:
    """Return where the cluster of a scratch server is while it is being copied."""
    return data.with_name(f"{data.name}.copy")


def _copy(kept: Path, folder: Path, programs: Programs) -> bool:
    """Copy a kept cluster for the server's account; return whether there was one.

    It is written where that account cannot put a link in the way, and then moved.
    """
    making = copy_of(folder.parent)
    try:
        making.mkdir(mode=0o700)
        shutil.copytree(kept, making, dirs_exist_ok=True, copy_function=shutil.copyfile)
        if programs.account is not None:
            for path in (*making.rglob("*"), making):
                os.chown(path, programs.account.pw_uid, programs.account.pw_gid, follow_symlinks=False)
        making.rename(folder)
    except OSError:  # there is none, or it is being removed
        return False
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return True


def _keep(cluster: Path, kept: Path) -> None:
    """Keep a copy of a new cluster, unless another process was faster or the folder cannot be written."""
    with suppress(OSError):
        making = Path(tempfile.mkdtemp(prefix="making-", dir=kept.parent))
        try:
            shutil.copytree(cluster, making, dirs_exist_ok=True, copy_function=shutil.copyfile)
            making.rename(kept)
        finally:
            shutil.rmtree(making, ignore_errors=True)
