"""Sphinx's settings: the Markdown of this folder as a site that needs no network."""

import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

HERE = Path(__file__).parent
ROOT = HERE.parent

project = "healthd"
version = release = re.search(r'__version__ = "(.+)"', (ROOT / "healthd" / "_version.py").read_text(encoding="utf-8"))[
    1
]

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["generate", "**/__pycache__"]
myst_heading_anchors = 4  # as forges do: `page.md#a-heading` leads to it
nitpicky = True
smartquotes = False  # `--option` keeps its two dashes, and quotes can be copied

html_theme = "furo"
html_title = f"healthd {release}"
html_copy_source = False
html_show_copyright = False
html_show_search_summary = False  # it would be fetched, which a browser refuses for files
html_show_sourcelink = False
html_permalinks = True
html_use_index = False
html_domain_indices = False
pygments_style = "friendly"
pygments_dark_style = "monokai"

OUTSIDE = re.compile(r"\[([^]]+)\]\((?:\.\./)+[A-Z]+\.md\)")  # README.md and its like: not pages of the site
LINK = re.compile(r"^[-|] *\[([^]]+)\]\(([^)#]+)\.md\)", re.MULTILINE)


def navigation(_app: Sphinx, name: str, source: list[str]) -> None:
    """Make the navigation from the index, a part for each of its headings; the pages themselves are plain Markdown."""
    source[0] = OUTSIDE.sub(r"\1", source[0])
    if name != "index":
        return
    for part in source[0].split("\n## ")[1:]:
        title = part.partition("\n")[0]
        pages = [page for _, page in LINK.findall(part) if not page.startswith("..")]
        source[0] += "\n```{toctree}\n:hidden:\n:caption: " + title + "\n\n" + "\n".join(pages) + "\n```\n"


def forge_anchors(_app: Sphinx, doctree: nodes.document) -> None:
    """Give each section the anchor that a forge gives it: `#enum_mismatch`, where docutils has `#enum-mismatch`."""
    for section in doctree.findall(nodes.section):
        slug = section.get("slug")
        if slug and slug not in section["ids"]:
            section["ids"].append(slug)
            doctree.ids.setdefault(slug, section)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect both to Sphinx."""
    app.connect("source-read", navigation)
    app.connect("doctree-read", forge_anchors)
    return {"parallel_read_safe": True}
