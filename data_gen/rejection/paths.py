"""Which solutions are right, which of them are the same path, and which of these is kept: RFT's rules, to the letter.

arXiv 2308.01825 and its published code. Nothing here evaluates text but `mathjax.expression`.
"""

import ast
import functools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from mathjax import expression

_ANSWER = re.compile(r"#### (-?[0-9.,]+)")
_EQUATION = re.compile(r"<<([^>]*)>>")
_ARITHMETIC = re.compile(r"[0-9+\-*/(). ]*")  # of a left side: all that its evaluation understands
_OCTAL = re.compile(r"(?<![0-9.])0+[1-9][0-9]*(?![0-9.])")  # 05: no number in Python
NEAR = 1e-3  # two sides of an equation are equal below this
LONGEST = 20_000  # characters of a program, or of a side, whose syntax is looked at


@dataclass(frozen=True)
class Path:
    """A solution that is right: its text, its key, which model wrote it, and as which of its samples."""

    text: str
    key: str
    maker: str
    sample: int


def answer(text: str) -> float | None:
    """The first number behind `#### `, commas left out; None where there is none, or it is no number."""
    match = _ANSWER.search(text.split("\0", 1)[0])
    return None if match is None else _float(match[1].replace(",", ""))


def equations(text: str) -> list[str]:
    """What stands in each `<<..>>`, in order."""
    return _EQUATION.findall(text)


@functools.lru_cache(2**16)
def holds(equation: str) -> bool:
    """Whether left and right of the first `=` are less than NEAR apart; what cannot be evaluated does not hold."""
    sides = equation.split("=")
    if len(sides) < 2 or not _ARITHMETIC.fullmatch(sides[0]) or _OCTAL.search(sides[0]):
        return False
    right = _float(sides[1])
    try:
        return right is not None and abs(float(expression.value(sides[0])) - right) < NEAR
    except (expression.ExpressionError, OverflowError):
        return False


def why(text: str, truth: float) -> str:
    """`correct`, or what a solution fails for: `no_answer`, `wrong_answer`, `wrong_equation`."""
    found = answer(text)
    if found is None:
        return "no_answer"
    if found != truth:
        return "wrong_answer"
    return "correct" if all(map(holds, equations(text))) else "wrong_equation"


def by_equations(text: str) -> str:
    """RFT's key: the equations with both sides, joined by `|`, without spaces. Swapped operands are another path."""
    return "|".join(equations(text)).replace(" ", "")


def by_terms(text: str) -> str:
    """A coarser key: operands of + and * in one order, `.50` as 0.5, without brackets that do nothing."""
    return "|".join("=".join(_normal(side) for side in equation.split("=")) for equation in equations(text))


def by_program(text: str) -> str:
    """A key for programs: the syntax tree, so neither comments nor layout count; the text where it is none."""
    try:
        return ast.dump(ast.parse(text)) if len(text) <= LONGEST else text
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text


KEYS: dict[str, Callable[[str], str]] = {"equations": by_equations, "terms": by_terms, "program": by_program}


def select(paths: Iterable[Path]) -> list[Path]:
    """One path for each key, in the order in which keys are first seen.

    Of two with one key that stays which is farther from all others: its edit distances, by characters, to the texts
    selected so far add up to strictly more. A single pass, whose result depends on the order.
    """
    selected: list[Path] = []
    places: dict[str, int] = {}
    for path in paths:
        place = places.setdefault(path.key, len(selected))
        if place == len(selected):
            selected.append(path)
        elif path.text != (current := selected[place].text):
            others = [other.text for other in selected if other.text != current]
            if _distances(path.text, others) > _distances(current, others):
                selected[place] = path
    return selected


def _distances(text, others):
    return sum(Levenshtein.distance(text, other) for other in others)


def _float(text):
    try:
        return float(text)
    except ValueError:
        return None


def _normal(side):
    if len(side) > LONGEST or not _ARITHMETIC.fullmatch(side):
        return side.replace(" ", "")
    try:
        return _term(ast.parse(side.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return side.replace(" ", "")


def _term(node):
    """An expression as text, operands of + and * sorted."""
    match node:
        case ast.BinOp(op=ast.Add() | ast.Mult() as op):
            sign = "+" if isinstance(op, ast.Add) else "*"
            return f"({sign.join(sorted(map(_term, _operands(node, type(op)))))})"
        case ast.BinOp(left=left, op=op, right=right):
            return f"({_term(left)}{type(op).__name__}{_term(right)})"
        case ast.UnaryOp(op=op, operand=operand):
            return f"({type(op).__name__}{_term(operand)})"
        case ast.Constant(value=value):
            return f"{float(value)!r}" if abs(value) < 2**53 else str(value)
    raise ValueError(f"not arithmetic: {ast.dump(node):.80}")


def _operands(node, kind):
    if isinstance(node, ast.BinOp) and isinstance(node.op, kind):
        return [*_operands(node.left, kind), *_operands(node.right, kind)]
    return [node]
