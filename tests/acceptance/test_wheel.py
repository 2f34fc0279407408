"""What a user gets who installs the wheel: the program, and its documentation as a site that needs no network."""

import fcntl
import importlib.util
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from servers import run, tool, unpack

from healthd._version import __version__
from healthd.config.platforms import profile_names
from healthd.lint.rules import RULES
from healthd.report.problems import SECTIONS

ROOT = Path(__file__).parents[2]
PLACE = "healthd/documentation"
PROMETHEUS, SYSTEMD = (sorted((ROOT / name).iterdir()) for name in ("prometheus", "systemd"))
FETCHED = {
    "script": "src",
    "link": "href",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "object": "data",
}


@dataclass
class Page(HTMLParser):
    """One page of the site: its anchors, where it leads to, and what a browser fetches for it."""

    path: Path
    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.ids.update(value for name, value in attrs if name in ("id", "name") and value)
        if tag == "a" and known.get("href"):
            self.links.append(str(known["href"]))
        if tag in FETCHED and known.get(FETCHED[tag]):
            self.fetched.append(str(known[FETCHED[tag]]))


@dataclass(frozen=True)
class Installed:
    """The content of the wheel, in a folder of its own."""

    folder: Path
    names: tuple[str, ...]

    @property
    def site(self) -> Path:
        return self.folder / PLACE

    @cached_property
    def pages(self) -> Mapping[Path, Page]:
        return {path: Page(path) for path in sorted(self.site.rglob("*.html"))}

    def healthd(self, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run the program of the wheel, somewhere else."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        command = [sys.executable, "-P", "-m", "healthd", *words]
        return subprocess.run(
            command, cwd=cwd or self.folder, env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel as `pip wheel .` builds it, with the tools that are installed here."""
    folder, session = tmp_path_factory.mktemp("installed"), tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        session = session.parent  # of all workers
    with (session / "wheel.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        file = built(session / "wheel")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)
        return Installed(folder, tuple(archive.namelist()))


def built(out: Path) -> Path:
    """Return the wheel in this folder, built unless another worker has done so: the site in it takes long."""
    if not (found := tuple(out.glob("healthd-*.whl"))):
        words = ["--no-deps", "--no-index", "--no-build-isolation", "--quiet", "--wheel-dir", str(out)]
        command = [sys.executable, "-m", "pip", "wheel", str(ROOT), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert 0 == done.returncode, done.stdout + done.stderr
        found = tuple(out.glob("healthd-*.whl"))
    (file,) = found
    return file


def test_the_wheel_has_the_program_and_its_documentation_and_nothing_else(wheel: Installed) -> None:
    tops = {name.split("/")[0] for name in wheel.names}

    assert {"healthd"} == {name for name in tops if not name.endswith(".dist-info")}
    assert {f"{PLACE}/index.html", f"{PLACE}/searchindex.js", "healthd/report/templates/base.html"} <= set(wheel.names)
    assert {f"healthd/shipped/{path.parent.name}/{path.name}" for path in (*PROMETHEUS, *SYSTEMD)} <= set(wheel.names)
    assert {f"healthd/config/profiles/{name}.toml" for name in profile_names()} <= set(wheel.names)
    assert [] == [name for name in wheel.names if name.endswith((".doctree", ".pickle", "conf.py", ".pyc"))]


def test_only_a_wheel_asks_for_what_builds_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = importlib.util.spec_from_file_location("build_backend", ROOT / "docs" / "build_backend.py")
    assert found is not None
    assert found.loader is not None
    backend = importlib.util.module_from_spec(found)
    found.loader.exec_module(backend)
    names = {
        word: {re.findall(r"^[\w-]+", one)[0] for one in getattr(backend, f"get_requires_for_build_{word}")()}
        for word in ("wheel", "editable", "sdist")
    }

    assert {"sphinx", "myst-parser", "furo"} <= names["wheel"]
    assert set() == {"sphinx", "myst-parser", "furo"} & (names["editable"] | names["sdist"])


def test_the_site_names_the_version_of_the_wheel(wheel: Installed) -> None:
    assert f"<title>healthd {__version__}</title>" in (wheel.site / "index.html").read_text(encoding="utf-8")


def test_every_page_of_docs_is_in_the_site(wheel: Installed) -> None:
    docs = ROOT / "docs"
    expected = {path.relative_to(docs).with_suffix(".html") for path in docs.rglob("*.md")}

    assert set() == expected - {path.relative_to(wheel.site) for path in wheel.pages}


def test_a_page_fetches_nothing_from_a_network(wheel: Installed) -> None:
    for page in wheel.pages.values():
        assert [] == [link for link in page.fetched if urlsplit(link).netloc], page.path
        assert page.fetched
        for link in set(page.fetched) - {"#"}:  # the page of the search names itself
            assert link.startswith("data:") or (page.path.parent / unquote(urlsplit(link).path)).is_file(), link
    for path in wheel.site.rglob("*.css"):
        text = path.read_text(encoding="utf-8")
        assert "url(http" not in text.replace('"', "").replace("'", "").replace("url( ", "url("), path
        assert "url(//" not in text.replace('"', "").replace("'", ""), path
        assert "@import" not in text, path


def leads(wheel: Installed) -> Iterator[tuple[Path, Path, str]]:
    """Yield page, file and anchor of each link within the site."""
    for page in wheel.pages.values():
        for link in page.links:
            parts = urlsplit(link)
            if not parts.scheme and not parts.netloc:
                there = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
                yield page.path, there, unquote(parts.fragment)


def test_every_link_within_the_site_leads_to_a_file_and_to_a_place_in_it(wheel: Installed) -> None:
    pages = {path.resolve(): page for path, page in wheel.pages.items()}
    wrong = []
    for page, file, anchor in leads(wheel):
        there = pages.get(file.resolve())
        if not file.is_file() or (anchor and there is not None and anchor not in there.ids):
            wrong.append((page.name, file.name, anchor))

    assert [] == wrong


def test_an_anchor_is_the_same_as_on_a_forge(wheel: Installed) -> None:
    """Alerts, messages and the Markdown itself lead to `#enum_mismatch`."""
    assert set() == SECTIONS.keys() - wheel.pages[wheel.site / "runbook.html"].ids
    assert set() == {*RULES, "ignore"} - wheel.pages[wheel.site / "lint.html"].ids


@pytest.mark.parametrize(
    ("words", "page", "anchor"),
    [
        ([], "index.html", ""),
        (["enum_mismatch"], "runbook.html", "enum_mismatch"),
        (["drops_cascade"], "lint.html", "drops_cascade"),
        (["adopt", "--open"], "how-to/adopt.html", ""),
    ],
)
def test_the_program_of_the_wheel_says_where_a_page_is(
    wheel: Installed, words: list[str], page: str, anchor: str
) -> None:
    done = wheel.healthd("docs", *words, "--format", "json")

    assert (0, "") == (done.returncode, done.stderr)
    assert {"path": str(wheel.site / page), "anchor": anchor} == {
        name: value for name, value in json.loads(done.stdout).items() if name != "url"
    }


def test_what_the_program_prints_leads_to_a_page_of_the_wheel(wheel: Installed) -> None:
    done = wheel.healthd("lint", "--config", "lost.ini")
    assert 3 == done.returncode
    (wheel.folder / "yoyo.ini").write_text("[healthd\n")

    hint = wheel.healthd("check").stderr.rpartition("hint: ")[2]

    assert "healthd docs configuration" in hint
    assert str(wheel.site / "reference" / "configuration.html") == wheel.healthd("docs", "configuration").stdout.strip()


# ── rules, units, completion ────────────────────────────────────────────────────────────────────────────


def test_the_rules_of_the_wheel_are_the_tested_ones_with_links_of_ones_own(wheel: Installed, tmp_path: Path) -> None:
    address = "https://wiki.example.com/runbook"
    words = ["rules", *(path.name for path in PROMETHEUS), "--to", str(tmp_path), "--runbook", address]
    done = wheel.healthd(*words, cwd=tmp_path)

    assert (0, "") == (done.returncode, done.stderr)
    assert [str(tmp_path / path.name) for path in PROMETHEUS] == done.stdout.splitlines()
    for path in PROMETHEUS:  # the files that test_prometheus.py tests, but for the links
        written = (tmp_path / path.name).read_text()
        assert path.read_text().replace("https://healthd.example/docs/runbook.md", address) == written
    rules = tmp_path / "healthd.rules.yml"
    assert f"runbook_url: {address}#enum_mismatch" in rules.read_text()
    code, output = run(tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", rules)
    assert 0 == code, output


def test_the_units_of_the_wheel_pass_systemd_with_the_paths_of_the_installation(
    wheel: Installed, tmp_path: Path
) -> None:
    done = wheel.healthd("units", "--to", str(tmp_path), "--config", str(tmp_path / "yoyo.ini"))

    assert 0 == done.returncode
    for path in SYSTEMD:
        if path.suffix == ".conf":  # they belong to other folders
            assert path.read_text() == wheel.healthd("units", path.name).stdout
            continue
        code, output = run(tool("systemd-analyze"), "verify", "--recursive-errors=no", tmp_path / path.name)
        assert (0, "") == (code, output)
    daemon = (tmp_path / "healthd.service").read_text()
    assert f"Documentation={(wheel.site / 'runbook.html').as_uri()}#healthd_down\n" in daemon
    assert f" serve --config {tmp_path}/yoyo.ini\n" in daemon


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_wheel_completes_in_each_shell(wheel: Installed, shell: str) -> None:
    done = wheel.healthd("completion", shell)

    assert (0, "") == (done.returncode, done.stderr)
    assert "_HEALTHD_COMPLETE" in done.stdout


def test_a_source_distribution_has_all_that_the_wheel_is_built_from(wheel: Installed, tmp_path: Path) -> None:
    words = ["-c", f"import build_backend; print(build_backend.build_sdist({str(tmp_path)!r}))"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "docs")}
    made = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert 0 == made.returncode, made.stderr
    unpack(tmp_path / made.stdout.split()[-1], tmp_path)
    (source,) = (path for path in tmp_path.iterdir() if path.is_dir())
    copied = [name for name in wheel.names if not name.startswith(PLACE) and ".dist-info/" not in name]
    pages = [path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*") if path.suffix in (".md", ".py", ".png")]

    assert len(copied) > 300
    for name in copied:
        assert (source / name.removeprefix("healthd/shipped/")).read_bytes() == (wheel.folder / name).read_bytes(), name
    for path in (*pages, Path("pyproject.toml"), Path("README.md"), Path("LICENSE")):
        assert (source / path).read_bytes() == (ROOT / path).read_bytes(), path
