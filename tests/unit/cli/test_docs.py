"""`healthd docs` finds a page by what a message calls it, in what a wheel brings or in a checkout."""

import json
import sys
import webbrowser
from pathlib import Path

import pytest

from healthd.cli.main import run
from healthd.cli.verbs import docs

ROOT = Path(__file__).parents[3]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site as a wheel brings it, in a folder whose name needs escaping in a URL."""
    folder = tmp_path / "the site"
    for name in ("index", "runbook", "lint", "how-to/contracts", "search", "_static/scripts/x"):
        path = folder / f"{name}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.setattr(docs, "PLACES", ((folder, ".html"), (ROOT / "docs", ".md")))
    return folder


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ([], "index.html"),
        (["contracts"], "how-to/contracts.html"),
        (["docs/how-to/contracts.md#rows"], "how-to/contracts.html#rows"),
        (["enum_mismatch"], "runbook.html#enum_mismatch"),
        (["healthd_down"], "runbook.html#healthd_down"),
        (["drops_cascade"], "lint.html#drops_cascade"),
        (["docs/lint.md#ignore"], "lint.html#ignore"),
        (["lint#drops_cascade"], "lint.html#drops_cascade"),
    ],
)
def test_a_page_is_found_by_what_a_message_calls_it(
    site: Path, capsys: pytest.CaptureFixture[str], words: list[str], page: str
) -> None:
    assert 0 == run(["docs", *words])
    assert f"{site / page}\n" == capsys.readouterr().out


@pytest.mark.parametrize("word", ["nothing", "search", "x", "../../etc/passwd", "enum_mismatc"])
def test_what_is_no_page_is_refused_with_those_that_are(
    site: Path, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    assert 3 == run(["docs", word])
    assert "contracts, index, lint, runbook" in capsys.readouterr().err


def test_json_has_the_path_and_what_a_browser_takes(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["docs", "enum_mismatch", "--format", "json"])

    url = f"{(site / 'runbook.html').as_uri()}#enum_mismatch"
    assert "the%20site" in url
    assert {"path": str(site / "runbook.html"), "anchor": "enum_mismatch", "url": url} == json.loads(
        capsys.readouterr().out
    )


def test_settings_that_are_wrong_do_not_matter(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "yoyo.ini").write_text("[healthd]\nlost = 1\n")
    monkeypatch.chdir(tmp_path)

    assert 0 == run(["docs", "contracts"])


def test_a_checkout_without_a_site_names_its_markdown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(docs, "PLACES", ((tmp_path, ".html"), (ROOT / "docs", ".md")))

    assert 0 == run(["docs", "adopt"])
    assert f"{ROOT / 'docs' / 'how-to' / 'adopt.md'}\n" == capsys.readouterr().out


def test_without_any_documentation_it_is_said_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(docs, "PLACES", ((tmp_path, ".html"),))

    assert 3 == run(["docs"])
    assert "not installed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("terminal", "words", "opened"), [(True, ["--open"], 1), (False, ["--open"], 0), (True, [], 0)]
)
def test_a_browser_is_opened_only_at_a_terminal_and_when_asked_for(
    site: Path, monkeypatch: pytest.MonkeyPatch, terminal: bool, words: list[str], opened: int
) -> None:
    urls: list[str] = []
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    monkeypatch.setattr(webbrowser, "open", urls.append)

    run(["docs", "contracts", *words])

    assert [(site / "how-to" / "contracts.html").as_uri()] * opened == urls
