"""Extensions in another schema: texts that name what they provide there are as expected."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from healthd.comparison.moves import as_expected
from healthd.model.attributes import Record
from healthd.model.names import Key, quote
from healthd.model.snapshots import Snapshot
from healthd.sqltext.tokens import NAME


def texts_back(expected: Snapshot, actual: Snapshot) -> Snapshot:
    """Return the actual side with the expected texts where these differ only by the schema of an extension.

    No snapshot has the members of extensions: what nothing else in the schema is called may be one of them.
    """
    schemas = {
        quote(there.schema): quote(wanted)
        for key in expected.objects
        if key.kind == "extension"
        and (there := actual.objects.get(key)) is not None
        and there.schema != (wanted := expected.objects[key].schema)
    }
    if not schemas:
        return actual
    own = {Key("", key.path[:2]).sql for key in actual.objects if len(key.path) > 1}
    named = re.compile(rf'(?<![\w$."])({"|".join(map(re.escape, schemas))})\.({NAME}|{SIGN})')

    def back(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(back, value))
        return named.sub(lambda match: _called(match, schemas, own), value) if isinstance(value, str) else value

    objects = dict[Key, Record]()
    for key, record in actual.objects.items():
        named_back = Key(key.kind, back(key.path))  # with the types of arguments
        only = key not in expected.objects and named_back in expected.objects and named_back not in actual.objects
        wanted = named_back if only else key
        objects[wanted] = as_expected(expected.objects.get(wanted), record, back)
    return replace(actual, objects=objects)


def _called(match: re.Match[str], schemas: dict[str, str], own: set[str]) -> str:
    return match[0] if match[0] in own else f"{schemas[match[1]]}.{match[2]}"


SIGN = r"[-+*/<>=~!@#%^&|`?]+"
