"""Expressions of a program as closures: `expression(node, scope)(frame)` is the value."""

import ast
import math
from collections.abc import Callable
from functools import partial

from mathjax.sandbox.interpreter import members, operators
from mathjax.sandbox.interpreter.bindings import comprehension
from mathjax.sandbox.interpreter.budget import Opaque, Outside
from mathjax.sandbox.interpreter.displays import DISPLAYS, items
from mathjax.sandbox.interpreter.pure import Builtin
from mathjax.sandbox.interpreter.scope import Function, Scope, lookup

_CALLABLE = (Builtin, Function)


def expression(node: ast.expr, scope: Scope) -> Callable:
    """The function of a frame that gives the value of `node`; Outside where there is none for it."""
    scope.program.nodes += 1
    compiled = _EXPRESSIONS.get(type(node))
    if compiled is None:
        raise Outside(type(node).__name__)
    return compiled(node, scope)


def function(arguments: ast.arguments, body: Callable, scope: Scope) -> Callable:
    """The function of a frame that makes a function: `body(inner)` of its own scope is the closure of what it does."""
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs:
        raise Outside("arguments")
    names = [argument.arg for argument in arguments.args]
    if len(set(names)) < len(names):
        raise Outside("arguments")
    defaults = [expression(node, scope) for node in arguments.defaults]
    filled = names[len(names) - len(defaults) :]
    before = scope.program.nodes
    run = body(frozenset(names))
    weight = 1 + scope.program.nodes - before
    budget = scope.program.budget

    def make(frame):
        values = {name: default(frame) for name, default in zip(filled, defaults, strict=True)}
        return Function(budget, names, values, run, weight, frame)

    return make


def _constant(node, scope):
    value = node.value
    if type(value) is int:
        scope.program.budget.made(value)
    if type(value) not in (int, float, complex, str, bool, type(None)) or value == math.inf:
        raise Outside("constant")
    return lambda frame: value


def _name(node, scope):
    return lookup(node.id, scope)


def _binary(node, scope):
    left, right = expression(node.left, scope), expression(node.right, scope)
    operate = operators.binary(node.op, scope.program.budget)
    return lambda frame: operate(left(frame), right(frame))


def _unary(node, scope):
    operand, operate = expression(node.operand, scope), operators.unary(node.op)
    return lambda frame: operate(operand(frame))


def _both(node, scope):
    *firsts, last = [expression(value, scope) for value in node.values]
    stops = type(node.op) is ast.Or

    def run(frame):
        for first in firsts:
            value = first(frame)
            if bool(value) is stops:
                return value
        return last(frame)

    return run


def _compare(node, scope):
    sides = [node.left, *node.comparators]
    compares = [operators.comparison(sign, *sides[i : i + 2], scope.program.budget) for i, sign in enumerate(node.ops)]
    first, *others = [expression(side, scope) for side in sides]
    if len(others) == 1:
        (compare,), (second,) = compares, others
        return lambda frame: compare(first(frame), second(frame))

    def run(frame):
        left, value = first(frame), True
        for compare, other in zip(compares, others, strict=True):
            right = other(frame)
            value = compare(left, right)
            if not value:
                break
            left = right
        return value

    return run


def _choice(node, scope):
    test, body, orelse = (expression(part, scope) for part in (node.test, node.body, node.orelse))
    return lambda frame: body(frame) if test(frame) else orelse(frame)


def _lambda(node, scope):
    def body(names):
        value = expression(node.body, Scope(scope.program, names, scope))
        return lambda frame: (value(frame),)

    return function(node.args, body, scope)


def _call(node, scope):
    if any(type(argument) is ast.Starred for argument in node.args) or any(not k.arg for k in node.keywords):
        return _starred_call(node, scope)
    called = _called(node.func, scope)
    values = [expression(argument, scope) for argument in node.args]
    named = [(keyword.arg, expression(keyword.value, scope)) for keyword in node.keywords]
    if len({name for name, _ in named}) < len(named):
        raise Outside("keyword argument repeated")
    if named:
        return lambda frame: called(frame)(*[v(frame) for v in values], **{name: v(frame) for name, v in named})
    if len(values) == 1:
        (value,) = values
        return lambda frame: called(frame)(value(frame))
    return lambda frame: called(frame)(*[value(frame) for value in values])


def _starred_call(node, scope):
    if node.keywords:
        raise Outside("** of arguments")
    called, values = _called(node.func, scope), items(node.args, scope, expression)
    return lambda frame: called(frame)(*values(frame))


def _called(node, scope):
    """The function of a frame that gives a function of Python's; it fails as CPython does where it should."""
    if type(node) is ast.Attribute:
        owner, name, budget = expression(node.value, scope), node.attr, scope.program.budget
        return lambda frame: members.method(budget, owner(frame), name)
    load = expression(node, scope)

    def run(frame):
        value = load(frame)
        return value.call if isinstance(value, _CALLABLE) else _not_callable(value)

    return run


def _not_callable(value):
    if isinstance(value, Opaque):
        raise Outside("call of an object")

    def fail(*values, **named):
        raise TypeError(f"{type(value).__name__!r} object is not callable")

    return fail


def _attribute(node, scope):
    owner, name, budget = expression(node.value, scope), node.attr, scope.program.budget
    return lambda frame: members.member(budget, owner(frame), name)


def _subscript(node, scope):
    owner, index = expression(node.value, scope), expression(node.slice, scope)
    budget = scope.program.budget

    def run(frame):
        held, place = owner(frame), index(frame)
        if isinstance(held, Opaque):
            raise Outside("item of an object")
        if type(place) is tuple:
            budget.weigh(place)
        value = held[place]
        return budget.made(value) if type(place) is slice else value

    return run


def _slice(node, scope):
    ends = [part and expression(part, scope) for part in (node.lower, node.upper, node.step)]
    return lambda frame: slice(*[end and end(frame) for end in ends])


def _comprehension(node, scope):
    return comprehension(node, scope, expression)


_EXPRESSIONS = {
    ast.Attribute: _attribute,
    ast.BinOp: _binary,
    ast.BoolOp: _both,
    ast.Call: _call,
    ast.Compare: _compare,
    ast.Constant: _constant,
    ast.DictComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.IfExp: _choice,
    ast.Lambda: _lambda,
    ast.ListComp: _comprehension,
    ast.Name: _name,
    ast.SetComp: _comprehension,
    ast.Slice: _slice,
    ast.Subscript: _subscript,
    ast.UnaryOp: _unary,
} | {kind: partial(compiled, expression=expression) for kind, compiled in DISPLAYS.items()}
