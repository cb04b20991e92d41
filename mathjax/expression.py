"""The exact value of an arithmetic expression, and exact numbers as decimal text.

Numbers are `12`, `1.5`, `.5`, `5.`, each also with `%`, which binds to the number before anything else
(`4/1%` is 400). Operators are `+ - * / // ** ^`, where `^` is `**`; brackets are `( )` and `[ ]`. Precedence
is Python's: `**` groups to the right, and binds more tightly than a sign on its left, less tightly than one on
its right, so `-2**2` is -4 and `2**-1` is 1/2. A sign may follow an operator (`5255--3`). Nothing is implied:
`2(3)`, `1,000` and `1e5` are errors.
"""

import math
import re
from fractions import Fraction

LONGEST_TEXT = 10_000  # characters
LONGEST_NUMBER = 4_000  # characters
LARGEST_BITS = 14_000  # of a numerator or a denominator: 4,215 digits, which `str` still writes
LARGEST_ROOT = 256  # bits of a number whose root is taken

_TOKEN = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)%?|\*\*|//|[^ \t]", re.DOTALL)
_BINDS = {"(": 0, "[": 0, "+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "sign": 3, "**": 4, "^": 4}
_POWER = 4
_OPENING = {")": "(", "]": "["}


class ExpressionError(ValueError):
    """A text without an exact value; the message says why, and at which character."""


def value(text: str, *, budget: int = LONGEST_TEXT) -> Fraction:
    """The exact value of `text`; ExpressionError for all that is not an expression with a value.

    The work is bounded. A text of more than `budget` characters, and a number on the way of more than
    `LARGEST_BITS` bits, are errors before they are worked out; deep brackets cost no recursion. A fractional
    exponent must give an exact value, as in `4^0.5`.
    """
    if len(text) > budget:
        raise ExpressionError(f"{_shown(text)}: at most {budget} characters are evaluated, got {len(text)}")
    tokens = _TOKEN.findall(text)
    numbers, waiting = [], []  # (numerator, denominator) each; (sign, its place among the tokens) each
    place, number_next = 0, True
    try:
        for place, token in enumerate(tokens):
            if number_next:
                if token in "([":
                    waiting.append((token, place))
                elif token == "-":
                    waiting.append(("sign", place))
                elif token != "+":
                    numbers.append(_number(token))
                    number_next = False
            elif token in _OPENING:
                _close(numbers, waiting, token)
            else:
                _apply_tighter(numbers, waiting, token)
                waiting.append((token, place))
                number_next = True
        if number_next:
            place = len(tokens)
            raise ValueError("expected a number, got the end")
        while waiting:
            place = waiting[-1][1]
            _apply(numbers, waiting.pop()[0])
    except (ValueError, ZeroDivisionError) as error:
        raise ExpressionError(f"{_shown(text)}, character {_character(text, place)}: {error}") from None
    return Fraction(*numbers[0])


def places(number: Fraction) -> int | None:
    """How many decimal places it takes to write `number` exactly; None where no number of them is enough."""
    twos = fives = 0
    rest = number.denominator
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    return max(twos, fives) if rest == 1 else None


def decimal(number: Fraction, at_most: int | None = None) -> str:
    """`number` as decimal digits, without an exponent and without zeros at the end.

    Exact, and ValueError where no decimal is (1/3); or rounded to `at_most` places, halves to even.
    """
    if at_most is not None:
        number = round(Fraction(number), at_most)
    needed = places(number)
    if needed is None:
        raise ValueError(f"{number} cannot be written as a decimal")
    digits = str(abs(number.numerator) * 10**needed // number.denominator).rjust(needed + 1, "0")
    sign = "-" if number < 0 else ""
    return sign + (digits if not needed else f"{digits[:-needed]}.{digits[-needed:]}")


def _number(token):
    """A token as (numerator, denominator) in lowest terms."""
    if len(token) > LONGEST_NUMBER:
        raise ValueError(f"a number may have {LONGEST_NUMBER} characters, got {len(token)}")
    if token.isdecimal() and token.isascii():
        return int(token), 1
    if not (token[0] in "0123456789" or token[0] == "." and len(token) > 1):
        raise ValueError(f"expected a number, got {token!r}")
    digits = token.removesuffix("%")
    shift = 2 * (digits != token)
    whole, _, decimals = digits.partition(".")
    return _lowest(int(whole + decimals), 10 ** (len(decimals) + shift))


def _apply_tighter(numbers, waiting, token):
    """Apply the operators that wait and bind their right side before `token` does."""
    binds = _BINDS.get(token, 0)
    if not binds:
        raise ValueError(f"expected an operator, got {token!r}")
    least = binds + (binds == _POWER)
    while waiting and _BINDS[waiting[-1][0]] >= least:
        _apply(numbers, waiting.pop()[0])


def _close(numbers, waiting, token):
    while waiting and waiting[-1][0] not in _OPENING.values():
        _apply(numbers, waiting.pop()[0])
    if not waiting or waiting.pop()[0] != _OPENING[token]:
        raise ValueError(f"no bracket is open that {token!r} could close")


def _apply(numbers, sign):
    """Replace the last numbers by what the operator `sign` makes of them."""
    a, b = numbers.pop()
    if sign == "sign":
        numbers.append((-a, b))
        return
    if sign in _OPENING.values():
        raise ValueError(f"{sign!r} is not closed")
    n, d = numbers.pop()
    if sign == "+":
        n, d = (n + a, 1) if b == d == 1 else _lowest(n * b + a * d, d * b)
    elif sign == "-":
        n, d = (n - a, 1) if b == d == 1 else _lowest(n * b - a * d, d * b)
    elif sign == "*":
        n, d = (n * a, 1) if b == d == 1 else _lowest(n * a, d * b)
    elif not a and sign in ("/", "//"):
        raise ZeroDivisionError("division by zero")
    elif sign == "/":
        n, d = _lowest(n * b, d * a)
    elif sign == "//":
        n, d = n * b // (d * a), 1
    else:
        n, d = _power(n, d, a, b)
    if n.bit_length() > LARGEST_BITS or d.bit_length() > LARGEST_BITS:
        raise ValueError(f"a number of more than {LARGEST_BITS} bits")
    numbers.append((n, d))


def _power(n, d, a, b):
    """(n/d) ** (a/b), all in lowest terms."""
    if not n:
        if a < 0:
            raise ZeroDivisionError("zero to a negative power")
        return int(not a), 1
    if b > 1:
        n, d = _root(n, b), _root(d, b)
    if d == 1 and n in (1, -1):  # of any power
        return n if a % 2 else 1, 1
    if max(n.bit_length(), d.bit_length()) * abs(a) > 2 * LARGEST_BITS:
        raise ValueError(f"a power of more than {LARGEST_BITS} bits")
    if a < 0:
        n, d, a = (d, n, -a) if n > 0 else (-d, -n, -a)
    return n**a, d**a


def _root(n, degree):
    """The whole number whose power `degree` is n."""
    low, high = 0, 1 << (n.bit_length() // degree + 1)
    if 0 <= n < 1 << LARGEST_ROOT:
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if middle**degree < n else (low, middle)
        if low**degree == n:
            return low
    raise ValueError("a fractional power without an exact value")


def _lowest(n, d):
    """n/d in lowest terms, the denominator positive."""
    common = math.gcd(n, d)
    if d < 0:
        common = -common
    return n // common, d // common


def _character(text, place):
    """Where in the text the token number `place` starts, counted from 1."""
    starts = [match.start() for match in _TOKEN.finditer(text)] + [len(text)]
    return starts[place] + 1


def _shown(text):
    return repr(text if len(text) <= 80 else text[:77] + "...")
