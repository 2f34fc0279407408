"""The container image and the manifests for Kubernetes: valid, and at work as a user without a name."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import kubernetes_validate
import pytest
import yaml
from conftest import MakeDatabase
from servers import free_port, lacking, wait_for

from acceptance.test_cli import make_project
from healthd.cli.main import cli
from healthd.config.reader import read_settings
from healthd.database.dsn import Dsn

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "container" / "kubernetes"
DOCKERFILE = (ROOT / "container" / "Dockerfile").read_text()
OF_THE_OPERATOR = ("ServiceMonitor", "PrometheusRule")
USER = 12345  # not in /etc/passwd


def manifest(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text())


RESOURCES: list[str] = manifest("kustomization.yaml")["resources"]
PODS = {"migrate-job.yaml": "migrate", "deployment.yaml": "healthd"}


def container(name: str) -> Any:
    (found,) = manifest(name)["spec"]["template"]["spec"]["containers"]
    return found


# ── the manifests ───────────────────────────────────────────────────────────────────────────────────────


def test_the_kustomization_has_every_manifest() -> None:
    assert {*RESOURCES, "kustomization.yaml"} == {path.name for path in FOLDER.glob("*.yaml")}
    files = manifest("kustomization.yaml")["configMapGenerator"][0]["files"]
    assert ["yoyo.ini=healthd.ini"] == files


@pytest.mark.parametrize("version", ["1.31", "1.37"])
@pytest.mark.parametrize("name", RESOURCES)
def test_a_manifest_is_valid(name: str, version: str) -> None:
    content = manifest(name)
    if content["kind"] in OF_THE_OPERATOR:
        assert "monitoring.coreos.com/v1" == content["apiVersion"]
        return
    kubernetes_validate.validate(content, version, strict=True)


def test_a_wrong_manifest_is_not_valid() -> None:
    content = manifest("deployment.yaml")
    content["spec"]["template"]["spec"]["containers"][0]["readOnly"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(content, "1.37", strict=True)


def test_the_rules_of_the_operator_are_those_of_prometheus() -> None:
    rules = yaml.safe_load((ROOT / "prometheus" / "healthd.rules.yml").read_text())

    assert rules["groups"] == manifest("prometheusrule.yaml")["spec"]["groups"]


def test_prometheus_scrapes_the_port_of_the_service_under_the_job_of_the_rules() -> None:
    (port,) = manifest("service.yaml")["spec"]["ports"]
    (monitored,) = manifest("servicemonitor.yaml")["spec"]["endpoints"]

    assert (port["name"], "healthd") == (monitored["port"], manifest("service.yaml")["metadata"]["name"])
    ports = {one["name"]: one["containerPort"] for one in container("deployment.yaml")["ports"]}
    assert {"http": 9899} == ports
    assert f"EXPOSE {ports['http']}\n" in DOCKERFILE


@pytest.mark.parametrize("name", PODS)
def test_a_pod_is_nobody_and_writes_only_where_it_must(name: str) -> None:
    pod = manifest(name)["spec"]["template"]["spec"]
    context = pod["securityContext"]
    user = re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)

    assert [(str(context["runAsUser"]), str(context["runAsGroup"]))] == user
    assert {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}.items() <= context.items()
    limits = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert limits == container(name)["securityContext"]
    assert pod["automountServiceAccountToken"] is False
    assert "env" not in container(name)  # no password in the environment
    mounted = {one["name"] for one in container(name)["volumeMounts"]}
    assert mounted == {one["name"] for one in pod["volumes"]}


@pytest.mark.parametrize("name", PODS)
def test_a_pod_runs_a_command_that_exists_on_files_that_are_mounted(name: str) -> None:
    verb, *words = container(name)["args"]
    command = cli.get_command(cli.make_context("healthd", [verb]), verb)
    assert command is not None
    command.make_context(verb, list(words))  # raises an error for an unknown option
    mounts = [one["mountPath"] for one in container(name)["volumeMounts"]]
    settings = (FOLDER / "healthd.ini").read_text()
    for path in (words[words.index("--config") + 1], *re.findall(r"= cat (\S+)", settings)):
        assert any(path.startswith(f"{mount}/") for mount in mounts)


def test_the_configuration_of_the_cluster_is_valid(tmp_path: Path) -> None:
    (tmp_path / "yoyo.ini").write_text((FOLDER / "healthd.ini").read_text())
    (target,) = read_settings(tmp_path / "yoyo.ini").targets

    assert "shop" == target.name
    assert "//shop_owner@" in Dsn.of(target.migrating.dsn).url


def test_the_probes_ask_for_addresses_that_exist() -> None:
    probes = [container("deployment.yaml")[word]["httpGet"] for word in ("livenessProbe", "readinessProbe")]
    routes = (ROOT / "healthd" / "report" / "web.py").read_text()

    for probe in probes:
        assert "http" == probe["port"]
        assert f'Route("{probe["path"]}",' in routes


def test_a_job_that_failed_for_good_is_not_tried_again() -> None:
    (rule,) = manifest("migrate-job.yaml")["spec"]["podFailurePolicy"]["rules"]

    assert ("FailJob", [1, 2], "migrate") == (
        rule["action"],
        rule["onExitCodes"]["values"],
        rule["onExitCodes"]["containerName"],
    )


# ── the image ───────────────────────────────────────────────────────────────────────────────────────────


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
    environment = [f"STATE_DIRECTORY={state}", "PYTHONDONTWRITEBYTECODE=1", f"PYTHONPATH={ROOT}"]
    return ["unshare", "--mount", "sh", "-ec", script, "sh", "env", "-i", *environment]


@pytest.fixture
def project(tmp_path: Path, make_database: MakeDatabase, migrated_template: str) -> Path:
    """A project with a target whose database can be reached by everybody."""
    url = make_database(migrated_template)
    lines = ["[DEFAULT]", "sources = sql", "[healthd]", "log_format = json", "[target app]"]
    lines.append(f"database = {url.replace('%', '%%')}")
    return make_project(tmp_path / "project", "\n".join([*lines, ""]))


@pytest.fixture
def address(nobody: list[str], project: Path) -> Iterator[str]:
    """A daemon that runs as in the image."""
    port = free_port()
    command = [*nobody, sys.executable, "-m", "healthd", "serve", "--listen", f"127.0.0.1:{port}"]
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
def test_the_verbs_work_there_as_well(verbs: str, nobody: list[str], project: Path) -> None:
    for verb in verbs.split():
        command = [*nobody, sys.executable, "-m", "healthd", verb]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        assert 0 == done.returncode, done.stderr


def test_a_verb_that_needs_a_scratch_server_says_that_it_has_no_folder_for_one(
    nobody: list[str], project: Path
) -> None:
    command = [*nobody, sys.executable, "-m", "healthd", "lock", "--check"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)

    assert (3, "healthd: no folder for temporary files can be written") == (
        done.returncode,
        done.stderr.splitlines()[0],
    )
    assert "TMPDIR" in done.stderr
