"""A glance at a folder tells what a close look tells: the same ids, digests, order and errors."""

from pathlib import Path

import pytest

from healthd.errors import ConfigError
from healthd.expected.files import read_migrations
from healthd.expected.quick_read import glance

SHIPPED = Path(__file__).parents[3] / "sql"


def closely(*folders: Path) -> tuple[tuple[str, str], ...]:
    return tuple((one.id, one.digest) for one in read_migrations(folders))


def write(folder: Path, **files: str | bytes) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        content = text if isinstance(text, bytes) else text.encode()
        (folder / f"{name}.sql").write_bytes(content)
    return folder


def test_the_folder_that_we_ship_looks_the_same() -> None:
    assert closely(SHIPPED) == glance([SHIPPED])


@pytest.mark.parametrize(
    "files",
    [
        {"1": "SELECT 1", "1-b": "SELECT 2", "10": "", "2": "SELECT 3"},
        {"1": b"SELECT 1\r\n", "1.rollback": b"SELECT 2", "post-apply": "SELECT 3"},
        {"1": "-- depends: 2\nSELECT 1", "2": "SELECT 2"},
        {"1": "-- transactional: false\nSELECT 1", "2": "-- it depends\nSELECT 'transactional: maybe'"},
    ],
)
def test_ids_digests_and_order_are_those_of_a_close_look(files: dict[str, str | bytes], tmp_path: Path) -> None:
    folder = write(tmp_path / "sql", **files)

    assert closely(folder) == glance([folder])


def test_several_folders_follow_each_other(tmp_path: Path) -> None:
    folders = write(tmp_path / "b", **{"2": "SELECT 1"}), write(tmp_path / "a", **{"1": "SELECT 2", "3": "SELECT 3"})

    assert ["2", "1", "3"] == [name for name, _ in glance(folders)]
    assert closely(*folders) == glance(folders)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"1": b"\xff"},
        {"1": b"\xef\xbb\xbfSELECT 1"},
        {"1": b"SELECT\0 1"},
        {"1": "-- transactional: maybe\nSELECT 1"},
        {"1": "-- depends: 9\nSELECT 1"},
        {"1": "SELECT 1", "2": "-- dependson: 1\nSELECT 1"},
        {"1": "SELECT 1;\n-- transactional: false\nSELECT 2"},
        {"1": "-- in-transaction: no\nSELECT 1"},
        {"a": "SELECT 1", "A": "SELECT 2"},
    ],
)
def test_errors_are_those_of_a_close_look(files: dict[str, str | bytes], tmp_path: Path) -> None:
    folder = write(tmp_path / "sql", **files)
    with pytest.raises(ConfigError) as close:
        closely(folder)
    with pytest.raises(ConfigError) as caught:
        glance([folder])

    assert (str(close.value), close.value.hint) == (str(caught.value), caught.value.hint)


def test_two_files_with_one_id_and_a_folder_that_is_not_there_are_errors(tmp_path: Path) -> None:
    folders = write(tmp_path / "a", **{"1": ""}), write(tmp_path / "b", **{"1": ""})
    with pytest.raises(ConfigError, match="two migrations have the id 1"):
        glance(folders)
    with pytest.raises(ConfigError, match="no such migration folder"):
        glance([tmp_path / "nowhere"])
    (tmp_path / "a" / "2.py").write_text("")
    with pytest.raises(ConfigError, match="is Python"):
        glance([tmp_path / "a"])
