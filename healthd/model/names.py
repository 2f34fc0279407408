"""The name of one object, the same in every database, URL, metric and log; and how SQL writes names."""

import re
from typing import NamedTuple, Self


class Key(NamedTuple):  # a round looks up hundreds of thousands of keys: tuples are hashed by the interpreter
    """The name of one object, the same in every database, URL, metric and log."""

    kind: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        """Return `kind:schema.name…`; the third part of a routine's path is its argument types, in parentheses.

        An attachment of another object names that object's kind first: `owner:table.public.machines`.
        """
        first, kind = (1, self.path[0]) if self.kind in HANGING else (0, self.kind)
        end = first + 2 if kind in ROUTINES else len(self.path)
        arguments = self.path[end] if len(self.path) > end and ARGUMENTS.fullmatch(self.path[end]) else ""
        names = (self.path[:end], self.path[end + 1 :] if arguments else self.path[end:])
        before, after = (".".join(map(quote, one)) for one in names)
        if first and PLAIN.match(self.path[0]):
            before = before.replace(quote(self.path[0]), self.path[0], 1)  # a kind, even if it is reserved in SQL
        return f"{self.kind}:{before}{arguments}{'.' if after else ''}{after}"

    @property
    def sql(self) -> str:
        """Return the name as it is written in SQL: the part after the colon."""
        return str(self).partition(":")[2]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the key that prints as `text`; raise ValueError if there is none."""
        kind, colon, rest = text.partition(":")
        parts: list[str] = []
        while colon and (match := NAME.match(rest)):
            parts.append(match[1] if match[1] is not None else match[2].replace('""', '"'))
            rest = rest[match.end() :]
            first, routine = (1, parts[0]) if kind in HANGING else (0, kind)
            if routine in ROUTINES and len(parts) == first + 2 and (match := ARGUMENTS.match(rest)):
                parts.append(match[0])
                rest = rest[match.end() :]
            if not rest.startswith("."):
                break
            rest = rest[1:] or "."  # a name must follow
        if not parts or rest:
            raise ValueError(f"not the name of an object: {text!r}")
        return cls(kind, tuple(parts))


ROUTINES = frozenset({"function", "aggregate", "operator"})


HANGING = frozenset({"owner", "grant", "comment", "security_label"})  # their paths begin with a kind


def place_of(key: Key) -> tuple[str, ...]:
    """Return the place of an object: schema and name of what it is, or belongs to; of a schema only its name."""
    return (key.path[1:] if key.kind in HANGING else key.path)[:2]


ARGUMENTS = re.compile(r'\((?:[^"()]|"(?:[^"]|"")*")*\)')


NAME = re.compile(r'([^".():\s][^".()]*)|"((?:[^"]|"")+)"')


NAME_BYTES = 63  # the server cuts a longer name, and a longer application_name


PLAIN = re.compile(r"[a-z_][a-z0-9_$]*\Z")


# Words that PostgreSQL (any of 13 to 18) does not take as a bare table or column name.
RESERVED = frozenset(
    """all analyse analyze and any array as asc asymmetric authorization binary both case cast check
    collate collation column concurrently constraint create cross current_catalog current_date
    current_role current_schema current_time current_timestamp current_user default deferrable desc
    distinct do else end except false fetch for foreign freeze from full grant group having ilike in
    initially inner intersect into is isnull join lateral leading left like limit localtime
    localtimestamp natural not notnull null offset on only or order outer overlaps placing primary
    references returning right select session_user similar some symmetric system_user table tablesample
    then to trailing true union unique user using variadic verbose when where window with""".split()
)


def quote(name: str) -> str:
    """Return an identifier as it must be written in SQL, quoted only if necessary."""
    if PLAIN.match(name) and name not in RESERVED:
        return name
    return delimited(name)


def delimited(name: str) -> str:
    """Return an identifier in quotation marks, whether it needs them or not."""
    return '"' + name.replace('"', '""') + '"'


def folded(identifier: str) -> str:
    """Return the name that an identifier of an SQL text denotes: without quotation marks, or in lower case."""
    return identifier[1:-1].replace('""', '"') if identifier.startswith('"') else identifier.lower()


def literal(text: str) -> str:
    """Return a text as an SQL string constant."""
    return "'" + text.replace("'", "''") + "'"


def dollars(text: str, word: str) -> str:
    """Return a mark with dollar signs that can stand around a text: the word, made longer while the text has it."""
    while f"${word}$" in f"{text}$":
        word += "_"
    return f"${word}$"
