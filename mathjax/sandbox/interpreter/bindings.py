"""Where values get names: targets of assignments and loops, and comprehensions.

`expression` is the compiler of expressions, handed in because targets and comprehensions hold expressions and
expressions hold comprehensions.
"""

import ast
import operator
from collections.abc import Callable

from mathjax.sandbox.interpreter.budget import Opaque, Outside
from mathjax.sandbox.interpreter.scope import OUTER, Scope, assigned


def target(node: ast.expr, scope: Scope, expression: Callable) -> Callable:
    """The function of a frame and a value that binds the value to `node`."""
    if type(node) is ast.Name:
        name = plain(node.id)

        def bind(frame, value):
            frame[name] = value

        return bind
    if type(node) is ast.Subscript:
        return _item(node, scope, expression)
    if type(node) in (ast.Tuple, ast.List):
        return _unpacked([target(part, scope, expression) for part in node.elts], scope.program.budget)
    raise Outside(f"{type(node).__name__} is assigned to")


def plain(name: str) -> str:
    """`name`; Outside for one that Python may treat in its own way."""
    if name.startswith("__"):
        raise Outside(name)
    return name


def _item(node, scope, expression):
    owner, index = expression(node.value, scope), expression(node.slice, scope)
    budget = scope.program.budget

    def bind(frame, value):
        items, place = owner(frame), index(frame)
        if isinstance(items, Opaque):
            raise Outside("item of an object")
        budget.weigh(place)
        if type(place) is slice:
            budget.consumed(value)
        operator.setitem(items, place, value)

    return bind


def _unpacked(parts, budget):
    def bind(frame, value):
        budget.consumed(value)
        if len(parts) == 2:
            first, second = value
            values = (first, second)
        elif len(parts) == 3:
            first, second, third = value
            values = (first, second, third)
        else:
            values = value if type(value) in (list, tuple) else list(value)
            if len(values) != len(parts):
                raise Outside("unpacking")
        for part, item in zip(parts, tuple(values), strict=True):
            part(frame, item)

    return bind


def comprehension(node: ast.expr, scope: Scope, expression: Callable) -> Callable:
    """The function of a frame that gives the list, set, dict or generator that `node` makes."""
    elements = (node.key, node.value) if type(node) is ast.DictComp else (node.elt,)
    if type(node.generators[0].iter) is ast.Set or any(generator.is_async for generator in node.generators):
        raise Outside("comprehension")
    budget, before = scope.program.budget, scope.program.nodes
    first = expression(node.generators[0].iter, scope)
    names = assigned([generator.target for generator in node.generators])
    inner = Scope(scope.program, names, scope, comprehension=True)
    run = _loops(node.generators, elements, inner, expression, lambda: 1 + scope.program.nodes - before)
    make = _MAKERS[type(node)]
    enter = budget.source if type(node) is ast.GeneratorExp else budget.ordered

    def comprehend(frame):
        values = iter(enter(first(frame)))
        return make(budget, run({OUTER: frame}, values))

    return comprehend


def _loops(generators, elements, scope, expression, weight):
    """The generator of what `elements` are at each turn; `values` are those of the first loop."""
    generator, *others = generators
    budget = scope.program.budget
    bind = target(generator.target, scope, expression)
    tests = [expression(test, scope) for test in generator.ifs]
    if others:
        if type(others[0].iter) is ast.Set:
            raise Outside("comprehension")
        source = expression(others[0].iter, scope)
        inner = _loops(others, elements, scope, expression, weight)
    else:
        made = [expression(element, scope) for element in elements]
        made = made[0] if len(made) == 1 else _pair(*made)
    paid = weight()

    def run(frame, values):
        for value in values:
            budget.charge(paid)
            bind(frame, value)
            if all_true(tests, frame):
                if others:
                    yield from inner(frame, budget.ordered(source(frame)))
                else:
                    yield made(frame)

    return run


def all_true(tests: list[Callable], frame: dict) -> bool:
    """Whether every test is true of `frame`; the first that is not ends it."""
    for test in tests:
        if not test(frame):
            return False
    return True


def _pair(key, value):
    return lambda frame: (key(frame), value(frame))


def _list(budget, values):
    return list(values)


def _set(budget, values):
    found = set()
    for value in values:
        budget.weigh(value)
        found.add(value)
    return found


def _dict(budget, values):
    found = {}
    for key, value in values:
        budget.weigh(key)
        found[key] = value
    return found


def _generator(budget, values):
    return values


_MAKERS = {ast.ListComp: _list, ast.SetComp: _set, ast.DictComp: _dict, ast.GeneratorExp: _generator}
