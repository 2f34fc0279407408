"""Files that come with the package, besides the program: rules for Prometheus and units for systemd."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from healthd.cli.options import out
from healthd.errors import ConfigError, UsageError
from healthd.text import did_you_mean, printable

PACKAGE = Path(__file__).parents[1]
PLACES = (PACKAGE / "shipped", PACKAGE.parent)  # what a wheel brings, and the folders of a checkout
PLACEHOLDER = "https://healthd.example"  # in all links of these files
MODE = 0o644  # Prometheus and systemd read them under their own accounts


def shipped(folder: str, names: Collection[str], known: Collection[str]) -> Mapping[str, str]:
    """Return the text of each of these files of a folder; raise UsageError for a name that is not among the known."""
    for name in names:
        if name not in known:
            hint = f"{did_you_mean(name, known)}there are: {', '.join(known)}"
            raise UsageError(f"no file is called {name!r}", hint=hint)
    return {name: _text(folder, name) for name in dict.fromkeys(names)}


def _text(folder: str, name: str) -> str:
    for place in PLACES:
        if (path := place / folder / name).is_file():
            return path.read_text(encoding="utf-8")
    hint = "install healthd from its wheel, or see its repository"
    raise ConfigError(f"{folder}/{name} is not installed", hint=hint)


def deliver(texts: Mapping[str, str], to: Path | None, style: str, *, force: bool) -> None:
    """Print these texts, or write them into a folder and print their paths."""
    document: dict[str, Any] = {"files": [{"name": name, "text": text} for name, text in texts.items()]}
    if to is None:
        several = len(texts) > 1
        printed = (f"# {name}\n\n{text}" if several else text for name, text in texts.items())
        out(style, "\n".join(printed).rstrip("\n"), document)
        return
    paths = _written(texts, to, force=force)
    for file, path in zip(document["files"], paths, strict=True):
        file["path"] = str(path)
    out(style, "\n".join(printable(str(path)) for path in paths), document)


def _written(texts: Mapping[str, str], folder: Path, *, force: bool) -> list[Path]:
    """Write each text whole, and none if one of the files exists with another text, unless forced."""
    try:
        if not folder.is_dir():
            raise ConfigError(f"there is no folder {folder}", hint="create it, or name another one with --to")
        paths = [folder / name for name in texts]
        for path, text in zip(paths, texts.values(), strict=True):
            if not force and path.exists() and path.read_bytes() != text.encode():
                raise ConfigError(
                    f"{path} exists with another text; nothing was written",
                    hint="compare it with the output of the command without --to, then replace it with --force",
                )
        with tempfile.TemporaryDirectory(prefix=".healthd-", dir=folder) as drafts:
            for path, text in zip(paths, texts.values(), strict=True):
                draft = Path(drafts, path.name)
                draft.write_bytes(text.encode())
                draft.chmod(MODE)
            for path in paths:
                Path(drafts, path.name).replace(path)
    except OSError as error:
        raise ConfigError(f"cannot write to {folder}: {error.strerror}", hint="check its owner and mode") from error
    return paths
