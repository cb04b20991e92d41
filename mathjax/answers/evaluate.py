"""Values of trees: exact where they are rational, to fifty digits elsewhere, within bounds on size and work."""

import math
from fractions import Fraction

import mpmath

from mathjax.answers import syntax

DIGITS = 50
MOST_BITS = 200_000  # of an exact number
MOST_TERMS = 2_000  # of a series
MOST_STEPS = 20_000  # operations on one tree
LARGEST_LOG = 2.0**40  # of the size of an inexact number: 2**LARGEST_LOG

context = mpmath.MPContext()
context.dps = DIGITS
_LOG2 = math.log(2)


class Unknown(ValueError):
    """A tree that has no value that could be worked out here: why."""


class TooLarge(Unknown):
    """A number beyond the bounds."""


def value(tree, symbols=None):
    """The value of a tree as Fraction, or as mpf or mpc of `context`; infinity as mpf.

    `symbols` gives the values of symbols and of opaque parts, by name. Unknown where there is no value: text, lists,
    a division by zero, a symbol without a value, numbers out of bounds, too many operations.
    """
    return _Evaluation(symbols or {}).value(tree)


def symbols(tree) -> set[str]:
    """The names of symbols and opaque parts in a tree."""
    if tree[0] == "symbol":
        return {tree[1]}
    if tree[0] == "opaque" and tree[1] in ("sum", "prod") and (bounds := _bounds(tree[2])) is not None:
        inner = symbols(tree[2][-1]) - {bounds[0]} | symbols(bounds[1]) | symbols(bounds[2])
        if not inner:
            return inner
    if tree[0] == "opaque":
        return {syntax.written(tree)}
    return set().union(*map(symbols, syntax.children(tree)))


class _Evaluation:
    def __init__(self, names):
        self.names, self.steps = names, 0

    def value(self, tree):
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooLarge("too many operations")
        match tree:
            case ("number", number):
                return number
            case ("symbol", name):
                return self.named(name)
            case ("opaque", "sum" | "prod" as name, parts) if not symbols(tree) and (bounds := _bounds(parts)):
                return self.series(name, *bounds, parts[-1])
            case ("opaque", *_):
                return self.named(syntax.written(tree))
            case ("constant", name):
                return CONSTANTS[name]()
            case ("sum", parts):
                return self.fold(_add, parts)
            case ("product", parts):
                return self.fold(_multiply, parts)
            case ("quotient", above, below):
                return _divide(self.value(above), self.value(below))
            case ("power", base, exponent):
                return _power(self.value(base), self.value(exponent))
            case ("negative", part):
                return -self.value(part)
            case ("percent", part):
                return _divide(self.value(part), Fraction(100))
            case ("degrees", part) if part is not None:
                return _multiply(self.value(part), context.pi / 180)
            case ("words", part, _):
                return self.value(part)
            case ("base", digits, base):
                return _based(digits, base)
            case ("brackets", "(" | "[", ")" | "]", (part,)):
                return self.value(part)
            case ("function", name, arguments) if name in FUNCTIONS:
                return self.function(name, arguments)
        raise Unknown(f"{tree[0]} has no value")

    def fold(self, operation, parts):
        total = self.value(parts[0])
        for part in parts[1:]:
            total = operation(total, self.value(part))
        return total

    def series(self, kind, index, low, high, term):
        """A sum or a product over the integers from low to high."""
        low, high = self.value(low), self.value(high)
        if not exact(low, high) or low.denominator != 1 or high.denominator != 1 or high - low > MOST_TERMS:
            raise Unknown("a series that is not worked out")
        total, names = Fraction(kind == "prod"), self.names
        for number in range(int(low), int(high) + 1):
            self.names = names | {index: Fraction(number)}
            total = (_add if kind == "sum" else _multiply)(total, self.value(term))
        self.names = names
        return total

    def named(self, name):
        if name not in self.names:
            raise Unknown(f"{name} has no value")
        return self.names[name]

    def function(self, name, arguments):
        if name == "determinant":
            return self.determinant(arguments[0][1])
        function, count = FUNCTIONS[name]
        if count is not None and len(arguments) not in count:
            raise Unknown(f"{name} of {len(arguments)} values")
        try:
            return _checked(function(*map(self.value, arguments)))
        except (ZeroDivisionError, OverflowError, ValueError, TypeError, mpmath.libmp.NoConvergence) as error:
            if isinstance(error, Unknown):
                raise
            raise Unknown(f"{name}: {error}") from None

    def determinant(self, rows):
        if len(rows) not in (1, 2, 3) or any(len(row) != len(rows) for row in rows):
            raise Unknown("a determinant of another size")
        cells = [[self.value(cell) for cell in row] for row in rows]
        return _determinant(cells)


def _bounds(parts):
    """The index of a series, where it begins and where it ends; None where that is not all there."""
    match parts:
        case (
            ("opaque", "_", (("relation", (("symbol", index), "=", low)),)),
            ("opaque", "^", (high,)),
            _,
        ):
            return index, low, high
    return None


def _determinant(cells):
    if len(cells) == 1:
        return cells[0][0]
    total = Fraction(0)
    for column, cell in enumerate(cells[0]):
        rest = [row[:column] + row[column + 1 :] for row in cells[1:]]
        total = _add(total, _multiply(cell if column % 2 == 0 else -cell, _determinant(rest)))
    return total


def inexact(number):
    """A number as mpf or mpc of the context."""
    if isinstance(number, Fraction):
        return context.mpf(number.numerator) / number.denominator
    return number


def exact(*numbers) -> bool:
    """Whether all are rational numbers."""
    return all(isinstance(number, Fraction) for number in numbers)


def _add(a, b):
    if exact(a, b):
        return _bounded(a + b)
    a, b = inexact(a), inexact(b)
    large, small = max(abs(a), abs(b)), min(abs(a), abs(b))
    if small and context.isfinite(large) and large > small * context.mpf(10) ** (context.dps + 10):
        raise TooLarge("a sum of numbers too different in size")
    return _checked(a + b)


def _multiply(a, b):
    return _bounded(a * b) if exact(a, b) else _checked(inexact(a) * inexact(b))


def _divide(a, b):
    if b == 0:
        raise Unknown("a division by zero")
    return _bounded(a / b) if exact(a, b) else _checked(inexact(a) / inexact(b))


def _power(base, exponent):
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
    return _checked(context.power(base, exponent))


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


def _bounded(number):
    if number.numerator.bit_length() > MOST_BITS or number.denominator.bit_length() > MOST_BITS:
        raise TooLarge("a number out of bounds")
    return number


def _checked(number):
    if isinstance(number, Fraction):
        return _bounded(number)
    if context.isnan(number):
        raise Unknown("no number")
    return number


def _based(digits, base):
    if base.denominator != 1 or not 2 <= base <= 36:
        raise Unknown(f"base {base}")
    try:
        return Fraction(int(digits, int(base)))
    except ValueError:
        raise Unknown(f"digits {digits} in base {base}") from None


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
        return -_power(-x, 1 / index)
    return _power(x, _divide(Fraction(1), index))


def real(x) -> bool:
    """Whether a value is a real number."""
    return isinstance(x, Fraction) or context.im(x) == 0


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
    "sqrt": (lambda x: _power(x, Fraction(1, 2)), (1,)),
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
