"""The public names: all there are, each of them documented, and none of them loaded before it is asked for."""

import ast
from pathlib import Path

import pytest

import healthd

ROOT = Path(__file__).parents[2]


def test_dir_shows_the_public_names_only() -> None:
    assert sorted(healthd.__all__) == dir(healthd)


@pytest.mark.parametrize("name", healthd.__all__)
def test_a_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(healthd, name) is not None
    if name != "__version__":
        assert f"\n### {name}\n" in (ROOT / "docs" / "reference" / "python-api.md").read_text()


def test_another_name_is_none() -> None:
    with pytest.raises(AttributeError, match="module 'healthd' has no attribute 'import_modul'"):
        healthd.import_modul  # noqa: B018 # it is asked for


def test_the_public_api_is_enough_for_what_is_type_checked_and_for_an_application() -> None:
    """Neither file imports anything else of healthd."""
    for path in (ROOT / "tests" / "typing_api.py", ROOT / "examples" / "machines_api" / "readiness.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "healthd":
                assert node.module in ("healthd", "healthd.asgi"), path
