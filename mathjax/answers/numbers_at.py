"""Whether two trees have the same value, whatever the values of their symbols."""

import random
from fractions import Fraction

from mathjax.answers import evaluate, quantities
from mathjax.answers import tree as tree_of
from mathjax.answers.quantities import Unknown, context

POINTS = 3
TRIES = 12
MOST_SYMBOLS = 12
INTEGERS = set("nkmjNKM")
_MARGIN = 10 ** (quantities.DIGITS // 2)
FLOAT = 10**12  # one over the relative error left to floats that were printed in full
_TINY = context.mpf(10) ** -30


def same(a, b) -> bool:
    """Whether the values agree at every point tried: exactly, or to half of the digits they are worked out in.

    Symbols take positive values first, then negative ones, where only real values on both sides count: so sqrt(x^2)
    is not x, and log(ab) is log(a) + log(b). Unknown where the trees have no value at any point, or where they differ
    by parts that are not worked out, such as integrals.
    """
    names = sorted(evaluate.symbols(a) | evaluate.symbols(b))
    if not names:
        return _agree(a, b, None)
    if len(names) > MOST_SYMBOLS:
        raise Unknown("too many symbols")
    if any(name.startswith("(") for name in names) and _opaque(a) != _opaque(b):
        raise Unknown("parts that are not worked out")
    chance = random.Random("-".join(names))
    if not _at_points(a, b, names, chance, _positive):
        return _integer(a, b, names) and _at_points(a, b, names, chance, _whole)
    return _at_points(a, b, names, chance, _signed, real=True)


def _at_points(a, b, names, chance, draw, real=False):
    """False if the values differ at a point; where `real`, points at which one is not real are passed over."""
    found = 0
    reason = None
    for _ in range(TRIES):
        point = {name: draw(chance, name) for name in names}
        try:
            agree = _agree(a, b, point) if not real or _real(a, b, point) else None
        except quantities.TooLarge:
            raise
        except Unknown as error:
            reason = error
            continue
        if agree is None:
            continue
        if not agree:
            return False
        found += 1
        if found == POINTS:
            return True
    if not found and not real:
        raise reason or Unknown("no value at any point")
    return True


def _agree(a, b, point):
    """Whether two trees agree at a point; where fifty digits do not tell, the values are worked out to 150."""
    first, second = evaluate.value(a, point), evaluate.value(b, point)
    if quantities.exact(first, second):
        return first == second or ((_printed(a) or _printed(b)) and close(first, second))
    first, second = quantities.inexact(first), quantities.inexact(second)
    if context.isinf(first) or context.isinf(second):
        return first == second
    size, difference = max(abs(first), abs(second)), abs(first - second)
    if difference * FLOAT <= size and (_printed(a) or _printed(b)):
        return True
    if size > _TINY and difference * 10**8 > size:
        return False
    with context.workdps(3 * quantities.DIGITS):
        first, second = (quantities.inexact(evaluate.value(tree, point)) for tree in (a, b))
        finer, difference = max(abs(first), abs(second)), abs(first - second)
        return difference * _MARGIN**4 <= finer or finer * _MARGIN < size  # what shrinks so is zero, and was rounding


def printed(number) -> bool:
    """Whether a number is a decimal of twelve to seventeen digits, as a float is printed."""
    below = number.denominator
    if below == 1 or 10**340 % below:
        return False
    digits = abs(number.numerator) * (10**340 // below)
    return 12 <= len(str(digits).rstrip("0")) <= 17


def close(a, b) -> bool:
    """Whether two rational numbers are one but for the rounding of floats."""
    return abs(a - b) * FLOAT <= max(abs(a), abs(b))


def _printed(tree):
    return (tree[0] == "number" and printed(tree[1])) or any(map(_printed, tree_of.children(tree)))


def _real(a, b, point):
    return quantities.real(evaluate.value(a, point)) and quantities.real(evaluate.value(b, point))


def _positive(chance, _):
    return context.mpf(chance.randrange(10**8, 3 * 10**8)) / 10**8 + context.mpf(chance.randrange(10**8)) / 10**16


def _signed(chance, name):
    value = _positive(chance, name)
    return -value if chance.random() < 0.6 else value


def _whole(chance, _):
    return Fraction(chance.randrange(2, 9))


def _integer(a, b, names):
    """Whether the symbols may stand for integers: they are called so, and stand where only integers make sense."""
    plain = [name for name in names if not name.startswith("(")]
    return bool(plain) and all(name[0] in INTEGERS for name in plain) and (_counts(a) or _counts(b))


def _counts(tree):
    if tree[0] == "power" and tree[2][0] != "number":
        return True
    if tree[0] == "function" and tree[1] in ("factorial", "binomial", "floor", "ceil", "mod", "cos", "sin"):
        return True
    return any(map(_counts, tree_of.children(tree)))


def _opaque(tree):
    return {name for name in evaluate.symbols(tree) if name.startswith("(")}
