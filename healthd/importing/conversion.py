"""Convert one migration of another tool into a pair of ours, and report additions, removals and manual work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from healthd.importing.placeholders import Filling, filled
from healthd.importing.records import Found
from healthd.sqltext.classify import comes_first, ends_inside, stays_outside, used_label
from healthd.sqltext.statements import CONTROL, Statement, blanked, quotes, statements, troubles, unclosed
from healthd.sqltext.steps import BEGIN, END, commits_transaction, opens_transaction

HEADER = "-- transactional: false\n"
BOM = "\ufeff"
# Comments that are instructions to the other tool: Liquibase, graphile-migrate, Atlas, postgres-migrations.
DIRECTS = re.compile(
    r"^[ \t]*--[ \t]*(?:liquibase[ \t]+formatted[ \t]+sql|![ \t]*include\b|atlas:(?!txmode\b)\w+"
    r"|postgres-migrations[ \t]+(?!disable-transaction\b)\w+).*",
    re.MULTILINE | re.IGNORECASE,
)
RESTRICT = re.compile(r"^\\(?:un)?restrict[ \t].*\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pair:
    """What is to be written under one name. `said` lists what was changed, `human` what remains to be done by hand."""

    name: str
    apply: str
    rollback: str | None
    transactional: bool
    sources: tuple[str, ...]
    said: tuple[str, ...]
    human: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Folder:
    """What applies to all files of a folder.

    A file that refers to the other tool's `ledger` is reported, because that ledger is no longer kept. `committing`
    are the procedures that commit.
    """

    filling: Filling
    ledger: str = ""
    committing: frozenset[str] = frozenset()


def pair(found: Found, name: str, folder: Folder) -> Pair:
    """Return the pair for this migration; except for the reported changes its text is kept byte for byte."""
    said, human = list(found.notes), list[str]()
    texts = {}
    for file, text in zip((f"{name}.sql", f"{name}.rollback.sql"), (found.apply, found.rollback), strict=True):
        if text is not None:
            texts[file] = filled(_clean(text, file, said), file, folder.filling, human)
    reasons = [reason for text in texts.values() if (reason := _alone(text, folder.committing))]
    transactional = found.transactional is not False and not reasons
    if transactional:
        texts = {file: _unwrapped(text, file, said) for file, text in texts.items()}
    elif found.transactional is not False:
        said.append(f"runs outside of a transaction: {reasons[0]}")
        texts = {file: _completed(text, file, said) for file, text in texts.items()}
    else:
        said.append("runs outside of a transaction: the other tool ran it that way")
    for file, text in texts.items():
        human += _over_line_ends(text, file)
        for match in DIRECTS.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            human.append(f"{file}, line {line}: `{match[0].strip()}` instructs the other tool: rewrite it in SQL")
        if folder.ledger and (place := text.find(folder.ledger)) >= 0:
            line = text.count("\n", 0, place) + 1
            human.append(f"{file}, line {line}: refers to {folder.ledger}, the ledger of the other tool: remove it")
        if quote := unclosed(text):
            human.append(f"{file}, line {quote[0]}: {quote[1]} that begins here is not terminated: terminate it")
        for line, words, cure in troubles(text, transactional=transactional):
            shift = 0 if transactional or file.endswith(".rollback.sql") else 1
            human.append(f"{file}, line {line + shift}: {words}: {cure}")
    apply, rollback = texts[f"{name}.sql"], texts.get(f"{name}.rollback.sql")
    header = "" if transactional else HEADER
    return Pair(name, header + apply, rollback, transactional, found.sources, tuple(said), tuple(human))


def _clean(text: str, file: str, said: list[str]) -> str:
    if text.startswith(BOM):
        said.append(f"{file}: byte order mark removed")
        text = text.removeprefix(BOM)
    if "\\restrict" in text and "\\restrict" in blanked(text):
        said.append(f"{file}: \\restrict and \\unrestrict of pg_dump removed")
        text = RESTRICT.sub("", text)
    return text


def _over_line_ends(text: str, file: str) -> Iterator[str]:
    """Yield a message about the first string with a Windows line ending: we send LF, the other tool sent CR and LF."""
    if "\r\n" in text:
        for start, end in quotes(text):
            if text[start] in "'eE" and "\r\n" in text[start:end]:
                line = text.count("\n", 0, start) + 1
                yield (
                    f"{file}, line {line}: a string contains a Windows line ending, which is sent as LF: "
                    "write E'…\\r\\n…' if the CR matters"
                )
                return


def _controls(text: str) -> tuple[list[Statement], list[Statement]]:
    every = list(statements(text))
    return every, [one for one in every if CONTROL.match(one.text)]


def _alone(text: str, procedures: frozenset[str]) -> str:
    """Return why a text cannot run in one transaction; an empty text when it can."""
    if stays_outside(text):
        return "it contains a statement that cannot run inside a transaction block"
    if used := used_label(text):
        return f"line {used[0]} uses the label {used[1]!r} that the same file adds"
    if line := ends_inside(text, procedures):
        return f"line {line} ends its transaction itself"
    if line := comes_first(text):
        return f"line {line} must be the first statement of its transaction"
    every, controls = _controls(text)
    if controls and not _is_wrapped(every, controls):
        return f"line {controls[0].line} contains {_word(controls[0])}"
    return ""


def _completed(text: str, file: str, said: list[str]) -> str:
    """Return a text with the BEGIN and the COMMIT that the other tool ran around it, where they are needed."""
    _, controls = _controls(text)
    if not controls and comes_first(text) and not stays_outside(text):
        said.append(f"{file}: BEGIN and COMMIT added around it, as the other tool ran it")
        return f"BEGIN;\n{_ended(text)}COMMIT;\n"
    if controls and END.match(controls[0].text):
        said.append(f"{file}: BEGIN added: its first {_word(controls[0])} ends the transaction that the tool began")
        text = f"BEGIN;\n{text}"
    if controls and BEGIN.match(controls[-1].text):
        said.append(f"{file}: COMMIT added: the tool ended the transaction of its last {_word(controls[-1])}")
        text = f"{_ended(text)}COMMIT;\n"
    return text


def _ended(text: str) -> str:
    """Return a text after which another statement may follow."""
    last = list(statements(text))[-1]
    if last.end == len(text):
        return f"{text.rstrip()}\n;\n"  # it may end with a comment
    return text if text.endswith("\n") else f"{text}\n"


def _word(control: Statement) -> str:
    return str(blanked(control.text).split()[0].upper())


def _is_wrapped(every: list[Statement], controls: list[Statement]) -> bool:
    """Return whether BEGIN is first, COMMIT is last, and there is no other transaction control between them."""
    return (
        len(controls) == 2
        and controls == [every[0], every[-1]]
        and opens_transaction(blanked(every[0].text))
        and commits_transaction(blanked(every[-1].text))
    )


def _unwrapped(text: str, file: str, said: list[str]) -> str:
    """Return a text without the BEGIN and COMMIT around it."""
    _, controls = _controls(text)
    if not controls:
        return text
    said.append(f"{file}: surrounding BEGIN and COMMIT removed")
    for one in reversed(controls):
        end = one.start + len(one.text.rstrip())
        end += text.startswith(";", one.end) and one.end - end + 1
        after = re.compile(r"[ \t]*(?:\r\n|\n|\r)?").match(text, end)
        text = text[: one.start] + text[after.end() if after else end :]
    return text
