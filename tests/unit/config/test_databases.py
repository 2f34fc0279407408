"""A group of databases: which names match, what their targets are, and which cannot be targets."""

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from healthd.config.databases import concerns, listing, with_databases
from healthd.config.reader import read_settings
from healthd.config.settings import Settings, Target
from healthd.database.dsn import Dsn
from healthd.errors import ConfigError, DatabaseUnreachable
from healthd.model.name_patterns import matching

GROUP = Target("eu", "host=eu.db user=healthd password=hunter2 dbname=postgres", databases=("shop_*",))
SETTINGS = Settings(None, (Path("sql"),), Path("sql/schema.lock"), Path("data"), groups=(GROUP,))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEALTHD_DATABASE", raising=False)


def read(text: str) -> Settings:
    Path("yoyo.ini").write_text(text)
    return read_settings()


def names(settings: Settings) -> list[str]:
    return [one.name for one in settings.targets]


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (("shop_*",), ("shop_2", "shop_10", "shop_test")),
        (("shop_?",), ("shop_2",)),
        (("shop_*", "!*_test"), ("shop_2", "shop_10")),
        (("!shop_2", "shop_2"), ()),
        (("crm", "shop_10"), ("crm", "shop_10")),
        (("[a-z]*",), ("[a-z]",)),
        (("SHOP_*",), ()),
        (("*", "!*"), ()),
    ],
)
def test_a_name_matches_a_pattern_and_none_that_excludes_it(patterns: tuple[str, ...], found: tuple[str, ...]) -> None:
    assert found == matching(patterns, ["shop_10", "shop_2", "shop_test", "crm", "[a-z]"])


def test_a_target_of_a_group_has_its_settings_and_its_own_database() -> None:
    settings = read(
        "[healthd]\npassword_command = token\n[target eu]\ndatabase = postgresql://healthd@eu.db:5433/postgres?sslmode=disable\n"
        "migrate_database = host=eu.db user=deployer dbname=postgres password=hunter2\ndatabases = shop_*\n"
        "sources = shop\nlabels = team=shop\ninterval_s = 7\n"
    )
    (target,) = with_databases(settings, {"eu": ("shop_1", "postgres")}).targets
    dsn, migrating = Dsn.of(target.dsn), Dsn.of(target.migrating.dsn)

    assert ("eu/shop_1", "eu", ()) == (target.name, target.group, target.databases)
    assert "shop_1 at eu.db:5433" == dsn.place
    assert ("healthd", "disable") == (dsn.parameters["user"], dsn.parameters["sslmode"])
    assert ("token",) == (dsn.command.words if dsn.command else ())
    assert ("shop_1", "deployer", None) == (migrating.dbname, migrating.parameters["user"], migrating.command)
    assert (7.0, {"database": "shop_1", "team": "shop"}) == (target.interval_s, target.labels)
    assert settings.of(target).sources == settings.of(settings.groups[0]).sources == (Path.cwd() / "shop",)
    assert "hunter2" not in repr(target) + str(dsn) + str(migrating)


def test_a_name_of_a_database_is_never_read_as_a_connection_string() -> None:
    for name in ("host=evil.example", "postgresql://evil.example/x", "a'b\\c", "a b", "ä"):
        known = conninfo_to_dict(Dsn.of(GROUP.dsn).on(name).complete())

        assert ("eu.db", name) == (known["host"], known["dbname"])


def test_a_label_of_the_section_takes_precedence() -> None:
    group = Target("eu", "dbname=postgres", databases=("*",), labels={"database": "mine"})

    assert {"database": "mine"} == listing(SETTINGS, group, ("a",)).targets[0].labels


def test_targets_are_plain_ones_and_those_of_groups_whose_list_is_known() -> None:
    settings = read(
        "[target one]\ndatabase = dbname=one\n[target eu]\ndatabase = dbname=x\ndatabases = *\n"
        "[target us]\ndatabase = dbname=x\ndatabases = *\n"
    )
    first = with_databases(settings, {"eu": ("b", "a10", "a9")})
    second = with_databases(first, {"eu": ("b",), "us": ("c",)})

    assert (["one"], ["eu", "us"]) == (names(settings), [one.name for one in settings.groups])
    assert ["one", "eu/a9", "eu/a10", "eu/b"] == names(first)
    assert ["one", "eu/b", "us/c"] == names(second)
    assert ["one", "eu", "us"] == [one.name for one in second.declared]
    assert {} == first.unlisted


