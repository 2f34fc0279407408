"""A reading is of one instant, or says where it is not.

One transaction sees the catalogs of one instant, but pg_get_*, format_type and their like look at the newest:
a view's options may be those of yesterday and its definition that of today, and a dropped type is called ???.
When no tuple of the catalogs moved from before a reading until after it, there was nothing newer to look at.
"""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from healthd.database.snapshot.change_token import Mark, look, take_mark
from healthd.database.snapshot.transaction import Reading
from healthd.errors import DatabaseFailed, PermissionDenied

READINGS = 3  # then what differed from one to the next is told to be unreadable


async def when_still(connection: Any, take: Callable[[], Awaitable[Reading]]) -> Reading:
    """Return a reading during which nothing moved; of several the last, without the kinds that did."""
    try:
        mark = await take_mark(connection, busy=True, planned=False)
    except PermissionDenied:  # who may not ask takes what there is
        return await take()
    except DatabaseFailed:
        mark = None
    readings: list[Reading] = []
    while len(readings) < READINGS:
        readings.append(await take())
        try:
            same, mark = await look(connection, replace(mark, busy=False)) if mark else (False, mark)
        except DatabaseFailed:  # no answer is no sign of stillness
            same = False
        if same:
            return readings[-1]
        mark = mark or await _again(connection)
    return _without_moving(readings)


async def _again(connection: Any) -> Mark | None:
    with contextlib.suppress(DatabaseFailed):
        return await take_mark(connection, busy=True, planned=False)
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
