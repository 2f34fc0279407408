"""The section [alertmanager], and errors in it, which never contain a password."""

import re
from pathlib import Path

import pytest

from healthd.config.reader import read_settings
from healthd.config.settings import Alertmanager
from healthd.errors import ConfigError


def read(folder: Path, text: str) -> Alertmanager | None:
    (folder / "yoyo.ini").write_text(f"[DEFAULT]\ndatabase = postgresql:///app\n{text}")
    return read_settings(folder / "yoyo.ini").alertmanager


PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "alertmanager.md"


@pytest.mark.parametrize("block", re.findall(r"```ini\n(.*?)```", PAGE.read_text(), re.DOTALL))
def test_an_example_of_the_page_is_valid(block: str, tmp_path: Path) -> None:
    assert read(tmp_path, block)


def test_without_the_section_nothing_is_sent(tmp_path: Path) -> None:
    assert read(tmp_path, "") is None


def test_an_address_is_enough(tmp_path: Path) -> None:
    found = read(tmp_path, "[alertmanager]\nurl = http://127.0.0.1:9093/\n")

    assert Alertmanager(("http://127.0.0.1:9093",)) == found
    assert (60, 10) == (found.resend_s, found.timeout_s)


def test_the_section_is_read_with_all_its_keys(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "[alertmanager]\nurl = http://a.example:9093/alerts\n  https://b.example\ntoken_file = token\nresend_s = 30\n"
        "timeout_s = 2.5\nlabels = cluster=eu, replica=one\n",
    )

    urls = ("http://a.example:9093/alerts", "https://b.example")
    labels = {"cluster": "eu", "replica": "one"}
    assert Alertmanager(urls, tmp_path / "token", 30, 2.5, labels) == found


def test_a_password_is_not_in_the_text_of_the_settings(tmp_path: Path) -> None:
    found = read(tmp_path, "[alertmanager]\nurl = http://me:hunter2@a.example\n")

    assert found is not None
    assert ("http://me:hunter2@a.example",) == found.urls
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("", "[alertmanager] url: missing"),
        ("url = a.example:9093", "url: address 1 is not a valid http:// or https:// address"),
        ("url = http://a.example ftp://b.example", "url: address 2 is not a valid"),
        ("url = http://me:hunter2@a.example?x", "url: address 1 is not a valid"),
        ("url = http://me:hunter2@a.example#x", "url: address 1 is not a valid"),
        ("url = http://me:1/hunter2@a.example", "url: address 1 is not a valid"),
        ("url = http://me:a/hunter2@a.example", "url: address 1 is not a valid"),
        ("url = http://a.example/api/v2/alerts", "url: address 1 ends with /api/v2/alerts"),
        ("url = http://a.example http://me:hunter2@A.example/", "url: address 2 occurs twice: a.example"),
        ("url = http://me:hunter2@a.example\ntoken_file = t", "token_file: address 1 of url contains a user"),
        ("url = http://a.example\nresend_s = 0", "resend_s: '0' is not a number of seconds from 1 to 3600"),
        ("url = http://a.example\ntimeout_s = x", "timeout_s: 'x' is not a number of seconds from 0.1 to 300"),
        ("url = http://a.example\nlabels = severity=none", "labels: severity is healthd's own"),
        ("url = http://a.example\nlabels = cluster", "labels: 'cluster' is not NAME=VALUE"),
        ("url = http://a.example\nurls = x", "urls: unknown key"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_key_and_a_cure(tmp_path: Path, lines: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, f"[alertmanager]\n{lines}\n")

    assert words in str(caught.value)
    assert "yoyo.ini" in str(caught.value)
    assert caught.value.hint
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


def test_the_section_has_no_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\[alertmanager eu\]: unknown section"):
        read(tmp_path, "[alertmanager eu]\nurl = http://a.example\n")
