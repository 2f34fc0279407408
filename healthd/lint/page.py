"""docs/lint.md, generated from the texts of the rules: `make docs`."""

from __future__ import annotations

from healthd.lint.rules import RULES

HEAD = """# Lint rules

`healthd lint` checks the migration files before anything runs. Each rule has a section on this page.
The exit code is 0 if nothing or only notes were found, 1 for warnings, 2 for errors,
and 3 if the files could not be checked.
Of the notes of one rule only the first is shown; `--format json` lists all of them.
Some rules infer a rewrite, a scan or a lock from the text of a statement. If `healthd lock` has measured the current
content of the file, these rules use the measurement: they report what was measured, and report nothing if no
rewrite, scan or lock was measured.
The statements of a `DO` in PL/pgSQL are checked by the rules that do not depend on what exists:
attach_scans, disables_triggers, drops_cascade, truncates_cascade and writes_whole_table.
What a `DO` passes to `EXECUTE` is not checked.
If squawk is installed (`pip install 'healthd[lint]'`), its rules are checked too, with links to its own documentation.
Its style rules, and the rules that healthd's own rules cover, are excluded.

A *transactional file* runs in one transaction: every file without `-- transactional: false` at its top.

<a id="ignore"></a>
A comment before a statement silences a rule for that statement; `ignore-file` silences it for the entire file.
Both require a reason:

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
