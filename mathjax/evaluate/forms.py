"""What an expression looks like, from its text: its operations, brackets, and the formats and sizes of its numbers."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import NamedTuple

from mathjax import expression

_TOKEN = re.compile(
    r"(?P<fraction>\(-?[0-9]++/[0-9]++\))"
    r"|(?P<percent>(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)%)"
    r"|(?P<decimal>[0-9]++\.[0-9]*|\.[0-9]+)"
    r"|(?P<integer>[0-9]+)"
    r"|(?P<operator>\*\*|//|[-+*/^])"
    r"|(?P<open>[(\[])"
    r"|(?P<close>[)\]]%?)"
)
_FORMATS = ("integer", "decimal", "percent", "fraction")
_BINDS = {"(": 0, "+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "sign": 3, "^": 4}
_BASE = re.compile(r"\((-[0-9.]+)\)(?=\^|\*\*)")  # in brackets because it is negative
_ODD = re.compile(
    r"(?<![0-9])\.|\.(?![0-9])"  # .5 and 5.
    r"|\.[0-9]*0(?![0-9])|(?<![0-9.])0[0-9]"  # 1.50 and 007
    r"|(?<![0-9)\]%.])\+|[(\[][-+]?[0-9.%]+[)\]]"  # +3 and (3)
)


class Number(NamedTuple):
    """A number of an expression: its format, its text with its sign, and the operators beside it ("" for none)."""

    format: str
    text: str
    left: str
    right: str


@dataclass(frozen=True, kw_only=True)
class Form:
    """The form of an expression.

    A fraction is a number, as in MathGLM: the `/` in `(3/4)` is no operation and its brackets are none.
    """

    operations: int
    operators: frozenset[str]  # those of + - * / // ^ that stand between two values
    numbers: tuple[Number, ...]
    formats: frozenset[str]  # integer, decimal, percent, fraction, negative (but for exponents): those that occur
    brackets: bool
    odd: bool  # a number as no one writes it by rule: `.5`, `5.`, `1.50`, `007`, `+3`, `(3)`

    @property
    def digits(self) -> int:
        """Before the point, of the number that has most of them."""
        return max((digits(part) for number in self.numbers for part in number.text.split("/")), default=0)


def form(question: str, is_fraction: Callable[[str], bool] = lambda text: True) -> Form:
    """The form of an expression, with or without its last `=`; ValueError at a character that is of no expression.

    `is_fraction` says of `3/4` in round brackets whether it is a number there, or a division.
    """
    text = _BASE.sub(r"\1", question.strip().removesuffix("=").replace(" ", ""))
    seen = list(_tokens(text, is_fraction))
    counted = [text for kind, text in seen if kind == "operator"]
    numbers, before = [], ""
    for place, (kind, token) in enumerate(seen):
        if kind in ("operator", "open"):
            before = token if kind == "operator" else ""
        elif kind in _FORMATS:
            sign = "-" * (place > 0 and seen[place - 1] == ("sign", "-"))
            after = seen[place + 1] if place + 1 < len(seen) else ("", "")
            right = after[1] if after[0] == "operator" else ""
            numbers.append(Number(kind, sign + token.strip("()%"), before, right))
    return Form(
        operations=len(counted),
        operators=frozenset(counted),
        numbers=tuple(numbers),
        formats=frozenset(number.format for number in numbers)
        | {"negative" for number in numbers if "-" in number.text and number.left != "^"}
        | {"percent" for token in seen if token == ("close", ")%")},
        brackets=any(kind == "open" for kind, _ in seen),
        odd=_ODD.search(text) is not None,
    )


def operators(text: str) -> Counter:
    """How often each operator stands between two values of an expression."""
    return Counter(token for kind, token in _tokens(text.replace(" ", ""), lambda text: True) if kind == "operator")


def digits(number: str) -> int:
    """How many digits a number has before its point; leading zeros do not count, but 0 has one."""
    return len(number.partition(".")[0].lstrip("-0")) or 1


def lowest(fraction: str) -> bool:
    """Whether `a/b` is a fraction in lowest terms, and not a whole number."""
    a, b = (int(part) for part in fraction.split("/"))
    return b > 1 and gcd(a, b) == 1


def _tokens(text, is_fraction) -> Iterator[tuple[str, str]]:
    """(kind, text) of each token, `**` as `^`; an operator that has no value before it is a sign."""
    place, value_before = 0, False
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ValueError(f"not an arithmetic expression: {text[:80]!r} has {text[place]!r} at place {place}")
        kind, token, place = match.lastgroup, match.group(), match.end()
        if kind == "fraction" and not is_fraction(token[1:-1]):
            kind, token, place = "open", "(", match.start() + 1
        if kind == "operator" and not value_before:
            kind = "sign"
        yield kind, token.replace("**", "^")
        value_before = kind in _FORMATS or kind == "close"


class Step(NamedTuple):
    """An operation on the way to the value of an expression."""

    operator: str
    left: Fraction
    right: Fraction
    result: Fraction


def steps(text: str) -> list[Step]:
    """Every operation of an expression, exactly, each after those it needs; the division in `(3/4)` is one of them.

    ExpressionError (of `mathjax.expression`) where one has no value.
    """
    values, waiting, found = [], [], []

    def apply():
        operator, right = waiting.pop(), values.pop()
        if operator == "sign":
            values.append(-right)
        else:
            left = values.pop()
            result = expression.value(f"({left}){operator}({right})")
            found.append(Step(operator, left, right, result))
            values.append(result)

    for kind, token in _tokens(text.strip().removesuffix("=").replace(" ", ""), lambda text: False):
        if kind in _FORMATS:
            values.append(expression.value(token))
        elif kind in ("open", "sign"):
            waiting += {"open": ["("], "sign": ["sign"] * (token == "-")}[kind]
        elif kind == "close":
            while waiting[-1] != "(":
                apply()
            waiting.pop()
            values[-1] /= 100 if token.endswith("%") else 1
        else:
            while waiting and _BINDS[waiting[-1]] >= _BINDS[token] + (token == "^"):
                apply()
            waiting.append(token)
    while waiting:
        apply()
    return found
