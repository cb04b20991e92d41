"""The operators of Python on values of a program, refused before they make something too large."""

import ast
import operator
import re
from collections.abc import Callable
from functools import partial

from mathjax.sandbox.interpreter.budget import LONGEST_STRING, Budget, Opaque, Outside

_NUMBERS = frozenset((int, float, bool))
_SEQUENCES = frozenset((str, list, tuple))
_LARGE = 1 << 256
_WIDE = re.compile(r"[0-9]{4}|\*")  # widths and precisions from 1,000, or found among the arguments


def _plain(run, budget, left, right):
    value = run(left, right)
    if type(value) is float or type(value) is int and -_LARGE < value < _LARGE:
        return value
    return budget.made(value)


def _plus(run, budget, left, right):
    if run is operator.iadd and type(left) is list:
        budget.consumed(right)
    return _plain(run, budget, left, right)


def _times(run, budget, left, right):
    for items, times in ((left, right), (right, left)):
        if type(items) in _SEQUENCES and type(times) in (int, bool):
            length = len(items) * max(times, 0)
            if type(items) is str and length > LONGEST_STRING:
                raise Outside("long string")
            budget.charge(length)
    return _plain(run, budget, left, right)


def _power(run, budget, left, right):
    if type(left) is int and type(right) is int and right > 1:
        budget.fits((left.bit_length() - 1) * right)
    return _plain(run, budget, left, right)


def _shift(run, budget, left, right):
    if type(right) is int:
        budget.fits(right)
    return _plain(run, budget, left, right)


def _modulo(run, budget, left, right):
    if type(left) is str:
        if _WIDE.search(left):
            raise Outside("wide format")
        budget.shown(right)
    return _plain(run, budget, left, right)


_BINARY = {  # how each is guarded, and its two forms: a + b, a += b
    ast.Add: (_plus, operator.add, operator.iadd),
    ast.Sub: (_plain, operator.sub, operator.isub),
    ast.Mult: (_times, operator.mul, operator.imul),
    ast.Div: (_plain, operator.truediv, operator.itruediv),
    ast.FloorDiv: (_plain, operator.floordiv, operator.ifloordiv),
    ast.Mod: (_modulo, operator.mod, operator.imod),
    ast.Pow: (_power, operator.pow, operator.ipow),
    ast.LShift: (_shift, operator.lshift, operator.ilshift),
    ast.RShift: (_plain, operator.rshift, operator.irshift),
    ast.BitAnd: (_plain, operator.and_, operator.iand),
    ast.BitOr: (_plain, operator.or_, operator.ior),
    ast.BitXor: (_plain, operator.xor, operator.ixor),
}


def binary(sign: ast.operator, budget: Budget, *, in_place: bool = False) -> Callable:
    """The function of two values that `sign` stands for; with `in_place` that of `+=` and its kin."""
    if type(sign) not in _BINARY:
        raise Outside(type(sign).__name__)
    guard, run, run_in_place = _BINARY[type(sign)]
    return partial(guard, run_in_place if in_place else run, budget)


def _invert(value):
    if type(value) is bool:  # deprecated: a warning from Python 3.12 on
        raise Outside("~ of a bool")
    return ~value


_UNARY = {ast.Not: operator.not_, ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: _invert}


def unary(sign: ast.unaryop) -> Callable:
    """The function of one value that `sign` stands for."""
    return _UNARY[type(sign)]


def _compare(run, budget, left, right):
    if type(left) not in _NUMBERS or type(right) not in _NUMBERS:
        budget.weigh(left)
        budget.weigh(right)
    return run(left, right)


def _contains(run, budget, item, items):
    budget.weigh(item)
    if isinstance(items, Opaque):
        raise Outside("in an object")
    if type(items) is range:
        if type(item) is not int:
            budget.consumed(items)
    elif type(items) is not dict and type(items) is not set:
        budget.weigh(items)
    return run(item, items)


def _in(item, items):
    return item in items


def _not_in(item, items):
    return item not in items


_COMPARISONS = {
    ast.Eq: (_compare, operator.eq),
    ast.NotEq: (_compare, operator.ne),
    ast.Lt: (_compare, operator.lt),
    ast.LtE: (_compare, operator.le),
    ast.Gt: (_compare, operator.gt),
    ast.GtE: (_compare, operator.ge),
    ast.In: (_contains, _in),
    ast.NotIn: (_contains, _not_in),
}
_IDENTITIES = {ast.Is: operator.is_, ast.IsNot: operator.is_not}


def comparison(sign: ast.cmpop, left: ast.expr, right: ast.expr, budget: Budget) -> Callable:
    """The function of two values that `sign` stands for between `left` and `right`.

    `is` is known with None, True or False on a side only: which equal numbers are one object is CPython's affair.
    """
    if type(sign) in _IDENTITIES:
        if not any(type(side) is ast.Constant and type(side.value) in (bool, type(None)) for side in (left, right)):
            raise Outside("is")
        return _IDENTITIES[type(sign)]
    guard, run = _COMPARISONS[type(sign)]
    return partial(guard, run, budget)
