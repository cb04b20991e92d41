"""Shapes of expressions and their working: one operation a step, in order of precedence, every number exact.

Questions of one shape are worked out together, by columns: a list holds one number of each. Numbers are int, Decimal
(computed where a rounding is an error, in the context `EXACT`) or Fraction.
"""

import itertools
import math
import operator
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from fractions import Fraction
from typing import NamedTuple
from zlib import crc32

ADD, SUBTRACT, MULTIPLY, DIVIDE, POWER = range(5)
SIGNS = "+-*/^"
WHOLE, DECIMAL, FRACTION = range(3)  # kinds: integers alone; with decimals or percents; computed as fractions
EXACT = Context(prec=60, traps=[Inexact, DivisionByZero, InvalidOperation, Overflow])
OPENING = {")": "(", "]": "["}

_PRECEDENCE = ({"^"}, {"*", "/"}, {"+", "-"})
_ENDING = (1, 2, 4, 5, 8)  # numbers whose negative powers end
_SMOOTH = (5040, 360, 60, 12)  # numbers of many divisors


class Plan(NamedTuple):
    """How every expression of one shape is worked out.

    Slots 0..n hold the numbers of the question from left to right, slot n + k what operation k (from 1) gives.
    """

    steps: tuple  # (operator, left slot, right slot, adjustment or None) of each operation
    free: int  # bits of the slots whose numbers no adjustment can change
    salt: int  # names the shape
    line: str  # `question=step=..=answer` with %s for each number, which are those of `slots`
    slots: operator.itemgetter
    bases: tuple[int, ...]  # slots on the left of ^, where a negative number needs brackets
    ratios: tuple[tuple[int, int], ...]  # slots of divisions that stand alone in round brackets


def plan(operators: str, inner: tuple | None, outer: tuple | None, kind: int, steps: bool) -> Plan | None:
    """The plan of a shape: its operators, and the numbers (first, last) in round brackets and in a second pair.

    The second pair is square where it is around the first, round where it is beside it. Without `steps` the line is
    question and answer. None for a shape that is not used: a power of a power, an exponent that is no number, and
    where nothing could be adjusted to make a quotient end.
    """
    n = len(operators)
    stages, made, work, ratios = [_tokens(operators, inner, outer)], {}, [], []
    bases, adjusted = [], set()
    for slot in range(n + 1, 2 * n + 1):
        sign, left, right, alone, tokens = _reduce(stages[-1], slot)
        adjustment = None
        if sign == POWER:
            if right > n or left in made and made[left][0] == POWER:
                return None
            bases.append(left)
            adjustment = (_change_base, left, 0) if left <= n and kind != FRACTION else None
            adjusted.add(left)
        elif sign == DIVIDE and kind != FRACTION:
            adjustment = _adjustment(made, left, right, n, kind)
            if adjustment is None:
                return None
            adjusted.add(adjustment[1])
        if sign == DIVIDE and alone:
            ratios.append((left, right))
        made[slot] = sign, left, right
        work.append((sign, left, right, adjustment))
        stages.append(tokens)
    shown = stages if steps else [stages[0], stages[-1]]
    texts = ["".join(["%s" if type(token) is int else token for token in tokens]) for tokens in shown]
    return Plan(
        steps=tuple(work),
        free=sum(1 << slot for slot in range(n + 1) if slot not in adjusted),
        salt=crc32(texts[0].encode()),
        line="=".join(texts),
        slots=operator.itemgetter(*[token for token in itertools.chain(*shown) if type(token) is int]),
        bases=tuple(bases),
        ratios=tuple(ratios),
    )


