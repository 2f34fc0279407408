"""A section [endpoint NAME] of yoyo.ini: an address that is requested, and what it must answer."""

from __future__ import annotations

import re
from pathlib import Path

from healthd.config.hosts import is_web
from healthd.config.named_files import text_of, why
from healthd.config.sections import Sections
from healthd.config.settings import Endpoint, Settings
from healthd.contracts.json_shape import Shape
from healthd.contracts.json_shape import load as load_shape


def endpoint_in(sections: Sections, name: str, base: Path, settings: Settings) -> Endpoint:
    """Return the endpoint of one section; its contract is read from its file."""
    section = f"endpoint {name}"
    url = sections.get(section, "url") or ""
    if not is_web(url):
        raise sections.wrong(section, "url", "missing, or not an http:// or https:// address", "write url = http://…")
    status = sections.get(section, "status") or "200"
    if not re.fullmatch("[1-5][0-9][0-9]", status):
        raise sections.wrong(section, "status", f"{status!r} is not an HTTP status", "for example: 200")
    shape: Shape = ()
    file = sections.get(section, "contract")
    if file is not None:
        try:
            shape = load_shape(text_of(base / file))
        except (OSError, UnicodeDecodeError) as error:
            raise sections.wrong(section, "contract", f"cannot read {base / file}: {why(error)}", "") from error
        except (ValueError, TypeError) as error:
            raise sections.wrong(section, "contract", f"{base / file}: {error}", "") from error
    token_file = sections.get(section, "token_file")
    return Endpoint(
        name,
        url,
        int(status),
        sections.seconds(section, "max_latency_s", 1.0),
        sections.seconds(section, "interval_s", settings.interval_s),
        sections.seconds(section, "deadline_s", settings.deadline_s),
        shape,
        base / token_file if token_file is not None else None,
    )
