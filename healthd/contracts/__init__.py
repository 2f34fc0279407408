"""What applications expect of the database: read from files, derived from models, compared with the actual schema."""

from healthd.contracts.files import PRIVILEGES, dump, load

__all__ = ["PRIVILEGES", "dump", "load"]
