"""Whatever a setting names instead of a file or a folder is one error that names it; nothing is waited for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from healthd.config.reader import find, read_settings
from healthd.errors import ConfigError
from healthd.expected.folder import paths_to_apply
from healthd.expected.store import read_lock

LONG = "x" * 5000  # no file can have this name
NAMES = {"pipe": "it is not a regular file", "loop": "Too many levels of symbolic links", LONG: "File name too long"}


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    return tmp_path / "yoyo.ini"


def refused(ini: Path, text: str) -> ConfigError:
    ini.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_settings(ini)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(("name", "words"), NAMES.items(), ids=("pipe", "loop", "long"))
@pytest.mark.parametrize(
    "key", ["[contract a]\nfile", "[endpoint a]\nurl = http://h\ncontract"], ids=("file", "contract")
)
def test_a_name_that_leads_to_no_file_is_named_with_the_reason(ini: Path, key: str, name: str, words: str) -> None:
    assert words in str(refused(ini, f"{key} = {name}\n"))


@pytest.mark.parametrize("key", ["%include", "%inherit"])
def test_another_file_that_cannot_be_read_is_named_with_the_reason(ini: Path, key: str) -> None:
    assert "includes" in str(refused(ini, f"[DEFAULT]\n{key} = pipe\n"))
    assert NAMES["loop"] in str(refused(ini, f"[DEFAULT]\n{key} = loop\n"))
    assert NAMES[LONG] in str(refused(ini, f"[DEFAULT]\n{key} = {LONG}\n"))


@pytest.mark.parametrize(("name", "words"), [("loop", NAMES["loop"]), (LONG, NAMES[LONG]), ("pipe", "not a directory")])
def test_a_name_that_leads_to_no_folder_is_named_with_the_reason(ini: Path, name: str, words: str) -> None:
    assert words in str(refused(ini, f"[healthd]\ntargets_dir = {name}\n"))


@pytest.mark.parametrize(("name", "words"), [("loop", NAMES["loop"]), (LONG, NAMES[LONG])], ids=("loop", "long"))
def test_sources_and_a_lock_file_that_cannot_be_read_are_errors_of_reading(ini: Path, name: str, words: str) -> None:
    ini.write_text(f"[DEFAULT]\nsources = {name}\n[healthd]\nlock = {name}\n")
    settings = read_settings(ini)

    with pytest.raises(ConfigError, match=words):
        list(paths_to_apply(settings.sources))
    with pytest.raises(Exception, match=words):
        read_lock(settings)


def test_a_yoyo_ini_that_leads_to_itself_is_found_and_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "yoyo.ini").symlink_to("yoyo.ini")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigError, match="Too many levels"):
        read_settings(find())
    with pytest.raises(ConfigError, match="File name too long"):
        read_settings(Path(LONG))


def test_a_nul_character_is_named_with_its_line(ini: Path) -> None:
    error = refused(ini, "[DEFAULT]\nsources = sql\0\n")

    assert str(error) == f"{ini}, line 2: contains a NUL character"


def test_a_value_of_a_megabyte_does_not_make_an_error_of_a_megabyte(ini: Path) -> None:
    error = refused(ini, f"[healthd]\nlog_level = {'x' * 1_000_000}\n")

    assert len(str(error)) < 4000
    assert str(error).startswith(f"{ini}, line 2: [healthd] log_level: ")
    assert str(error).endswith("is not a valid value")
