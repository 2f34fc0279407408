"""What applications believe about the database: read from files, taken from models, held against what is there."""

from healthd.contracts.files import PRIVILEGES, dump, load

__all__ = ["PRIVILEGES", "dump", "load"]