def test_an_error_in_place_of_a_list_is_that_of_the_group() -> None:
    down = DatabaseUnreachable("cannot reach database")
    settings = with_databases(SETTINGS, {"eu": down})

    assert ((), {"eu": down}) == (settings.targets, settings.unlisted)
    for name in ("eu", "eu/shop_1"):
        with pytest.raises(DatabaseUnreachable):
            settings.target(name)
    with pytest.raises(DatabaseUnreachable):
        settings.refuse_unlisted()


def test_a_group_without_a_database_is_an_error_that_names_patterns_and_databases() -> None:
    error = with_databases(SETTINGS, {"eu": ("crm", "postgres")}).unlisted["eu"]

    assert "[target eu]: no database at eu.db matches shop_*" == str(error)
    assert "databases that allow connections: crm, postgres" == error.hint


@pytest.mark.parametrize(
    ("database", "why"),
    [
        ("a//b", "not a valid path"),
        ("..", "not a valid path"),
        ("host=h password=geheim", "contains a password"),
        ("a/repair", "the repair page of eu/a"),
        ("timeline", "the timeline of eu"),
        ("findings/1", "the page of a finding of eu"),
        ("a\nb", "not printable"),
        ("taken", "can be confused with [target eu/taken]"),
        ("TAKEN", "can be confused with [target eu/taken]"),
        ("Two", "can be confused with database"),
    ],
)
def test_a_database_without_a_valid_name_of_its_own_is_left_out_and_reported(database: str, why: str) -> None:
    settings = read("[target eu/taken]\ndatabase = dbname=taken\n[target eu]\ndatabase = dbname=x\ndatabases = *\n")
    listed = ("fine", *(("two",) if database == "Two" else ()), database)
    made = listing(settings, settings.groups[0], listed)
    settings = with_databases(settings, {"eu": listed})

    assert 1 == len(made.left_out)
    assert why in made.left_out[0][1]
    assert "eu/fine" in names(settings)
    assert "leave it out" in settings.unlisted["eu"].hint
    assert str(settings.unlisted["eu"]).isprintable()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("databases =", "databases: no pattern of databases to include"),
        ("databases = !a !b", "databases: no pattern of databases to include"),
        ("databases = a, b", "databases: not patterns that are separated by blanks"),
        ("databases = a !", "databases: not patterns that are separated by blanks"),
        ("databases = %(nosuch)s", "databases: %(nosuch)s is not set"),
    ],
)
def test_wrong_patterns_are_refused_with_their_place(line: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(f"[target eu]\ndatabase = dbname=x\n{line}\n")

    assert f"yoyo.ini, line 3: [target eu] {words}" in str(caught.value)
    assert caught.value.hint


def test_a_group_needs_a_database_to_ask() -> None:
    with pytest.raises(ConfigError, match=r"\[target eu\] database: missing"):
        read("[target eu]\ndatabases = *\n")


def test_groups_come_from_target_files_too() -> None:
    Path("targets.d").mkdir()
    Path("targets.d/eu.ini").write_text("[target eu]\ndatabase = dbname=x\ndatabases = a b\n\t!c\n")
    settings = read("[healthd]\ntargets_dir = targets.d\n")

    assert ([], [("a", "b", "!c")]) == (names(settings), [one.databases for one in settings.groups])


def test_the_files_of_a_group_are_known_before_its_databases() -> None:
    settings = read("[target eu]\ndatabase = dbname=x\ndatabases = *\nsources = shop\n")

    assert [Path.cwd() / "shop" / "schema.lock"] == list(settings.projects())
    assert "eu" == settings.section("eu").name == settings.section("eu/shop_1").name
    with pytest.raises(ConfigError, match="unknown target 'us'"):
        settings.section("us")


@pytest.mark.parametrize(
    ("name", "does"),
    [("eu", True), ("eu/shop", True), ("eu/*", True), ("*", True), ("*/shop", True), ("e*", True), ("eu?shop", True),
     ("us/*", False), ("eu2", False), ("shop*", False), ("e", False), ("eu2/*", False)],
)  # fmt: skip
def test_a_group_is_asked_for_its_databases_if_a_name_may_be_one_of_them(name: str, does: bool) -> None:
    assert does is concerns(GROUP, name)
