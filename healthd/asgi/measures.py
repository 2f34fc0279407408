"""What Prometheus learns of an application: requests, their time, the database's share, and what went wrong."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from healthd.asgi.trouble import TITLES

Registry = CollectorRegistry
ERROR = ("500", "503")  # counted from nought on: what is born as one shows Prometheus no increase
METHODS = frozenset("GET HEAD POST PUT PATCH DELETE OPTIONS".split())
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Measures:
    """The metrics of one registry; routes are templates, so that no label grows with what people ask for."""

    def __init__(self, registry: Registry) -> None:
        where = ["method", "route"]
        self.requests = Counter(
            "healthd_asgi_requests", "Requests that were answered.", [*where, "status"], registry=registry
        )
        self.duration_s = Histogram(
            "healthd_asgi_request_duration_seconds",
            "How long requests took.",
            [*where, "status"],
            registry=registry,
            buckets=BUCKETS_S,
        )
        self.database_s = Histogram(
            "healthd_asgi_database_duration_seconds",
            "How much of it the database took.",
            where,
            registry=registry,
            buckets=BUCKETS_S,
        )
        self.errors = Counter(
            "healthd_asgi_errors", "Requests that failed, by what they ran into.", ["error_code"], registry=registry
        )
        for code in TITLES:
            self.errors.labels(code)

    def observe(self, method: str, route: str, status: int, duration_s: float, database_s: float) -> None:
        """Count one request; status 499 is a caller who left."""
        where = (method if method in METHODS else "other", route)
        for other in ERROR:
            self.requests.labels(*where, other)
        self.requests.labels(*where, str(status)).inc()
        self.duration_s.labels(*where, str(status)).observe(duration_s)
        self.database_s.labels(*where).observe(database_s)


_made: WeakKeyDictionary[Registry, Measures] = WeakKeyDictionary()


def measures_of(registry: Registry | None) -> Measures:
    """Return the measures of a registry, by default the process's own; they can be registered only once."""
    registry = registry or REGISTRY
    if registry not in _made:
        _made[registry] = Measures(registry)
    return _made[registry]
