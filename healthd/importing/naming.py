"""Names that sort as the versions do: numbers are padded; if that is not enough, the files are renumbered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest

from healthd.importing.records import Found, Version

ROOM = 3  # fewer digits, and the tenth or the hundredth migration would come first
LENGTH = 200  # the ledger takes 255 characters, file systems 255 bytes with the suffix


def names(found: Sequence[Found]) -> tuple[str, ...]:
    """Return a name for each migration, as close to its own as possible, such that file names sort in this order."""
    stems = [_name("", one.stem) for one in found]
    digits = {len(stem) - len(stem.lstrip("0123456789")) for stem in stems}
    if len(digits) == 1 and min(digits) >= ROOM and _are_sorted(stems):
        return tuple(stems)
    widths = [
        max((len(str(one)) for one in column), default=1)
        for column in zip_longest(*(one.version for one in found), fillvalue=0)
    ]
    for attempt in ([4 * (len(widths) == 1)] * len(widths), widths):
        made = [_name("_".join(_padded(one.version, attempt)), one.name) for one in found]
        if _are_sorted(made):
            return tuple(made)
    width = max(len(str(len(found))), 4)
    return tuple(
        _name(f"{place:0{width}}", "_".join(filter(None, (*_padded(one.version, widths), one.name))))
        for place, one in enumerate(found, 1)
    )


def _are_sorted(made: Sequence[str]) -> bool:
    """Return whether the files of these names sort in this order, and are distinct on every file system."""
    files = [f"{name}.sql" for name in made]
    return files == sorted(files) and len({name.casefold() for name in made}) == len(made)


def _padded(version: Version, widths: Sequence[int]) -> list[str]:
    """Return a version's parts in these widths: zeros before a number, and after what is sorted as text."""
    parts = (*version, *[0] * (len(widths) - len(version))) if version else ()
    return [f"{part:0{width}}" if width else str(part) for part, width in zip(parts, widths, strict=bool(version))]


def _name(version: str, name: str) -> str:
    words = re.sub(r"[^\w.+@-]+", "_", name).strip("_.-")
    return "_".join(filter(None, (version, words)))[:LENGTH]
