"""How an attribute and its value are written in messages: `default 7`, `no default`, `runs with its owner's rights`."""

from typing import Any

from healthd.text import shown

# For an attribute, or kind.attribute where kinds differ: the texts for true and for false.
EITHER = {
    "all_tables": ("for all tables", "for listed tables"),
    "by_value": ("passed by value", "passed by reference"),
    "cycle": ("CYCLE", "NO CYCLE"),
    "conversion.default": ("the default", "not the default"),
    "operator_class.default": ("the default", "not the default"),
    "defined": ("defined", "a shell type"),
    "final_extra": ("final function with extra arguments", "final function without extra arguments"),
    "moving_final_extra": (
        "moving final function with extra arguments",
        "moving final function without extra arguments",
    ),
    "hashes": ("supports hash joins", "does not support hash joins"),
    "materialized": ("materialized", "an ordinary view"),
    "merges": ("supports merge joins", "does not support merge joins"),
    "not_null": ("NOT NULL", "NULL allowed"),
    "not_null_validated": ("NOT NULL validated", "NOT NULL not validated"),
    "not_null_no_inherit": ("NOT NULL NO INHERIT", "NOT NULL without NO INHERIT"),
    "permissive": ("permissive", "restrictive"),
    "replica_identity": ("the replica identity", "not the replica identity"),
    "security_definer": ("runs with its owner's rights", "runs with its caller's rights"),
    "sequence.identity": ("belongs to an identity column", "belongs to no identity column"),
    "strict": ("returns NULL on NULL input", "called on NULL input"),
    "switched_off": ("disabled", "enabled"),
    "unlogged": ("unlogged", "logged"),
    "valid": ("valid", "invalid"),
    "version_current": ("no version mismatch", "version mismatch"),
    "via_root": ("publishes partitions as their root table", "publishes partitions as themselves"),
}

# The text before a value, for attributes whose own name is not suitable.
WORDS = {
    "access_method.of": "type",
    "aggregate.kind": "of kind",
    "analyze": "analyze function",
    "bound": "partition",
    "canonical": "canonical function",
    "conversion.source": "source encoding",
    "conversion.target": "target encoding",
    "deserial_function": "deserialization function",
    "difference": "difference function",
    "function.kind": "is a",
    "inherits": "inherits from",
    "initial": "initial value",
    "input": "input function",
    "join": "join estimator",
    "left": "left operand",
    "modifier_input": "type modifier input function",
    "modifier_output": "type modifier output function",
    "moving_initial": "moving initial value",
    "on": "on a",
    "output": "output function",
    "owner.role": "owned by",
    "publication.generated": "generated columns",
    "receive": "receive function",
    "restrict": "restriction estimator",
    "result": "returns",
    "right": "right operand",
    "send": "send function",
    "serial_function": "serialization function",
    "column.statistics": "statistics target",
    "index.statistics": "statistics targets",
    "subscript": "subscript function",
    "sql_body": "SQL body",
    "statistics.target": "statistics target",
    "support": "support function",
    "text_search_parser.end": "end function",
    "text_search_parser.headline": "headline function",
    "text_search_parser.start": "start function",
    "text_search_parser.token": "token function",
    "text_search_parser.types": "types function",
    "text_search_template.init": "init function",
    "text_search_template.lexize": "lexize function",
    "transform.from_sql": "function from SQL",
    "transform.to_sql": "function to SQL",
    "trigger.partitions": "different state on",
    "using": "USING",
    "where": "WHERE",
    "with_check": "WITH CHECK",
}

# The text if there is no value, unless it is `no …`.
NONE = {
    "access_method": "the default access method",
    "bound": "not a partition",
    "collation": "its type's own collation",
    "column.compression": "the default compression",
    "column.generated": "not generated",
    "column.statistics": "the default statistics target",
    "column.storage": "its type's own storage",
    "inherits": "inherits from no table",
    "left": "no left operand",
    "of_type": "not a typed table",
    "owned_by": "owned by no column",
    "partitioned_by": "not partitioned",
    "publication_table.columns": "all columns",
    "publication.generated": "no generated columns",
    "result": "returns nothing",
    "statistics.target": "the default statistics target",
    "event_trigger.tags": "no tags, for all commands",
    "tablespace": "the default tablespace",
    "trigger.partitions": "same state on all partitions",
}

VALUES = {
    ("enabled", "origin"): "enabled",
    ("enabled", "disabled"): "disabled",
    ("enabled", "replica"): "enabled only for replication",
    ("enabled", "always"): "enabled always",
}


def word(kind: str, attribute: str) -> str:
    """Return the name of an attribute in messages."""
    return _of(WORDS, kind, attribute) or attribute.replace("_", " ")


def said(kind: str, attribute: str, value: Any) -> str:
    """Return an attribute with its value, as in messages."""
    called = word(kind, attribute)
    if isinstance(value, bool):
        yes, no = _of(EITHER, kind, attribute) or (called, f"not {called}")
        return yes if value else no
    if value in (None, "none", ()):
        return _of(NONE, kind, attribute) or f"no {called}"
    if isinstance(value, str) and (attribute, value) in VALUES:
        return VALUES[attribute, value]
    return f"{called} {' '.join(shown(value).split())}".replace("character varying", "varchar")


def _of(words: Any, kind: str, attribute: str) -> Any:
    return words.get(f"{kind}.{attribute}") or words.get(attribute)
