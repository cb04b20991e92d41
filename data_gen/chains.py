"""Shapes of expressions and their working: one operation a step, in order of precedence, every number exact.

Numbers are int, Decimal (computed in the context `EXACT`, where a rounding is an error) or Fraction.
"""

import functools
import itertools
import math
import zlib
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from fractions import Fraction
from operator import itemgetter
from typing import NamedTuple

ADD, SUBTRACT, MULTIPLY, DIVIDE, POWER = range(5)
SIGNS = "+-*/^"
NAMES = ("add", "subtract", "multiply", "divide", "power")  # their weights in config.Expressions
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
    question: str  # with %s for each number, which come from question_slots
    question_slots: itemgetter
    chain: str  # what follows the first `=`
    chain_slots: itemgetter
    whole: bool  # what starts as an int stays one
    bases: tuple[int, ...]  # slots on the left of ^, where a negative number needs brackets
    ratios: tuple[tuple[int, int], ...]  # slots of divisions that stand alone in round brackets


@functools.lru_cache(maxsize=1 << 16)
def plan(operators: str, round_: tuple[int, int] | None, outer: tuple[int, int] | None, kind: int) -> Plan | None:
    """The plan of a shape: its operators, the numbers (first, last) in round brackets and those in a second pair.

    The second pair is square around the first, round beside it. None for a shape that is not used: a power of a power,
    an exponent that is no number, and where nothing could be adjusted to make a quotient end.
    """
    n = len(operators)
    stages, made, steps, ratios = [_tokens(operators, round_, outer)], {}, [], []
    bases, adjusted = [], set()
    for slot in range(n + 1, 2 * n + 1):
        sign, left, right, alone, tokens = _reduce(stages[-1], slot)
        adjustment = None
        if sign == POWER:
            if right > n or left in made and made[left][0] == POWER:
                return None
            bases.append(left)
            adjustment = left if left <= n else None
            adjusted.add(left)
        elif sign == DIVIDE and kind != FRACTION:
            adjustment = _adjustment(made, left, right, n, kind)
            if adjustment is None:
                return None
            adjusted.add(adjustment[1])
        if sign == DIVIDE and alone:
            ratios.append((left, right))
        made[slot] = sign, left, right
        steps.append((sign, left, right, adjustment))
        stages.append(tokens)
    texts = ["".join("%s" if type(token) is int else token for token in tokens) for tokens in stages]
    slots = [[token for token in tokens if type(token) is int] for tokens in stages]
    return Plan(
        steps=tuple(steps),
        free=sum(1 << slot for slot in range(n + 1) if slot not in adjusted),
        salt=zlib.crc32(texts[0].encode()),
        question=texts[0] + "=",
        question_slots=itemgetter(*slots[0]),
        chain="=".join(texts[1:]),
        chain_slots=itemgetter(*itertools.chain(*slots[1:])),
        whole=kind == WHOLE and not {"/", "^"} & set(operators),
        bases=tuple(bases),
        ratios=tuple(ratios),
    )


def work(plan: Plan, numbers: list, scales, places: int, bounds: tuple[int, int], limit: int) -> bool:
    """Append what each operation gives to `numbers`, those of the question; False where they are of no use.

    Numbers of the question are changed where the plan says so, that each quotient may end, within `places` decimals
    more than the dividend has. `scales` is 10 to the number of decimals of each number, None where all are integers;
    what is changed stays below `bounds` (the second is for a right side of *), each result below `limit`. Raises
    ArithmeticError for a division by zero and for a result that no decimal is.
    """
    for sign, left, right, adjustment in plan.steps:
        if sign == ADD:
            result = numbers[left] + numbers[right]
        elif sign == SUBTRACT:
            result = numbers[left] - numbers[right]
        elif sign == MULTIPLY:
            result = numbers[left] * numbers[right]
        elif sign == DIVIDE:
            if adjustment:
                change, slot, role = adjustment
                scale = scales[slot] if scales else 1
                if not change(numbers, slot, left, right, scale, 10**places, bounds[role]):
                    return False
            result = _quotient(numbers[left], numbers[right])
        else:
            result = _power(numbers, left, right, adjustment)
        if not -limit < result < limit:
            return False
        numbers.append(result)
    return not any(_is_fraction(numbers[a], numbers[b]) for a, b in plan.ratios)


def write(number) -> str:
    """The text of a number: digits, a decimal without an exponent or zeros at its end, or a fraction `(a/b)`."""
    if type(number) is Fraction:
        return str(number) if number.denominator == 1 else f"({number})"
    if type(number) is Decimal:
        text = format(number, "f")
        if "." in text:
            text = text.rstrip("0").removesuffix(".")
        return "0" if text == "-0" else text
    return str(number)


def _tokens(operators, round_, outer):
    """The question: slots as int, signs and brackets as str."""
    opening, closing = [""] * (len(operators) + 1), [""] * (len(operators) + 1)
    if round_:
        opening[round_[0]], closing[round_[1]] = "(", ")"
    if outer:
        square = outer[0] <= round_[0] and round_[1] <= outer[1]
        opening[outer[0]] = ("[" if square else "(") + opening[outer[0]]
        closing[outer[1]] += "]" if square else ")"
    tokens = []
    for slot, sign in enumerate([*operators, ""]):
        tokens += [*opening[slot], slot, *closing[slot], sign]
    return tokens[:-1]


