"""A reading is consistent as of one instant, or names the kinds that are not.

One transaction sees the catalogs as of one instant, but pg_get_*, format_type and similar functions see the newest:
a view's options may be old and its definition new, and a dropped type is printed as ???.
If no tuple of the catalogs changed from before a reading until after it, there was nothing newer to see.
"""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from healthd.database.snapshot.change_token import Mark, look, take_mark
from healthd.database.snapshot.transaction import Reading
from healthd.errors import DatabaseFailed, PermissionDenied

READINGS = 3  # then the kinds that differed from one reading to the next are unreadable


async def when_still(connection: Any, take: Callable[[], Awaitable[Reading]]) -> Reading:
    """Return a reading during which nothing changed; otherwise the last of several, without the kinds that changed."""
    try:
        mark = await take_mark(connection, busy=True, planned=False)
    except PermissionDenied:  # without the privilege to check, one reading has to do
        return await take()
    except DatabaseFailed:
        mark = None
    readings: list[Reading] = []
    while len(readings) < READINGS:
        readings.append(await take())
        try:
            same, mark = await look(connection, replace(mark, busy=False)) if mark else (False, mark)
        except DatabaseFailed:  # an error does not prove that nothing changed
            same = False
        if same:
            return replace(readings[-1], mark=mark)
        mark = mark or await _again(connection)
    return _without_moving(readings)


async def quiet_mark(connection: Any) -> Mark | None:
    """Return a mark that proves something only while nothing is committed on the server; it costs almost nothing."""
    with contextlib.suppress(PermissionDenied, DatabaseFailed):
        return await take_mark(connection, busy=False)
    return None


async def nothing_committed(connection: Any, mark: Mark) -> bool:
    """Return whether a quiet mark is unchanged."""
    now = await quiet_mark(connection)
    return now is not None and (now.standing, now.around) == (mark.standing, mark.around)


async def unchanged(connection: Any, mark: Mark | None) -> bool:
    """Return whether a reading with this mark would be the same now; False if it is not known."""
    if mark is None:
        return False
    if await nothing_committed(connection, mark):
        return True
    with contextlib.suppress(PermissionDenied, DatabaseFailed):
        return mark.sums != "" and (await look(connection, replace(mark, busy=True)))[0]
    return False


async def _again(connection: Any) -> Mark | None:
    with contextlib.suppress(DatabaseFailed):
        return await take_mark(connection, busy=True, planned=False)
    return None


def _without_moving(readings: Sequence[Reading]) -> Reading:
    """Return the last reading; kinds with an object that differs from an earlier reading are unreadable."""
    last = readings[-1].snapshot
    moving: set[str] = set()
    for one in readings[:-1]:
        known = one.snapshot.objects
        locked = one.snapshot.locked.keys() | last.locked.keys()
        moving |= {key.kind for key in (known.keys() ^ last.objects.keys()) - locked}
        moving |= {key.kind for key in known.keys() & last.objects.keys() if known[key] != last.objects[key]}
    reasons = dict.fromkeys(sorted(moving - last.unreadable.keys()), "it was changed while it was read")
    objects = {key: record for key, record in last.objects.items() if key.kind not in reasons}
    return replace(readings[-1], snapshot=replace(last, objects=objects, unreadable={**last.unreadable, **reasons}))
