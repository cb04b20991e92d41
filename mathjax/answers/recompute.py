"""What the equations of a solution come to, worked out exactly."""

import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from mathjax import expression
from mathjax.answers.equations import LONGEST_TEXT, Equation, numbers


@dataclass(frozen=True)
class Worked:
    """An equation worked out: `claimed` is its last side, `exact` what that should be, with what was wrong before it
    put right; `true` says whether the equation holds as it is written, up to the rounding of a last side."""

    start: int
    claimed: Fraction
    exact: Fraction
    true: bool


def worked(equations: list[Equation]) -> list[Worked]:
    """Each equation worked out exactly, a wrong value replaced by the right one wherever it is used later on.

    A value is known again by its size; where two were equal, the later one is meant. What has no value is left out.
    """
    right, found = {}, []  # right: the value that should stand where a solution has another
    for equation in equations:
        first = next(side for side in equation.sides if len(side) > 1)
        exact, written = _value(first, right), _value(first, {})
        if exact is None or written is None:
            continue
        claims = [(side, _value(side, {})) for side in equation.sides if side is not first]
        claims = [(side, value) for side, value in claims if value is not None]
        if not claims:
            continue
        true = all(_meets(side, value, written, first) for side, value in claims)
        for side, value in claims:
            if len(side) == 1 or len(side) == 2 and side[0] == "-":
                if value == exact or _scaled(side, value, exact, first):
                    right.pop(value, None)
                else:
                    right[value] = exact
        claimed = claims[-1][1]
        found.append(Worked(equation.start, claimed, right.get(claimed, claimed), true))
    return found


def mathglm(truth: str, completion: str) -> tuple[bool, bool]:
    """(Answer_ACC, Arithmetic_ACC) of MathGLM on a word problem, from chains `x=expression=...=value`.

    arXiv 2309.03241: an equal last segment credits both; an equal expression the arithmetic, and the answer too if the
    values agree in 4 decimals; else an expression whose value is the truth's, the arithmetic. Without x, the last
    segments are compared as text.
    """
    wanted, given = ([part.strip() for part in text.strip().split("=")] for text in (truth, completion[:LONGEST_TEXT]))
    if wanted[-1] == given[-1]:
        return True, True
    if "x" not in truth or "x" not in completion or min(len(wanted), len(given)) < 2:
        return False, False
    value = _number(wanted[-1])
    if wanted[1] == given[1]:
        answer = _number(given[-1])
        return answer is not None and value is not None and round(answer, 4) == round(value, 4), True
    found = _number(given[1])
    return False, found is not None and value is not None and round(found, 4) == round(value, 4)


def answered(answer: str) -> Fraction | None:
    """The number in an answer, None where there is none: the last one that is written in it."""
    found = numbers(answer)
    return expression.value(found[-1]) if found else None


def _number(text):
    """The value of MathGLM's writing, where `1(5/6)` is a mixed number."""
    text = re.sub(r"([0-9]+)(\([0-9]+/[0-9]+\))", r"(\1+\2)", text.replace(" ", ""))
    try:
        return expression.value(text)
    except expression.ExpressionError:
        return None


def _value(side, right):
    """The exact value of a side, numbers that are in `right` replaced; None where it has none."""
    parts = []
    for before, token in pairwise(("", *side)):
        if right and (token[0].isdigit() or token[0] == "."):
            value = expression.value(token)
            value, sign = (-value, "-") if before == "-" and -value in right and len(parts) == 1 else (value, "")
            if value in right:
                token = f"({right[value]})" if not sign else f"(-({right[value]}))"
        parts.append(token)
    try:
        return expression.value("".join(parts))
    except expression.ExpressionError:
        return None


def _meets(side, value, written, first):
    """Whether a side is the value of the first one, or that value rounded to its own decimals."""
    if value == written or _scaled(side, value, written, first):
        return True
    if len(side) > 2 or len(side) == 2 and side[0] != "-":
        return False
    text = side[-1].removesuffix("%")
    unit = Fraction(1, 10 ** len(text.partition(".")[2]))
    scales = (1, 100) if text != side[-1] else (1,)
    return any(
        abs(value * scale - written * wanted) < unit and (unit < 1 or (written * wanted).denominator > 1)
        for scale in scales[-1:]
        for wanted in scales
    )


def _scaled(side, value, exact, first):
    """Whether the two differ by a percent sign alone, as in `1/4*100 = 25%`."""
    if not any(token.endswith("%") for token in (*side, *first)):
        return False
    return exact in (value * 100, value / 100)
