"""A contract is read from JSON; errors in it are reported."""

import json

import pytest

from healthd.contracts import PRIVILEGES, load
from healthd.model.contracts import Contract


def test_a_contract_is_read_from_its_text() -> None:
    text = json.dumps(
        {
            "role": "api",
            "tables": {
                "public.machines": {"columns": {"id": "uuid", "name": None}, "privileges": ["SELECT", "INSERT"]},
                "public.visits": {},
            },
            "enums": {"public.machinestatus": ["active", "inactive"]},
        }
    )

    assert Contract(
        "machines",
        {"public.machines": {"id": "uuid", "name": None}, "public.visits": {}},
        {"public.machinestatus": ("active", "inactive")},
        "api",
        {"public.machines": ("SELECT", "INSERT"), "public.visits": ()},
    ) == load(text, "machines")


def test_a_contract_may_contain_only_enums() -> None:
    assert {"public.e": ("a",)} == load('{"enums": {"public.e": ["a"]}}', "c").enums


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "a contract must be an object"),
        ("null", "a contract must be an object"),
        ("{}", "contains no table, enum, model or statement"),
        ('{"tabels": {}}', "unknown: tabels"),
        ('{"tables": []}', "tables"),
        ('{"enums": []}', "enums"),
        ('{"tables": {"public.t": []}}', "public.t: a table must be an object"),
        ('{"tables": {"public.t": {"column": {}}}}', "unknown: column "),
        ('{"tables": {"public.t": {"columns": ["id"]}}}', "public.t"),
        ('{"tables": {"public.t": {"columns": {"id": 3}}}}', "public.t"),
        ('{"tables": {"public.t": {"privileges": "SELECT"}}}', "public.t"),
        ('{"tables": {"public.t": {"privileges": ["select"]}}}', "unknown privilege 'select'"),
        ('{"tables": {"t": {}}}', "with their schema"),
        ('{"tables": {"a.b.c": {}}}', "with their schema"),
        ('{"tables": {"": {}}}', "not the name"),
        ('{"enums": {"status": ["a"]}}', "with their schema"),
        ('{"enums": {"public.e": "active"}}', "public.e"),
        ('{"enums": {"public.e": [1]}}', "public.e"),
        ('{"role": 3, "enums": {"public.e": ["a"]}}', "role"),
    ],
)
def test_an_error_is_reported(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        load(text, "c")


def test_every_privilege_of_a_table_is_known() -> None:
    everything = load(json.dumps({"tables": {"public.t": {"privileges": PRIVILEGES}}}), "c")

    assert PRIVILEGES == everything.privileges["public.t"]
