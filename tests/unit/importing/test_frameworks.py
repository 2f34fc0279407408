"""What Alembic 1.20 and Django 5.2 print, as migrations."""

from healthd.importing.alembic import read_alembic
from healthd.importing.django import planned, read_django
from healthd.importing.records import NEEDS_A_HUMAN

UPGRADE = """BEGIN;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 1975ea83b712

CREATE TABLE account (
    id SERIAL NOT NULL,
    PRIMARY KEY (id)
);

INSERT INTO alembic_version (version_num) VALUES ('1975ea83b712') RETURNING alembic_version.version_num;

-- Running upgrade 1975ea83b712 -> ae1027a6acf

COMMIT;

CREATE INDEX CONCURRENTLY account_name ON account (name);

BEGIN;

UPDATE alembic_version SET version_num='ae1027a6acf' WHERE alembic_version.version_num = '1975ea83b712';

-- Running upgrade ae1027a6acf -> b0

UPDATE alembic_version SET version_num='b0' WHERE alembic_version.version_num = 'ae1027a6acf';

COMMIT;
"""
DOWNGRADE = """BEGIN;

-- Running downgrade ae1027a6acf -> 1975ea83b712

DROP INDEX account_name;

UPDATE alembic_version SET version_num='1975ea83b712' WHERE alembic_version.version_num = 'ae1027a6acf';

-- Running downgrade 1975ea83b712 ->

DROP TABLE account;

DELETE FROM alembic_version WHERE alembic_version.version_num = '1975ea83b712';

COMMIT;
"""


def test_alembic_is_read_revision_by_revision() -> None:
    reading = read_alembic(UPGRADE, DOWNGRADE, {"1975ea83b712": "create account table"})
    first, second = reading.found

    assert ("1975ea83b712_create_account_table", "ae1027a6acf") == (first.name, second.name)
    assert "CREATE TABLE account (\n    id SERIAL NOT NULL,\n    PRIMARY KEY (id)\n);\n" == first.apply
    assert "DROP TABLE account;\n" == first.rollback
    assert "CREATE INDEX CONCURRENTLY account_name ON account (name);\n" == second.apply
    assert "DROP INDEX account_name;\n" == second.rollback
    assert {"revision b0": "its SQL is empty"} == reading.left


def test_alembic_without_downgrades_has_no_rollbacks() -> None:
    assert [None, None] == [one.rollback for one in read_alembic(UPGRADE, "", {}).found]


def test_django_is_read_in_the_order_of_its_plan() -> None:
    plan = planned("[X]  shop.0001_initial\n[ ]  shop.0002_fill\n[ ]  shop.0003_state\n(no migrations)\n")
    created = 'BEGIN;\n--\n-- Create model Order\n--\nCREATE TABLE "shop_order" ("id" bigint);\nCOMMIT;\n'
    dropped = 'BEGIN;\n--\n-- Create model Order\n--\nDROP TABLE "shop_order" CASCADE;\nCOMMIT;\n'
    python = (
        "BEGIN;\n--\n-- Raw Python operation\n--\n-- THIS OPERATION CANNOT BE WRITTEN AS SQL\nCOMMIT;\n",
        None,
    )
    state = ("BEGIN;\n--\n-- Alter field\n--\n-- (no-op)\nCOMMIT;\n", "")
    reading = read_django(dict(zip(plan, [(created, dropped), python, state], strict=True)))

    assert ["shop_0001_initial"] == [one.name for one in reading.found]
    assert 'CREATE TABLE "shop_order" ("id" bigint);' in reading.found[0].apply
    assert 'DROP TABLE "shop_order" CASCADE;' in str(reading.found[0].rollback)
    assert "COMMIT" not in reading.found[0].apply
    by_hand = [name for name, reason in reading.left.items() if reason.endswith(NEEDS_A_HUMAN)]
    assert ["shop.0002_fill, an operation in Python"] == by_hand
    assert "it changes nothing in the database" == reading.left["shop.0003_state"]
