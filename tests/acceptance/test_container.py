"""The container image and the manifests for Kubernetes: valid, and at work as a user without a name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

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
