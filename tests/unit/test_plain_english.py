"""What users read is plain technical English: no word of the dialect that the first versions spoke."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DIALECT = re.compile(
    r"""\b(?: mend(?:s|ed|ing)? | spoilt | anew | comes?\ along | came\ along | the\ one\ that
            | (?:is|are)\ told | told\ (?:as|of) | half-way | the\ books | is\ in\ only\ in\ part | believes?
            | (?:it|file|statement|migration|that|this)\ is\ in(?=[,;.:]|\ and|$) | (?<![`-])beside(?![s`]) )\b""",
    re.IGNORECASE | re.VERBOSE,
)


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines and the texts of a module that a user may read: its strings, and no docstring."""
    source = path.read_text(encoding="utf-8")
    if not DIALECT.search(source):
        return
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in docstrings:
            continue
        if isinstance(node.value, str) and " " in node.value:  # a label or a name is no text
            yield node.lineno, node.value


PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "prometheus/*", "systemd/*", "healthd/**/*.html", "yoyo.ini")
    for path in ROOT.glob(pattern)
    if path.is_file() and path.name not in ("CHANGELOG.md", "decisions.md")  # of what was
)


@pytest.mark.parametrize("path", sorted((ROOT / "healthd").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_speaks_plain_english(path: Path) -> None:
    found = [f"{line}: {match[0]}" for line, text in texts(path) if (match := DIALECT.search(text))]

    assert [] == found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_speaks_plain_english(path: Path) -> None:
    found = [
        f"{number}: {match[0]}"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (match := DIALECT.search(line))
    ]

    assert [] == found
