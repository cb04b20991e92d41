"""Numbers: rational ones exactly, others to fifty digits, within bounds on their size."""

from fractions import Fraction

import mpmath

DIGITS = 50
MOST_BITS = 200_000  # of an exact number
LARGEST_LOG = 2.0**40  # of the size of an inexact number: 2**LARGEST_LOG

context = mpmath.MPContext()
context.dps = DIGITS


class Unknown(ValueError):
    """A tree that has no value that could be worked out here: why."""


class TooLarge(Unknown):
    """A number beyond the bounds."""


def inexact(number):
    """A number as mpf or mpc of the context."""
    if isinstance(number, Fraction):
        return context.mpf(number.numerator) / number.denominator
    return number


def exact(*numbers) -> bool:
    """Whether all are rational numbers."""
    return all(isinstance(number, Fraction) for number in numbers)


def add(a, b):
    if exact(a, b):
        return bounded(a + b)
    a, b = inexact(a), inexact(b)
    large, small = max(abs(a), abs(b)), min(abs(a), abs(b))
    if small and context.isfinite(large) and large > small * context.mpf(10) ** (context.dps + 10):
        raise TooLarge("a sum of numbers too different in size")
    return checked(a + b)


def multiply(a, b):
    return bounded(a * b) if exact(a, b) else checked(inexact(a) * inexact(b))


def divide(a, b):
    if b == 0:
        raise Unknown("a division by zero")
    return bounded(a / b) if exact(a, b) else checked(inexact(a) / inexact(b))


def power(base, exponent):
    if exact(base, exponent) and exponent.denominator == 1:
        count = abs(exponent.numerator)
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if base == 0 and exponent < 0:
            raise Unknown("a division by zero")
        if base in (0, 1, -1):
            return base ** (exponent.numerator % 2 + 2 if base == -1 else min(count, 1) if base == 0 else 1)
        if count * bits <= MOST_BITS:
            return base**exponent.numerator
    if exact(base, exponent) and (root := _rational_root(base, exponent)) is not None:
        return root
    base, exponent = inexact(base), inexact(exponent)
    if base == 0:
        if context.re(exponent) > 0:
            return Fraction(0)
        raise Unknown("a power of zero")
    if not context.isfinite(base) or not context.isfinite(exponent):
        raise Unknown("a power of infinity")
    size = abs(context.log(abs(base))) if abs(base) != 1 else context.mpf(1)
    if abs(exponent) * (size + 4) > LARGEST_LOG:
        raise TooLarge("a power out of bounds")
    return checked(context.power(base, exponent))


def _rational_root(base, exponent):
    """The exact power of a positive rational where it is rational, else None."""
    index = exponent.denominator
    if base <= 0 or index > 64 or abs(exponent.numerator) > 64 or base.numerator.bit_length() > 256:
        return None
    above, below = _integer_root(base.numerator, index), _integer_root(base.denominator, index)
    return Fraction(above, below) ** exponent.numerator if above is not None and below is not None else None


def _integer_root(number, index):
    if number.bit_length() > 256:
        return None
    root = round(number ** (1 / index)) if number.bit_length() < 900 else 0
    return next((r for r in (root - 1, root, root + 1) if r >= 0 and r**index == number), None)


def bounded(number):
    if number.numerator.bit_length() > MOST_BITS or number.denominator.bit_length() > MOST_BITS:
        raise TooLarge("a number out of bounds")
    return number


def checked(number):
    if isinstance(number, Fraction):
        return bounded(number)
    if context.isnan(number):
        raise Unknown("no number")
    return number


def real(x) -> bool:
    """Whether a value is a real number."""
    return isinstance(x, Fraction) or context.im(x) == 0
