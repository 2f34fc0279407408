"""The only door to OpenTelemetry: a run and its migrations as spans, sent to a collector by OTLP.

The standard variables (OTEL_*) say where and how. Spans are sent by a thread while the run goes on; at its end, what
is left has a second in all. Nothing here raises, and nothing is logged: a collector is not worth a migration.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Thread
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from healthd._version import __version__
from healthd.errors import HealthdError
from healthd.expected.files import Migration
from healthd.migrations.engine.lock_waits import Retried, Say
from healthd.sqltext.steps import count
from healthd.text import mask_value

LIMIT_S = 1.0  # in which the spans that are left must be sent
RESULTS = {"apply": "applied", "rollback": "rolled back"}


class Counting(SpanExporter):
    """An exporter that counts the spans that another one could not send."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans."""
        self.lost += len(spans)
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self.lost -= len(spans)
        return result

    def shutdown(self) -> None:
        """Stop to send, also between two attempts."""
        self._exporter.shutdown()


class Spans:
    """The spans of a process; raises ValueError or OSError if a variable is not valid."""

    def __init__(self) -> None:
        _mask_headers()
        logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
        logging.getLogger("opentelemetry").propagate = False
        self._exporter = Counting(OTLPSpanExporter())
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("healthd", __version__)

    @contextmanager
    def run(self, name: str, attributes: Mapping[str, str]) -> Iterator[RunSpan]:
        """Make a span of a block, in the trace of TRACEPARENT if that is set."""
        carrier = {name.lower(): os.environ[name] for name in ("TRACEPARENT", "TRACESTATE") if name in os.environ}
        context = TraceContextTextMapPropagator().extract(carrier)
        known = {"db.system.name": "postgresql", **attributes}
        span = self._tracer.start_span(name, context=context, kind=SpanKind.INTERNAL, attributes=known)
        with _ending(span):
            yield RunSpan(self._tracer, span, known)

    def close(self) -> str:
        """Send what is left, for a second at most; return a warning if not all spans were sent, or nothing."""
        thread = Thread(target=self._provider.shutdown, name="spans", daemon=True)
        thread.start()
        thread.join(LIMIT_S)
        if thread.is_alive():
            return f"not all spans were sent: {_collector()} did not answer within {LIMIT_S:g} s"
        lost = self._exporter.lost
        return f"{lost} spans were not sent: {_collector()} did not take them" if lost else ""


class RunSpan:
    """The span of a run, and those of its migrations."""

    def __init__(self, tracer: Tracer, span: Span, attributes: Mapping[str, str]) -> None:
        self._tracer, self._span, self._attributes = tracer, span, attributes
        self._attempts, self._waited_s = 1, 0.0  # of the migration that runs

    def hearing(self, say: Say) -> Callable[[str], None]:
        """Return a `say` that also counts the attempts."""

        def tell(text: str) -> None:
            if isinstance(text, Retried):
                self._attempts, self._waited_s = self._attempts + 1, self._waited_s + text.waited_s
            say(text)

        return tell

    @contextmanager
    def migration(self, migration: Migration, direction: str) -> Iterator[None]:
        """Make a span of a block that runs the file of a migration."""
        self._attempts, self._waited_s = 1, 0.0
        text = migration.apply if direction == "apply" else migration.rollback or ""
        known: dict[str, str | int] = {
            **self._attributes,
            "healthd.migration.id": migration.id,
            "healthd.migration.direction": direction,
            "healthd.migration.transactional": migration.transactional,
            "healthd.migration.statements": count(text),
        }
        name = f"{direction} {migration.id}"
        span = self._tracer.start_span(name, context=set_span_in_context(self._span), attributes=known)
        with _ending(span):
            result = "failed"
            try:
                yield
                result = RESULTS[direction]
            finally:
                span.set_attribute("healthd.migration.result", result)
                span.set_attribute("healthd.migration.attempts", self._attempts)
                span.set_attribute("healthd.migration.waited_s", round(self._waited_s, 3))


@contextmanager
def _ending(span: Span) -> Iterator[None]:
    """End a span after a block. An error is recorded by its codes: its text may contain values of rows."""
    try:
        yield
    except BaseException as error:
        state = sqlstate_of(error)
        span.set_attribute("error.type", error.code if isinstance(error, HealthdError) else type(error).__name__)
        if state is not None:
            span.set_attribute("db.response.status_code", state)
        span.set_status(StatusCode.ERROR, f"SQLSTATE {state}" if state else None)
        raise
    finally:
        span.end()


def sqlstate_of(error: BaseException) -> str | None:
    """Return the server's code of an error, or of the first of its causes that has one."""
    found = getattr(error, "sqlstate", None)
    return found or (sqlstate_of(error.__cause__) if error.__cause__ is not None else None)


def _resource() -> Resource:
    """Return what the spans are of: what the variables say, else healthd."""
    found = Resource.create()
    known = not str(found.attributes[SERVICE_NAME]).startswith("unknown_service")
    return found if known else found.merge(Resource({SERVICE_NAME: "healthd", "service.version": __version__}))


def _mask_headers() -> None:
    """Let no message contain a value of the headers, which authenticate."""
    for name in ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"):
        for header in os.environ.get(name, "").split(","):
            mask_value(header.partition("=")[2].strip())


def _collector() -> str:
    """Return the collector without what may be secret in its URL."""
    names = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    url = urlsplit(next((os.environ[name] for name in names if os.environ.get(name)), ""))
    return f"the collector at {url.scheme}://{url.netloc.rpartition('@')[2]}"
