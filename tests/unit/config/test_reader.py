"""yoyo.ini, the environment and the command line become one Settings, and errors name their place."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yoyo.config import read_config as yoyo_reads

from healthd.config.ini import parse
from healthd.config.reader import find, read_settings
from healthd.config.sections import Sections
from healthd.config.settings import Settings, Target
from healthd.database.dsn import Dsn
from healthd.errors import ConfigError

URL = "postgresql://user@host:5432/orders"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEALTHD_DATABASE", raising=False)


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    return tmp_path / "yoyo.ini"


def read(ini: Path, text: str, **options: Any) -> Settings:
    ini.write_text(text, encoding="utf-8")
    return read_settings(ini, **options)


def refused(ini: Path, text: str, **options: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(ini, text, **options)
    assert caught.value.hint
    return caught.value


# ── which database ──────────────────────────────────────────────────────────────────────────────────────

BOTH = "[DEFAULT]\ndatabase = postgresql:///from_file\n[target one]\ndatabase = postgresql:///one\n"


def test_the_command_line_wins(ini: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHD_DATABASE", "postgresql:///from_environment")
    found = read(ini, BOTH, database="postgresql:///from_command_line")

    assert [("from_command_line", "postgresql:///from_command_line")] == [(t.name, t.dsn) for t in found.targets]


def test_then_the_environment(ini: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHD_DATABASE", "postgresql:///from_environment")

    assert ["from_environment"] == [one.name for one in read(ini, BOTH).targets]


def test_then_the_targets_of_the_file(ini: Path) -> None:
    assert [("one", "postgresql:///one")] == [(one.name, one.dsn) for one in read(ini, BOTH).targets]


def test_then_yoyo_s_own_database(ini: Path) -> None:
    assert ["from_file"] == [one.name for one in read(ini, BOTH.partition("[target")[0]).targets]


def test_without_any_there_is_no_target(ini: Path) -> None:
    assert () == read(ini, "").targets


@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_database_is_none(ini: Path, empty: str) -> None:
    assert () == read(ini, f"[DEFAULT]\ndatabase ={empty}\n").targets


def test_an_empty_variable_is_none(ini: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHD_DATABASE", "")

    assert ["one"] == [one.name for one in read(ini, BOTH).targets]


@pytest.mark.parametrize(
    ("dsn", "name"),
    [
        ("postgresql://user:pw@host:5432/orders", "orders"),
        ("postgres://host/orders", "orders"),
        ("postgresql+healthd://host/orders", "orders"),
        ("postgresql+psycopg:///orders?host=/run/pg", "orders"),
        ("postgresql:///?dbname=orders", "orders"),
        ("postgresql://a:1,b:2/orders?target_session_attrs=read-write", "orders"),
        ("postgresql:///or%20ders%2F1", "or_ders_1"),
        ("host=h dbname=orders", "orders"),
        ("dbname = 'orders' password='dbname=other'", "orders"),
        ("dbname='or ders'", "or_ders"),
        ("service=orders", "orders"),
        ("postgresql:///?service=orders", "orders"),
        ("service=geheim", "database"),
        ("postgresql+healthd:///machines?service=orders", "machines"),
        ("postgresql://host", "database"),
        ("host=h", "database"),
    ],
)
def test_the_only_target_is_called_like_its_database(
    ini: Path, dsn: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "services").write_text("[orders]\nhost=h\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))

    (target,) = read(ini, "", database=dsn).targets

    assert (name, dsn) == (target.name, target.dsn)


def test_a_target_is_found_by_its_name(ini: Path) -> None:
    found = read(ini, BOTH)

    assert found.target("one") is found.targets[0]
    with pytest.raises(ConfigError, match="unknown target 'two'") as caught:
        found.target("two")
    assert caught.value.hint == "known targets: one"


# ── every key ───────────────────────────────────────────────────────────────────────────────────────────

CONTRACT = {"tables": {"app.orders": {"columns": {"id": "bigint"}, "privileges": ["SELECT"]}}, "role": "web"}


def test_nothing_written_is_all_defaults(ini: Path, tmp_path: Path) -> None:
    assert read(ini, "") == Settings(
        file=ini, sources=(tmp_path / "sql",), lock=tmp_path / "sql/schema.lock", data=tmp_path / ".healthd/data"
    )


def test_every_key_is_read(ini: Path, tmp_path: Path) -> None:
    (tmp_path / "orders.json").write_text(json.dumps(CONTRACT))
    (tmp_path / "other.json").write_text(json.dumps(CONTRACT))
    found = read(
        ini,
        """
