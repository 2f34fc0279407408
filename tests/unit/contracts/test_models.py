"""From models to members of a contract: type, None, defaults, and the values that an enum really writes."""

from typing import Any

import pytest
import shop

from healthd.contracts import dump, load
from healthd.contracts.models import contract_of
from healthd.errors import ConfigError
from healthd.model.contracts import Member, Model, Statement


def model(thing: Any, name: str = "shop:Name", table: str | None = None) -> Model:
    ((_, found),) = contract_of({name: thing}, table=table).models.items()
    return found


def test_a_declarative_class_declares_what_it_writes() -> None:
    assert Model(
        "public.machines",
        {
            "id": Member("id", "uuid", optional=False),
            "name": Member("label", "text", optional=False),
            "notes": Member("notes", "text", optional=True),
            "mood": Member("mood", "enum", optional=False, values=("GOOD", "BAD"), names=True, type="mood"),
            "other": Member("other", "enum", optional=False, values=("good", "bad"), type='app."other mood"'),
            "price": Member("price", "decimal", optional=False),
            "tags": Member("tags", "list[text]", optional=False),
            "more": Member("more", "json", optional=False),
            "made_at": Member("made_at", "aware_datetime", optional=False, left_to_server=True),
            "seen_at": Member("seen_at", "naive_datetime", optional=False),
        },
    ) == model(shop.Machine)


def test_a_class_in_two_tables_is_a_model_for_each() -> None:
    found = contract_of({"shop:Engine": shop.Engine}).models

    assert {"public.engines", "public.machines"} == {one.table for one in found.values()}
    assert {"id": Member("id", "uuid", optional=False)} == found[f"{shop.__name__}:Engine in engines"].members


def test_a_base_contains_every_class_that_it_maps() -> None:
    found = contract_of({"shop:Base": shop.Base}).models

    assert f"{shop.__name__}:Machine" in found
    assert found.keys() >= contract_of({"shop:Engine": shop.Engine}).models.keys()


def test_metadata_contains_every_table_and_a_table_may_be_read_only() -> None:
    found = contract_of({"shop:METADATA": shop.METADATA}).models

    assert ('app."Visits"', True) == (found["shop:Visits"].table, found["shop:Visits"].inserts)
    assert Member("id", "int", optional=False, left_to_server=True) == found["shop:Visits"].members["id"]
    assert not found["shop:listed"].inserts
    assert model(shop.VISITS) == found["shop:Visits"]


def test_a_pydantic_model_declares_what_it_reads() -> None:
    assert Model(
        "app.machines",
        {
            "id": Member("id", "uuid", optional=False),
            "name": Member("label", "str", optional=False),
            "mood": Member("mood", "enum", optional=True, values=("good", "bad")),
            "notes": Member("notes", "str", optional=True, left_to_server=True),
            "tags": Member("tags", "list[str]", optional=False),
            "at": Member("at", "aware_datetime", optional=False),
            "inner": Member("inner", "json", optional=False),
        },
        inserts=False,
    ) == model(shop.Seen)


def test_a_dataclass_declares_what_its_annotations_declare() -> None:
    assert Model(
        "app.visits",
        {
            "day": Member("day", "date", optional=False),
            "kind": Member("kind", "enum", optional=False, values=("short", "long")),
            "price": Member("amount", "decimal", optional=False),
            "either": Member("either", "any", optional=False),
            "note": Member("note", "str", optional=True, left_to_server=True),
        },
    ) == model(shop.Visit, table="app.visits")


def test_a_list_contains_models_of_any_type() -> None:
    assert {"public.machines", "public.engines", "app.machines"} == {
        one.table for one in contract_of({"shop:EVERYTHING": shop.EVERYTHING}).models.values()
    }


def test_statements_are_written_as_the_server_accepts_them() -> None:
    found = contract_of({"shop:STATEMENTS": shop.STATEMENTS}).statements

    assert Statement("SELECT $1::int") == found["raw"]
    assert 2 == found["one"].parameters
    assert "$2::mood" in found["one"].sql


@pytest.mark.parametrize(
    ("thing", "words", "hint"),
    [
        (shop.Mood, "shop:Name is not a model: EnumType", "a pydantic model"),
        (7, "shop:Name is not a model: int", "a pydantic model"),
        (shop.NOTHING, "no model in shop:Name", "a pydantic model"),
        (shop.Visit, "does not specify its table", "__tablename__"),
        (shop.NOT_A_STATEMENT, "shop:Name['one'] is not a statement: int", "a string"),
    ],
)
def test_an_object_that_is_not_a_model_is_reported(thing: Any, words: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        contract_of({"shop:Name": thing})

    assert words.replace("EnumType", type(shop.Mood).__name__) in str(caught.value)
    assert hint in caught.value.hint


def test_a_contract_can_be_written_and_read_again() -> None:
    found = contract_of({"shop:EVERYTHING": shop.EVERYTHING, "shop:STATEMENTS": shop.STATEMENTS})

    assert found == load(dump(found, "1.0"), "")
