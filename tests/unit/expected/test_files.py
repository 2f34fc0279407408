"""Migration files are read as stock yoyo reads them, and errors in them are reported before anything runs."""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yoyo import read_migrations as yoyo_reads
from yoyo.migrations import parse_metadata_from_sql_comments, topological_sort

from healthd.errors import ConfigError
from healthd.expected.directives import directives
from healthd.expected.files import digest, read_migration, read_migrations, read_post_apply, text_of, up_to
from healthd.expected.folder import strays
from healthd.expected.new_files import new_migration
from healthd.expected.quick_read import glance


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.sql").write_bytes(text.encode())
    return folder


def ids(*folders: Path) -> list[str]:
    return [one.id for one in read_migrations(folders)]


def refused(*folders: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read_migrations(folders)
    assert caught.value.hint
    return caught.value


# ── order ───────────────────────────────────────────────────────────────────────────────────────────────


def test_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    write(tmp_path, **{"0002_b": "SELECT 1", "0001_a": "SELECT 1", "0010_c": "SELECT 1"})

    assert ids(tmp_path) == ["0001_a", "0002_b", "0010_c"]


def test_what_a_file_depends_on_comes_first(tmp_path: Path) -> None:
    write(tmp_path, a="-- depends: c\nSELECT 1", b="SELECT 1", c="-- depends: d\n", d="")

    assert ids(tmp_path) == ["b", "d", "c", "a"]


# Names that sort otherwise with their suffix than without: "-" < "." < "_".
NAMES = ["1", "1-b", "1_b", "1.x", "10", "2", "B", "a", "é"]


@st.composite
def folders(draw: st.DrawFn) -> dict[str, tuple[int, list[str]]]:
    """Return for each id its folder (0 or 1) and its dependencies, which are never circular."""
    names = draw(st.permutations(NAMES))
    names = names[: draw(st.integers(1, len(NAMES)))]
    return {
        name: (draw(st.integers(0, 1)), draw(st.lists(st.sampled_from(names[:position]), unique=True, max_size=3)))
        if position
        else (0, [])
        for position, name in enumerate(names)
    }


@settings(deadline=None, max_examples=60)
@given(folders())
def test_the_order_is_the_one_of_stock_yoyo(made: dict[str, tuple[int, list[str]]]) -> None:
    with TemporaryDirectory() as temporary:
        sources = [Path(temporary) / "one", Path(temporary) / "two"]
        for source in sources:
            source.mkdir()
        for name, (folder, depends) in made.items():
            (sources[folder] / f"{name}.sql").write_text(f"-- depends: {' '.join(depends)}\nSELECT 1;\n")
        theirs = [one.id for one in topological_sort(yoyo_reads(*map(str, sources)))]

        assert ids(*sources) == theirs


def test_a_dependency_that_is_not_there_is_named(tmp_path: Path) -> None:
    write(tmp_path, a="-- depends: nothing\n")

    assert str(refused(tmp_path)) == f"{tmp_path / 'a.sql'}: depends on nothing, which does not exist"


def test_a_circle_is_told_with_everybody_in_it(tmp_path: Path) -> None:
    write(tmp_path, a="-- depends: b\n", b="-- depends: c\n", c="-- depends: a\n", d="")

    message = str(refused(tmp_path))

    assert message.startswith("circular dependency between migrations: ")
    assert {"a", "b", "c"} == set(message.partition(": ")[2].split(" → "))


def test_a_file_that_depends_on_itself_is_a_circle(tmp_path: Path) -> None:
    write(tmp_path, a="-- depends: a\n")

    assert "circular dependency between migrations: a → a" in str(refused(tmp_path))


# ── folders ─────────────────────────────────────────────────────────────────────────────────────────────


def test_two_folders_are_read_one_after_the_other(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    write(one, **{"2_b": ""})
    write(two, **{"1_a": ""})

    assert ids(one, two) == ["2_b", "1_a"]


def test_one_id_in_two_folders_is_refused_with_both_paths(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    write(one, same="")
    write(two, same="")

    assert str(refused(one, two)) == f"two migrations have the id same: {one / 'same.sql'} and {two / 'same.sql'}"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert str(refused(tmp_path / "gone")) == f"no such migration folder: {tmp_path / 'gone'}"


def test_a_folder_without_migrations_is_no_answer(tmp_path: Path) -> None:
    write(tmp_path, **{"a.rollback": "", "post-apply": ""})

    assert str(refused(tmp_path)) == f"no migrations in {tmp_path}"


def test_no_folder_at_all_is_no_answer() -> None:
    assert str(refused()) == "no migrations in no folder"


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, a="")
    (tmp_path / "README.md").write_text("hello")
    (tmp_path / "schema.lock").write_text("{}")
    (tmp_path / "__init__.py").write_text("")

    assert ids(tmp_path) == ["a"]


def test_a_python_migration_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    write(tmp_path, a="")
    (tmp_path / "b.py").write_text("from yoyo import step")

    assert str(refused(tmp_path)) == f"{tmp_path / 'b.py'} is Python, and healthd runs only SQL"


def test_post_apply_files_are_no_migrations(tmp_path: Path) -> None:
    write(tmp_path, a="SELECT 1", **{"post-apply-2": "SELECT 2", "post-apply": "SELECT 1"})

    assert ids(tmp_path) == ["a"]
    theirs = [one.id for one in yoyo_reads(str(tmp_path)).post_apply]
    assert theirs == [one.id for one in read_post_apply([tmp_path])] == ["post-apply-2", "post-apply"]


# ── one file ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_rollback_stands_next_to_its_migration(tmp_path: Path) -> None:
    write(tmp_path, **{"a": "one", "a.rollback": "two", "b": "three"})
    a, b = read_migrations([tmp_path])

    assert (a.rollback, b.rollback) == ("two", None)
    assert (a.rollback_digest, b.rollback_digest) == (digest("two"), None)
    assert b.rollback_path == tmp_path / "b.rollback.sql"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0\ufeff")))
def test_a_checkout_with_windows_line_ends_is_the_same_file(text: str) -> None:
    with TemporaryDirectory() as temporary:
        path = Path(temporary) / "a.sql"
        path.write_bytes(text.replace("\n", "\r\n").encode())

        assert text == text_of(path)


@pytest.mark.parametrize(
    "text", ["a\rb", "a\r", "a\u2028b\u2029c\x85d\x0be\x0cf", "  a \n\t\n\n", "'\ufeff'", "", "\n"]
)
def test_every_other_character_stays(tmp_path: Path, text: str) -> None:
    (one,) = read_migrations([write(tmp_path, a=text)])

    assert (text, digest(text)) == (one.apply, one.digest)


def test_of_mixed_line_ends_each_is_read_once(tmp_path: Path) -> None:
    (one,) = read_migrations([write(tmp_path, a="1\r\n2\n3\r\r\n4\r5")])

    assert "1\n2\n3\r\n4\r5" == one.apply
    assert digest(one.apply) == one.digest == dict(glance([tmp_path]))["a"]


def test_other_content_has_another_digest() -> None:
    assert digest("SELECT 1") != digest("SELECT  1")


def test_windows_line_ends_are_read_like_others(tmp_path: Path) -> None:
    header = "-- depends: z\n-- transactional: false\nSELECT 1;\n"
    write(tmp_path, unix=header, windows=header.replace("\n", "\r\n"), z="")
    by_name = {one.id: one for one in read_migrations([tmp_path])}

    assert by_name["unix"].digest == by_name["windows"].digest
    assert (("z",), False) == (by_name["windows"].depends, by_name["windows"].transactional)


def test_an_empty_file_is_a_migration_that_does_nothing(tmp_path: Path) -> None:
    (one,) = read_migrations([write(tmp_path, a="")])

    assert ("", True, ()) == (one.apply, one.transactional, one.depends)


def test_bytes_that_are_not_utf8_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_bytes(b"SELECT 1;\nSELECT 'caf\xe9';\n")

    assert str(refused(tmp_path)) == f"{tmp_path / 'a.sql'}, line 2: not UTF-8 (byte 0xe9)"


def test_a_rollback_must_be_utf8_too(tmp_path: Path) -> None:
    write(tmp_path, a="")
    (tmp_path / "a.rollback.sql").write_bytes(b"\xff")

    assert str(refused(tmp_path)) == f"{tmp_path / 'a.rollback.sql'}, line 1: not UTF-8 (byte 0xff)"


def test_a_byte_order_mark_is_told_before_the_server_trips_over_it(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("SELECT 1;", encoding="utf-8-sig")

    assert f"{tmp_path / 'a.sql'}, line 1: begins with a byte order mark" in str(refused(tmp_path))


def test_a_nul_byte_is_told_because_the_server_would_read_no_further(tmp_path: Path) -> None:
    write(tmp_path, a="SELECT 1;\n\0DROP TABLE t;")

    assert f"{tmp_path / 'a.sql'}, line 2: contains a NUL byte" in str(refused(tmp_path))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.sql").symlink_to("nowhere")

    assert str(refused(tmp_path)) == f"{tmp_path / 'a.sql'} is a link to nowhere, which does not exist"


def test_a_rollback_that_cannot_be_read_is_not_taken_for_none(tmp_path: Path) -> None:
    write(tmp_path, a="")
    (tmp_path / "a.rollback.sql").symlink_to("nowhere")

    assert str(refused(tmp_path)) == f"{tmp_path / 'a.rollback.sql'} is a link to nowhere, which does not exist"


def litter(folder: Path) -> None:
    """Write the files that macOS, editors and others create next to migrations."""
    for name in ("._0001_a.sql", "._0001_a.rollback.sql", "._9.rollback.sql", ".9.py", ".9.sql", ".post-apply.sql"):
        (folder / name).write_bytes(b"\0\x05\x16\x07\xff")
    for name in (".#0001_a.sql", ".#0001_a.rollback.sql", ".#9.rollback.sql"):
        (folder / name).symlink_to("somebody@host.4711:1")
    for name in ("0001_a.sql~", "#0001_a.sql#", "0001_a.sql.orig", ".0001_a.sql.swp"):
        (folder / name).write_bytes(b"\xff")
    for name in (".hidden", ".hidden.sql", "sql", "0003.sql.d"):
        (folder / name).mkdir()
    os.mkfifo(folder / ".pipe.sql")


@pytest.mark.parametrize("name", ["0002_b.sql", "0001_a.rollback.sql", "post-apply.sql"])
def test_what_is_no_file_and_is_called_like_a_migration_is_refused(name: str, tmp_path: Path) -> None:
    write(tmp_path, **{"0001_a": "SELECT 1"})
    path = tmp_path / name
    ways: tuple[tuple[Callable[[], None], Callable[[], None], str], ...] = (
        (path.mkdir, path.rmdir, f"{path} is a folder, and not a file"),
        (lambda: os.mkfifo(path), path.unlink, f"{path} is a pipe, a socket or a device, and not a file"),
        (lambda: path.symlink_to("nowhere"), path.unlink, f"{path} is a link to nowhere, which does not exist"),
    )
    for make, unmake, words in ways:
        make()
        for read in (read_migrations, read_post_apply, *([glance] if name == "0002_b.sql" else [])):
            with pytest.raises(ConfigError) as caught:
                read([tmp_path])

            assert words == str(caught.value)
            assert caught.value.hint
        unmake()


def test_what_begins_with_a_dot_is_no_migration(tmp_path: Path) -> None:
    write(tmp_path, **{"0001_a": "SELECT 1", "0001_a.rollback": "SELECT 2", "0002_b": "SELECT 3"})
    clean = read_migrations([tmp_path])
    litter(tmp_path)

    assert clean == read_migrations([tmp_path])
    assert tuple((one.id, one.digest) for one in clean) == glance([tmp_path])
    assert ((), ()) == (strays([tmp_path]), read_post_apply([tmp_path]))


def test_a_folder_of_nothing_else_has_no_migrations(tmp_path: Path) -> None:
    litter(tmp_path)

    assert f"no migrations in {tmp_path}" == str(refused(tmp_path))


# ── directives ──────────────────────────────────────────────────────────────────────────────────────────

HEADERS = {
    "plain": "-- transactional: false\n-- depends: x\nSELECT 1",
    "after other comments": "-- What for.\n--\n\n-- depends: x\nSELECT 1",
    "without blanks": "--depends:x\n--transactional:FALSE\n",
    "indented": "   -- depends: x\n",
    "several lines": "-- depends: x\n-- depends: y z\n",
    "after SQL they are comments": "SELECT 1;\n-- depends: x\n-- transactional: false\n",
    "after a block comment too": "/* hello */\n-- transactional: false\nSELECT 1",
    "misspelt": "-- Depends: x\n-- dependson: x\n-- transaction: false\nSELECT 1",
    "no header": "SELECT 1",
    "an odd line end": "-- a\u2028-- depends: x\nSELECT 1",
    "nothing": "",
}


@pytest.mark.parametrize("text", HEADERS.values(), ids=HEADERS.keys())
def test_directives_are_those_that_yoyo_reads(text: str) -> None:
    theirs, _, _ = parse_metadata_from_sql_comments(text)
    wanted = {name: value.lower() if name == "transactional" else value for name, value in theirs.items()}

    assert wanted == dict(directives(text, Path("a.sql")))


@pytest.mark.parametrize("value", ["no", "0", "falsee", "", "false -- really"])
def test_a_value_that_yoyo_would_choke_on_is_one_clear_error(tmp_path: Path, value: str) -> None:
    write(tmp_path, a=f"-- What for.\n-- transactional: {value}\nSELECT 1;")

    assert str(refused(tmp_path)) == f"{tmp_path / 'a.sql'}, line 2: transactional is {value!r}"


def test_two_answers_to_one_question_are_refused(tmp_path: Path) -> None:
    write(tmp_path, a="-- transactional: true\n-- transactional: false\n")

    assert str(refused(tmp_path)) == f"{tmp_path / 'a.sql'}, line 2: transactional is 'false' here and 'true' above"


def test_a_blank_at_the_end_of_a_directive_is_forgiven(tmp_path: Path) -> None:
    write(tmp_path, a="-- transactional: false \t\n")

    assert not read_migration(tmp_path / "a.sql").transactional


@pytest.mark.parametrize(
    ("text", "adopted"),
    [
        ("-- What for.\n-- adopted: true\nSELECT 1;", True),
        ("-- adopted: TRUE\n", True),
        ("-- adopted: from the team of the night\nSELECT 1;", False),
        ("SELECT 1;\n-- adopted: after a review\n", False),
        ("SELECT 1;", False),
    ],
)
def test_only_true_makes_a_migration_adopted(tmp_path: Path, text: str, adopted: bool) -> None:
    write(tmp_path, a=text)

    assert adopted is read_migration(tmp_path / "a.sql").adopted


UNREAD = {
    "-- transactonal: false\nSELECT 1;": 1,
    "-- What for.\n-- Transactional: false\nSELECT 1;": 2,
    "-- transaction: false\n": 1,
    "-- transactional = false\n": 1,
    "-- transactional false\n": 1,
    "-- no text\n\n-- depends-on: b\n": 3,
    "-- Depends: b\n": 1,
    "-- depend: b\n": 1,
    "SELECT 1;\n-- transactional: false\n": 2,
    "/* What for. */\n-- transactional: false\nSELECT 1;\n": 2,
    "SELECT 1;\n-- depends: b\nSELECT 2;": 2,
    "SELECT 1;\n-- adopted: true\n": 2,
}


@pytest.mark.parametrize(("text", "line"), UNREAD.items())
def test_a_directive_that_nobody_would_read_is_refused(tmp_path: Path, text: str, line: int) -> None:
    write(tmp_path, a=text, b="SELECT 1;")

    message = str(refused(tmp_path))

    assert message.startswith(f"{tmp_path / 'a.sql'}, line {line}: ")
    below = text.startswith(("SELECT", "/*"))
    assert ("is below the head of the file, where it has no effect" if below else "unknown directive: ") in message


@pytest.mark.parametrize(
    "text",
    [
        "-- Depends on: the weather\n-- transaction: see below\n-- Transactional? false alarm\n",
        "-- dependencies: none\n-- author: b\n",
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\n-- transactional: false\nBEGIN END $$;",
        "SELECT '\n-- transactional: false\n';",
        "SELECT 1;\n-- depends: on what you want\n",
    ],
)
def test_comments_that_speak_of_other_things_may_stay(tmp_path: Path, text: str) -> None:
    write(tmp_path, a=text, b="SELECT 1;")

    assert ["a", "b"] == ids(tmp_path)


def test_a_rollback_cannot_be_another_kind_of_transaction(tmp_path: Path) -> None:
    write(tmp_path, a="SELECT 1;", **{"a.rollback": "-- transactional: false\nSELECT 1;"})

    assert "a.rollback.sql: transactional: false contradicts its migration" in str(refused(tmp_path))


COMPOSED, DECOMPOSED = "1_caf\u00e9", "1_cafe\u0301"


@pytest.mark.parametrize("rollback", [COMPOSED, DECOMPOSED])
@pytest.mark.parametrize("name", [COMPOSED, DECOMPOSED])
def test_a_name_is_the_same_in_every_unicode_form(tmp_path: Path, name: str, rollback: str) -> None:
    write(tmp_path, **{name: "SELECT 1", f"{rollback}.rollback": "SELECT 2", "0": f"-- depends: {rollback}\nSELECT 3"})
    one, other = read_migrations([tmp_path])

    assert (COMPOSED, "SELECT 2", name) == (one.id, one.rollback, one.path.stem)
    assert (COMPOSED,) == other.depends
    assert ((COMPOSED, one.digest), ("0", other.digest)) == glance([tmp_path])
    assert () == strays([tmp_path])
    assert [one] == list(up_to([one, other], DECOMPOSED)) == list(up_to([one, other], COMPOSED))


def test_two_files_that_differ_in_the_unicode_form_alone_are_refused_by_name(tmp_path: Path) -> None:
    error = str(refused(write(tmp_path, **{COMPOSED: "SELECT 1", DECOMPOSED: "SELECT 1"})))

    assert "two migrations have the same name in two Unicode forms" in error
    assert r"'1_caf\xe9.sql'" in error
    assert r"'1_cafe\u0301.sql'" in error


def test_names_that_differ_in_case_and_form_are_refused_too(tmp_path: Path) -> None:
    write(tmp_path, **{COMPOSED.upper(): "", DECOMPOSED: ""})

    assert "the names of two migrations differ only in case" in str(refused(tmp_path))


def test_a_rollback_of_nothing_is_a_stray(tmp_path: Path) -> None:
    write(tmp_path, a="", **{"a.rollback": "", "b.rollback": "SELECT 1;"})

    assert (tmp_path / "b.rollback.sql",) == strays([tmp_path])


def test_names_that_differ_in_case_alone_are_refused(tmp_path: Path) -> None:
    write(tmp_path, **{"1_a": "", "1_A": ""})

    assert "the names of two migrations differ only in case" in str(refused(tmp_path))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le"])
def test_utf16_is_named(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.sql").write_bytes("SELECT 1;".encode(encoding))

    assert ("UTF-16" if encoding == "utf-16" else "NUL byte") in str(refused(tmp_path))


# ── new ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_migration_comes_last_and_has_a_rollback(tmp_path: Path) -> None:
    write(tmp_path, **{"0009_a": ""})
    path, rollback = new_migration(tmp_path, "Add a note!")

    assert ("0010_add_a_note.sql", "0010_add_a_note.rollback.sql") == (path.name, rollback.name)
    assert ids(tmp_path) == ["0009_a", "0010_add_a_note"]


def test_a_new_number_is_as_wide_as_those_that_are_there(tmp_path: Path) -> None:
    write(tmp_path, **{"001_a": ""})

    assert new_migration(tmp_path, "b")[0].name == "002_b.sql"
    assert ids(tmp_path) == ["001_a", "002_b"]


def test_a_new_name_is_composed(tmp_path: Path) -> None:
    assert "0001_caf\u00e9.sql" == new_migration(tmp_path, "Cafe\u0301")[0].name


def test_a_name_without_a_word_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="invalid migration name: '!!'"):
        new_migration(tmp_path, "!!")


# ── folders of other tools ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("up", "down"), [("1_a.up", "1_a.down"), ("001.do.a", "001.undo.a"), ("V1_2__a", "U1_2__a"), ("1.up", "1.down")]
)
def test_a_file_that_undoes_another_is_not_taken_for_a_migration(tmp_path: Path, up: str, down: str) -> None:
    error = refused(write(tmp_path, **{up: "CREATE TABLE a ()", down: "DROP TABLE a"}))

    assert f"{down}.sql looks like the rollback of {up}.sql" in str(error)
    assert "healthd import" in error.hint


@pytest.mark.parametrize("name", ["1_shut.down", "U1__a", "1.undo.a"])
def test_a_name_that_only_looks_like_it_is_one_of_ours(tmp_path: Path, name: str) -> None:
    assert [name] == ids(write(tmp_path, **{name: "SELECT 1"}))


@pytest.mark.parametrize(
    "mark",
    [
        "-- migrate:down",
        "-- +goose Down",
        "--+migrate Down",
        "-- rambler down",
        "---- create above / drop below ----",
    ],
)
def test_a_file_that_is_parted_for_another_tool_is_not_run_as_a_whole(tmp_path: Path, mark: str) -> None:
    error = refused(write(tmp_path, **{"1": f"CREATE TABLE a ();\n{mark}\nDROP TABLE a;\n"}))

    assert f"1.sql, line 2: `{mark[:14]}" in str(error)
    assert "healthd import" in error.hint


def test_comments_of_another_tool_that_part_nothing_may_stay(tmp_path: Path) -> None:
    text = "-- +goose Up\n-- +goose StatementBegin\nSELECT '-- migrate:down', 1; -- see +migrate Down\n"

    assert ["1"] == ids(write(tmp_path, **{"1": text}))


def test_a_folder_of_folders_is_told_to_be_imported(tmp_path: Path) -> None:
    (tmp_path / "1_a").mkdir()
    write(tmp_path / "1_a", up="SELECT 1")

    assert "healthd import" in refused(tmp_path).hint
