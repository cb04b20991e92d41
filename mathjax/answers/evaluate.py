"""Values of trees: exact where they are rational, to fifty digits elsewhere, within bounds on size and work."""

from fractions import Fraction

import mpmath

from mathjax.answers import tree as tree_of
from mathjax.answers.functions import CONSTANTS, FUNCTIONS
from mathjax.answers.quantities import TooLarge, Unknown, add, checked, context, divide, exact, multiply, power

MOST_STEPS = 20_000  # operations on one tree
MOST_TERMS = 2_000  # of a series


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
        return {tree_of.written(tree)}
    return set().union(*map(symbols, tree_of.children(tree)))


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
                return self.named(tree_of.written(tree))
            case ("constant", name):
                return CONSTANTS[name]()
            case ("sum", parts):
                return self.fold(add, parts)
            case ("product", parts):
                return self.fold(multiply, parts)
            case ("quotient", above, below):
                return divide(self.value(above), self.value(below))
            case ("power", base, exponent):
                return power(self.value(base), self.value(exponent))
            case ("negative", part):
                return -self.value(part)
            case ("percent", part):
                return divide(self.value(part), Fraction(100))
            case ("degrees", part):
                return multiply(self.value(part), context.pi / 180)
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
            total = (add if kind == "sum" else multiply)(total, self.value(term))
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
            return checked(function(*map(self.value, arguments)))
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
        total = add(total, multiply(cell if column % 2 == 0 else -cell, _determinant(rest)))
    return total


def _based(digits, base):
    if base.denominator != 1 or not 2 <= base <= 36:
        raise Unknown(f"base {base}")
    try:
        return Fraction(int(digits, int(base)))
    except ValueError:
        raise Unknown(f"digits {digits} in base {base}") from None
