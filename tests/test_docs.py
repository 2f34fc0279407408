"""The code in the documentation does what the text beside it says."""

import re
from pathlib import Path
from typing import Any

from checks.evidence import evidence, snapshot

from healthd.catalog.comments import Comment
from healthd.catalog.tables import Table

DOCS = Path(__file__).parents[1] / "docs"
TABLE = Table(False, None, (), None, "off")


def test_the_check_that_is_shown_finds_a_table_without_a_comment() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "adding-a-check.md").read_text(), re.DOTALL)
    module: dict[str, Any] = {}
    exec(code, module)  # it is our own
    objects = {"table:a.t": TABLE, "table:a.u": TABLE, "comment:table.a.t": Comment("what it is for")}

    findings = list(module["check"](evidence(snapshot(objects), snapshot(objects))))

    assert ["table:a.u"] == [str(finding.key) for finding in findings]
    assert {finding.problem for finding in findings} == {problem.name for problem in module["PROBLEMS"]}
