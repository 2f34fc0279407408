"""What a text says about the template of tenants' schemas, and how the schema of one tenant says it.

A name with the schema of an object that the template has must have the tenant's schema: a default that takes its values
from a sequence of the template is a fault. What only looks like the name of the schema (a column, an alias, a word in a
string or in a comment) may be the template's or the tenant's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from healthd.model.names import delimited, folded, quote

STRING, COMMENT, QUOTED, WORD = r"'(?:[^']|'')*'", r"--[^\n]*|/\*.*?\*/", r'"(?:[^"]|"")*"', r"[^\W\d][\w$]*"
TOKEN = re.compile(rf"(?P<string>{STRING})|(?P<comment>{COMMENT})|(?P<quoted>{QUOTED})|(?P<word>{WORD})", re.DOTALL)
MEMBER = re.compile(rf"\s*\.\s*(?:({QUOTED})|({WORD})|[-+*/<>=~!@#%^&|`?]+)")
BEFORE = re.compile(
    r"(?:::|\b(?:FROM|JOIN|ONLY|REFERENCES|INTO|UPDATE)[\s(]*|^)\Z", re.IGNORECASE
)  # an object, no column
DOT = re.compile(r"\.\s*\Z")
AS_NAME = re.compile(r"::(?:pg_catalog\.)?reg[a-z]+\b")  # a string that is the name of an object


@dataclass(frozen=True, slots=True)
class Mention:
    """A place in a text with the name of the template.

    Whether it `must` be the tenant's name there, or usually is; a `raw` name is without the quotes that it needs.
    """

    text: str
    must: bool
    usual: bool
    raw: bool = False

    def of(self, tenant: str) -> str:
        """Return what the schema of a tenant has there, as far as it is known."""
        return (tenant if self.raw else quote(tenant)) if self.usual else self.text


Text = tuple[str | Mention, ...]


class Template:
    """The template, by its name, the `names` of what is in it, and those of its `relations` among them."""

    def __init__(self, name: str, names: AbstractSet[str], relations: AbstractSet[str]) -> None:
        self.name, self.names, self.relations = name, names, relations
        self._bare = re.compile(rf"(?<![\w$.\"]){re.escape(name)}(?![\w$\"])|{re.escape(delimited(name))}")

    def read(self, text: str, *, listed: bool = False) -> Text | None:
        """Return a text with its mentions of the template, None if it has none; a `listed` schema is one of a path."""
        if self.name not in text and self.name not in text.lower():
            return None
        found = list(TOKEN.finditer(text))
        named = [one for one in found if _named(one["quoted"], one["word"]) == self.name]
        aliased = not listed and any(MEMBER.match(text, one.end()) is None for one in named)
        parts: list[str | Mention] = []
        end = 0
        for token in found:
            for start, mention in self._mentions(text, token, listed=listed, aliased=aliased):
                parts += (text[end:start], mention)
                end = start + len(mention.text)
        return (*parts, text[end:]) if parts else None

    def _mentions(
        self, text: str, token: re.Match[str], *, listed: bool, aliased: bool
    ) -> Iterator[tuple[int, Mention]]:
        if token["string"] or token["comment"]:
            yield from self._inside(text, token)
        elif _named(token["quoted"], token["word"]) == self.name and not DOT.search(text[: token.start()]):
            member = self._member(text, token.end())
            must = listed or (member is not None and (not aliased or _is_certain(text, token.start(), member)))
            usual = must or (member is not None and _named(member[1], member[2]) in self.relations)
            yield token.start(), Mention(token[0], must, usual)

    def _inside(self, text: str, token: re.Match[str]) -> Iterator[tuple[int, Mention]]:
        """Yield the mentions in a string or a comment; only a string that is a name must be the tenant's."""
        is_name = bool(token["string"]) and AS_NAME.match(text, token.end()) is not None
        for one in self._bare.finditer(text, token.start(), token.end()):
            member = bool(token["string"]) and self._member(text, one.end()) is not None
            yield one.start(), Mention(one[0], is_name and member, member, quote(self.name) not in (one[0], self.name))

    def _member(self, text: str, place: int) -> re.Match[str] | None:
        """Return the name of an object of the template, or an operator, if that follows."""
        match = MEMBER.match(text, place)
        if match is None or not (match[1] or match[2]):
            return match
        return match if _named(match[1], match[2]) in self.names else None


def _is_certain(text: str, place: int, member: re.Match[str]) -> bool:
    """Return whether a name with a dot is that of an object even where the first part may be an alias."""
    is_operator = not (member[1] or member[2])
    return is_operator or text.startswith("(", member.end()) or BEFORE.search(text[:place]) is not None


def written(text: Text, tenant: str) -> str:
    """Return a text as the schema of a tenant has it, as far as it is known."""
    return "".join(one if isinstance(one, str) else one.of(tenant) for one in text)


def may_be(text: Text, tenant: str, actual: str) -> bool:
    """Return whether a text of a tenant's schema says the same as that of the template."""
    parts = (re.escape(one) if isinstance(one, str) else _pattern(one, tenant) for one in text)
    return re.fullmatch("".join(parts), actual) is not None


def _pattern(one: Mention, tenant: str) -> str:
    forms = {quote(tenant), delimited(tenant)} | (set() if one.must else {one.text, tenant})
    return f"(?:{'|'.join(map(re.escape, sorted(forms)))})"


def _named(quoted: str | None, word: str | None) -> str:
    return folded(quoted or word or "")
