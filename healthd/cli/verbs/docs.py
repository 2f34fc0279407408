"""Where the documentation is: the site that comes with the package, or the pages of a checkout."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from healthd.cli.completion import completing
from healthd.cli.options import out, style_option
from healthd.cli.verbs import VERBS
from healthd.errors import ConfigError, UsageError
from healthd.lint.rules import RULES
from healthd.report.problems import SECTIONS
from healthd.text import did_you_mean

PACKAGE = Path(__file__).parents[2]
CHECKOUT = PACKAGE.parent
# In this order: what a wheel brings, what `make site` has built, and the pages as they are written.
PLACES = (
    (PACKAGE / "documentation", ".html"),
    (CHECKOUT / "dist" / "site", ".html"),
    (CHECKOUT / "docs", ".md"),
)
NOT_PAGES = ("search",)


@dataclass(frozen=True, slots=True)
class Place:
    """One page, and where on it; `anchor` is empty for its beginning."""

    page: Path
    anchor: str = ""

    def __str__(self) -> str:
        return f"{self.page}#{self.anchor}" if self.anchor else str(self.page)

    @property
    def url(self) -> str:
        """Return what a browser takes."""
        return f"{self.page.as_uri()}#{self.anchor}" if self.anchor else self.page.as_uri()


@click.command(short_help=VERBS["docs"])
@click.argument("page", required=False, shell_complete=completing(lambda _: [*_pages(), *SECTIONS, *RULES]))
@click.option("--open", "opens", is_flag=True, help="Open it in a browser; ignored without a terminal.")
@style_option
def docs(page: str | None, opens: bool, style: str) -> None:  # no settings: it explains how to fix those that are wrong
    """Print where the documentation is, or one PAGE of it.

    The documentation is a part of the installation: no network is needed. PAGE is the name of a page, of a problem,
    or of a lint rule, or a path that a message contains.

    \b
    Exit codes:
      0  printed
      3  there is no such page, or no documentation

    \b
    Examples:
      healthd docs
      healthd docs enum_mismatch --open
      healthd docs contracts
    """
    pages = _pages()
    found = _find(pages, page) if page else Place(pages["index"])
    if found is None:
        message = f"there is no page {page!r}; there are: {', '.join(sorted(pages))}"
        raise UsageError(message, hint=f"{did_you_mean(str(page), [*pages, *SECTIONS, *RULES])}healthd docs --help")
    out(style, str(found), {"path": str(found.page), "anchor": found.anchor, "url": found.url})
    if opens and sys.stdout.isatty():
        webbrowser.open(found.url)


def place_of(problem: str) -> Place:
    """Return where the runbook explains a problem."""
    return Place(_pages()["runbook"], problem)


def _pages() -> Mapping[str, Path]:
    """Return every page by its name, from the first place that has any."""
    for folder, ending in PLACES:
        if (folder / f"index{ending}").is_file():
            return dict(_named(folder, ending))
    raise ConfigError(
        "the documentation is not installed", hint="install healthd from its wheel, or see docs/ of its repository"
    )


def _named(folder: Path, ending: str) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob(f"*{ending}")):
        own = any(part.startswith("_") for part in path.relative_to(folder).parts)
        if path.stem not in NOT_PAGES and not own:
            yield path.stem, path


def _find(pages: Mapping[str, Path], words: str) -> Place | None:
    """Return the page that a word means; None when it means none."""
    name, _, anchor = words.partition("#")
    stem = Path(name).name.removesuffix(".md").removesuffix(".html")
    if stem in pages:
        return Place(pages[stem], anchor)
    if stem in SECTIONS:
        return place_of(stem)
    return Place(pages["lint"], stem) if stem in RULES else None