def work(
    plan: Plan, columns: list[list], scales, ten: int, bounds: tuple[int, int], limit: int, floor: int
) -> list[bool]:
    """Append to `columns`, those of the numbers of some questions, what each operation gives; tells which are of use.

    Numbers of the questions are changed where the plan says so, that each quotient may end: `ten` times a quotient has
    no more decimals than its dividend. `scales` are columns of 10 to the number of decimals of each number, None where
    all are integers. A question is of no use if what is changed does not stay below `bounds` (the second is for a right
    side of *), or a result between `floor` and `limit`; if a divisor is 0; if a quotient does not end.
    """
    useful = [True] * len(columns[0])
    for sign, left, right, adjustment in plan.steps:
        if adjustment:
            change, slot, role = adjustment
            scale = scales[slot] if scales else itertools.repeat(1)
            _adjust(change, columns[slot], columns[left], columns[right], scale, ten, bounds[role], useful)
        results = _each(_OPERATIONS[sign], columns[left], columns[right], useful)
        if max(results) >= limit or min(results) <= floor:
            for row, result in enumerate(results):
                if not floor < result < limit:
                    useful[row], results[row] = False, 0
        columns.append(results)
    for left, right in plan.ratios:
        for row, (a, b) in enumerate(zip(columns[left], columns[right], strict=True)):
            if _is_fraction(a, b):
                useful[row] = False
    return useful


def write(number) -> str:
    """The text of a number: digits, a decimal without an exponent or zeros at its end, or a fraction `(a/b)`."""
    if type(number) is int:
        return str(number)
    if type(number) is Fraction:
        return str(number) if number.denominator == 1 else f"({number})"
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").removesuffix(".")
    return "0" if text == "-0" else text


def _tokens(operators, inner, outer):
    """The question: slots as int, signs and brackets as str."""
    opening, closing = [""] * (len(operators) + 1), [""] * (len(operators) + 1)
    if inner:
        opening[inner[0]], closing[inner[1]] = "(", ")"
    if outer:
        square = outer[0] <= inner[0] and inner[1] <= outer[1]
        opening[outer[0]] = ("[" if square else "(") + opening[outer[0]]
        closing[outer[1]] += "]" if square else ")"
    tokens = []
    for slot, sign in enumerate([*operators, ""]):
        tokens += [*opening[slot], slot, *closing[slot], sign]
    return tokens[:-1]


def _reduce(tokens, slot):
    """The operation that comes first, whether it is all that round brackets hold, and the tokens after it."""
    start, end = -1, len(tokens)
    for at, token in enumerate(tokens):
        if token == "(" or token == "[":
            start = at
        elif token == ")" or token == "]":
            end = at
            break
    at = next(at for signs in _PRECEDENCE for at in range(start + 2, end, 2) if tokens[at] in signs)
    alone = start >= 0 and end - start == 4
    first, last = (start, end) if alone else (at - 1, at + 1)
    after = [*tokens[:first], slot, *tokens[last + 1 :]]
    return SIGNS.index(tokens[at]), tokens[at - 1], tokens[at + 1], alone and tokens[start] == "(", after


def _adjustment(made, left, right, n, kind):
    """(function, slot, role) that makes the quotient of two slots end; None where there is none."""
    if left <= n:
        return _change_dividend, left, 0
    sign, *sides = made[left]
    slot = next((side for side in reversed(sides) if side <= n), None)
    if kind == WHOLE and slot is not None and sign == MULTIPLY:
        return _change_factor, slot, int(slot == sides[1])
    if kind == WHOLE and slot is not None and sign in (ADD, SUBTRACT):
        return _change_subtrahend if sign == SUBTRACT and slot == sides[1] else _change_term, slot, 0
    if kind == WHOLE and sign == DIVIDE and sides[0] <= n:
        return _change_first_dividend, sides[0], 0
    return (_change_divisor, right, 0) if right <= n else None


def _adjust(change, numbers, left, right, scales, ten, bound, useful):
    """Change a column of numbers, and the left side that depends on it, so that left / right ends."""
    for row, (number, x, y, scale) in enumerate(zip(numbers, left, right, scales)):  # noqa: B905 (scales may go on)
        changed = change(number, x, y, scale, ten, bound) if y or change is _change_base else None
        if changed is None:
            useful[row], left[row], right[row] = False, 0, 1
        else:
            left[row] = changed[1]
            numbers[row] = changed[0]


