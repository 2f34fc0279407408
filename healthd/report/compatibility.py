"""Which databases meet a contract, as JSON and as an HTTP status: the gate of a deployment or of a rollback."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from healthd.contracts.compatibility import Compatibility, compatibility
from healthd.report.board import Board, Entry
from healthd.report.documents import finding_document
from healthd.text import natural

Answer = tuple[int, dict[str, Any], dict[str, str]]  # status, body, headers
TITLES = {
    409: ("Contract broken", "contract_broken"),
    503: ("Contract cannot be checked", "contract_unchecked"),
}


def on_target(entry: Entry, contract: str, now: datetime) -> Compatibility:
    """Return whether a database meets a contract; an old report says nothing about now."""
    if entry.report is not None and not entry.fresh(now):
        return Compatibility(contract, None, reason="no recent round")
    return compatibility(contract, entry.report)


def all_contracts(board: Board, now: datetime) -> dict[str, Any]:
    """Return every contract, and on which targets it fits."""
    names = {name for known in board.contracts.values() for name in known}
    return {"contracts": [_contract(name, _targets(board, name, now)) for name in sorted(names, key=natural)]}


def one_contract(board: Board, name: str, now: datetime, *, only: str | None = None, request_id: str) -> Answer | None:
    """Return the answer on one contract: 200 if it fits on its targets, or on `only` that one; None if there is none.

    409: it is broken on one of them. 503: on one of them that is not known.
    """
    found = {target: one for target, one in _targets(board, name, now).items() if only in (None, target)}
    if not found:
        return None
    body = _contract(name, found)
    if body["fits"]:
        return 200, body, {}
    status = 503 if body["fits"] is None else 409
    title, code = TITLES[status]
    detail = "; ".join(f"{target}: {one.words}" for target, one in found.items() if one.fits is body["fits"])
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail, "error_code": code}
    seed = {"request_id": request_id, "timestamp": now.isoformat()}
    wait_s = max(1, round(min(board.entries[target].interval_s for target in found)))
    return status, {**problem, **seed, **body}, {"Retry-After": str(wait_s)} if status == 503 else {}


def _targets(board: Board, contract: str, now: datetime) -> dict[str, Compatibility]:
    names = sorted((name for name, known in board.contracts.items() if contract in known), key=natural)
    return {name: on_target(board.entries[name], contract, now) for name in names if name in board.entries}


def _contract(name: str, targets: Mapping[str, Compatibility]) -> dict[str, Any]:
    answers = [one.fits for one in targets.values()]
    fits = False if False in answers else None if None in answers else True
    return {
        "contract": name,
        "fits": fits,
        "targets": [
            {
                "target": target,
                "fits": one.fits,
                "reason": one.reason or None,
                "findings": [finding_document(finding) for finding in one.findings],
            }
            for target, one in targets.items()
        ],
    }
