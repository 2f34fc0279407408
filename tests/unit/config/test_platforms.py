"""The profiles that come with healthd: each entry is what it should be, and names its source."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from healthd.catalog import KINDS
from healthd.config.platforms import FOLDER, profile_names, read_profile
from healthd.config.reader import read_settings
from healthd.errors import ConfigError
from healthd.model.profiles import Profile

GUIDE = (Path(__file__).parents[3] / "docs" / "how-to" / "profiles.md").read_text()
LISTS = {field.name for field in fields(Profile)} - {"name", "title"}


def settings(folder: Path, text: str) -> Path:
    file = folder / "yoyo.ini"
    file.write_text(f"[DEFAULT]\nsources = sql\n{text}")
    return file


@pytest.mark.parametrize("name", profile_names())
def test_a_profile_is_lists_of_names(name: str) -> None:
    content = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    title = content.pop("title")

    assert isinstance(title, str)
    assert content
    assert content.keys() <= LISTS
    for values in content.values():
        assert values
        assert all(isinstance(value, str) and value for value in values)
        assert len(values) == len(set(values))
    assert read_profile(name).title == title


@pytest.mark.parametrize("name", profile_names())
def test_each_list_of_a_profile_names_a_document_before_its_first_entry(name: str) -> None:
    text = (FOLDER / f"{name}.toml").read_text()
    lists = re.findall(r"^\w+ = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)

    assert lists
    for entries in lists:
        before = re.split(r"^ +[\"']", entries, maxsplit=1, flags=re.MULTILINE)[0]
        assert "https://" in before or "# the same document" in entries


@pytest.mark.parametrize("name", profile_names())
def test_a_profile_would_not_hide_everything(name: str) -> None:
    profile = read_profile(name)

    assert not {"public", "*", "pg_catalog"} & set(profile.schemas)
    for pattern in (*profile.objects, *profile.revoked):
        kind, _, rest = pattern.partition(":")
        assert kind in KINDS
        assert re.search(r"[a-z]", rest)
    assert not re.search(r"[*?]", "".join((*profile.roles, *profile.grantees)))


def test_every_profile_is_documented() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", GUIDE, re.MULTILINE))

    assert {name: read_profile(name).title for name in profile_names()} == rows


def test_a_target_has_the_profiles_of_all_unless_it_names_its_own(tmp_path: Path) -> None:
    text = """[healthd]
        profile = rds, pg_cron
        [target a]
        database = postgresql:///a
        [target b]
        database = postgresql:///b
        profile = supabase
        [target c]
        database = postgresql:///c
        profile = none
    """.replace("        ", "")
    known = read_settings(settings(tmp_path, text))

    assert [("rds", "pg_cron"), ("supabase",), ()] == [
        tuple(profile.name for profile in target.profiles) for target in known.targets
    ]
    only = read_settings(known.file, database="postgresql:///d")
    assert ("rds", "pg_cron") == tuple(profile.name for profile in only.targets[0].profiles)


@pytest.mark.parametrize("value", ["rsd", "rds, none", "../rds", "rds;pg_cron", "RDS"])
def test_an_unknown_profile_is_refused_with_those_that_are_known(value: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(settings(tmp_path, f"[healthd]\nprofile = {value}\n"))

    assert "line 4: [healthd] profile: unknown profile" in str(caught.value)
    assert "rds, supabase" in caught.value.hint