def _reduce(tokens, slot):
    """The operation that comes first, whether it is all that its round brackets hold, and the tokens after it."""
    end = next((at for at, token in enumerate(tokens) if token in OPENING), len(tokens))
    start = end - 1
    while start >= 0 and tokens[start] not in OPENING.values():
        start -= 1
    at = next(at for signs in _PRECEDENCE for at in range(start + 2, end, 2) if tokens[at] in signs)
    alone = end - start == 4 and start >= 0
    first, last = (start, end) if alone else (at - 1, at + 1)
    after = [*tokens[:first], slot, *tokens[last + 1 :]]
    return SIGNS.index(tokens[at]), tokens[at - 1], tokens[at + 1], alone and tokens[start] == "(", after


def _adjustment(made, left, right, n, kind):
    """(function, slot, role) that makes the quotient of two slots end; None where there is none."""
    if left <= n:
        return _adjust_dividend, left, 0
    sign, *sides = made[left]
    slot = next((side for side in reversed(sides) if side <= n), None)
    if kind == WHOLE and sign in (ADD, SUBTRACT, MULTIPLY) and slot is not None:
        role = int(sign == MULTIPLY and slot == sides[1])
        change = _adjust_factor if sign == MULTIPLY else _adjust_term
        if sign == SUBTRACT and slot == sides[1]:
            change = _adjust_subtrahend
        return change, slot, role
    return (_adjust_divisor, right, 0) if right <= n else None


def _adjust_dividend(numbers, slot, left, right, scale, ten, bound):
    unit = _unit(numbers[right], ten)
    new = _multiple(int(numbers[slot] * scale), unit, bound * scale)
    numbers[slot] = _scaled(new, scale)
    return new != 0


def _adjust_factor(numbers, slot, left, right, scale, ten, bound):
    """Make the product a multiple by one of its factors."""
    product, old = numbers[left], numbers[slot]
    if type(product) is not int:
        return False
    if product:
        unit = _unit(numbers[right], ten)
        other = product // old
        numbers[slot] = _multiple(old, unit // math.gcd(other, unit), bound)
        numbers[left] = other * numbers[slot]
    return numbers[left] != 0 or not product


def _adjust_term(numbers, slot, left, right, scale, ten, bound, sign=1):
    """Make the sum a multiple by one of its terms, which keeps its own sign."""
    old = numbers[slot]
    if type(numbers[left]) is not int:
        return False
    unit = _unit(numbers[right], ten)
    change = -numbers[left] % unit
    if (old + sign * change) * old <= 0:
        change -= unit
    numbers[slot] += sign * change
    numbers[left] += change
    return -bound < numbers[slot] < bound


def _adjust_subtrahend(*of_term):
    return _adjust_term(*of_term, sign=-1)


def _adjust_divisor(numbers, slot, left, right, scale, ten, bound):
    """Make the divisor what it, rounded to a number of many divisors, shares with the dividend."""
    numerator, _ = numbers[left].as_integer_ratio()
    old = int(numbers[slot] * scale)
    smooth = next((step for step in _SMOOTH if step <= abs(old)), 1)
    new = math.gcd(numerator * scale * ten, abs(old) // smooth * smooth)
    numbers[slot] = _scaled(new if old > 0 else -new, scale)
    return new > 1


def _multiple(number, unit, bound):
    """The multiple of `unit` next to `number` towards 0; for a smaller number, some multiple below `bound`, or 0."""
    most = (bound - 1) // unit
    if not most:
        return 0
    times = abs(number) // unit or 1 + abs(number) % most
    return times * unit if number >= 0 else -times * unit


def _unit(divisor, ten):
    """What a whole number must be a multiple of, for `number / divisor * ten` to be whole."""
    n, d = divisor.as_integer_ratio()
    n = abs(n)
    if not n:
        raise ZeroDivisionError("a divisor is 0")
    return n // math.gcd(n, d * ten)


def _scaled(number, scale):
    return number if scale == 1 else Decimal(number) / scale


def _quotient(x, y):
    if type(x) is int and type(y) is int:
        whole, rest = divmod(x, y)
        if not rest:
            return whole
        x = Decimal(x)
    return x / y


def _power(numbers, left, right, base_slot):
    exponent = int(numbers[right])
    if exponent < 0 and base_slot is not None and type(numbers[left]) is not Fraction:
        sign, index = (1 if numbers[left] > 0 else -1), int(numbers[left]) % len(_ENDING)
        numbers[left] = sign * _ENDING[index]
    power = math.prod([numbers[left]] * abs(exponent))
    return power if exponent >= 0 else _quotient(1, power)


def _is_fraction(a, b):
    """Whether `(a/b)` would read as one number: a fraction in lowest terms."""
    return a == int(a) and b == int(b) and b > 1 and math.gcd(int(a), int(b)) == 1
