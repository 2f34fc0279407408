"""Tests in this folder need no server and start no process."""

import subprocess

import pytest


def _refuse(*_arguments: object, **_options: object) -> None:
    raise AssertionError("a test that starts a process belongs to tests/integration or tests/acceptance")


@pytest.fixture(autouse=True)
def _no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess.Popen, "__init__", _refuse)
