"""What the verbs that run migrations share: how long a run waits, and the messages that its migrations raise."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import click

from healthd.cli.options import finished, live, say
from healthd.errors import HealthdError

if TYPE_CHECKING:
    from healthd.config.settings import Settings
    from healthd.migrations.run_options import RunOptions

Done = TypeVar("Done")

MOST_S = 7 * 86_400
WAIT_S = 60.0  # for another migration run


class Seconds(click.FloatRange):
    """A number of seconds; rejects `nan`, which click accepts because it is within any range."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        number = super().convert(value, parameter, context)
        if number != number:
            self.fail(f"{value!r} is not a number of seconds", parameter, context)
        return number


def patient(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for waiting to a verb; `options` reads them."""
    seconds = Seconds(min=0, max=MOST_S)
    for option in (
        click.option(
            "--max-wait",
            "max_wait_s",
            type=seconds,
            metavar="SECONDS",
            help="How long to keep trying to get locks, in total (default 300).",
        ),
        click.option(
            "--lock-timeout",
            "lock_timeout_s",
            type=seconds,
            metavar="SECONDS",
            help="How long to queue for one lock before trying again later (default 3).",
        ),
        click.option(
            "--wait",
            "wait_s",
            type=seconds,
            default=WAIT_S,
            metavar="SECONDS",
            help="How long to wait for another migration run to finish (default 60).",
        ),
    ):
        function = option(function)
    return function


def run_options(settings: Settings, options: dict[str, Any], tell: Callable[[str], None]) -> RunOptions:
    """Remove the options of `patient` from a verb's options, and return how its run waits; it reports to `tell`.

    yoyo.ini has the defaults.
    """
    from healthd.migrations.engine.lock_waits import Patience
    from healthd.migrations.run_options import RunOptions

    lock_timeout_s, max_wait_s = options.pop("lock_timeout_s", None), options.pop("max_wait_s", None)
    return RunOptions(
        tell,
        live(),
        options.pop("wait_s", WAIT_S),
        Patience(
            settings.lock_timeout_s if lock_timeout_s is None else lock_timeout_s,
            settings.max_wait_s if max_wait_s is None else max_wait_s,
        ),
    )


def keeping(notices: list[dict[str, Any]]) -> Callable[[str], None]:
    """Return a `say` that also collects the messages that migrations raise, for the JSON document."""

    def tell(text: str) -> None:
        notices.extend(raised(text))
        say(text)

    return tell


def ran(run: Coroutine[Any, Any, Done], notices: list[dict[str, Any]]) -> Done:
    """Return the result of a run; if it fails, its error carries the messages that its migrations raised until then."""
    try:
        return finished(run)
    except HealthdError as error:
        error.members["notices"] = notices
        raise


def raised(text: str) -> tuple[dict[str, Any], ...]:
    """Return the parts of a message that a migration raised; nothing for any other line."""
    parts = getattr(text, "parts", None)
    return () if parts is None else (parts,)
