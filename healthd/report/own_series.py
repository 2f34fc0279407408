"""What metrics say of healthd itself, and of the labels of its targets: nothing that depends on rounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from healthd._version import __version__
from healthd.report.board import Board, Delivery
from healthd.report.series import Family

DISCONNECTED = ("idle", "slow", "full", "handshake")


def about_process(board: Board) -> Iterator[Family]:
    """Yield what is known of this process, of its web server and of its settings."""
    yield _one("healthd_build_info", "Version of this healthd; always 1.", 1, version=__version__)
    if board.external_url:
        text = "URL of the pages of this healthd; always 1."
        yield _one("healthd_external_url_info", text, 1, url=board.external_url)
    yield Family(
        "healthd_web_disconnections",
        f"Clients that the web server disconnected, by reason: {', '.join(DISCONNECTED)}.",
        ("reason",),
        [((reason,), board.disconnected[reason]) for reason in DISCONNECTED],
        counted=True,
    )
    if board.alertmanagers:
        yield from _deliveries(board.alertmanagers)
    if board.certificate_expires_at:
        yield _one(
            "healthd_web_certificate_expires_timestamp_seconds",
            "Unix time at which the certificate of the web server, or one that signed it, expires.",
            board.certificate_expires_at.timestamp(),
        )
    yield _one(
        "healthd_config_last_reload_successful",
        "Whether the last load of yoyo.ini, and of the files that it names, succeeded.",
        board.reload_ok and board.files_ok and board.web_ok and not board.wrong_files,
    )
    if board.reloaded_at:
        yield _one(
            "healthd_config_last_reload_success_timestamp_seconds",
            "Unix time of the last successful load of yoyo.ini.",
            board.reloaded_at.timestamp(),
        )


def _one(name: str, text: str, value: float, **labels: str) -> Family:
    """Return a family with one series."""
    return Family(name, text, tuple(labels), [(tuple(labels.values()), value)])


def _deliveries(alertmanagers: Mapping[str, Delivery]) -> Iterator[Family]:
    up = Family(
        "healthd_alertmanager_up",
        "Whether the last request to this Alertmanager succeeded; there is one in each `resend_s`.",
        ("alertmanager",),
        [((place,), one.reached) for place, one in alertmanagers.items() if one.reached is not None],
    )
    requests = Family(
        "healthd_alertmanager_requests",
        "Requests with alerts to this Alertmanager, by result: sent, failed.",
        ("alertmanager", "result"),
        [
            ((place, result), number)
            for place, one in alertmanagers.items()
            for result, number in (("sent", one.sent), ("failed", one.failed))
        ],
        counted=True,
    )
    yield from (up, requests)


def labelled(labels: Mapping[str, Mapping[str, str]]) -> Iterator[Family]:
    """Yield the labels of the targets that have some; a label that another target has is empty."""
    names = sorted({name for found in labels.values() for name in found})
    if names:
        yield Family(
            "healthd_target_info",
            "Labels of a target, from yoyo.ini; always 1.",
            ("target", *names),
            [((target, *(found.get(name, "") for name in names)), 1) for target, found in labels.items()],
        )