[DEFAULT]
sources = db/one %(here)s/db/two
database = postgresql:///ignored
batch_mode = on
verbosity = 1
migration_table = _yoyo_migration
editor = vim {}
post_create_command = git add {}
prefix = m_

[healthd]
listen = [::1]:9900
interval_s = 60
deadline_s = 2.5
lock = state/schema.lock
data = /var/lib/healthd
postgres_bin = pg/bin
also_on = pg15/bin /usr/lib/postgresql/16/bin
log_level = debug
log_format = json
rehearse = no
rehearse_limit_s = 20
runbook = https://wiki/runbook
external_url = https://ops.example.com/healthd/
allowed_hosts = watch.example.org, *.example.net

[target eu]
database = postgresql://eu/orders
interval_s = 5
deadline_s = 1
contracts = web

[target us]
database = service=us

[contract web]
file = orders.json
role = web_eu

[contract batch]
file = other.json
""",
    )
    web, batch = found.contracts

    assert (tmp_path / "db/one", tmp_path / "db/two") == found.sources
    assert ("::1", 9900, 60.0, 2.5) == (found.host, found.port, found.interval_s, found.deadline_s)
    assert (tmp_path / "state/schema.lock", Path("/var/lib/healthd")) == (found.lock, found.data)
    assert (tmp_path / "pg/bin", "debug", "json") == (found.postgres_bin, found.log_level, found.log_format)
    assert (tmp_path / "pg15/bin", Path("/usr/lib/postgresql/16/bin")) == found.also_on
    assert "https://wiki/runbook" == found.runbook
    assert (False, 20.0) == (found.rehearse, found.rehearse_limit_s)
    assert "https://ops.example.com/healthd" == found.external_url
    assert ("watch.example.org", "*.example.net") == found.allowed_hosts
    assert ("web", "web_eu", "batch", "web") == (web.name, web.role, batch.name, batch.role)
    assert found.targets == (
        Target("eu", "postgresql://eu/orders", 5.0, 1.0, (web,)),
        Target("us", "service=us", 60.0, 2.5, (web, batch)),
    )


def test_the_lock_file_stands_in_the_first_folder_of_migrations(ini: Path, tmp_path: Path) -> None:
    assert read(ini, "[DEFAULT]\nsources = one two\n").lock == tmp_path / "one/schema.lock"


def test_paths_are_seen_from_the_file_and_not_from_where_we_stand(
    ini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ini.write_text("[DEFAULT]\nsources = db\n")
    (tmp_path / "deep/er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep/er")

    assert ini == find()
    assert (tmp_path / "db",) == read_settings().sources


def test_without_a_file_the_folder_we_stand_in_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if find() is not None:
        pytest.skip(f"there is a {find()}")
    found = read_settings(database=URL)

    assert (None, (tmp_path / "sql",), "orders") == (found.file, found.sources, found.targets[0].name)


def test_sources_may_be_a_pattern_as_yoyo_has_it(ini: Path, tmp_path: Path) -> None:
    for name in ("b", "a", "c[1]"):
        (tmp_path / "db" / name).mkdir(parents=True)

    assert (tmp_path / "db/a", tmp_path / "db/b", tmp_path / "db/c[1]") == read(
        ini, "[DEFAULT]\nsources = %(here)s/db/*\n"
    ).sources
    assert (tmp_path / "db/c[1]",) == read(ini, "[DEFAULT]\nsources = db/c[1]\n").sources
    assert (tmp_path / "none/*",) == read(ini, "[DEFAULT]\nsources = none/*\n").sources


# ── what is wrong ───────────────────────────────────────────────────────────────────────────────────────


NAMES = [
    (["App", "app"], "can be confused with [target App]"),
    (["a/b", "a%2fb"], "can be confused with [target a/b]"),
    (["a b", "a%20b"], "can be confused with [target a b]"),
    (["\u00e9", "e\u0301"], "can be confused with [target \u00e9]"),
    (["x", "x/repair"], "the page of its name would be the repair page of x"),
    (["x%2Frepair"], "the page of its name would be the repair page of x"),
    (["x", "x/timeline"], "the page of its name would be the timeline of x"),
    (["x/findings/1"], "the page of its name would be the page of a finding of x"),
    (["x%2Ffindings%2F1"], "the page of its name would be the page of a finding of x"),
    (["."], "a part of it is empty, . or .."),
    (["a/../b"], "a part of it is empty, . or .."),
    (["%2e%2E"], "a part of it is empty, . or .."),
    (["/"], "a part of it is empty, . or .."),
    (["a//b"], "a part of it is empty, . or .."),
    (["a\x1b[2J"], "the name contains a character that is not printable"),
    (["a%0Ab"], "the name contains a character that is not printable"),
    (["a\u202eb"], "the name contains a character that is not printable"),
    (["endpoint:x"], "the name is reserved for [endpoint x]"),
    (["ENDPOINT:x"], "the name is reserved for [endpoint x]"),
]


@pytest.mark.parametrize(("names", "message"), NAMES)
def test_a_name_that_could_be_taken_for_another_is_refused(names: list[str], message: str, ini: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(ini, "".join(f"[target {name}]\ndatabase = host=h\n" for name in names))

    assert message in str(caught.value)
    assert f"line {2 * len(names) - 1}: [target {names[-1]}]" in str(caught.value)


def test_endpoints_have_names_of_their_own(ini: Path) -> None:
    found = read(ini, "[target x]\ndatabase = host=h\n[endpoint x]\nurl = http://h\n[endpoint X2]\nurl = http://h\n")
    assert ["endpoint:x", "endpoint:X2"] == [one.name for one in found.endpoints]
    with pytest.raises(ConfigError, match=r"can be confused with \[endpoint X2\]"):
        read(ini, "[endpoint X2]\nurl = http://h\n[endpoint x2]\nurl = http://h\n")
    with pytest.raises(ConfigError, match="the repair page of x"):
        read(ini, "[endpoint x/repair]\nurl = http://h\n")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[DEFAULT]\n\nsource = sql\n", "line 3: [DEFAULT] source: unknown key", "sources"),
        ("[healthd]\ninterval = 5\n", "line 2: [healthd] interval: unknown key", "interval_s"),
        ("[target a]\ndatabase = x\nListen: y\n", "line 3: [target a] listen: unknown key", "contracts"),
        ("[health]\n", "line 1: [health]: unknown section", "[healthd], [alertmanager], [target NAME]"),
        ("[healthd x]\n", "line 1: [healthd x]: unknown section", "[healthd]"),
        ("[target]\n", "line 1: [target]: unknown section", "[target NAME]"),
        ("[target  a]\n", "line 1: [target  a]: unknown section", "[target NAME]"),
        ("[target a]\ninterval_s = 5\n", "line 1: [target a] database: missing", "write database ="),
        ("[healthd]\ninterval_s = soon\n", "line 2: [healthd] interval_s: 'soon' is not a number", "30"),
        ("[healthd]\ninterval_s = 0\n", "line 2: [healthd] interval_s: '0' is not a number", "30"),
        ("[healthd]\ndeadline_s = -1\n", "line 2: [healthd] deadline_s: '-1' is not a number", "10"),
        ("[healthd]\ndeadline_s = nan\n", "line 2: [healthd] deadline_s: 'nan' is not a number", "10"),
        ("[healthd]\ndeadline_s = inf\n", "line 2: [healthd] deadline_s: 'inf' is not a number", "10"),
        ("[healthd]\ninterval_s = 1e308\n", "line 2: [healthd] interval_s: '1e308' is not a number", "30"),
        ("[healthd]\ninterval_s = 1e-9\n", "line 2: [healthd] interval_s: '1e-9' is not a number", "30"),
        ("[healthd]\ninterval_s = 0.01\n", "line 2: [healthd] interval_s: '0.01' is not a number", "30"),
        (
            "[healthd]\ninterval_s = 86401\n",
            "line 2: [healthd] interval_s: '86401' is not a number of seconds from 0.1 to 86400",
            "30",
        ),
        (
            "[healthd]\ndeadline_s = 3601\n",
            "line 2: [healthd] deadline_s: '3601' is not a number of seconds from 0.1 to 3600",
            "10",
        ),
        (
            "[healthd]\nlock_timeout_s = 0\n",
            "line 2: [healthd] lock_timeout_s: '0' is not a number of seconds from 0.001 to 3600",
            "0.001",
        ),
        (
            "[healthd]\nmax_wait_s = 1e6\n",
            "line 2: [healthd] max_wait_s: '1e6' is not a number of seconds from 0.001 to 604800",
            "300",
        ),
        ("[healthd]\nmax_wait_s = 1_0\n", "line 2: [healthd] max_wait_s: '1_0' is not a number of seconds", "300"),
        ("[healthd]\nmax_wait_s = ٣\n", "line 2: [healthd] max_wait_s: '٣' is not a number of seconds", "300"),
        (
            "[endpoint a]\nurl = http://h\nmax_latency_s = 1e9\n",
            "line 3: [endpoint a] max_latency_s: '1e9' is not a number of seconds from 0.001 to 3600",
            "1",
        ),
        (
            "[target a]\ndatabase = host=h\ninterval_s = 1e9\n",
            "line 3: [target a] interval_s: '1e9' is not a number of seconds from 0.1 to 86400",
            "30",
        ),
        ("[healthd]\ndeadline_s = 5 ; five\n", "line 2: [healthd] deadline_s: '5 ; five' is not a number", "10"),
        ("[healthd]\nlisten = 9899\n", "line 2: [healthd] listen: '9899' is not HOST:PORT", "127.0.0.1:9899"),
        ("[healthd]\nlisten = :9899\n", "line 2: [healthd] listen: ':9899' is not HOST:PORT", "127.0.0.1:9899"),
        ("[healthd]\nlisten = a:99999\n", "line 2: [healthd] listen: 'a:99999' is not HOST:PORT", "127.0.0.1:9899"),
        ("[healthd]\nlisten = a:²\n", "line 2: [healthd] listen: 'a:²' is not HOST:PORT", "127.0.0.1:9899"),
        (
            "[healthd]\nexternal_url = ops\n",
            "line 2: [healthd] external_url: not a valid http:// or https:// address",
            "https://healthd.example.com",
        ),
        (
            "[healthd]\nexternal_url = https://u:hunter2@h/\n",
            "line 2: [healthd] external_url: not a valid http:// or https:// address",
            "without user",
        ),
        (
            "[healthd]\nexternal_url = https://h/?a=b\n",
            "line 2: [healthd] external_url: not a valid http:// or https:// address",
            "without user",
        ),
        ("[healthd]\nallowed_hosts = h/x\n", "line 2: [healthd] allowed_hosts: 'h/x' is not a host name", "port"),
        ("[healthd]\nlog_level = loud\n", "line 2: [healthd] log_level: 'loud' is not a valid value", "warning"),
        ("[healthd]\nrehearse = perhaps\n", "line 2: [healthd] rehearse: 'perhaps' is not a valid value", "yes, no"),
        (
            "[healthd]\nrehearse_limit_s = 0\n",
            "line 2: [healthd] rehearse_limit_s: '0' is not a number of seconds from 1 to 3600",
            "60",
        ),
        ("[healthd]\nlog_format = xml\n", "line 2: [healthd] log_format: 'xml' is not a valid value", "console"),
        (
            "[DEFAULT]\nmigration_table = mine\n",
            "line 2: [DEFAULT] migration_table: 'mine' is not supported",
            "use _yoyo_migration",
        ),
        ("[DEFAULT]\nsources = package:a:b\n", "line 2: [DEFAULT] sources: package:a:b is a Python package", "folder"),
        (
            "[target a]\ndatabase = dbname=x\ncontracts = web\n",
            "line 3: [target a] contracts: unknown contract 'web'",
            "known: none",
        ),
        ("[contract web]\nrole = x\n", "line 1: [contract web] file: missing", "write file ="),
        (
            "[contract web]\nfile = lost.json\n",
            "line 2: [contract web] file: cannot read ",
            "healthd docs configuration",
        ),
        ("hello\n", "line 1: no [section] above this line", "healthd docs configuration"),
        ("[healthd]\n[healthd]\n", "line 2: duplicate section [healthd]", "healthd docs configuration"),
        ("[healthd]\nlock = a\nlock = b\n", "line 3: duplicate key [healthd] lock", "healthd docs configuration"),
        ("[healthd]\nlock\n", "line 2: neither a [section] nor KEY = VALUE", "healthd docs configuration"),
    ],
)
def test_a_wrong_line_is_named(ini: Path, text: str, message: str, hint: str) -> None:
    error = refused(ini, text)

    assert str(error).startswith(f"{ini}, {message}")
    assert hint in error.hint


@pytest.mark.parametrize(
    ("contract", "words"),
    [
        ("{", "not JSON"),
        ("[]", "a contract must be an object"),
        ("{}", "contains no table, enum, model or statement"),
        ('{"tables": []}', ""),
        ('{"tables": {"app.orders": {"columns": ["id"]}}}', ""),
        ('{"tables": {"orders": {}}}', "with their schema"),
        ('{"tables": {"app.orders": {"privileges": ["READ"]}}}', "unknown privilege"),
    ],
)
def test_a_contract_that_is_none_is_named_with_its_file(ini: Path, tmp_path: Path, contract: str, words: str) -> None:
    (tmp_path / "web.json").write_text(contract)
    error = refused(ini, "[contract web]\nfile = web.json\n")

    assert str(error).startswith(f"{ini}, line 2: [contract web] file: {tmp_path / 'web.json'}")
    assert words in str(error)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file: .*/lost\.ini"):
        read_settings(tmp_path / "lost.ini")


def test_a_file_that_is_not_utf8_is_named(ini: Path) -> None:
    ini.write_bytes(b"[DEFAULT]\nsources = \xff\n")
    with pytest.raises(ConfigError, match=r"yoyo\.ini is not UTF-8"):
        read_settings(ini)


def test_a_byte_order_mark_does_no_harm(ini: Path) -> None:
    ini.write_text("[healthd]\ninterval_s = 7\n", encoding="utf-8-sig")

    assert 7.0 == read_settings(ini).interval_s


# ── interpolation ───────────────────────────────────────────────────────────────────────────────────────


def test_variables_of_the_environment_stand_in_values(ini: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_PASSWORD", "100%%(here)s")
    found = read(ini, "[target a]\ndatabase = host=h password=%(ORDERS_PASSWORD)s\n")

    assert "host=h password=100%%(here)s" == found.targets[0].dsn


def test_a_key_of_the_default_section_may_be_used_elsewhere(ini: Path) -> None:
    found = read(ini, "[DEFAULT]\nCluster-Host = db.example\n[target a]\ndatabase = host=%(cluster-host)s\n")

    assert "host=db.example" == found.targets[0].dsn


def test_two_percent_signs_are_one(ini: Path) -> None:
    assert "postgresql://u:a%20b@h/x" == read(ini, "[target a]\ndatabase = postgresql://u:a%%20b@h/x\n").targets[0].dsn


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        ("postgresql://u:hunter2@%(NOT_SET_AT_ALL)s/x", "%(not_set_at_all)s is not set", "environment"),
        ("postgresql://u:hunter2%21@h/x", "a single % sign is not allowed", "%%"),
        ("%(database)s", "the value refers to itself", "remove one %(…)s"),
    ],
)
def test_a_variable_that_cannot_be_filled_in_is_named(ini: Path, value: str, message: str, hint: str) -> None:
    error = refused(ini, f"[target a]\ndatabase = {value}\n")

    assert str(error) == f"{ini}, line 2: [target a] database: {message}"
    assert hint in error.hint
    assert "hunter2" not in str(error)


# ── includes ────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_included_wins_and_what_is_inherited_loses(ini: Path, tmp_path: Path) -> None:
    (tmp_path / "below.ini").write_text("[healthd]\ninterval_s = 1\ndeadline_s = 1\nlog_level = debug\n")
    (tmp_path / "above.ini").write_text("[healthd]\ndeadline_s = 3\n")
    text = "[DEFAULT]\n%inherit = below.ini\n%include = above.ini\n[healthd]\ninterval_s = 2\ndeadline_s = 2\n"
    found = read(ini, text)

    assert (2.0, 3.0, "debug") == (found.interval_s, found.deadline_s, found.log_level)


def test_here_is_the_folder_of_the_file_that_says_it(ini: Path, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/base.ini").write_text("[DEFAULT]\nsources = %(here)s/sql\n")

    assert (tmp_path / "shared/sql",) == read(ini, "[DEFAULT]\n%inherit = shared/base.ini\n").sources


def test_an_included_file_is_named_in_an_error(ini: Path, tmp_path: Path) -> None:
    (tmp_path / "local.ini").write_text("# mine\n[healthd]\ninterval_s = often\n")
    error = refused(ini, "[DEFAULT]\n%include = local.ini\n")

    assert str(error).startswith(f"{tmp_path / 'local.ini'}, line 3: [healthd] interval_s: 'often'")


def test_a_missing_include_is_an_error_unless_it_may_be_missing(ini: Path, tmp_path: Path) -> None:
    error = refused(ini, "[DEFAULT]\n%include = local.ini\n")

    assert str(error) == f"{ini} includes {tmp_path / 'local.ini'}, which does not exist"
    assert "?NAME" in error.hint
    assert () == read(ini, "[DEFAULT]\n%include = ?local.ini\n%inherit = ?lost.ini\n").targets


@pytest.mark.parametrize("word", ["%include", "%inherit"])
def test_a_circle_of_includes_is_told(ini: Path, tmp_path: Path, word: str) -> None:
    (tmp_path / "other.ini").write_text(f"[DEFAULT]\n{word} = yoyo.ini\n")

    assert "includes itself" in str(refused(ini, f"[DEFAULT]\n{word} = other.ini\n"))
    assert "includes itself" in str(refused(ini, f"[DEFAULT]\n{word} = yoyo.ini\n"))


def test_a_file_may_be_included_by_two_others(ini: Path, tmp_path: Path) -> None:
    (tmp_path / "a.ini").write_text("[DEFAULT]\n%include = c.ini\n")
    (tmp_path / "b.ini").write_text("[DEFAULT]\n%include = c.ini\n")
    (tmp_path / "c.ini").write_text("[healthd]\ninterval_s = 3\n")

    assert 3.0 == read(ini, "[DEFAULT]\n%include = a.ini b.ini\n").interval_s


FILES = ["yoyo.ini", "a.ini", "b.ini", "c.ini", "d.ini"]
# For each file after the first: who names it, and how; for each file: whether it has the one key and the other.
links = st.tuples(
    *(st.tuples(st.sampled_from(FILES[:n]), st.sampled_from(["%inherit", "%include"])) for n in (1, 2, 3, 4))
)
keys = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=5, max_size=5)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(links=links, keys=keys)
def test_a_tree_of_files_is_read_as_yoyo_reads_it(
    ini: Path, tmp_path: Path, links: list[tuple[str, str]], keys: list[tuple[bool, bool]]
) -> None:
    for name, (has_prefix, has_editor) in zip(FILES, keys, strict=True):
        lines = ["[DEFAULT]"]
        for word in ("%inherit", "%include"):
            named = [other for other, link in zip(FILES[1:], links, strict=True) if link == (name, word)]
            lines.append(f"{word} = {' '.join(named)} ?never.ini")
        lines += [f"prefix = from_{name}"] * has_prefix + [f"editor = %(here)s/{name}"] * has_editor
        (tmp_path / name).write_text("\n".join([*lines, ""]))
    theirs = yoyo_reads(str(ini))["DEFAULT"]

    assert (theirs.get("prefix"), theirs.get("editor")) == _ours(ini)


def _ours(ini: Path) -> tuple[str | None, str | None]:
    parser, origins = parse(ini)
    reader = Sections(parser, ini, origins)
    return reader.get("DEFAULT", "prefix"), reader.get("DEFAULT", "editor")


def test_what_yoyo_reads_is_read_alike(ini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_HOST", "db.example")
    (tmp_path / "db").mkdir()
    found = read(
        ini,
        "# ours\n[default]\n".replace("[default]", "[DEFAULT]")
        + "; comment\nSources: %(here)s/db\n  %(here)s/more\n\ndatabase = postgresql+healthd://u:p%%40@%(db_host)s/x\n"
        + "[healthd]\ninterval_s = 5\n",
    )
    theirs = yoyo_reads(str(ini))["DEFAULT"]

    assert [str(one) for one in found.sources] == theirs["sources"].split()
    assert [one.dsn for one in found.targets] == [theirs["database"]]


# ── passwords ───────────────────────────────────────────────────────────────────────────────────────────

SECRET = "hunter2"


def test_settings_never_show_a_password(ini: Path) -> None:
    found = read(ini, f"[target a]\ndatabase = postgresql://u:{SECRET}@h/x\n")

    assert SECRET in Dsn.of(found.targets[0].dsn).text
    for text in (repr(found), str(found), repr(found.targets), f"{found.targets[0]}"):
        assert SECRET not in text


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgresql://u:{SECRET}%zz@h/x",
        f"postgresql://u:{SECRET}@[::1/x",
        f"postgresql://u:{SECRET}@h/x?password={SECRET}={SECRET}",
        f"postgresql://u@h/x?{SECRET}",
        f"postgresql://u:{SECRET}@h/x?schema=app",
        f"host=h password=my {SECRET}",
        f"host=h password='{SECRET}",
        f"host=h {SECRET}=x",
        f"mysql://u:{SECRET}@h/x",
        SECRET,
    ],
)
@pytest.mark.parametrize("way", ["command line", "environment", "DEFAULT", "target"])
def test_no_error_shows_a_password(ini: Path, monkeypatch: pytest.MonkeyPatch, dsn: str, way: str) -> None:
    written, place = dsn.replace("%", "%%"), f"{ini}, line 2: "
    if way == "command line":
        error, place = refused(ini, "", database=dsn), "--database: "
    elif way == "environment":
        monkeypatch.setenv("HEALTHD_DATABASE", dsn)
        error, place = refused(ini, ""), "HEALTHD_DATABASE: "
    elif way == "DEFAULT":
        error = refused(ini, f"[DEFAULT]\ndatabase = {written}\n")
    else:
        error = refused(ini, f"[target a]\ndatabase = {written}\n")

    assert str(error).startswith(place)
    assert SECRET not in f"{error} {error.hint} {error!r}"
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__


@pytest.mark.parametrize("text", [f"database = x:{SECRET}\n", f"[target a]\npostgresql//u {SECRET}\n"])
def test_a_line_that_is_none_is_not_shown(ini: Path, text: str) -> None:
    error = refused(ini, text)

    assert SECRET not in str(error)
    assert error.__suppress_context__


def test_yoyo_s_schema_parameter_is_explained(ini: Path) -> None:
    error = refused(ini, "[DEFAULT]\ndatabase = postgresql+psycopg:///x?schema=app\n")

    assert str(error) == f"{ini}, line 2: [DEFAULT] database: only yoyo supports schema="
    assert "search_path" in error.hint


def test_the_environment_is_left_as_it_was(ini: Path) -> None:
    before = dict(os.environ)
    read(ini, BOTH)

    assert before == dict(os.environ)


# ── partitions ──────────────────────────────────────────────────────────────────────────────────────────

TARGET = "[target one]\ndatabase = postgresql:///one\n"


def test_partitions_are_compared_as_the_file_says(ini: Path) -> None:
    text = '[healthd]\npartitions =\n    public.events: managed\n    app."Log": ignore, app.other : conform\n' + TARGET
    (target,) = read(ini, text).targets

    words = {str(key): word for key, word in target.partitions.items()}
    assert {"table:public.events": "managed", 'table:app."Log"': "ignore", "table:app.other": "conform"} == words


def test_a_target_has_the_last_word_on_partitions(ini: Path) -> None:
    text = f"[healthd]\npartitions = app.a: managed, app.b: managed\n{TARGET}partitions = app.b: ignore\n"
    (target,) = read(ini, text).targets

    assert ["managed", "ignore"] == list(target.partitions.values())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("events: managed", "'events: managed' is not SCHEMA.TABLE: RULE"),
        ("public.events", "'public.events' is not SCHEMA.TABLE: RULE"),
        ("public.events: often", "'often' is not a valid rule"),
        ("public.events: ignore, public.events: managed", "public.events occurs twice"),
    ],
)
def test_a_wrong_word_about_partitions_is_named_where_it_stands(ini: Path, text: str, words: str) -> None:
    error = refused(ini, f"{TARGET}partitions = {text}\n")

    assert f"{ini}, line 3: [target one] partitions: {words}" == str(error)


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_rows_are_looked_at_unless_the_file_asks(ini: Path) -> None:
    (target,) = read(ini, TARGET).targets

    assert 0 == target.sample_rows


def test_a_target_has_the_last_word_on_rows(ini: Path) -> None:
    settings = read(ini, f"[healthd]\nsample_rows = 1000\n{TARGET}\n{TARGET.replace('one', 'two')}sample_rows = 0\n")

    assert [1000, 0] == [target.sample_rows for target in settings.targets]


def test_the_only_database_has_the_rows_of_the_file(ini: Path) -> None:
    (target,) = read(ini, "[healthd]\nsample_rows = 7\n", database="dbname=app").targets

    assert 7 == target.sample_rows


@pytest.mark.parametrize("text", ["-1", "all", "100001", "1e3", "9" * 5000])
def test_a_number_of_rows_that_is_none_is_named_where_it_stands(ini: Path, text: str) -> None:
    error = refused(ini, f"{TARGET}sample_rows = {text}\n")

    assert str(error).startswith(f"{ini}, line 3: [target one] sample_rows: {text[:1000]!r}"[:-1])
    assert str(error).endswith(f"{text[-500:]}' is not a number of rows")
    assert "write a number from 0 to 100000" in error.hint


# ── password_command ────────────────────────────────────────────────────────────────────────────────────

COMMANDS = """[healthd]
password_command = vault "a b" --host=x
password_ttl_s = 600
[target one]
database = postgresql://h/one
migrate_database = postgresql://owner@h/one
[target two]
database = postgresql://h/two
password_command = ./token.sh
password_ttl_s = 0
migrate_database = postgresql://owner:secret@h/two
[target three]
database = postgresql://me:secret@h/three
"""


def _commands(dsn: object) -> object:
    command = getattr(dsn, "command", None)
    return command and (*command.words, command.ttl_s)


def test_a_password_command_is_that_of_the_target_or_that_of_all(ini: Path) -> None:
    one, two, three = read(ini, COMMANDS).targets
    every, own = ("vault", "a b", "--host=x", 600.0), ("./token.sh", 0.0)

    assert [every, every] == [_commands(one.dsn), _commands(one.migrate_dsn)]
    assert [own, None] == [_commands(two.dsn), _commands(two.migrate_dsn)]
    assert [None, ""] == [_commands(three.dsn), three.migrate_dsn]
    command = Dsn.of(one.dsn).command
    assert command is not None
    assert ini.parent == command.folder


def test_a_password_command_is_for_every_database_without_a_password(ini: Path) -> None:
    section = "[healthd]\npassword_command = vault\n"
    found = [
        read(ini, f"[DEFAULT]\ndatabase = postgresql:///one\n{section}"),
        read(ini, section, database="dbname=two"),
        read(ini, section, database="dbname=two password=secret"),
    ]

    assert [("vault", 0.0), ("vault", 0.0), None] == [_commands(one.targets[0].dsn) for one in found]


def test_targets_differ_by_their_command(ini: Path) -> None:
    assert read(ini, COMMANDS).targets[0] != read(ini, COMMANDS.replace("vault", "other")).targets[0]
    assert read(ini, COMMANDS).targets == read(ini, COMMANDS).targets


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("password_command = hunter2 'hunter2", "password_command: not a command"),
        ("password_command = ''", "password_command: not a command"),
        ("password_ttl_s = hunter2", "password_ttl_s: 'hunter2' is not a number of seconds from 0 to 86400"),
    ],
)
def test_a_wrong_password_command_is_refused_and_not_shown(ini: Path, lines: str, words: str) -> None:
    error = refused(ini, f"[target one]\ndatabase = dbname=a\n{lines}\n")

    assert f"yoyo.ini, line 3: [target one] {words}" in str(error)
    assert "ttl" in words or "hunter2" not in f"{error} {error.hint}"


def test_a_target_with_a_password_and_a_command_is_refused(ini: Path) -> None:
    error = refused(ini, "[target one]\ndatabase = postgresql://me:secret@h/a\npassword_command = vault\n")

    assert "[target one] password_command: database contains a password" in str(error)
    assert "remove the password from database, or password_command" == error.hint


def test_a_file_of_settings_that_cannot_be_read_is_not_taken_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ini = tmp_path / "yoyo.ini"
    ways: tuple[tuple[Callable[[], None], str], ...] = (
        (lambda: ini.symlink_to("nowhere"), "cannot read"),
        (lambda: os.mkfifo(ini), "is a pipe or a socket, and not a file"),
        (ini.mkdir, "Is a directory"),
    )
    for make, words in ways:
        make()
        with pytest.raises(ConfigError, match=words):
            read_settings(find())
        ini.rmdir() if ini.is_dir() else ini.unlink()
