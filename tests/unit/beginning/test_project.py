"""The files of a new project, and how they get to their place."""

from pathlib import Path

import pytest

from healthd.beginning.placement import place, refuse_existing
from healthd.beginning.project import APPLY, ROLLBACK, example, ignored, project
from healthd.beginning.recipes import RECIPES
from healthd.config.reader import read_settings
from healthd.errors import ConfigError

ROOT = Path(__file__).parents[3]


def test_yoyo_ini_is_read_as_it_was_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEALTHD_DATABASE", raising=False)
    url = "postgresql://me@/shop?host=%2Ftmp%2Fa"
    place(project(example(), database=url, postgres_bin=Path("/opt/50%/bin")), tmp_path)
    settings = read_settings(tmp_path / "yoyo.ini")

    assert [url] == [one.dsn for one in settings.targets]
    assert (tmp_path / "sql",) == settings.sources
    assert Path("/opt/50%/bin") == settings.postgres_bin


def test_without_a_database_yoyo_ini_names_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEALTHD_DATABASE", raising=False)
    place(project(example()), tmp_path)

    assert () == read_settings(tmp_path / "yoyo.ini").targets
    assert APPLY == (tmp_path / "sql" / "0001_create_orders.sql").read_text()
    assert ROLLBACK == (tmp_path / "sql" / "0001_create_orders.rollback.sql").read_text()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ".healthd/\n"),
        ("*.pyc", "*.pyc\n.healthd/\n"),
        ("a\r\n", "a\r\n.healthd/\n"),
        ("/.healthd\n", "/.healthd\n"),
        ("x\n.healthd/\n", "x\n.healthd/\n"),
    ],
)
def test_gitignore_is_only_appended_to(before: str, after: str, tmp_path: Path) -> None:
    assert after == ignored(before)

    (tmp_path / ".gitignore").write_bytes(before.encode())
    new = place({"a": ""}, tmp_path)

    assert after.encode() == (tmp_path / ".gitignore").read_bytes()
    assert (tmp_path / "a",) == new


def test_the_pipelines_are_those_of_the_page() -> None:
    page = (ROOT / "docs" / "how-to" / "ci.md").read_text()

    assert [name for name, recipe in RECIPES.items() if f"```yaml\n{recipe.text}```" not in page] == []


@pytest.mark.parametrize("name", [recipe.file for recipe in RECIPES.values()])
def test_an_existing_pipeline_is_named(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()

    with pytest.raises(ConfigError, match=rf"{path.name} exists; nothing was written"):
        refuse_existing(tmp_path, None, [name])


def test_a_folder_of_migrations_must_be_empty(tmp_path: Path) -> None:
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / ".gitkeep").touch()
    refuse_existing(tmp_path, None)
    (tmp_path / "sql" / "1.sql").touch()

    with pytest.raises(ConfigError, match=r"is not empty: it contains 1\.sql; nothing was written"):
        refuse_existing(tmp_path, None)


def test_nothing_is_left_if_one_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / ".gitignore").write_text("mine\n")

    with pytest.raises(ConfigError, match="nothing was written"):
        place({"sql/deep/1.sql": "SELECT 1;", "b": "taken", "c": ""}, tmp_path)

    assert [".gitignore", "b"] == sorted(path.name for path in tmp_path.iterdir())
    assert "mine\n" == (tmp_path / ".gitignore").read_text()
