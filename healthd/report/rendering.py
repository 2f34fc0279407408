"""The templates of the pages, what they know by name, and the only script that a page may run."""

from __future__ import annotations

import functools
import hashlib
from base64 import b64encode
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from healthd.model.findings import finding_id, identity
from healthd.report.finding_views import scrolls
from healthd.report.html import ago, counted, favicon, icon, plain, prose, span, utc, visible, whole
from healthd.report.problems import PROBLEMS
from healthd.report.target_states import STATES, WAITING


@functools.cache
def policy() -> str:
    """Return the Content-Security-Policy of the pages: the only script that runs is the one that comes with them."""
    digest = b64encode(hashlib.sha256(_script().encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; connect-src 'self'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def _script() -> str:
    return _environment().get_template("page.js").render()


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("healthd.report"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    made.filters |= {
        "address": lambda finding: finding_id(identity(finding)),
        "ago": ago,
        "counted": counted,
        "icon": icon,
        "plain": plain,
        "prose": prose,
        "scrolls": scrolls,
        "quoted": functools.partial(quote, safe=""),
        "span": span,
        "utc": utc,
        "visible": visible,
        "whole": whole,
    }
    made.globals |= {"PROBLEMS": PROBLEMS, "WAITING": WAITING, "STATES": STATES}
    return made


def render(template: str, *, state: str, runbook: str = "", base: str, **values: object) -> str:
    """Return a page; `refresh_s` lets it keep itself up to date, unless `reloads` only by its script.

    A browser can open the runbook, unless that is a file next to yoyo.ini: then it is only named.
    """
    is_ours = runbook.startswith("/")
    about = {
        "refresh_s": None,
        "reloads": True,
        "state": state,
        "icon_url": favicon(state),
        "base": base,
        "runbook": f"{base}{runbook}" if is_ours else runbook,
        "linked": is_ours or "://" in runbook,
    }
    return _environment().get_template(template).render(**about | values)
