"""The file of the waivers: what it may contain, what is said about what it may not, and how an entry is added."""

import tomllib
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthd.errors import ConfigError
from healthd.expected.waivers import appended, read_waivers, written
from healthd.model.waivers import Waiver

NAME = "sql/waivers.toml"
ENTRY = """[[waiver]]
key = "index:public.orders_by_day"
reason = "load test"
owner = "dba"
until = 2027-01-31
"""
WAIVER = Waiver("index:public.orders_by_day", "load test", "dba", date(2027, 1, 31), place=f"{NAME}, line 1: waiver 1")


def error(text: str) -> tuple[str, str]:
    with pytest.raises(ConfigError) as caught:
        read_waivers(text, NAME)
    message, hint = str(caught.value), caught.value.hint

    assert message.startswith(NAME)
    assert (message + hint).isprintable()
    assert hint
    return message.removeprefix(NAME), hint


def changed(key: str, value: str) -> str:
    """Return the entry with another value, or with one more key."""
    lines = [line for line in ENTRY.splitlines() if not line.startswith(f"{key} =")]
    return "\n".join([*lines, f"{key} = {value}"]) + "\n"


def test_an_entry_is_read() -> None:
    assert (WAIVER,) == read_waivers(ENTRY, NAME)


def test_every_key_is_read() -> None:
    more = 'attribute = "definition"\nproblem = "schema_mismatch"\nactual = "x"\ntarget = "eu"\n'
    (waiver,) = read_waivers(ENTRY + more, NAME)

    assert replace(WAIVER, attribute="definition", problem="schema_mismatch", actual="x", target="eu") == waiver


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n", "\ufeff# saved by an editor\n", "waiver = []\n"])
def test_a_file_without_entries_has_no_waivers(text: str) -> None:
    assert () == read_waivers(text, NAME)


def test_a_date_may_be_a_text() -> None:
    assert (WAIVER,) == read_waivers(changed("until", '"2027-01-31"'), NAME)


def test_an_entry_is_named_by_line_and_number() -> None:
    message, hint = error(f"# accepted\n{ENTRY}\n{ENTRY.replace('reason', 'raison')}")

    assert ", line 8: waiver 2: raison: unknown key" == message
    assert "known: key, reason, owner, until, attribute, problem, actual, target" == hint


def test_a_text_that_looks_like_an_entry_does_not_move_the_lines() -> None:
    message, _ = error(ENTRY + "actual = '''\n[[waiver]]\n'''\n" + changed("until", "1"))

    assert ": waiver 2: until: '1' is not a date" == message


@pytest.mark.parametrize("key", ["key", "reason", "owner", "until"])
def test_a_key_that_is_missing_is_named(key: str) -> None:
    text = "\n".join(line for line in ENTRY.splitlines() if not line.startswith(f"{key} ="))

    assert f", line 1: waiver 1: {key}: missing" == error(text)[0]


@pytest.mark.parametrize("value", ['""', '"tomorrow"', '"2027-02-30"', '"31.1.2027"', "2027-01-31T00:00:00Z", "true"])
def test_what_is_no_date_is_refused(value: str) -> None:
    message, hint = error(changed("until", value))

    assert "waiver 1: until: " in message
    assert "is not a date" in message
    assert "YYYY-MM-DD" in hint


@pytest.mark.parametrize("key", ["key", "reason", "owner", "attribute", "problem", "target"])
def test_an_empty_text_is_refused(key: str) -> None:
    assert f"waiver 1: {key}: empty" in error(changed(key, '"  "'))[0]


@pytest.mark.parametrize("key", ["key", "reason", "actual", "target"])
def test_what_is_no_text_is_refused(key: str) -> None:
    assert f"waiver 1: {key}: ['a'] is not a text" in error(changed(key, '["a"]'))[0]


@pytest.mark.parametrize(
    "key", ["*", "**", "?*", "*:*", "*:*.*", "table:*", "table:*.*", "grant:?*", "column:*.*.*", 'table:"*"', ":*"]
)
def test_a_pattern_that_would_hide_everything_of_a_kind_is_refused(key: str) -> None:
    message, hint = error(changed("key", f"'{key}'"))

    assert "would hide too much" in message
    assert "KIND:NAME" in hint


