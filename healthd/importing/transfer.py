"""Read another tool's folder, and write ours: files are overwritten only on request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from healthd.errors import ConfigError
from healthd.expected.files import text_of
from healthd.expected.folder import ROLLBACK
from healthd.importing.conversion import Folder, Pair, pair
from healthd.importing.naming import names
from healthd.importing.placeholders import Filling
from healthd.importing.records import NEEDS_A_HUMAN, Files, Reading
from healthd.importing.tools import TOOLS, tool_of
from healthd.model.migration_names import canonical
from healthd.sqltext.classify import committing

READ = frozenset({".sql", ".pgsql", ".conf", ".toml", ".yaml", ".yml", ".plan"})
DEPTH = 4


def read_files(folder: Path) -> Files:
    """Return the files of a folder and of those below it; raise ConfigError for one that is not UTF-8."""
    if not folder.is_dir():
        raise ConfigError(f"no such folder: {folder}", hint="name the folder that contains the migrations")
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and len(name.parts) <= DEPTH and not any(part.startswith(".") for part in name.parts):
            file = canonical(name.as_posix())
            if file in found:
                raise ConfigError(
                    f"two files have the same name in two Unicode forms: {path}", hint="rename or delete one of them"
                )
            found[file] = text_of(path, as_is=True) if path.suffix in READ else ""
    return found


def read_pairs(folder: Path, tool: str | None, placeholders: Mapping[str, str]) -> tuple[str, Reading, list[Pair]]:
    """Return the tool of the folder, what was found in the folder, and the pairs to write."""
    files = read_files(folder)
    tool = tool or tool_of(files, str(folder))
    reading = TOOLS[tool].read(files)
    if not reading.found:
        raise ConfigError(f"no migrations of {tool} in {folder}", hint="name another tool: --from TOOL")
    return tool, reading, pairs_of(reading, Filling(placeholders, TOOLS[tool].fills), TOOLS[tool].ledger)


def pairs_of(reading: Reading, filling: Filling, ledger: str) -> list[Pair]:
    """Return the pairs of what was read, with names that sort in this order."""
    committed = frozenset[str]().union(*(committing(one.apply) for one in reading.found))
    common = Folder(filling, ledger, committed)
    chosen = zip(reading.found, names(reading.found), strict=True)
    return [pair(one, name, common) for one, name in chosen]


def needing_a_human(reading: Reading, pairs: Sequence[Pair]) -> list[str]:
    """Return, in words, what remains to be done by hand."""
    human = [words for one in pairs for words in one.human]
    return human + [f"{file}: {reason}" for file, reason in reading.left.items() if reason.endswith(NEEDS_A_HUMAN)]


def rows(pairs: Sequence[Pair]) -> list[str]:
    """Return the lines that show the pairs, and what was changed in them."""
    width = max(len(one.name) for one in pairs)
    return [
        f"{one.name:{width}}  {'' if one.rollback is not None else 'no '}rollback"
        + "".join(f"\n    {words}" for words in one.said)
        for one in pairs
    ]


def texts_of(pairs: Sequence[Pair]) -> dict[str, str]:
    """Return the texts of pairs by the names of their files."""
    texts = {f"{one.name}.sql": one.apply for one in pairs}
    return texts | {f"{one.name}{ROLLBACK}": one.rollback for one in pairs if one.rollback is not None}


def write_pairs(pairs: Sequence[Pair], to: Path, *, force: bool) -> tuple[Path, ...]:
    """Write the pairs into a folder, all or none, and return the paths; raise ConfigError if other files exist."""
    texts = {to / name: text for name, text in texts_of(pairs).items()}
    others = [path for path, text in texts.items() if path.exists() and path.read_bytes() != text.encode()]
    if others and not force:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise ConfigError(
            f"{others[0]}{more} would be overwritten; nothing was written",
            hint="use --force to overwrite, or --to FOLDER to write to another folder",
        )
    to.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        path.write_bytes(text.encode())
    return tuple(texts)
