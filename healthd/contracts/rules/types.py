"""The values of a model can be written to its columns, and come back unchanged."""

from collections.abc import Iterator

from healthd.contracts.actual_schema import Believer, There, members_there
from healthd.contracts.type_table import READ, Fit, fit, plain
from healthd.model.findings import Finding
from healthd.model.names import Key
from healthd.model.severity import Severity


def rule(believer: Believer, there: There) -> Iterator[Finding]:
    """Yield a finding for each column whose type never fits the Python type, or fits only with care."""
    for name, member, key, column in members_there(believer, there):
        who, base = believer.attribute(name), there.base(column.type)
        enum = there.enum(column.type)
        if member.type is not None and not _same_type(member.type, column.type):
            words = f"{column.type}, but {who} is sent as {member.type}: the server rejects it"
            yield believer.broken(key, words, member.type, column.type)
            continue
        verdict = fit(member.python, base, is_enum=enum is not None)
        if verdict is Fit.NEVER:
            words = f"{column.type}, but {who} is {member.python}: never fits"
            yield believer.broken(key, words, member.python, column.type)
        elif verdict is Fit.CARE:
            read = READ.get("enum" if enum else plain(base), "another type")
            words = f"{column.type}, but {who} is {member.python}: fits with care, the driver reads {read}"
            yield believer.broken(key, words, member.python, column.type, Severity.WARNING)


def _same_type(believed: str, actual: str) -> bool:
    """Return whether two names are the same type; the first may lack its schema."""
    try:
        one, other = Key.parse(f"type:{believed}").path, Key.parse(f"type:{actual.removesuffix('[]')}").path
    except ValueError:
        return False
    return one == other[-len(one) :]
