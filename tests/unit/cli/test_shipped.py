"""`healthd rules` and `healthd units` print or write the files that come along, with the right links and paths."""

import json
import sys
from pathlib import Path

import pytest

from healthd.cli.main import run
from healthd.cli.verbs import units
from healthd.errors import UsageError

ROOT = Path(__file__).parents[3]
RULES = (ROOT / "prometheus" / "healthd.rules.yml").read_text()
PLACEHOLDER = "https://healthd.example/docs/runbook.md"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, with a file of settings."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "yoyo.ini").write_text("[DEFAULT]\nsources = sql\n")
    return tmp_path


def test_rules_are_printed_as_they_are_and_their_placeholder_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["rules"])

    printed = capsys.readouterr()
    assert RULES == printed.out
    assert f"the links lead to the placeholder {PLACEHOLDER}" in printed.err


@pytest.mark.parametrize(
    ("lines", "words", "address"),
    [
        ("external_url = https://one.example.com/healthd", [], "https://one.example.com/healthd/runbook"),
        ("runbook = https://wiki.example.com/x", [], "https://wiki.example.com/x"),
        ("external_url = https://one.example.com", ["--runbook", "http://wiki/x"], "http://wiki/x"),
    ],
)
def test_every_link_leads_to_the_runbook_that_is_configured(
    folder: Path, capsys: pytest.CaptureFixture[str], lines: str, words: list[str], address: str
) -> None:
    (folder / "yoyo.ini").write_text(f"[DEFAULT]\nsources = sql\n[healthd]\n{lines}\n")

    assert 0 == run(["rules", *words])

    printed = capsys.readouterr()
    assert RULES.replace(PLACEHOLDER, address) == printed.out
    assert (PLACEHOLDER not in printed.out, "") == (True, printed.err)


@pytest.mark.parametrize("address", ["wiki", "ftp://wiki/x", "https://wiki/x#y", "https://wiki/{{x}}", "https://a b/"])
def test_what_is_no_address_is_refused(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 3 == run(["rules", "--runbook", address])
    assert "is not an http:// or https:// address" in capsys.readouterr().err


def test_an_example_is_printed_without_a_word_about_links(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["rules", "alertmanager.yml"])

    printed = capsys.readouterr()
    assert (ROOT / "prometheus" / "alertmanager.yml").read_text() == printed.out
    assert "" == printed.err


def test_files_are_written_and_named_and_json_has_their_content(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "out").mkdir()

    assert 0 == run(["rules", "--to", "out", "--format", "json"])

    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert {"name": "healthd.rules.yml", "text": RULES, "path": "out/healthd.rules.yml"} == file
    assert RULES == (folder / "out" / "healthd.rules.yml").read_text()
    assert 0o644 == (folder / "out" / "healthd.rules.yml").stat().st_mode & 0o777
    assert ["healthd.rules.yml"] == [path.name for path in (folder / "out").iterdir()]


def test_a_file_with_another_text_is_replaced_only_by_force(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "healthd-migrate.service").write_text("mine")

    assert 3 == run(["units", "--to", "."])
    assert "healthd-migrate.service exists with another text; nothing was written" in capsys.readouterr().err
    assert not (folder / "healthd.service").exists()
    assert "mine" == (folder / "healthd-migrate.service").read_text()

    assert 0 == run(["units", "--to", ".", "--force"])
    assert 0 == run(["units", "--to", "."])  # what is the same is no conflict
    assert "mine" != (folder / "healthd-migrate.service").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["rules", "--to", "nowhere"], "there is no folder nowhere"),
        (["rules", "--to", "yoyo.ini"], "there is no folder yoyo.ini"),
        (["units", "healthd.servic"], "did you mean healthd.service?"),
        (["rules", "../yoyo.ini"], "no file is called '../yoyo.ini'"),
    ],
)
def test_what_cannot_be_done_is_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 3 == run(words)

    printed = capsys.readouterr()
    assert message in printed.err
    assert 2 == len(printed.err.splitlines())


def test_units_start_this_program_with_the_file_that_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = folder / "healthd"
    program.touch(0o755)
    monkeypatch.setattr(sys, "argv", [str(program)])

    assert 0 == run(["units", "--config", "etc/100% ours.ini"])

    printed = capsys.readouterr()
    assert f'ExecStart={program} serve --config "{folder}/etc/100%% ours.ini"\n' in printed.out
    assert f'ExecStart={program} migrate --config "{folder}/etc/100%% ours.ini"\n' in printed.out
    assert "# healthd.service\n" in printed.out
    assert "healthd.example" not in printed.out


def test_units_without_a_file_of_settings_use_the_one_in_etc(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["units", "healthd.service"])
    assert " serve --config /etc/healthd/yoyo.ini\n" in capsys.readouterr().out


def test_a_place_that_the_units_cannot_see_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    monkeypatch.setattr(units, "program_of", lambda _: ("/opt/healthd/bin/healthd",))
    run(["units", "--config", "/home/me/yoyo.ini"])
    assert "the units cannot use /home/me/yoyo.ini: systemd hides /home from them" in capsys.readouterr().err

    run(["units", "--config", "/srv/yoyo.ini"])
    assert "" == capsys.readouterr().err


def test_what_belongs_to_other_folders_is_written_only_if_it_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [0, 0] == [
        run(["units", "--to", "."]),
        run(["units", "healthd-tmpfiles.conf", "--config", "/home/me/x.ini"]),
    ]

    printed = capsys.readouterr()
    assert "z /etc/healthd/*.pgpass 0600 root root -\n" in printed.out
    assert "/home/me" not in printed.out + printed.err
    assert [] == list(folder.glob("*.conf"))
    assert (folder / "healthd.service").is_file()


@pytest.mark.parametrize("path", ["/etc/a$b.ini", "/etc/a\nb.ini", '/etc/a"b.ini', "/etc/a;b.ini"])
def test_a_path_that_a_unit_cannot_contain_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match="a unit cannot contain the path"):
        units.adapted("", ("/usr/bin/healthd",), Path(path))


def test_a_program_without_a_script_is_started_by_its_interpreter(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(folder / "python"))

    assert (str(folder / "python"), "-m", "healthd") == units.program_of("healthd/__main__.py")
