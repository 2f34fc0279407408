"""Where a page ended, in a form that a caller hands back and has no reason to read."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from uuid import UUID

Place = tuple[datetime, UUID]
LENGTH = 120


def write(place: Place) -> str:
    """Return the cursor of the machine with this creation time and id."""
    return urlsafe_b64encode(f"{place[0].isoformat()} {place[1]}".encode()).decode().rstrip("=")


def read(cursor: str) -> Place:
    """Return what a cursor says; raise ValueError when it is none of ours."""
    created_at, blank, name = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(" ")
    place = datetime.fromisoformat(created_at), UUID(name)
    if not blank or place[0].tzinfo is None or write(place) != cursor:
        raise ValueError("not a cursor")
    return place
