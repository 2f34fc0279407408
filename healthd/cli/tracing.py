"""Spans of a run, if the standard variables of OpenTelemetry name a collector; without them, nothing is loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from healthd.cli.options import say

if TYPE_CHECKING:
    from healthd.config.settings import Target
    from healthd.migrations.run_options import RunOptions
    from healthd.report.traces import RunSpan, Spans

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
SPOKEN = "http/protobuf"


@dataclass(frozen=True, slots=True)
class Run:
    """A run on one target; without a `span` it is not traced."""

    span: RunSpan | None = None

    def traced(self, options: RunOptions) -> RunOptions:
        """Return the options of the run, with which its migrations become spans."""
        if self.span is None:
            return options
        return replace(options, say=self.span.hearing(options.say), traced=self.span.migration)


@dataclass(frozen=True, slots=True)
class Tracing:
    """The runs of a verb; without `spans` they are not traced."""

    spans: Spans | None = None

    @contextmanager
    def run(self, verb: str, target: Target) -> Iterator[Run]:
        """Make a span of a block that runs a verb on a target."""
        if self.spans is None:
            yield Run()
            return
        from healthd.database.dsn import Dsn  # a run needs it anyway

        dsn = Dsn.of(target.migrating.dsn)
        known = {"healthd.target": target.name, "db.namespace": dsn.dbname, "server.address": dsn.host}
        attributes = {name: value for name, value in known.items() if value is not None}
        with self.spans.run(f"healthd {verb}", attributes) as span:
            yield Run(span)


@contextmanager
def tracing(when: bool = True) -> Iterator[Tracing]:
    """Send the spans of a block to the collector, if the environment names one; `when` is false, it is not used."""
    spans = _spans() if when else None
    try:
        yield Tracing(spans)
    finally:
        if spans is not None and (warning := spans.close()):
            say(warning)


def _spans() -> Spans | None:
    """Return what sends spans; None without a collector, or with a notice if it cannot be used."""
    endpoint = next((name for name in ENDPOINTS if os.environ.get(name)), None)
    if endpoint is None or os.environ.get("OTEL_TRACES_EXPORTER") == "none":
        return None
    protocol = next((os.environ[name] for name in PROTOCOLS if os.environ.get(name)), SPOKEN)
    if protocol != SPOKEN:
        say(f"no spans are sent: healthd speaks {SPOKEN}, and not {protocol}")
        return None
    try:
        from healthd.report.traces import Spans

        return Spans()
    except ModuleNotFoundError:
        say(f"{endpoint} is set, but no spans are sent: pip install 'healthd[otlp]'")
    except Exception as error:  # any exception: a wrong variable must not stop a migration
        say(f"no spans are sent: {type(error).__name__}: {' '.join(str(error).split())}")
    return None
