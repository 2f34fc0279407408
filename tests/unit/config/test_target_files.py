"""A folder of target files: all of them are targets, and a wrong one stays as it was."""

import os
from pathlib import Path

import pytest

from healthd.config.reader import read_settings
from healthd.config.settings import Settings, Target, TargetFolder
from healthd.config.target_files import has_changed, with_files
from healthd.errors import ConfigError


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEALTHD_DATABASE", raising=False)
    monkeypatch.setenv("DBHOST", "db.example")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of target files, which yoyo.ini names."""
    made = tmp_path / "targets.d"
    made.mkdir()
    ini(tmp_path)
    return made


def ini(base: Path, more: str = "") -> None:
    (base / "yoyo.ini").write_text(f"[healthd]\ntargets_dir = targets.d\ninterval_s = 7\n{more}")


def write(folder: Path, name: str, *targets: str, more: str = "") -> Path:
    path = folder / name
    path.write_text("".join(f"[target {one}]\ndatabase = postgresql://%(DBHOST)s/{one}\n{more}" for one in targets))
    return path


def names(settings: Settings) -> list[str]:
    return [one.name for one in settings.targets]


def errors(settings: Settings) -> list[str]:
    assert settings.folder is not None
    return [str(error) for error in settings.folder.errors.values()]


def next_of(settings: Settings) -> Settings:
    """Return the settings when the daemon has looked at the folder again."""
    return with_files(settings, settings.folder, again=False)


def test_the_targets_of_the_files_follow_those_of_yoyo_ini(folder: Path) -> None:
    write(folder, "b10.ini", "three")
    write(folder, "b9.ini", "one", "two")
    for other in (".hidden.ini", "readme.txt", "b9.ini~"):
        write(folder, other, "never")
    ini(folder.parent, "[target own]\ndatabase = dbname=own\n")
    found = read_settings()

    assert ["own", "one", "two", "three"] == names(found)
    assert [] == errors(found)
    assert ("postgresql://db.example/one", 7.0) == (found.targets[1].dsn, found.targets[1].interval_s)


def test_a_file_knows_its_own_folder_and_the_other_paths_are_those_of_yoyo_ini(folder: Path) -> None:
    write(folder, "a.ini", "one", more="sources = sql/one %(here)s/two\nlock = one.lock\n")
    (target,) = read_settings().targets

    assert (folder.parent / "sql/one", folder / "two") == target.sources
    assert folder.parent / "one.lock" == target.lock


def test_a_database_on_the_command_line_takes_precedence(folder: Path) -> None:
    (folder / "a.ini").write_text("rubbish")

    assert ["other"] == names(read_settings(database="dbname=other"))


def test_a_folder_can_be_empty_and_must_exist(folder: Path) -> None:
    assert [] == names(read_settings())

    folder.rmdir()
    with pytest.raises(ConfigError, match=r"yoyo.ini, line 2: \[healthd\] targets_dir: no such directory: .*targets.d"):
        read_settings()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[target new]\ndatab", "a.ini, line 2: neither a [section] nor KEY = VALUE"),
        ("[target new]\n", "a.ini, line 1: [target new] database: missing"),
        ("database = x\n", "a.ini, line 1: no [section] above this line"),
        ("[target new]\ndatabase = dbname=a\ncolour = red\n", "a.ini, line 3: [target new] colour: unknown key"),
        ("[target new]\ndatabase = postgresql://me:hunter2@h:hunter2/x\n", "a.ini, line 2: [target new] database: "),
        ("[target new]\ndatabase = dbname=%(nosuch)s\n", "%(nosuch)s is not set"),
        ("[healthd]\ninterval_s = 1\n", "a.ini, line 1: [healthd]: not allowed in a target file"),
        ("[DEFAULT]\nplace = x\n", "a.ini, line 1: [DEFAULT]: not allowed in a target file"),
        ("[target endpoint:x]\ndatabase = dbname=a\n", "the name is reserved for [endpoint x]"),
        ("[target a]\n" * 1000, "a.ini, line 2: duplicate section [target a]"),
        ("[target new]\n# " + "x" * (1 << 20), "a.ini is larger than 1 MiB"),
        ("\udcff", "a.ini is not UTF-8"),
    ],
    ids=range(12),
)
def test_a_wrong_file_is_reported_and_keeps_what_it_had(folder: Path, text: str, words: str) -> None:
    write(folder, "b.ini", "three")
    write(folder, "a.ini", "one", "two")
    before = read_settings()
    (folder / "a.ini").write_bytes(text.encode(errors="surrogateescape"))
    first, after = read_settings(), next_of(before)

    assert ["three"] == names(first)
    assert ["one", "two", "three"] == names(after)
    for one in (first, after):
        assert words in errors(one)[0]
        assert 1 == len(errors(one))
        assert "hunter2" not in errors(one)[0]
    with pytest.raises(ConfigError):
        first.refuse_wrong_files()
    write(folder, "a.ini", "four")
    assert (["four", "three"], []) == (names(last := next_of(after)), errors(last))


def test_what_is_no_file_is_reported(folder: Path) -> None:
    os.mkfifo(folder / "a.ini")
    (folder / "b.ini").mkdir()
    (folder / "c.ini").symlink_to("nosuch")
    found = errors(read_settings())

    assert ["is not a regular file"] * 2 == [one.partition(".ini ")[2] for one in found[:2]]
    assert f"cannot read {folder / 'c.ini'}: No such file or directory" == found[2]


def test_a_name_is_taken_once_and_both_places_are_named(folder: Path) -> None:
    ini(folder.parent, "[target own]\ndatabase = dbname=own\n")
    write(folder, "a.ini", "one")
    write(folder, "b.ini", "two", "One")
    write(folder, "c.ini", "own")
    found = read_settings()

    assert ["own", "one"] == names(found)
    assert [
        f"{folder}/b.ini, line 3: [target One]: the name is taken by {folder}/a.ini, line 1: [target one]",
        f"{folder}/c.ini, line 1: [target own]: the name is taken by {folder.parent}/yoyo.ini, line 4: [target own]",
    ] == errors(found)
    with pytest.raises(ConfigError, match="and 1 more target files are wrong"):
        found.refuse_wrong_files()


def test_a_name_stays_with_the_file_that_has_it(folder: Path) -> None:
    write(folder, "b.ini", "one")
    before = read_settings()
    write(folder, "a.ini", "two", "one")
    after = next_of(before)

    assert ["one"] == names(after)
    assert f"{folder}/a.ini, line 3: [target one]: the name is taken by {folder}/b.ini" in errors(after)[0]
    write(folder, "b.ini", "three")
    assert (["two", "one", "three"], []) == (names(last := next_of(after)), errors(last))


def test_a_target_can_move_to_another_file(folder: Path) -> None:
    write(folder, "a.ini", "one", "two")
    write(folder, "b.ini", "three")
    before = read_settings()
    write(folder, "b.ini", "three", "two")
    write(folder, "a.ini", "one")
    after = next_of(before)

    assert (["one", "three", "two"], []) == (names(after), errors(after))


def test_a_wrong_file_does_not_keep_what_another_has_by_now(folder: Path) -> None:
    write(folder, "b.ini", "one", "two")
    before = read_settings()
    write(folder, "a.ini", "one")
    (folder / "b.ini").write_text("rubbish")
    after = next_of(before)

    assert ["one", "two"] == names(after)
    assert 1 == len(errors(after))


def test_a_removed_file_takes_its_targets_with_it_and_a_lost_folder_takes_none(folder: Path) -> None:
    write(folder, "a.ini", "one")
    write(folder, "b.ini", "two")
    before = read_settings()
    (folder / "a.ini").unlink()
    after = next_of(before)
    folder.rename(folder.with_name("away"))
    lost = next_of(after)

    assert (["two"], []) == (names(after), errors(after))
    assert (["two"], [f"cannot read {folder}: No such file or directory"]) == (names(lost), errors(lost))
    folder.with_name("away").rename(folder)
    assert (["two"], []) == (names(back := next_of(lost)), errors(back))


def test_a_change_is_noticed_and_nothing_else(folder: Path) -> None:
    path = write(folder, "a.ini", "one")
    settings = read_settings()

    def noticed() -> bool:
        nonlocal settings
        assert settings.folder is not None
        was, settings = has_changed(settings.folder), next_of(settings)
        return was

    assert not noticed()
    os.utime(write(folder, "a.ini", "two"), (1, 1))  # the same size
    assert noticed()
    write(folder, "b.ini", "three")
    assert noticed()
    path.unlink()
    assert noticed()
    write(folder, "c.txt", "four")
    assert not noticed()
    folder.rename(folder.with_name("away"))
    assert noticed()


def test_a_file_that_did_not_change_is_not_read_again(folder: Path) -> None:
    write(folder, "a.ini", "one")
    write(folder, "b.ini", "two")
    before = read_settings()
    assert before.folder is not None
    parsed: list[str] = []

    def parse(path: Path) -> dict[str, Target]:
        parsed.append(path.name)
        return {}

    spied = TargetFolder(before.folder.path, parse, before.folder.own, before.folder.files)
    os.utime(folder / "b.ini", (1, 1))
    with_files(Settings(None, (), folder, folder, folder=spied), spied, again=False)

    assert ["b.ini"] == parsed


def test_a_target_that_cannot_be_watched_makes_its_file_wrong(folder: Path) -> None:
    def check(target: Target) -> None:
        if target.name == "two":
            raise ConfigError("no such lock file", hint="healthd lock")

    write(folder, "a.ini", "one", "two")
    write(folder, "b.ini", "three")
    found = with_files(read_settings(), check=check)

    assert (["three"], [f"{folder}/a.ini, line 3: [target two]: no such lock file"]) == (names(found), errors(found))
