"""The callers: a bearer token identifies one organization, which can read and change only its own machines."""

import secrets
from hashlib import sha256
from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

DEMO = UUID("11111111-1111-4111-8111-111111111111")
BEARER = HTTPBearer(auto_error=False, description="The token of an organization")


class Callers:
    """The organizations by the SHA-256 of their tokens, so that the time of a look-up reveals nothing of a token."""

    def __init__(self, text: str) -> None:
        """Read lines of `ORGANIZATION TOKEN`; raise ValueError for any other line, without repeating its text."""
        self.organizations: dict[str, UUID] = {}
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split()
            if not words or line.startswith("#"):
                continue
            try:
                name, token = words
                self.organizations[_digest(token)] = UUID(name)
            except ValueError:
                raise ValueError(f"line {number} is not ORGANIZATION TOKEN") from None

    def organization(self, token: str) -> UUID | None:
        """Return the organization of a token; None when the token is unknown."""
        return self.organizations.get(_digest(token))


def read(path: Path) -> Callers:
    """Return the callers in a file; if the file does not exist, create it with one token for the demonstration."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(f"{DEMO} {secrets.token_urlsafe(24)}\n")
    return Callers(path.read_text())


async def organization(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]
) -> UUID:
    """Return the caller's organization; raise 401 for a caller without a valid token."""
    found = request.app.state.callers.organization(given.credentials) if given is not None else None
    if found is None:
        raise HTTPException(401, "a valid bearer token is required", {"WWW-Authenticate": "Bearer"})
    request.state.caller = str(found)
    return UUID(str(found))


Caller = Annotated[UUID, Depends(organization)]


def _digest(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
