"""The profiles that come with healthd: a data file for each platform, made from what the platform documents."""

from __future__ import annotations

import functools
from pathlib import Path

from healthd.model.profiles import Profile

FOLDER = Path(__file__).parent / "profiles"


def profile_names() -> tuple[str, ...]:
    """Return the names of all profiles."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@functools.cache
def read_profile(name: str) -> Profile:
    """Return a profile by its name, which is one of `profile_names`."""

    import tomllib  # 5 ms, and most projects have no profile

    content = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    title = content.pop("title")
    return Profile(name, title, **{key: tuple(values) for key, values in content.items()})
