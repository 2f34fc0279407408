"""The version of this package; nobody imports the whole package for its number."""

__version__ = "0.1.0"
