"""The metrics of an application: requests, their duration, the time in the database, and errors."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from healthd.asgi.trouble import TITLES

Registry = CollectorRegistry
ERROR = ("500", "503")  # these series start at 0: a series that starts at 1 shows no increase
METHODS = frozenset("GET HEAD POST PUT PATCH DELETE OPTIONS".split())
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Measures:
    """The metrics of one registry; routes are templates, so that requests cannot add label values."""

    def __init__(self, registry: Registry) -> None:
        where = ["method", "route"]
        self.requests = Counter("healthd_asgi_requests", "Number of requests.", [*where, "status"], registry=registry)
        self.duration_s = Histogram(
            "healthd_asgi_request_duration_seconds",
            "Duration of the requests.",
            [*where, "status"],
            registry=registry,
            buckets=BUCKETS_S,
        )
        self.database_s = Histogram(
            "healthd_asgi_database_duration_seconds",
            "Time that requests spent in the database.",
            where,
            registry=registry,
            buckets=BUCKETS_S,
        )
        self.errors = Counter(
            "healthd_asgi_errors", "Number of failed requests, by error code.", ["error_code"], registry=registry
        )
        for code in TITLES:
            self.errors.labels(code)

    def observe(self, method: str, route: str, status: int, duration_s: float, database_s: float) -> None:
        """Count one request; status 499 is a caller that disconnected."""
        where = (method if method in METHODS else "other", route)
        for other in ERROR:
            self.requests.labels(*where, other)
        self.requests.labels(*where, str(status)).inc()
        self.duration_s.labels(*where, str(status)).observe(duration_s)
        self.database_s.labels(*where).observe(database_s)


_made: WeakKeyDictionary[Registry, Measures] = WeakKeyDictionary()


def measures_of(registry: Registry | None) -> Measures:
    """Return the metrics of a registry, by default that of the process; they can be registered only once."""
    registry = registry or REGISTRY
    if registry not in _made:
        _made[registry] = Measures(registry)
    return _made[registry]
