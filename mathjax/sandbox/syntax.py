"""Syntax trees of programs nobody has read, made without harm to the process that makes them."""

import ast
import re

LONGEST_SOURCE = 16_000  # characters; Python's parser can overflow a thread's stack on far longer ones

_WORDS = "and|else|for|if|in|is|or|not"
_DEEP = re.compile(r"(?:[-+~][\s\\]*){200}|(?:lambda\s*:\s*){50}|(?:not[\s\\]+){200}")
_ESCAPE = re.compile(r"""\\(?![\n\r\\'"abfnrtvxNuU0-7])""")
_RUN_ON = re.compile(rf"([0-9.jJ]|0[xX][0-9a-fA-F_]+)({_WORDS})\b")


def is_safe(source: str) -> bool:
    """Whether Python's parser may be given `source`: it is short, without NUL, and needs little of the stack.

    Brackets are bounded by the parser itself.
    """
    if len(source) > LONGEST_SOURCE or "\0" in source:
        return False
    signs = source.count("-") + source.count("+") + source.count("~") + source.count("not")
    return not ((signs > 200 or source.count("lambda") > 50) and _DEEP.search(source))


def warns(source: str) -> bool:
    """Whether Python may warn of `source` where it is parsed: of an unknown escape, or a number run into a word."""
    return "\\" in source and _ESCAPE.search(source) is not None or _RUN_ON.search(source) is not None


def outline(source: str) -> ast.Module | None:
    """The tree of `source`, in which strings may have other contents; None where it does not parse or is not safe."""
    if not is_safe(source):
        return None
    if warns(source):
        source = _RUN_ON.sub(r"\1 \2", _ESCAPE.sub(r"\\\\", source))
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
