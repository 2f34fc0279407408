"""A contract is read from JSON; what is wrong in it is said."""

import json

import pytest

from healthd.contracts import PRIVILEGES, load
from healthd.model.contracts import Contract


def test_a_contract_is_what_its_text_says() -> None:
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


def test_a_contract_may_speak_of_enums_alone() -> None:
    assert {"public.e": ("a",)} == load('{"enums": {"public.e": ["a"]}}', "c").enums


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "a contract is an object"),
        ("null", "a contract is an object"),
        ("{}", "names no table and no enum"),
        ('{"tabels": {}}', "not tabels"),
        ('{"tables": []}', "tables"),
        ('{"enums": []}', "enums"),
        ('{"tables": {"public.t": []}}', "public.t: a table is an object"),
        ('{"tables": {"public.t": {"column": {}}}}', "not column"),
        ('{"tables": {"public.t": {"columns": ["id"]}}}', "public.t"),
        ('{"tables": {"public.t": {"columns": {"id": 3}}}}', "public.t"),
        ('{"tables": {"public.t": {"privileges": "SELECT"}}}', "public.t"),
        ('{"tables": {"public.t": {"privileges": ["select"]}}}', "no such privilege: 'select'"),
        ('{"tables": {"t": {}}}', "with their schema"),
        ('{"tables": {"a.b.c": {}}}', "with their schema"),
        ('{"tables": {"": {}}}', "not the name"),
        ('{"enums": {"status": ["a"]}}', "with their schema"),
        ('{"enums": {"public.e": "active"}}', "public.e"),
        ('{"enums": {"public.e": [1]}}', "public.e"),
        ('{"role": 3, "enums": {"public.e": ["a"]}}', "role"),
    ],
)
def test_what_is_wrong_is_said(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        load(text, "c")


def test_every_privilege_of_a_table_is_known() -> None:
    everything = load(json.dumps({"tables": {"public.t": {"privileges": PRIVILEGES}}}), "c")

    assert PRIVILEGES == everything.privileges["public.t"]
