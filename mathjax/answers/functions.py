"""The functions and constants that have values."""

import math
from fractions import Fraction

from mathjax.answers.quantities import (
    LARGEST_LOG,
    MOST_BITS,
    TooLarge,
    Unknown,
    context,
    divide,
    exact,
    inexact,
    power,
    real,
)


def _factorial(n):
    if isinstance(n, Fraction) and n.denominator == 1:
        if n < 0:
            raise Unknown("a factorial of a negative number")
        if n <= 5_000:
            return Fraction(math.factorial(int(n)))
    if abs(n) > LARGEST_LOG:
        raise TooLarge("a factorial out of bounds")
    return context.factorial(inexact(n))


def _binomial(n, k):
    if exact(n, k) and n.denominator == k.denominator == 1 and 0 <= k and 0 <= n:
        if k > n:
            return Fraction(0)
        if min(k, n - k) * n.numerator.bit_length() <= MOST_BITS // 4:
            return Fraction(math.comb(int(n), int(k)))
    if abs(n) > LARGEST_LOG or abs(k) > LARGEST_LOG:
        raise TooLarge("a binomial coefficient out of bounds")
    return context.binomial(inexact(n), inexact(k))


def _log(x, base=None):
    if x == 0 or base in (0, 1):
        raise Unknown("a logarithm of zero")
    top = context.log(inexact(x))
    return top if base is None else top / context.log(inexact(base))


def _root(x, index):
    if isinstance(index, Fraction) and index.denominator == 1 and index.numerator % 2 and real(x) and x < 0:
        return -power(-x, 1 / index)
    return power(x, divide(Fraction(1), index))


def _floor(x):
    if isinstance(x, Fraction):
        return Fraction(math.floor(x))
    return Fraction(int(context.floor(context.re(x)))) if real(x) and abs(x) < 1e30 else _fail("floor")


def _fail(name):
    raise Unknown(f"{name} out of bounds")


def _mod(a, b):
    if not exact(a, b) or b == 0:
        raise Unknown("a remainder of what is no rational number")
    return a % b


def _integers(function):
    def of(*numbers):
        if not exact(*numbers) or any(number.denominator != 1 for number in numbers):
            raise Unknown("a divisor of what is no integer")
        return Fraction(function(*map(int, numbers)))

    return of


def _trigonometric(name):
    function = getattr(context, name)

    def of(x):
        x = inexact(x)
        if abs(x) > 1e15 or (name in ("sinh", "cosh", "tanh", "exp") and abs(x) > LARGEST_LOG):
            raise TooLarge(f"{name} out of bounds")
        return function(x)

    return of


def _extreme(choose):
    def of(*numbers):
        if not all(map(real, numbers)):
            raise Unknown("the order of complex numbers")
        return choose(numbers, key=inexact)

    return of


def _ten(x):
    return _log(x, Fraction(10))


CONSTANTS = {
    "pi": lambda: +context.pi,
    "e": lambda: +context.e,
    "i": lambda: context.mpc(0, 1),
    "infinity": lambda: context.inf,
}
FUNCTIONS = {  # what each is worked out by, and how many values it takes; None: any number
    **{
        name: (_trigonometric(name), (1,))
        for name in ("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth", "sech", "csch", "exp")
    },
    "arcsin": (_trigonometric("asin"), (1,)),
    "arccos": (_trigonometric("acos"), (1,)),
    "arctan": (_trigonometric("atan"), (1,)),
    "arccot": (_trigonometric("acot"), (1,)),
    "arcsec": (_trigonometric("asec"), (1,)),
    "arccsc": (_trigonometric("acsc"), (1,)),
    "ln": (_log, (1,)),
    "log": (_log, (1, 2)),
    "lg": (_ten, (1,)),
    "sqrt": (lambda x: power(x, Fraction(1, 2)), (1,)),
    "cbrt": (lambda x: _root(x, Fraction(3)), (1,)),
    "root": (_root, (2,)),
    "abs": (abs, (1,)),
    "floor": (_floor, (1,)),
    "ceil": (lambda x: -_floor(-x), (1,)),
    "factorial": (_factorial, (1,)),
    "binomial": (_binomial, (2,)),
    "mod": (_mod, (2,)),
    "gcd": (_integers(math.gcd), None),
    "lcm": (_integers(math.lcm), None),
    "max": (_extreme(max), None),
    "min": (_extreme(min), None),
    "determinant": (None, (1,)),
}
