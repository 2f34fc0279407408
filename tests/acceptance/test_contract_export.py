"""From an application's models to a finding: `healthd contract export` writes, `healthd check --contract` proves."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from commands import HEALTHD

from healthd.cli.main import run

MODELS = """
import enum
from uuid import UUID
from sqlalchemy import Enum
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"

class Base(DeclarativeBase):
    pass

class Machine(Base):
    __tablename__ = "machines"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    mood: Mapped[Mood] = mapped_column(Enum(Mood, name="mood"))

STATEMENTS = {"list": "SELECT id, colour FROM machines"}
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An application in the current folder, which is no project of ours."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("")
    (tmp_path / "shop" / "models.py").write_text(MODELS)
    (tmp_path / "shop" / "broken.py").write_text("import os\n\nKEY = os.environ['SHOP_KEY_THAT_NOBODY_SET']\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def export(*words: str) -> tuple[int, str, str]:
    """Run the verb as an application's CI does, in a process of its own."""
    done = subprocess.run([HEALTHD, "contract", "export", *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_models_become_a_file_that_is_held_against_a_database(
    shop: Path, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = export("shop.models:Base", "shop.models:STATEMENTS", "-o", "shop@7.json")
    assert (0, "shop@7.json: models 1, statements 1\n") == (code, out)
    assert "shop.models:Machine.mood: SQLAlchemy writes the names" in err

    (shop / "sql").mkdir()
    made = "CREATE TYPE mood AS ENUM ('good', 'bad');\nCREATE TABLE machines (id text NOT NULL, mood mood NOT NULL);\n"
    (shop / "sql" / "0001_machines.sql").write_text(made)
    (shop / "yoyo.ini").write_text("[DEFAULT]\nsources = sql\n")
    assert (0, 0) == (run(["lock"]), run(["migrate", "--database", database]))
    capsys.readouterr()
    code = run(["check", "--contract", "shop@7.json", "--database", database, "--format", "json"])
    (report,) = json.loads(capsys.readouterr().out)
    found = {(one["problem"], one["key"]): one["message"] for one in report["findings"] if one["check"] == "contracts"}

    assert 2 == code
    assert {
        ("enum_mismatch", "enum:public.mood"),
        ("contract_broken", "column:public.machines.id"),
        ("contract_broken", 'statement:"shop@7".list'),
    } == found.keys()
    assert "values_callable=lambda e: [m.value for m in e]" in found["enum_mismatch", "enum:public.mood"]
    assert "(shop@7)" in found["enum_mismatch", "enum:public.mood"]


def check_models(shop: Path, models: str, *words: str) -> tuple[int, str, str]:
    """Run `healthd check` in a process of its own on a yoyo.ini that names models."""
    (shop / "yoyo.ini").write_text(f"[DEFAULT]\nsources = sql\n\n[contract shop]\nmodels = {models}\n")
    done = subprocess.run([HEALTHD, "check", "--format", "json", *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_models_that_a_section_names_are_held_against_a_database_without_a_file(shop: Path, database: str) -> None:
    (shop / "sql").mkdir()
    made = "CREATE TYPE mood AS ENUM ('good', 'bad');\nCREATE TABLE machines (id text NOT NULL, mood mood NOT NULL);\n"
    (shop / "sql" / "0001_machines.sql").write_text(made)
    (shop / "yoyo.ini").write_text("[DEFAULT]\nsources = sql\n")
    assert (0, 0) == (run(["lock"]), run(["migrate", "--database", database]))
    code, out, err = check_models(shop, "shop.models:Base shop.models:STATEMENTS", "--database", database)
    (report,) = json.loads(out)
    found = {one["key"]: one["message"] for one in report["findings"] if one["check"] == "contracts"}

    assert 2 == code, err
    assert {"enum:public.mood", "column:public.machines.id", "statement:shop.list"} == found.keys()
    assert "(shop)" in found["enum:public.mood"]


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ("shop.lost:Base", "cannot import shop.lost: ModuleNotFoundError: No module named 'shop.lost'"),
        ("shop.broken:Base", "cannot import shop.broken: KeyError: 'SHOP_KEY_THAT_NOBODY_SET'"),
        ("shop.models", "not a model: 'shop.models'"),
        ("shop.models:Base\nfile = shop.json", "file is set too"),
    ],
)
def test_models_that_cannot_be_read_are_told_in_one_line(shop: Path, models: str, message: str) -> None:
    code, out, err = check_models(shop, models, "--database", "postgresql://nobody@localhost:1/none")

    assert (3, "config_error") == (code, json.loads(out)["error"]["code"])
    assert "[contract shop] models: " in err
    assert message in err
    assert "Traceback" not in err


def test_without_a_file_the_contract_goes_to_standard_output(shop: Path) -> None:
    code, out, err = export("shop.models:Base", "--role", "shop")

    assert 0 == code, err
    assert ("shop", ["shop.models:Machine"]) == (json.loads(out)["role"], list(json.loads(out)["models"]))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["shop.models"], "not a model: 'shop.models'"),
        (["shop.models:"], "not a model: 'shop.models:'"),
        (["json://user:s3cret@host/db"], "not a model: 'json://user:***@host/db'"),
        (["shop.lost:Base"], "cannot import shop.lost: ModuleNotFoundError: No module named 'shop.lost'"),
        (["shop.broken:Base"], "cannot import shop.broken: KeyError: 'SHOP_KEY_THAT_NOBODY_SET'"),
        (["shop.models:Lost"], "shop.models has no Lost"),
        (["shop.models:Mood"], "shop.models:Mood is not a model"),
        (["shop.models:Base", "-o", "lost/shop.json"], "cannot write lost/shop.json: No such file or directory"),
    ],
)
def test_what_cannot_be_exported_is_told_in_one_line(shop: Path, words: list[str], message: str) -> None:
    code, out, err = export(*words)

    assert (3, "") == (code, out)
    assert f"healthd: {message}" in err
    assert "Traceback" not in err
    assert "hint: " in err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no contract and no file is called 'it.json'"),
        ("{", "it.json: not JSON"),
        ('{"format": 2, "healthd": "9.1", "belief": {}}', "it.json: written by healthd 9.1 in format 2"),
    ],
)
def test_a_contract_that_cannot_be_read_is_told(
    shop: Path, text: str | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        (shop / "it.json").write_text(text)

    assert 3 == run(["check", "--contract", "it.json", "--database", "host=127.0.0.1 port=1 dbname=x"])
    assert message in capsys.readouterr().err


def test_the_daemon_never_imports_what_models_are_made_with() -> None:
    words = (
        "import sys, healthd.daemon.loop, healthd.checks\n"
        "print([m for m in ('pydantic', 'sqlalchemy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)

    assert "[]\n" == done.stdout


def test_what_the_role_needs_is_written_for_the_tables_of_the_models(shop: Path) -> None:
    words = ("--role", "shop", "--privilege", "select", "--privilege", "INSERT")
    code, out, _ = export("shop.models:Base", *words)
    contract = json.loads(out)

    assert 0 == code
    assert "shop" == contract["role"]
    assert {"public.machines": {"columns": {}, "privileges": ["SELECT", "INSERT"]}} == contract["tables"]


def test_a_privilege_without_a_role_is_refused(shop: Path) -> None:
    code, out, err = export("shop.models:Base", "--privilege", "SELECT")

    assert (3, "") == (code, out)
    assert "--privilege requires --role" in err
