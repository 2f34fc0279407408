"""docs/lint.md, written from the rules' own texts: `make docs`."""

from __future__ import annotations

from healthd.lint.rules import RULES

HEAD = """# What lint says

`healthd lint` judges the files before anything runs; each rule has a section here.
Exit 0 means nothing was found but notes, 1 warnings, 2 errors, 3 that it could not judge.
Of the notes of a rule the first is shown; `--format json` has all of them.
Where `healthd lock` has measured a file as it is now, a rule that guesses at a rewrite, a scan or a lock
says what was measured, and is silent where nothing of the kind happened.
squawk's rules are asked too where it is installed (`pip install 'healthd[lint]'`), with links to its own pages;
rules of taste, and those that ours cover, are left out.

<a id="ignore"></a>
A rule is silenced for one statement by a comment before it, for a whole file by `ignore-file`; both want a reason:

```sql
-- lint: ignore index_blocks_writes the table has 200 rows
CREATE INDEX machines_name ON public.machines (name);
```

| rule | severity | |
|---|---|---|
"""


def page() -> str:
    """Return the whole page as Markdown: the head, then a section for each rule."""
    rows = "".join(f"| [{one.name}](#{one.name}) | {one.severity} | {one.title} |\n" for one in RULES.values())
    sections = (
        f"\n## {one.name}\n\n**{one.title}.** ({one.severity})\n\n{one.why.strip()}\n\nInstead: {one.instead.strip()}\n"
        for one in RULES.values()
    )
    return HEAD + rows + "".join(sections)
