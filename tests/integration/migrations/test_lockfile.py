"""The lock file is read back as it was written, folds over any set of migrations, and is never misread."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import fields, replace
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthd.catalog import KINDS
from healthd.catalog.columns import Column
from healthd.catalog.digests import digest_of
from healthd.catalog.enums import Enum
from healthd.catalog.tables import Table
from healthd.errors import LockFileError
from healthd.expected.codec import decode, decode_objects, encode_objects
from healthd.expected.files import Migration, digest
from healthd.expected.lockfile import Locked, LockFile, counted_out, disagreements
from healthd.expected.lockfile_lines import load, verified
from healthd.expected.lockfile_text import dump
from healthd.expected.measurements import DOCUMENTED, MEASURED, MODES, UNKNOWN, Step
from healthd.model.attributes import attributes
from healthd.model.kinds import Kind
from healthd.model.migration_names import canonical
from healthd.model.names import ROUTINES, Key
from healthd.model.snapshots import Difference, Snapshot, diff

TABLE = Table(unlogged=False, partitioned_by=None, inherits=(), bound=None, row_security="off")
COLUMN = Column(type="text", not_null=False, default=None, identity="none", generated="none", collation=None)
ORDERS, NOTE, STATUS = Key.parse("table:app.orders"), Key.parse("column:app.orders.note"), Key.parse("enum:app.status")


def added(key: Key, record: Any) -> Difference:
    return Difference(key, None, None, record)


def removed(key: Key, record: Any) -> Difference:
    return Difference(key, None, record, None)


def locked(name: str, *effects: Difference, rollback: str = "exact") -> Locked:
    return Locked(name, digest(name), digest(f"{name} back"), True, effects, rollback)


LOCK = LockFile(
    180000,
    {Key.parse("schema:public"): KINDS["schema"].record()},
    (
        locked("0001_orders", added(ORDERS, TABLE), added(STATUS, Enum(("new", "paid")))),
        locked("0002_note", added(NOTE, COLUMN), rollback="differs"),
        replace(
            locked("0003_label", Difference(STATUS, "labels", ("new", "paid"), ("new", "paid", "sent"))),
            steps=(Step(2, {str(ORDERS): "SHARE"}, (), (str(ORDERS),)),),
        ),
        replace(
            locked("0004_strict", Difference(NOTE, "not_null", False, True)), rollback_digest=None, rollback="missing"
        ),
    ),
)


# ── there and back ──────────────────────────────────────────────────────────────────────────────────────

TEXT = st.text(min_size=1, max_size=8)


def keys(kind: Kind) -> st.SearchStrategy[Key]:
    parts = [TEXT] * kind.depth or [st.just("table"), TEXT, TEXT, *([TEXT] if kind.name == "grant" else [])]
    if kind.name in ROUTINES and kind.depth:
        parts[-1] = st.text(alphabet="abc ,", max_size=8).map(lambda text: f"({text})")
    return st.tuples(*parts).map(lambda path: Key(kind.name, path))


def records(kind: Kind) -> st.SearchStrategy[Any]:
    secrets = {name: None for name, noted in attributes(kind.record).items() if noted.passing}
    return st.from_type(kind.record).map(lambda record: replace(record, **secrets))


@st.composite
def effects(draw: st.DrawFn) -> Difference:
    kind = draw(st.sampled_from(sorted(KINDS.values(), key=lambda kind: kind.name)))
    key, record = draw(keys(kind)), draw(records(kind))
    names = tuple(name for name, noted in attributes(kind.record).items() if not noted.passing)
    if not names or draw(st.booleans()):
        return draw(st.sampled_from((added(key, record), removed(key, record))))
    name, other = draw(st.sampled_from(names)), draw(records(kind))
    return Difference(key, name, getattr(record, name), getattr(other, name))


def steps() -> st.SearchStrategy[Step]:
    relations = st.sampled_from([str(ORDERS), 'view:app."a b"', "index:app.orders.i"])
    some = st.lists(relations, max_size=2, unique=True).map(tuple)
    known = st.sampled_from([MEASURED, DOCUMENTED, UNKNOWN])
    return st.builds(Step, st.integers(1, 99), st.dictionaries(relations, st.sampled_from(MODES)), some, some, known)


@st.composite
def lock_files(draw: st.DrawFn) -> LockFile:
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), max_size=4))
    base = {draw(keys(KINDS[name])): draw(records(KINDS[name])) for name in kinds}
    names = draw(st.lists(TEXT.map(canonical), max_size=4, unique=True))
    texts = st.lists(TEXT, max_size=2).map(tuple)
    migrations = [
        Locked(
            name,
            digest(name),
            draw(st.none() | TEXT),
            draw(st.booleans()),
            tuple(draw(st.lists(effects(), max_size=4))),
            draw(st.sampled_from(["exact", "differs", "fails", "missing"])),
            draw(texts),
            tuple(draw(st.lists(steps(), max_size=2))),
        )
        for name in names
    ]
    return LockFile(draw(st.integers(13, 18)) * 10000, base, tuple(migrations))


@settings(deadline=None, max_examples=80)
@given(lock_files())
def test_what_is_written_is_read_back(lock: LockFile) -> None:
    read = load(dump(lock))

    assert [in_order(one) for one in counted_out(lock).migrations] == [in_order(one) for one in read.migrations]
    assert (lock.server_version, lock.base) == (read.server_version, read.base)


@st.composite
def lock_files_of_two_majors(draw: st.DrawFn) -> LockFile:
    """Lock files whose second major makes some effects as they are, some otherwise, some not, and some more."""
    first = draw(lock_files())
    migrations, others = [], []
    for one in first.migrations:
        usual = {(effect.key, effect.attribute): effect for effect in one.effects}
        there = dict(usual)
        for place, effect in usual.items():
            match draw(st.sampled_from(("same", "gone", "otherwise"))):
                case "gone":
                    del there[place]
                case "otherwise" if (attribute := effect.attribute) is not None:
                    there[place] = replace(effect, actual=getattr(draw(records(KINDS[effect.key.kind])), attribute))
                case "otherwise":
                    record = draw(records(KINDS[effect.key.kind]))
                    there[place] = added(effect.key, record) if effect.missing is False else removed(effect.key, record)
        more = {(effect.key, effect.attribute): effect for effect in draw(st.lists(effects(), max_size=2))}
        migrations.append(replace(one, effects=in_key_order(usual.values())))
        others.append(replace(one, effects=in_key_order((more | there).values())))
    base = first.base if draw(st.booleans()) else {}
    other = LockFile(first.server_version + 50000, base, tuple(others))
    return replace(first, migrations=tuple(migrations), also={other.server_version // 10000: other})


def in_key_order(effects: Iterable[Difference]) -> tuple[Difference, ...]:
    return tuple(sorted(effects, key=lambda one: (one.key, one.attribute or "")))


@settings(deadline=None, max_examples=120)
@given(lock_files_of_two_majors())
def test_what_another_major_makes_is_read_back_and_has_its_own_digests(lock: LockFile) -> None:
    read = load(dump(lock))

    assert counted_out(lock) == read
    for version, other in ((lock.server_version, lock), *((n * 10000, one) for n, one in lock.also.items())):
        counted = read.on(version).digests([one.id for one in lock.migrations])
        assert other.expected() == read.on(version + 4).expected()
        assert digest_of(other.expected().objects) == {kind: one for kind, one in counted.items() if one != (0, 0)}


def test_of_another_major_there_is_only_what_it_makes_otherwise() -> None:
    other = replace(LOCK, server_version=150000, migrations=(locked("0001_orders", added(ORDERS, LOUD)), *REST))
    lines = [json.loads(line) for line in dump(replace(LOCK, also={15: other})).splitlines()]

    assert {"15": {}} == lines[0]["also"]
    assert [{"migration": "0001_orders", "on": 15, "added": str(ORDERS), "otherwise": {"unlogged": True}}] == [
        line for line in lines if "otherwise" in line
    ]
    assert [{"migration": "0001_orders", "on": 15, "without": str(STATUS)}] == [
        line for line in lines if "without" in line
    ]
    headers = [line for line in lines if line.get("also") and "migration" in line]
    assert {"0001_orders": {"table": 1, "enum": 1}, "0003_label": {}} == {
        line["migration"]: line["also"]["15"]["lines"] for line in headers
    }


LOUD, REST = replace(TABLE, unlogged=True), LOCK.migrations[1:]


def test_what_another_major_makes_is_sealed_too() -> None:
    other = replace(LOCK, server_version=150000, migrations=(locked("0001_orders", added(ORDERS, LOUD)), *REST))
    lines = dump(replace(LOCK, also={15: other})).splitlines()

    changed = [line.replace('{"unlogged": true}', '{"unlogged": false}') for line in lines]
    assert lines != changed
    assert str(failing(*changed)).endswith("the lines of 0001_orders that follow are modified")


def test_what_is_otherwise_and_not_there_is_told() -> None:
    other = replace(LOCK, server_version=150000, migrations=(locked("0001_orders", added(ORDERS, LOUD)), *REST))
    lines = dump(replace(LOCK, also={15: other})).splitlines()
    (place,) = (number for number, line in enumerate(lines) if '"otherwise"' in line)
    lines[place] = lines[place].replace("app.orders", "app.others")
    first = next(number for number, line in enumerate(lines) if '"0001_orders", "digest"' in line)
    last = next(number for number, line in enumerate(lines) if '"0002_note", "digest"' in line)
    seal = sha256("".join(f"{line}\n" for line in lines[first + 1 : last]).encode()).hexdigest()
    lines[first] = edited(lines[first], sha256=seal)

    assert "line 7: a difference refers to an effect on table:app.others that does not exist" in str(failing(*lines))


def in_order(one: Locked) -> Locked:
    """Return a migration with its effects in the order in which they are written: by kind."""
    return replace(one, effects=tuple(sorted(one.effects, key=lambda effect: effect.key.kind)))


@settings(deadline=None, max_examples=50)
@given(lock_files())
def test_every_object_has_a_line_of_its_own(lock: LockFile) -> None:
    lines = dump(lock).removesuffix("\n").split("\n")

    assert len(lines) == 1 + len(lock.base) + sum(1 + len(one.effects) for one in lock.migrations)
    assert all(isinstance(json.loads(line), dict) for line in lines)


@settings(deadline=None, max_examples=50)
@given(lock_files())
def test_objects_go_to_json_and_back(lock: LockFile) -> None:
    assert decode_objects(json.loads(json.dumps(encode_objects(lock.base)))) == lock.base


def test_a_digest_of_secrets_is_in_no_file() -> None:
    key = Key.parse("user_mapping:far.app")
    record = KINDS["user_mapping"].record("password=***", "a digest")
    lock = LockFile(180000, {key: record}, (locked("0001", Difference(key, "secrets", "a digest", "another")),))

    text = dump(lock) + json.dumps(encode_objects(lock.base))

    assert "password=***" in text
    assert "digest" not in text.replace('"digest"', "").replace('"rollback_digest"', "")
    assert replace(record, secrets=None) == load(dump(lock)).expected().objects[key]


def test_a_line_separator_in_a_default_does_not_break_a_line() -> None:
    lock = LockFile(180000, {NOTE: replace(COLUMN, default="'a\u2028b\x85c'::text")}, ())

    assert load(dump(lock)) == lock


def test_the_order_in_which_a_server_lists_its_objects_does_not_show() -> None:
    one, other = {ORDERS: TABLE, NOTE: COLUMN}, {NOTE: COLUMN, ORDERS: TABLE}

    assert dump(LockFile(180000, one, ())) == dump(LockFile(180000, other, ()))
    assert list(encode_objects(one)) == list(encode_objects(other)) == ["column:app.orders.note", "table:app.orders"]


@pytest.mark.parametrize("gone", [2, 3])
def test_a_migration_on_which_none_builds_touches_no_line_of_the_others(gone: int) -> None:
    whole = dump(LOCK).splitlines()
    without = dump(replace(LOCK, migrations=LOCK.migrations[:gone] + LOCK.migrations[gone + 1 :])).splitlines()
    own = [line for line in whole if line not in without]

    assert [line for line in whole if line in without] == without
    assert {LOCK.migrations[gone].id} == {json.loads(line)["migration"] for line in own}
    first = whole.index(own[0])
    assert own == whole[first : first + len(own)]


def test_two_branches_that_each_add_a_migration_merge_line_by_line() -> None:
    one, other = locked("0005_a", added(ORDERS, TABLE)), locked("0005_b", added(NOTE, COLUMN))
    base = dump(LOCK)
    mine = dump(replace(LOCK, migrations=(*LOCK.migrations, one)))
    theirs = dump(replace(LOCK, migrations=(*LOCK.migrations, other)))
    merged = mine + theirs.removeprefix(base)

    both = replace(LOCK, migrations=(*LOCK.migrations, one, other))

    assert merged == dump(both)
    assert load(merged).expected() == both.expected()


# ── folding ─────────────────────────────────────────────────────────────────────────────────────────────


def test_everything_applied_is_what_the_files_build() -> None:
    strict = replace(COLUMN, not_null=True)

    assert LOCK.expected() == Snapshot(
        180000, {**LOCK.base, ORDERS: TABLE, NOTE: strict, STATUS: Enum(("new", "paid", "sent"))}
    )


def test_nothing_applied_is_an_empty_database() -> None:
    assert LOCK.expected(()) == Snapshot(180000, LOCK.base)


def test_pending_is_not_expected() -> None:
    expected = LOCK.expected(["0001_orders", "0002_note"])

    assert {**LOCK.base, ORDERS: TABLE, NOTE: COLUMN, STATUS: Enum(("new", "paid"))} == expected.objects


def test_out_of_order_is_only_what_was_applied() -> None:
    expected = LOCK.expected(["0001_orders", "0003_label"])

    assert {**LOCK.base, ORDERS: TABLE, STATUS: Enum(("new", "paid", "sent"))} == expected.objects


def test_the_order_in_which_ids_are_given_does_not_matter() -> None:
    names = [one.id for one in LOCK.migrations]

    assert LOCK.expected(reversed(names)) == LOCK.expected(names) == LOCK.expected()


@pytest.mark.parametrize("size", range(5))
def test_any_subset_folds_without_an_exception(size: int) -> None:
    for names in combinations([one.id for one in LOCK.migrations], size):
        assert diff(LOCK.expected(names), LOCK.expected((*names, "unheard_of"))) == ()


@settings(deadline=None, max_examples=50)
@given(lock_files(), st.data())
def test_only_these_kinds_are_folded_where_others_are_left_out(lock: LockFile, data: st.DataObject) -> None:
    kinds = data.draw(st.sets(st.sampled_from(sorted(KINDS))))
    whole, part = lock.expected(), load(dump(lock)).expected(kinds=kinds)

    assert {key: record for key, record in whole.objects.items() if key.kind in kinds} == part.objects
    assert KINDS.keys() - kinds == part.omitted


@settings(deadline=None, max_examples=80)
@given(lock_files())
def test_the_digests_of_everything_are_those_of_the_objects(lock: LockFile) -> None:
    counted = load(dump(lock)).digests([one.id for one in lock.migrations])

    assert digest_of(lock.expected().objects) == {kind: one for kind, one in counted.items() if one != (0, 0)}
    assert KINDS.keys() == counted.keys()


@pytest.mark.parametrize("size", range(5))
def test_what_only_some_were_applied_of_has_its_own_digests_or_none(size: int) -> None:
    for names in combinations([one.id for one in LOCK.migrations], size):
        counted = {kind: one for kind, one in LOCK.digests(names).items() if one != (0, 0)}
        known = {subset: digest_of(LOCK.expected(subset).objects) for subset in subsets()}

        assert {repr(LOCK.expected(subset)) for subset, one in known.items() if one == counted} <= {
            repr(LOCK.expected(names))
        }


def subsets() -> list[tuple[str, ...]]:
    names = [one.id for one in LOCK.migrations]
    return [some for size in range(len(names) + 1) for some in combinations(names, size)]


def test_what_a_migration_removes_is_gone() -> None:
    lock = replace(LOCK, migrations=(*LOCK.migrations, locked("0005", removed(NOTE, COLUMN))))

    assert NOTE not in lock.expected().objects
    assert NOTE in lock.expected([one.id for one in LOCK.migrations]).objects


def test_those_not_applied_are_told_in_order() -> None:
    assert ["0002_note", "0004_strict"] == [one.id for one in LOCK.without(["0001_orders", "0003_label", "other"])]


# ── not a lock file ─────────────────────────────────────────────────────────────────────────────────────

LINES = dump(LOCK).splitlines()
HEADER, BASE, FIRST, EFFECT = LINES[0], LINES[1], LINES[2], LINES[4]
CHANGED = next(line for line in LINES if '"changed"' in line)


def edited(line: str, **values: Any) -> str:
    return json.dumps({key: value for key, value in (json.loads(line) | values).items() if value is not ...})


def failing(*lines: str) -> LockFileError:
    with pytest.raises(LockFileError) as caught:
        verified(load("".join(f"{line}\n" for line in lines), "sql/schema.lock"))
    assert "healthd lock" in caught.value.hint
    return caught.value


def sealed(header: str, *follow: str, kind: str = "table") -> list[str]:
    """Return a line and those that belong to it, with the seal that they would have been written with."""
    seal = sha256("".join(f"{line}\n" for line in follow).encode()).hexdigest()
    count = {"base": len(follow)} if "healthd_lock" in header else {"effects": {kind: len(follow)}}
    return [edited(header, sha256=seal, **count), *follow]


@pytest.mark.parametrize("text", ["", "\n", " \n\n"])
def test_an_empty_file_is_said_to_be_empty(text: str) -> None:
    with pytest.raises(LockFileError, match=r"^sql/schema\.lock is empty$"):
        load(text, "sql/schema.lock")


@pytest.mark.parametrize("length", range(len(LINES)))
def test_a_file_cut_at_a_line_is_noticed_unless_a_whole_migration_is_missing(length: int) -> None:
    text = "".join(f"{line}\n" for line in LINES[:length])
    following = LINES[length]
    if length > 0 and '"digest"' in following:
        whole = load(dump(LOCK))
        assert load(text).migrations == whole.migrations[: len(load(text).migrations)]
    else:
        with pytest.raises(LockFileError):
            load(text)


@pytest.mark.parametrize("rest", range(2, len(LINES[-1]), 17))
def test_a_file_cut_in_a_line_names_the_line(rest: int) -> None:
    line = len(LINES) - 1  # the one that the last one belongs to
    with pytest.raises(LockFileError, match=rf"^schema\.lock, line {line}: the lines of .* that follow are "):
        load("\n".join(LINES)[:-rest])


def test_a_head_that_counts_more_lines_than_follow_is_told_whatever_its_seal_says() -> None:
    head, *follow = sealed(HEADER, *LINES[1:2])
    words = str(failing(edited(head, base=2), *follow))

    assert words.startswith("sql/schema.lock, line 1: the lines of an empty database that follow are incomplete")


def test_another_format_says_which_this_version_reads() -> None:
    message = str(failing(edited(HEADER, healthd_lock=1), *LINES[1:]))

    assert message == "sql/schema.lock, line 1: format 1, but this version of healthd reads format 3"


ANYWHERE = {
    "no JSON": "<<<<<<< HEAD",
    "an empty line": "",
    "a number": "7",
    "a text": '"base"',
    "a list": '["base"]',
    "null": "null",
    "an empty object": "{}",
    "deep": "[" * 100_000,
}
BASES = {
    "a base without values": edited(BASE, **{"is": ...}),
    "a base that is no name": edited(BASE, base="schema"),
    "a base with values of no kind": edited(BASE, **{"is": 7}),
}
HEADERS = {
    "a header without a verdict": edited(FIRST, rollback=...),
    "a header with more": edited(FIRST, note="hello"),
    "a header without a count": edited(FIRST, effects=...),
    "a header whose id is a number": edited(FIRST, migration=7),
    "a header whose steps are a text": edited(FIRST, steps="all"),
    "a header with a step that is none": edited(FIRST, steps=[{"line": 1}]),
    "a header that counts in words": edited(FIRST, effects={"table": "two"}),
    "a header that counts backwards": edited(FIRST, effects={"table": -1}),
    "a header that counts no kinds": edited(FIRST, effects=2),
    "a header without its seal": edited(FIRST, sha256=...),
    "a header that adds nonsense": edited(FIRST, adds={"table": 7}),
}
EFFECTS = {
    "an effect without values": edited(EFFECT, **{"is": ...}),
    "a change without its attribute": edited(CHANGED, attribute=...),
}


def strange(*lines: dict[str, str]) -> pytest.MarkDecorator:
    known = {name: line for some in lines for name, line in some.items()}
    return pytest.mark.parametrize("line", known.values(), ids=known.keys())


@strange(ANYWHERE, BASES)
def test_a_strange_base_is_named(line: str) -> None:
    message = str(failing(*sealed(HEADER, BASE, line), *LINES[2:]))

    assert message.startswith(
        ("sql/schema.lock, line 3: not a valid line of a lock", "sql/schema.lock, line 3: an object unknown")
    )


@strange(ANYWHERE, HEADERS)
def test_a_strange_header_is_named(line: str) -> None:
    message = str(failing(HEADER, BASE, line, *LINES[3:]))

    assert message.startswith(
        ("sql/schema.lock, line 3: not a valid line of a lock", "sql/schema.lock, line 3: the lines of")
    )


@strange(ANYWHERE, EFFECTS)
def test_a_strange_effect_is_named_when_it_is_read(line: str) -> None:
    message = str(failing(HEADER, BASE, *sealed(FIRST, EFFECT, line)))

    assert message.startswith(
        ("sql/schema.lock, line 5: not a valid line of a lock", "sql/schema.lock, line 5: an object unknown")
    )


@pytest.mark.parametrize("server", ["18", None, 0, -1, 18.0, True, float("inf"), [18]])
def test_a_strange_server_is_named(server: Any) -> None:
    assert str(failing(edited(HEADER, server=server))) == "sql/schema.lock, line 1: not a valid line of a lock file"


def test_an_unknown_kind_is_from_another_version() -> None:
    line = BASE.replace("schema:public", "comet:public")

    message = "sql/schema.lock, line 2: an object unknown to this version of healthd: comet:public"
    assert str(failing(*sealed(HEADER, line))) == message


def test_an_attribute_that_an_older_version_did_not_know_has_its_default() -> None:
    key, record = decode(
        "constraint:app.t.k", {"on": "table", "type": "check", "validated": True, "definition": "CHECK (true)"}
    )

    assert (Key("constraint", ("app", "t", "k")), None) == (key, record.statistics)
    with pytest.raises(LockFileError):
        decode("constraint:app.t.k", {"on": "table", "type": "check", "validated": True})


def test_attributes_of_another_version_are_told() -> None:
    line = EFFECT.replace('"unlogged"', '"floating"')

    found = str(failing(HEADER, BASE, *sealed(FIRST, line)))
    assert found == "sql/schema.lock, line 4: the attributes of table:app.orders do not match this version of healthd"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"attribute": "colour"}, "colour of enum:app.status"),
        ({"attribute": "unreadable"}, "unreadable of enum:app.status"),
        ({"changed": "comet:a.b"}, "labels of comet:a.b"),
    ],
)
def test_a_changed_attribute_must_be_one(values: dict[str, str], words: str) -> None:
    found = str(failing(HEADER, BASE, *sealed(FIRST, edited(CHANGED, **values), kind="enum")))

    assert found == f"sql/schema.lock, line 4: an attribute unknown to this version of healthd: {words}"


def test_an_unknown_verdict_is_told() -> None:
    found = str(failing(HEADER, BASE, edited(FIRST, rollback="perfect")))

    assert found == "sql/schema.lock, line 3: invalid rollback verdict: 'perfect'"


def test_locks_that_are_not_those_of_the_steps_are_told() -> None:
    found = str(failing(HEADER, BASE, edited(FIRST, rewrites=["table:app.orders"]), *LINES[3:]))

    assert found == "sql/schema.lock, line 3: its locks and rewrites do not match its steps"


def test_a_merge_that_kept_a_migration_twice_is_told() -> None:
    assert str(failing(*LINES, FIRST)) == f"sql/schema.lock, line {len(LINES) + 1}: 0001_orders occurs twice"


def test_a_merge_that_kept_an_object_twice_is_told() -> None:
    assert str(failing(*sealed(HEADER, BASE, BASE))) == "sql/schema.lock, line 3: schema:public occurs twice"


def test_a_merge_that_lost_an_effect_is_told() -> None:
    found = str(failing(*(line for line in LINES if line != EFFECT)))

    assert found == "sql/schema.lock, line 3: the lines of 0001_orders that follow are modified"


def test_an_effect_that_somebody_changed_by_hand_is_told() -> None:
    found = str(failing(*(line.replace('"paid"', '"payed"') for line in LINES)))

    assert found == "sql/schema.lock, line 3: the lines of 0001_orders that follow are modified"


def test_line_ends_of_windows_change_nothing() -> None:
    assert load(dump(LOCK).replace("\n", "\r\n")) == load(dump(LOCK))


@settings(deadline=None, max_examples=120)
@given(st.data())
def test_damage_is_a_lock_file_error_or_harmless(data: st.DataObject) -> None:
    text = dump(LOCK)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    patch = data.draw(st.sampled_from(["", "\n", '"', "null", "7", "[]", "{}", "true", '"x"', "\\", "\u2028"]))
    with suppress(LockFileError):
        load(text[:start] + patch + text[end:]).expected()


@pytest.mark.parametrize("objects", [{"comet:a": {}}, {"table:a.b": {}}, {"table:a.b": None}, {"": {}}])
def test_objects_that_are_not_ours_are_refused(objects: dict[str, Any]) -> None:
    with pytest.raises(LockFileError):
        decode_objects(objects)


# ── files and lock ──────────────────────────────────────────────────────────────────────────────────────


def files(lock: LockFile) -> list[Migration]:
    return [
        Migration(
            id=one.id,
            path=Path(f"sql/{one.id}.sql"),
            apply=one.id,
            rollback=f"{one.id} back" if one.rollback_digest else None,
            transactional=True,
            depends=(),
        )
        for one in lock.migrations
    ]


def test_the_files_that_were_locked_agree() -> None:
    assert [] == list(disagreements(LOCK, files(LOCK)))


def test_a_new_file_is_not_in_the_lock() -> None:
    new = replace(files(LOCK)[0], id="0005_new")

    assert ["0005_new: not in the lock file"] == list(disagreements(LOCK, [*files(LOCK), new]))


def test_a_lost_file_is_told() -> None:
    wanted = ["0002_note: in the lock file, but its file is missing"]

    assert wanted == list(disagreements(LOCK, [one for one in files(LOCK) if one.id != "0002_note"]))


def test_a_renamed_file_is_both() -> None:
    first, *others = files(LOCK)

    assert [
        "0001_renamed: not in the lock file",
        "0001_orders: in the lock file, but its file is missing",
    ] == list(disagreements(LOCK, [replace(first, id="0001_renamed"), *others]))


def test_an_edited_file_is_told() -> None:
    first, *others = files(LOCK)

    assert ["0001_orders: its content differs from the lock file"] == list(
        disagreements(LOCK, [replace(first, apply="other"), *others])
    )


@pytest.mark.parametrize("rollback", ["other", None])
def test_an_edited_or_lost_rollback_is_told(rollback: str | None) -> None:
    first, *others = files(LOCK)

    assert ["0001_orders: its rollback differs from the lock file"] == list(
        disagreements(LOCK, [replace(first, rollback=rollback), *others])
    )


def test_a_rollback_that_is_new_is_told() -> None:
    *others, last = files(LOCK)

    assert ["0004_strict: its rollback differs from the lock file"] == list(
        disagreements(LOCK, [*others, replace(last, rollback="now there is one")])
    )


def test_another_order_is_told() -> None:
    assert ["the order of the migrations differs from the lock file"] == list(
        disagreements(LOCK, reversed(files(LOCK)))
    )


def test_every_disagreement_is_told_in_the_order_of_the_files() -> None:
    made = [replace(one, id=one.id.replace("000", "010"), apply="x") for one in files(LOCK)]

    found = [line.partition(":")[0] for line in disagreements(LOCK, made)]
    assert found == [one.id for one in made] + [one.id for one in LOCK.migrations]


def test_every_kind_has_only_fields_that_json_knows() -> None:
    for kind in KINDS.values():
        for field in fields(kind.record):
            plain = str(field.type)
            assert not any(word in plain for word in ("float", "dict", "bytes", "datetime", "list")), (kind.name, plain)
