"""docs/what-is-compared.md lists every attribute of every record, as the code judges it."""

from pathlib import Path

from healthd.catalog import KINDS
from healthd.model.attributes import attributes
from healthd.report.what_is_compared import page

ROOT = Path(__file__).parents[3]


def test_the_page_is_up_to_date() -> None:
    assert page() == (ROOT / "docs" / "what-is-compared.md").read_text(), "make docs"


def test_the_page_names_every_kind_and_every_attribute_once() -> None:
    lines = [line for line in page().splitlines() if line.startswith("| ")][1:]
    rows = dict(zip(KINDS.values(), lines, strict=True))

    for kind, row in rows.items():
        cells = [name.rstrip("*") for cell in row.strip("| ").split(" | ")[3:] for name in cell.split(", ")]
        assert row.startswith(f"| {kind.name.replace('_', ' ')} |")
        assert {name.replace("_", " ") for name in attributes(kind.record)} == set(cells) - {"–"}
