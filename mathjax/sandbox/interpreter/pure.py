"""The builtins, methods and modules that a program may use: pure ones, and those whose work is bounded by a budget.

Every function of a table takes the budget first. Where an argument is wrong, CPython's own function is called with it,
so that the error is CPython's.
"""

import re
from collections.abc import Callable
from functools import partial

from mathjax.sandbox.interpreter.budget import Budget, Opaque, Outside

_WIDE = re.compile(r"[0-9]{4}|n")  # widths and precisions from 1,000; `n` is the locale's
_LONGEST_ROUNDING = 1000


class Builtin(Opaque):
    """A function or type of CPython's; `kind` is the type that isinstance compares with, where it is one."""

    __slots__ = ("call", "kind")

    def __init__(self, call, kind=None):
        self.call = call
        self.kind = kind

    def __call__(self, /, *values, **named):
        return self.call(*values, **named)


class Module(Opaque):
    """The module math."""

    __slots__ = ("name",)

    def __init__(self, name):
        self.name = name


class Known(Opaque):
    """Something that may be imported, and named in an annotation, and nothing else: `numpy`, `typing.List`."""

    __slots__ = ()


Module.__name__ = Builtin.__name__ = Known.__name__ = Opaque.__name__


def scalars(run: Callable) -> Callable:
    """`run` on numbers and strings, its result paid for."""

    def call(budget, /, *values, **named):
        for value in values:
            budget.weigh(value)
        return budget.made(run(*values, **named))

    return call


def consumes(run: Callable) -> Callable:
    """`run` on what it goes through once and in order."""

    def call(budget, /, *values, **named):
        values = [budget.compared(budget.consumed(value)) for value in values]
        return budget.made(run(*values, **named))

    return call


def _iterates(run):
    def call(budget, /, *values, **named):
        for value in values:
            budget.source(value)
        return run(*values, **named)

    return call


def _sorts(run):
    """Any order of a set of distinct strings gives one result, unless a key makes some of them alike."""

    def call(budget, /, *values, **named):
        for value in values:
            if type(value) is not set or "key" in named or any(type(item) is not str for item in value):
                budget.consumed(value)
        return budget.made(run(*map(budget.compared, values), **named))

    return call


def _distinct(budget, /, *values, **named):
    for value in values:
        if type(value) is not set:
            budget.consumed(value)
    return budget.made(set(*map(budget.compared, values), **named))


def _print(budget, /, *values, **named):
    sep, end, flush = named.pop("sep", None), named.pop("end", None), named.pop("flush", False)
    if named or type(flush) is not bool or any(type(text) is not str and text is not None for text in (sep, end)):
        raise Outside("print")
    for i, value in enumerate(values):
        if i:
            budget.write(" " if sep is None else sep)
        budget.write(_text(str, budget, value))
    budget.write("\n" if end is None else end)


def _text(run, budget, value):
    budget.shown(value)
    return budget.made(run(value))


def formatted(budget: Budget, value, spec: str = "") -> str:
    """`value` in the format `spec`; Outside for a wide one."""
    narrow(spec)
    budget.shown(value)
    return budget.made(format(value, spec))


def narrow(spec):
    """Outside for a format that makes a long text or asks for the locale."""
    if type(spec) is not str or _WIDE.search(spec):
        raise Outside("format")


def _range(budget, /, *values, **named):
    return range(*values, **named)


def _len(budget, /, *values, **named):
    return len(*values, **named)


def _sum(budget, values, start=0):
    if type(start) not in (int, float, complex):
        raise Outside("sum of other things than numbers")
    budget.weigh(values)
    return budget.made(sum(budget.consumed(values), start))


def _round(budget, /, *values, **named):
    places = values[1] if len(values) > 1 else named.get("ndigits")
    if type(places) is int and abs(places) > _LONGEST_ROUNDING:
        raise Outside("round")
    return budget.made(round(*values, **named))


def power(budget: Budget, *values):
    """`pow`, of two or three numbers."""
    if any(type(value) not in (int, float, bool, complex) for value in values):
        raise Outside("pow")
    if all(type(value) is int for value in values):
        base, exponent, *modulus = values
        if modulus:
            budget.charge(exponent.bit_length() * (1 + (modulus[0].bit_length() >> 6) ** 2))
        elif exponent > 1:
            budget.fits((base.bit_length() - 1) * exponent)
    return budget.made(pow(*values))


def _isinstance(budget, value, kinds):
    kinds = kinds if type(kinds) is tuple else (kinds,)
    if any(type(kind) is not Builtin or kind.kind is None for kind in kinds):
        raise Outside("isinstance")
    return isinstance(value, tuple(kind.kind for kind in kinds))


def _next(budget, *values):
    try:
        return next(*values)
    except StopIteration:
        raise Outside("StopIteration") from None


def _takes(least, most, run, *names):
    """`run` for so many arguments by position, and `names`; the errors of other calls are CPython's own affair."""

    def call(budget, /, *values, **named):
        if not least <= len(values) <= most or not named.keys() <= set(names):
            raise Outside("arguments")
        return run(budget, *values, **named)

    return call


FUNCTIONS = {
    "abs": scalars(abs),
    "all": consumes(all),
    "any": consumes(any),
    "bin": scalars(bin),
    "bool": scalars(bool),
    "chr": scalars(chr),
    "dict": consumes(dict),
    "divmod": scalars(divmod),
    "enumerate": _iterates(enumerate),
    "filter": _iterates(filter),
    "float": scalars(float),
    "format": _takes(1, 2, formatted),
    "hex": scalars(hex),
    "int": scalars(int),
    "isinstance": _takes(2, 2, _isinstance),
    "len": _len,
    "list": consumes(list),
    "map": _iterates(map),
    "max": _sorts(max),
    "min": _sorts(min),
    "next": _takes(1, 2, _next),
    "oct": scalars(oct),
    "ord": scalars(ord),
    "pow": _takes(2, 3, power),
    "print": _print,
    "range": _range,
    "repr": _takes(1, 1, partial(_text, repr)),
    "reversed": _iterates(reversed),
    "round": _round,
    "set": _distinct,
    "sorted": _sorts(sorted),
    "str": _takes(1, 1, partial(_text, str)),
    "sum": _takes(1, 2, _sum),
    "tuple": consumes(tuple),
    "zip": _iterates(zip),
}
KINDS = {kind.__name__: kind for kind in (bool, dict, float, int, list, set, str, tuple)}
ERRORS = {
    error.__name__: error
    for error in (
        ArithmeticError,
        AssertionError,
        AttributeError,
        Exception,
        IndexError,
        KeyError,
        LookupError,
        NameError,
        NotImplementedError,
        OverflowError,
        RuntimeError,
        TypeError,
        ValueError,
        ZeroDivisionError,
    )
}
