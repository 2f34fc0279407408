"""The runbook at a terminal: no marks of Markdown, no line wider than the terminal, and nothing lost."""

import re
from pathlib import Path

import click
import pytest

from docs.generate import DOCS
from healthd.cli.markdown import rendered
from healthd.cli.screen import Screen
from healthd.report.problems import SECTIONS, section

PAGE = """## enum_mismatch

**Its title.** (HTTP 422) with a [link](docs/x.md), and [another](https://example.org/a).

```sql
ALTER TYPE public.machinestatus RENAME VALUE 'ACTIVE' TO 'active';

SELECT 1;
```

1. `REINDEX DATABASE name;` rebuilds
   all indexes, *not* only one: 2 * 3 * 4.
2. Only then go on.

| problem | meaning |
|---|---|
| `a` | short |
| bcd | x \\| y, and a text that does not fit into the line any more |
after the table"""


def test_a_page_is_laid_out_for_its_terminal() -> None:
    assert """enum_mismatch

Its title. (HTTP 422) with a link, and
another (https://example.org/a).

    ALTER TYPE public.machinestatus RENAME VALUE 'ACTIVE' TO 'active';

    SELECT 1;

1. `REINDEX DATABASE name;` rebuilds all
   indexes, not only one: 2 * 3 * 4.
2. Only then go on.

problem  meaning
`a`      short
bcd      x | y, and a text that does not
         fit into the line any more
after the table""" == rendered(PAGE, Screen(42, coloured=False))


def test_a_terminal_with_colours_distinguishes_code_by_its_colour() -> None:
    text = rendered(PAGE, Screen(60, coloured=True))

    assert text.startswith(click.style("enum_mismatch", bold=True) + "\n\n" + click.style("Its title.", bold=True))
    assert f"1. {click.style('REINDEX DATABASE name;', fg='cyan')} rebuilds" in text
    assert click.style("    SELECT 1;", fg="cyan") in text
    assert click.style("not", italic=True) in text
    assert "`" not in text


@pytest.mark.parametrize("name", SECTIONS)
@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_problem_of_the_runbook_loses_its_marks_and_no_word(name: str, width: int) -> None:
    text = "\n".join(section(SECTIONS[name]))
    shown = click.unstyle(rendered(text, Screen(width, coloured=True)))

    assert [] == re.findall(r"(?m)```|^#|^ *\||\*\*|`", shown)
    assert re.findall(r"\w+", re.sub(r"]\(.*?\)|^```\w*", "", text)) == re.findall(r"\w+", shown)
    longer = [line for line in shown.split("\n") if len(line) > min(width, 100)]
    assert [] == [line for line in longer if line.strip() not in text.replace("`", "")], "only code may be longer"


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: path.name)
def test_any_page_can_be_rendered(path: Path) -> None:
    shown = rendered(path.read_text(encoding="utf-8"), Screen(80, coloured=False))

    assert [] == re.findall(r"(?m)^```|^\|", shown)


@pytest.mark.parametrize("text", ["", "```", "```sql\nSELECT 1", "|", "||", "| |\n|---|", "**", "- ", "a\n\n\nb", "# "])
def test_what_is_unfinished_is_no_error(text: str) -> None:
    rendered(text, Screen(20, coloured=True))
