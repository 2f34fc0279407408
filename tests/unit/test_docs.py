"""The documentation does what it says: its code runs, its links lead somewhere, and what is generated is up to date."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from evidence import evidence, snapshot

from docs.generate import PAGES, cli, configuration, http, log_events
from docs.generate.markdown import code, table, with_links
from healthd.catalog.comments import Comment
from healthd.catalog.tables import Table
from healthd.cli import main
from healthd.cli.verbs import VERBS
from healthd.cli.verbs.docs import _find
from healthd.config.sections import KEYS
from healthd.lint.rules import RULES
from healthd.report.openapi import OPERATIONS
from healthd.report.problems import SECTIONS
from unit.test_house import LAYERS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MARKDOWN = sorted(DOCS.rglob("*.md"))
EVERY = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *MARKDOWN]
TABLE = Table(False, None, (), None, "off")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def prose(path: Path) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


# ── the text next to the code ────────────────────────────────────────────────────────────────────────────


def test_the_check_that_is_shown_finds_a_table_without_a_comment() -> None:
    (shown,) = re.findall(r"```python\n(.*?)```", (DOCS / "adding-a-check.md").read_text(), re.DOTALL)
    module: dict[str, Any] = {}
    exec(shown, module)  # it is our own
    objects = {"table:a.t": TABLE, "table:a.u": TABLE, "comment:table.a.t": Comment("what it is for")}

    findings = list(module["check"](evidence(snapshot(objects), snapshot(objects))))

    assert ["table:a.u"] == [str(finding.key) for finding in findings]
    assert {finding.problem for finding in findings} == {problem.name for problem in module["PROBLEMS"]}


def test_each_step_of_a_walk_is_one_function_that_is_there() -> None:
    text = (DOCS / "design.md").read_text()
    steps = re.findall(r"`(healthd/[\w/]+\.py)`\s+`(\w+)`", text)

    assert len(steps) >= 20
    for path, name in steps:
        assert name in functions(path), f"{path} has no {name}"


@functools.cache
def functions(path: str) -> set[str]:
    """Return the names of the functions of a module; several steps may be in one."""
    tree = ast.parse((DOCS.parent / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_the_layers_that_are_written_down_are_those_that_are_held() -> None:
    table = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", (DOCS / "design.md").read_text(), re.MULTILINE)
    written = [name for row in table for name in re.findall(r"`(\w+)`", row)]

    assert [name for name in LAYERS if not name.startswith("_")] == written


def test_every_file_that_a_recipe_names_exists() -> None:
    text = (DOCS / "contributing.md").read_text()
    new = re.findall(r"`<([^>]+)>`", text)
    named = re.findall(r"`((?:healthd|tests|docs|prometheus|examples)/[\w./-]+\.\w+)`", text)

    assert len(named) >= 40
    assert [] == [path for path in named if not (ROOT / path).is_file()]
    assert [] == [path for path in new if not (ROOT / path).parent.is_dir() and "PART" not in path]


@pytest.mark.parametrize(
    "title",
    ["check", "kind of object", "n observation", "lint rule", "verb", "metric", "n importer", "n endpoint check"],
)
def test_there_is_a_recipe_for_each_usual_addition(title: str) -> None:
    assert re.search(rf"^## A ?{title}\b", (DOCS / "contributing.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    ("path", "word"),
    re.findall(
        r"^\| `((?:healthd|docs|tests)/[\w/.-]+\.py)` \|[^|\n]*?`([A-Z_]{3,}|_?[a-z_]+)`[^|\n]*\|$",
        (DOCS / "contributing.md").read_text(),
        re.MULTILINE,
    ),
)
def test_what_a_recipe_names_in_a_file_is_there(path: str, word: str) -> None:
    assert re.search(rf"\b{word}\b", (ROOT / path).read_text()), f"{path} has no {word}"


# ── generated pages ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("page", PAGES)
def test_a_generated_page_is_what_the_code_gives(page: str) -> None:
    assert PAGES[page]() == (DOCS / page).read_text(encoding="utf-8"), "make docs"


def test_every_verb_has_a_section_and_its_exit_codes() -> None:
    text = (DOCS / "reference" / "cli.md").read_text()

    assert set(VERBS) <= set(re.findall(r"^## healthd (\w+)", text, re.MULTILINE))
    assert [name for name in VERBS if f"\n| `{name}` | " not in text] == []
    assert {0, 1, 2, 3, 130} == cli.exit_codes(main.cli).keys()


def test_every_key_of_the_settings_has_a_line_or_a_sentence() -> None:
    assert {section: set(keys) for section, keys in KEYS.items()} == {
        section: set(configuration.described(section)) for section in KEYS
    }
    text = (DOCS / "reference" / "configuration.md").read_text()
    assert [] == [key for key in configuration.YOYOS - {"prefix"} if f"`{key}`" not in text]


def test_every_event_that_is_logged_has_a_meaning_and_no_other_has_one() -> None:
    found = {event.name for event in log_events.events()}

    assert found == log_events.MEANINGS.keys()
    assert {"finding.appeared", "request.aborted", "settings.rejected"} <= found


def test_the_openapi_document_has_every_route_with_its_method_and_no_other() -> None:
    routes = {(path, methods.lower()) for path, methods, _ in http.routes()}

    assert routes == {(operation.path, operation.method) for operation in OPERATIONS}


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert "| a |\n|---|\n| x \\| y |\n" == table(["a"], [["x | y"]])


def test_options_and_files_are_code_where_they_are_not_already() -> None:
    assert "`--to` of `sql/`, `--all` and `__x__`" == code("--to of sql/, `--all` and __x__")


def test_a_command_that_shows_a_page_becomes_a_link_to_it() -> None:
    assert "see [`healthd docs adopt`](../how-to/adopt.md)" == with_links("see `healthd docs adopt`", "reference")
    assert "`healthd docs nothing`" == with_links("`healthd docs nothing`", ".")


# ── links ───────────────────────────────────────────────────────────────────────────────────────────────


def links(path: Path) -> Iterator[tuple[str, str]]:
    """Yield file and anchor of each link that stays in the repository."""
    for link in re.findall(r"(?<!`)\]\((?!https?:)([^)\s]+)\)", prose(path)):
        file, _, anchor = link.partition("#")
        yield file, anchor


def anchors(path: Path) -> set[str]:
    """Return what a forge lets one link to: headings, in its form, and anchors of one's own."""
    text = prose(path)
    slugs: set[str] = set(re.findall(r'<a id="([^"]+)">', text))
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        slugs.add(re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-"))
    return slugs


@pytest.mark.parametrize("path", EVERY, ids=name)
def test_a_link_leads_to_a_file_and_to_a_place_in_it(path: Path) -> None:
    for file, anchor in links(path):
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), f"{file}#{anchor}"
        if anchor:
            assert anchor in anchors(there), f"{file}#{anchor}"


