"""The place where a page ended, in an opaque form that a caller sends back."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from uuid import UUID

Place = tuple[datetime, UUID]
LENGTH = 120


def write(place: Place) -> str:
    """Return the cursor of the machine with this creation time and id."""
    return urlsafe_b64encode(f"{place[0].isoformat()} {place[1]}".encode()).decode().rstrip("=")


def read(cursor: str) -> Place:
    """Return the place in a cursor; raise ValueError when it is not valid."""
    created_at, blank, name = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(" ")
    place = datetime.fromisoformat(created_at), UUID(name)
    if not blank or place[0].tzinfo is None or write(place) != cursor:
        raise ValueError("not a cursor")
    return place
