"""A model and its table agree on where NULL is allowed, for writing and for reading."""

from collections.abc import Iterator

from healthd.contracts.actual_schema import Believer, There, members_there
from healthd.model.findings import Finding


def rule(believer: Believer, there: There) -> Iterator[Finding]:
    """Yield a finding for each column that rejects the model's None, or whose NULL the model rejects."""
    for name, member, key, column in members_there(believer, there):
        who = believer.attribute(name)
        required, given = there.required(column), there.given(column)
        if believer.model.inserts and required:
            if member.left_to_server and not given:
                words = f"NOT NULL without a default, but {who} is left to the server: every such INSERT fails"
                yield believer.broken(key, words, "a default", "no default")
                continue
            if member.optional and not member.left_to_server:
                words = f"NOT NULL, but {who} may be None: writing None fails"
                yield believer.broken(key, words, "NULL allowed", "NOT NULL")
                continue
        if member.optional is False and not required:
            words = f"NULL allowed, but {who} may not be None: reading such a row fails"
            yield believer.broken(key, words, "NOT NULL", "NULL allowed")
            continue
        sent = not member.left_to_server and believer.model.inserts
        if sent and (column.generated != "none" or column.identity == "always"):
            words = f"its values are always generated, but {who} is written: every INSERT fails"
            yield believer.broken(key, words, "a column that can be written", "generated")