def test_the_index_leads_to_every_page() -> None:
    listed = {(DOCS / file).resolve() for file, _ in links(DOCS / "index.md")}

    assert set(MARKDOWN) - {DOCS / "index.md"} == listed & set(MARKDOWN)


def test_a_page_is_found_by_its_name() -> None:
    names = [path.stem for path in MARKDOWN]

    assert len(names) == len(set(names))
    assert set() == set(names) & (SECTIONS.keys() | RULES.keys())


PRINTED = [
    *sorted((ROOT / "healthd").rglob("*.py")),
    *sorted((ROOT / "prometheus").glob("*.yml")),
    *sorted((ROOT / "systemd").glob("*.service")),
]


def test_every_page_that_the_program_names_is_one() -> None:
    pages = {path.stem: path for path in MARKDOWN}
    named = [(path, word) for path in PRINTED for word in re.findall(r"healthd docs ([a-z][\w#-]*)", path.read_text())]

    assert len(named) >= 10
    assert [] == [(name(path), word) for path, word in named if word != "lint#" and _find(pages, word) is None]


def test_every_path_of_a_page_that_the_program_names_is_one() -> None:
    named = [(path, word) for path in PRINTED for word in re.findall(r"\bdocs/[\w/-]+\.md", path.read_text())]

    assert len(named) >= 5
    assert [] == [(name(path), word) for path, word in named if not (ROOT / word).is_file()]


# ── how it is written ───────────────────────────────────────────────────────────────────────────────────

# Notes of a day, and pages whose paragraphs are texts of the program.
FREE = frozenset({"decisions.md", "runbook.md", "lint.md", "types.md", "what-is-compared.md"})
END = re.compile(r"[a-z0-9`)*\]\"'…][.!?][)\"']? +[A-Z*`\[]")


@pytest.mark.parametrize("path", [path for path in MARKDOWN if path.name not in FREE], ids=name)
def test_a_sentence_begins_on_a_line_of_its_own(path: Path) -> None:
    """Semantic newlines: who changes a sentence changes its lines alone. A cell of a table is one line anyway."""
    lines = [line for line in prose(path).splitlines() if not line.startswith(("|", "#"))]
    texts = [re.sub(r"^[\s>]*(?:-|\d+\.) +", "", line) for line in lines]

    assert [] == [text for text in texts if END.search(text)]
