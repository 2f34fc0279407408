"""A daemon answers only to its own host names, and pages of other sites cannot change anything."""

import pytest

from healthd.config.hosts import Site

LOOPBACK = Site("127.0.0.1")
NETWORK = Site("0.0.0.0", machine=("db1", "Db1.Example.com"))
NAMED = Site("::1", "https://ops.example.com:8443/healthd", ("watch.example.org", "*.example.net"))


@pytest.mark.parametrize(
    ("site", "host"),
    [
        (LOOPBACK, None),  # HTTP/1.0: no browser
        (LOOPBACK, "127.0.0.1:9899"),
        (LOOPBACK, "127.0.0.2"),
        (LOOPBACK, "localhost:1"),
        (LOOPBACK, "LOCALHOST"),
        (LOOPBACK, "localhost."),
        (LOOPBACK, "app.localhost"),
        (LOOPBACK, "[::1]:9899"),
        (Site("localhost"), "127.0.0.1:9899"),
        (NAMED, "ops.example.com"),
        (NAMED, "OPS.example.com:8443"),
        (NAMED, "watch.example.org:80"),
        (NAMED, "a.b.example.net"),
        (NAMED, "localhost"),
        (NETWORK, "192.0.2.7:9899"),  # Prometheus, by address
        (NETWORK, "[2001:db8::7]:9899"),
        (NETWORK, "healthd:9899"),  # a service of Compose or Kubernetes
        (NETWORK, "healthd.monitoring.svc"),
        (NETWORK, "healthd.monitoring.svc.cluster.local:9899"),
        (NETWORK, "db1.example.com"),
        (Site("db7.example.com"), "db7.example.com:9899"),
        (Site("127.0.0.1", allowed_hosts=("*",)), "evil.example"),
    ],
)
def test_a_name_of_ours_is_answered(site: Site, host: str | None) -> None:
    assert site.answers(host)


@pytest.mark.parametrize(
    ("site", "host"),
    [
        (LOOPBACK, "evil.example"),
        (LOOPBACK, "evil.example:9899"),
        (LOOPBACK, "localhost.evil.example"),
        (LOOPBACK, "127.0.0.1.evil.example"),
        (LOOPBACK, "evil.example#localhost"),
        (LOOPBACK, "localhost@evil.example"),
        (LOOPBACK, "localhost, evil.example"),
        (LOOPBACK, "evil"),
        (LOOPBACK, "192.0.2.7"),
        (LOOPBACK, ""),
        (LOOPBACK, ":9899"),
        (LOOPBACK, "127.0.0.1:port"),
        (NAMED, "example.net"),
        (NAMED, "evilexample.net"),
        (NAMED, "evil.example.com"),
        (NETWORK, "evil.example"),
        (NETWORK, "evil.example.com"),
        (NETWORK, "local.evil.example"),
        (NETWORK, "db1.example.com.evil.example"),
    ],
)
def test_another_name_is_not(site: Site, host: str) -> None:
    assert not site.answers(host)


@pytest.mark.parametrize(
    "headers",
    [
        {},  # curl, Prometheus' own tools, a cron job
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1:9899"},
        {"origin": "https://ops.example.com:8443"},  # behind a proxy that gives another Host
    ],
)
def test_a_change_is_taken_from_our_pages_and_from_no_browser(headers: dict[str, str]) -> None:
    assert NAMED.may_change({"host": "127.0.0.1:9899"} | headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://127.0.0.1:9898"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:9899"},
    ],
)
def test_a_change_is_not_taken_from_another_sites_page(headers: dict[str, str]) -> None:
    assert not NAMED.may_change({"host": "127.0.0.1:9899"} | headers)