@pytest.mark.parametrize("key", ["*:public.orders", "t*:public.orders", "?able:public.orders"])
def test_a_pattern_names_its_kind(key: str) -> None:
    assert "the kind must be written out" in error(changed("key", f"'{key}'"))[0]


@pytest.mark.parametrize("key", ["tabel:public.orders", "Table:public.orders"])
def test_an_unknown_kind_is_refused(key: str) -> None:
    message, hint = error(changed("key", f"'{key}'"))

    assert "unknown kind" in message
    assert "as healthd check prints it" in hint


@pytest.mark.parametrize(
    "key",
    ["public.orders", "table:", "table:public.", "table:Public.Orders", "table:public orders", "function:public.f("],
)
def test_what_is_not_the_name_of_an_object_is_refused(key: str) -> None:
    assert "is not the name of an object" in error(changed("key", f"'{key}'"))[0]


@pytest.mark.parametrize("key", ["migration:0001_machines", "migration:000*", "endpoint:api"])
def test_what_cannot_be_waived_is_refused_with_the_way_out(key: str) -> None:
    message, _ = error(changed("key", f"'{key}'"))

    assert "cannot be waived" in message
    assert "restore its file" in message or "yoyo.ini" in message


def test_an_attribute_that_the_kind_does_not_have_is_refused() -> None:
    message, hint = error(changed("attribute", "'defintion'"))

    assert "'defintion' is not an attribute of the kind index" in message
    assert "definition" in hint


@pytest.mark.parametrize("text", ["waivers = []", "[waiver]\nkey = 'x'", "[waivers]", "waiver = 1", "waiver = [1]"])
def test_a_file_of_another_form_is_refused(text: str) -> None:
    assert "[[waiver]]" in error(text)[1]


@given(st.integers(0, len(ENTRY)))
def test_a_file_that_was_cut_off_is_read_or_refused_in_one_line(length: int) -> None:
    text = ENTRY + ENTRY[:length]
    try:
        found = read_waivers(text, NAME)
    except ConfigError:
        error(text)
    else:
        assert found[0] == WAIVER
        assert len(found) in (1, 2)


# Everything that a name, a reason or a value can contain; surrogates are no characters.
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1)


@given(TEXTS, TEXTS, st.none() | st.text(st.characters(codec="utf-8")))
def test_what_is_written_is_what_is_read(reason: str, owner: str, actual: str | None) -> None:
    waiver = replace(WAIVER, reason=f"x{reason}", owner=f"x{owner}", actual=actual)
    (entry,) = tomllib.loads(written(waiver))["waiver"]

    # TOML has one line end: a value that contains others is written with escapes.
    assert (waiver.reason, waiver.owner, actual) == (entry["reason"], entry["owner"], entry.get("actual"))


def test_a_value_of_several_lines_is_written_on_several_lines() -> None:
    text = written(replace(WAIVER, actual='BEGIN\n  RETURN "a\\n";\nEND'))

    assert 'actual = """\nBEGIN\n  RETURN \\"a\\\\n\\";\nEND"""\n' in text


@pytest.mark.parametrize("before", ["", "\n", "# ours\n", ENTRY, ENTRY.rstrip("\n"), f"{ENTRY}\n# the end"])
def test_what_a_file_contains_is_kept(before: str) -> None:
    more = replace(WAIVER, key="table:public.scratch")
    after = appended(before, (more,), NAME)

    assert after.startswith(before)
    assert "table:public.scratch" == read_waivers(after, NAME)[-1].key
    assert len(read_waivers(before, NAME)) + 1 == len(read_waivers(after, NAME))


def test_line_ends_are_kept() -> None:
    after = appended(ENTRY.replace("\n", "\r\n"), (WAIVER,), NAME)

    assert after.count("\r\n") == after.count("\n")
    assert 2 == len(read_waivers(after, NAME))


def test_entries_on_one_line_are_not_continued() -> None:
    with pytest.raises(ConfigError):
        appended('waiver = [{key = "table:a.b", reason = "r", owner = "o", until = 2027-01-01}]\n', (WAIVER,), NAME)
