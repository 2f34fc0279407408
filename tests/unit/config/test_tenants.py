"""The keys of a target with a schema for each tenant, and what is wrong with them."""

from pathlib import Path

import pytest

from healthd.config.reader import read_settings
from healthd.errors import ConfigError
from healthd.model.tenants import TenantRule


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEALTHD_DATABASE", raising=False)


def rule(keys: str) -> TenantRule | None:
    Path("yoyo.ini").write_text(f"[target shop]\ndatabase = postgresql://db/shop\n{keys}")
    (target,) = read_settings().targets
    return target.tenants


def test_a_target_compares_the_schemas_that_match_with_one() -> None:
    wanted = TenantRule(("tenant_*", "!tenant_test*"), "tenant_template")

    assert wanted == rule("schemas = tenant_* !tenant_test*\nexpected_schema = tenant_template")
    assert None is rule("")
    assert ("tenant_1", "tenant_2") == wanted.among(
        frozenset({"tenant_2", "tenant_test1", "tenant_1", "tenant_template", "public"})
    )


def test_each_database_of_a_group_has_the_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("yoyo.ini").write_text(
        "[target eu]\ndatabase = postgresql://db/postgres\ndatabases = shop_*\nschemas = t_*\nexpected_schema = t"
    )

    assert TenantRule(("t_*",), "t") == read_settings().groups[0].tenants


@pytest.mark.parametrize(
    ("keys", "key", "what"),
    [
        ("schemas = tenant_*", "expected_schema", "missing: the schema of sql/ with which the others are compared"),
        ("expected_schema = tenant", "schemas", "no pattern of schemas to include"),
        ("schemas =\nexpected_schema = tenant", "schemas", "no pattern of schemas to include"),
        ("schemas = !tenant_x\nexpected_schema = tenant", "schemas", "no pattern of schemas to include"),
        ("schemas = *\nexpected_schema = tenant", "schemas", "'*' matches every schema"),
        ("schemas = a_* ?*\nexpected_schema = tenant", "schemas", "'?*' matches every schema"),
        ("schemas = a_*, b_*\nexpected_schema = tenant", "schemas", "not patterns that are separated by blanks"),
        ("schemas = a_* !\nexpected_schema = tenant", "schemas", "not patterns that are separated by blanks"),
        ("schemas = a_*\nexpected_schema = a_*", "expected_schema", "'a_*' is a pattern, not one schema"),
        ("schemas = a_*\nexpected_schema = public", "expected_schema", "'public' is a schema of every database"),
        ("schemas = a_*\nexpected_schema = pg_x", "expected_schema", "'pg_x' is a schema of every database"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(keys: str, key: str, what: str) -> None:
    with pytest.raises(ConfigError) as error:
        rule(keys)

    assert f"[target shop] {key}: {what}" in str(error.value)
    assert "for example: schemas = tenant_* and expected_schema = tenant_template" == error.value.hint