# Each of these gives back the number that is changed and the left side x, or None. y is the right side.


def _change_dividend(number, x, y, scale, ten, bound):
    old = number if scale == 1 else int(number * scale)
    new = _multiple(old, _unit(y, ten), bound * scale)
    return (_scaled(new, scale),) * 2 if new else None


def _change_first_dividend(number, x, y, scale, ten, bound):
    """Make a quotient a multiple by its dividend."""
    if type(x) is not int or not x or number % x:
        return None
    divisor = number // x
    new = _multiple(number, _unit(y, ten) * abs(divisor), bound)
    return (new, new // divisor) if new else None


def _change_factor(number, x, y, scale, ten, bound):
    """Make a product a multiple by one of its factors."""
    if type(x) is not int:
        return None
    if not x:
        return number, x
    other, unit = x // number, _unit(y, ten)
    new = _multiple(number, unit // math.gcd(other, unit), bound)
    return (new, other * new) if new else None


def _change_term(number, x, y, scale, ten, bound, sign=1):
    """Make a sum a multiple by one of its terms, which keeps its own sign."""
    if type(x) is not int:
        return None
    unit = _unit(y, ten)
    change = -x % unit
    if (number + sign * change < 0) != (number < 0):
        change -= unit
    new = number + sign * change
    return (new, x + change) if -bound < new < bound else None


def _change_subtrahend(*of_term):
    return _change_term(*of_term, sign=-1)


def _change_divisor(number, x, y, scale, ten, bound):
    """Make the divisor what it, rounded to a number of many divisors, shares with the dividend."""
    numerator, _ = x.as_integer_ratio()
    old = int(number * scale)
    smooth = next((step for step in _SMOOTH if step <= abs(old)), 1)
    new = math.gcd(numerator * scale * ten, abs(old) // smooth * smooth)
    return (_scaled(new if old > 0 else -new, scale), x) if new > 1 else None


def _change_base(number, x, y, scale, ten, bound):
    """A number whose negative power ends, for a negative exponent y."""
    new = number if y >= 0 else (1 if number > 0 else -1) * _ENDING[int(number) % len(_ENDING)]
    return new, new


def _unit(divisor, ten):
    """What a whole number must be a multiple of, for `number / divisor * ten` to be whole."""
    if ten == 1 and type(divisor) is int:
        return abs(divisor)
    n, d = divisor.as_integer_ratio()
    return abs(n) // math.gcd(n, d * ten)


def _multiple(number, unit, bound):
    """The multiple of `unit` next to `number` towards 0; for a smaller number, some multiple below `bound`, or 0."""
    most = (bound - 1) // unit
    if not most:
        return 0
    times = abs(number) // unit or 1 + abs(number) % most
    return times * unit if number >= 0 else -times * unit


def _scaled(number, scale):
    return number if scale == 1 else Decimal(number) / scale


def _each(operation, left, right, useful):
    """A column of results, 0 where there is none."""
    try:
        return list(map(operation, left, right))
    except ArithmeticError:  # one of them
        return [_one(operation, x, y, useful, row) for row, (x, y) in enumerate(zip(left, right, strict=True))]


def _one(operation, x, y, useful, row):
    try:
        return operation(x, y)
    except ArithmeticError:
        useful[row] = False
        return 0


def _quotient(x, y):
    if type(x) is int and type(y) is int:
        if not x % y:
            return x // y
        x = Decimal(x)
    return x / y


def _power(x, y):
    power = math.prod([x] * abs(int(y)))
    return power if y >= 0 else _quotient(1, power)


def _is_fraction(a, b):
    """Whether `(a/b)` would read as one number: a fraction in lowest terms."""
    return a == int(a) and b == int(b) and b > 1 and math.gcd(int(a), int(b)) == 1


_OPERATIONS = (operator.add, operator.sub, operator.mul, _quotient, _power)
