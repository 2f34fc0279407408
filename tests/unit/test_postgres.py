"""The programs of PostgreSQL that come with the package."""

import pytest

from healthd.postgres.programs import clean_environment


def test_a_server_gets_nothing_of_ours_that_changes_how_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGOPTIONS", "LC_MESSAGES", "LANG", "TZ", "NOTIFY_SOCKET"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("PATH", "/usr/bin")

    found = clean_environment()

    assert "/usr/bin" == found["PATH"]
    assert "x" not in found.values()


def test_a_server_asks_for_large_pages_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    assert "glibc.malloc.hugetlb=1" == clean_environment()["GLIBC_TUNABLES"]

    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.check=3")
    assert "glibc.malloc.check=3" == clean_environment()["GLIBC_TUNABLES"]
