"""A reading is of one instant, or says where it is not.

One transaction sees the catalogs of one instant, but pg_get_*, format_type and their like look at the newest:
a view's options may be those of yesterday and its definition that of today, and a dropped type is called ???.
When no tuple of the catalogs moved from before a reading until after it, there was nothing newer to look at.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from healthd.database import Reading
from healthd.errors import DatabaseFailed, PermissionDenied
from healthd.quiet import ask, question

READINGS = 3  # then what differed from one to the next is told to be unreadable


async def when_still(connection: Any, take: Callable[[], Awaitable[Reading]]) -> Reading:
    """Return a reading during which nothing moved; of several the last, without the kinds that did."""
    try:
        asked = await question(connection)
        before = await _answer(connection, asked)
    except PermissionDenied:  # who may not ask takes what there is
        return await take()
    readings: list[Reading] = []
    while len(readings) < READINGS:
        readings.append(await take())
        after = await _answer(connection, asked)
        if after is not None and after == before:
            return readings[-1]
        before = after
    return _without_moving(readings)


async def _answer(connection: Any, asked: str) -> str | None:
    """Return the answer; None when the server fails to give one, which is no sign of stillness."""
    try:
        return await ask(connection, asked)
    except DatabaseFailed:
        return None


def _without_moving(readings: Sequence[Reading]) -> Reading:
    """Return the last reading; kinds of which an object differs from an earlier one are unreadable."""
    last = readings[-1].snapshot
    moving: set[str] = set()
    for one in readings[:-1]:
        known = one.snapshot.objects
        moving |= {key.kind for key in known.keys() ^ last.objects.keys()}
        moving |= {key.kind for key in known.keys() & last.objects.keys() if known[key] != last.objects[key]}
    reasons = dict.fromkeys(sorted(moving - last.unreadable.keys()), "moving: it was changed while it was read")
    objects = {key: record for key, record in last.objects.items() if key.kind not in reasons}
    return replace(readings[-1], snapshot=replace(last, objects=objects, unreadable={**last.unreadable, **reasons}))
