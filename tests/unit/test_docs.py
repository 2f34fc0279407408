"""The code in the documentation does what the text beside it says."""

import ast
import re
from pathlib import Path
from typing import Any

from evidence import evidence, snapshot

from healthd.catalog.comments import Comment
from healthd.catalog.tables import Table
from unit.test_house import LAYERS

DOCS = Path(__file__).parents[2] / "docs"
TABLE = Table(False, None, (), None, "off")


def test_the_check_that_is_shown_finds_a_table_without_a_comment() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "adding-a-check.md").read_text(), re.DOTALL)
    module: dict[str, Any] = {}
    exec(code, module)  # it is our own
    objects = {"table:a.t": TABLE, "table:a.u": TABLE, "comment:table.a.t": Comment("what it is for")}

    findings = list(module["check"](evidence(snapshot(objects), snapshot(objects))))

    assert ["table:a.u"] == [str(finding.key) for finding in findings]
    assert {finding.problem for finding in findings} == {problem.name for problem in module["PROBLEMS"]}


def test_each_step_of_a_walk_is_one_function_that_is_there() -> None:
    text = (DOCS / "design.md").read_text()
    steps = re.findall(r"`(healthd/[\w/]+\.py)`\s+`(\w+)`", text)

    assert len(steps) >= 20
    for path, name in steps:
        functions = {
            node.name
            for node in ast.walk(ast.parse((DOCS.parent / path).read_text()))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert name in functions, f"{path} has no {name}"


def test_the_layers_that_are_written_down_are_those_that_are_held() -> None:
    table = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", (DOCS / "design.md").read_text(), re.MULTILINE)
    written = [name for row in table for name in re.findall(r"`(\w+)`", row)]

    assert [name for name in LAYERS if not name.startswith("_")] == written
