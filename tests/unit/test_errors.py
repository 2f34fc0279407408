"""The errors are the tree that is drawn."""

import re
from importlib import import_module
from typing import Any

from healthd import errors
from healthd.errors import HealthdError

import_module("healthd.postgres.programs")


def tree(error: type[HealthdError], depth: int = 0) -> list[tuple[int, str, int]]:
    below = [one for child in error.__subclasses__() if ours(child) for one in tree(child, depth + 1)]
    return [(depth, error.__name__, error.exit_code), *below]


def ours(error: type[Any]) -> bool:
    return error.__module__ in ("healthd.errors", "healthd.postgres.programs")


def test_the_tree_is_the_one_that_is_drawn() -> None:
    drawn = [
        ((len(line) - len(line.lstrip(" │├└─"))) // 4 - 1, match[1], int(match[2]))
        for line in str(errors.__doc__).splitlines()
        if (match := re.search(r"(\w+) +(\d)(?: |$)", line))
    ]

    assert drawn == tree(HealthdError)
