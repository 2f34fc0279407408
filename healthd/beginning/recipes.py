"""The pipelines that check migrations in CI; docs/how-to/ci.md shows the same text."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """One pipeline: the file that the CI system reads, below the project's folder, and its text."""

    file: str
    text: str


GITHUB = """name: migrations
on: [pull_request]
jobs:
  migrations:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {python-version: "3.13"}
      - run: pip install 'healthd[embedded,lint]'
      - run: healthd lint
      - run: healthd lock --check
"""
GITLAB = """migrations:
  image: python:3.13
  script:
    - pip install 'healthd[embedded,lint]'
    - healthd lint
    - healthd lock --check
"""
RECIPES: Mapping[str, Recipe] = {
    "github": Recipe(".github/workflows/migrations.yml", GITHUB),
    "gitlab": Recipe(".gitlab-ci.yml", GITLAB),
}
