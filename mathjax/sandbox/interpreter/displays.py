"""Lists, tuples, sets, dicts and f-strings of a program as closures.

`expression`, the last argument of each, is the compiler of expressions, handed in because these hold expressions.
"""

import ast
from collections.abc import Callable

from mathjax.sandbox.interpreter.budget import Outside
from mathjax.sandbox.interpreter.pure import formatted
from mathjax.sandbox.interpreter.scope import Scope


def items(nodes: list[ast.expr], scope: Scope, expression: Callable) -> Callable:
    """The function of a frame that gives the list of the values of `nodes`, of which some may be starred."""
    budget = scope.program.budget
    if not any(type(node) is ast.Starred for node in nodes):
        values = [expression(node, scope) for node in nodes]
        return lambda frame: [value(frame) for value in values]
    parts = [
        (True, expression(node.value, scope)) if type(node) is ast.Starred else (False, expression(node, scope))
        for node in nodes
    ]

    def run(frame):
        found = []
        for is_starred, value in parts:
            if is_starred:
                found += budget.consumed(value(frame))
            else:
                found.append(value(frame))
        return found

    return run


def _list(node, scope, expression):
    return items(node.elts, scope, expression)


def _tuple(node, scope, expression):
    values = items(node.elts, scope, expression)
    return lambda frame: tuple(values(frame))


def _set(node, scope, expression):
    listed, budget = items(node.elts, scope, expression), scope.program.budget
    constant = len(node.elts) > 2 and all(_folds(element) for element in node.elts)

    def run(frame):
        values = listed(frame)
        budget.weigh(values)
        if not constant:
            return set(values)
        found = set()
        found.update(frozenset(values))  # as CPython makes it, which shows in the order
        return found

    return run


def _folds(node):
    """Whether CPython takes `node` for a constant; Outside where that is hard to say."""
    if type(node) is ast.UnaryOp and type(node.operand) is ast.Constant or type(node) is ast.Constant:
        return True
    if any(type(part) in (ast.Name, ast.Call, ast.JoinedStr) for part in ast.walk(node)):
        return False
    raise Outside("set of constants")


def _dict(node, scope, expression):
    if None in node.keys:
        raise Outside("** in a dict")
    pairs = [
        (expression(key, scope), expression(value, scope)) for key, value in zip(node.keys, node.values, strict=True)
    ]
    budget = scope.program.budget

    def run(frame):
        found = {}
        for key, value in pairs:
            name, held = key(frame), value(frame)
            budget.weigh(name)
            found[name] = held
        return found

    return run


def _formatted(node, scope, expression):
    value, budget = expression(node.value, scope), scope.program.budget
    spec = node.format_spec and expression(node.format_spec, scope)
    convert = {-1: None, ord("s"): str, ord("r"): repr, ord("a"): ascii}[node.conversion]

    def run(frame):
        shown = value(frame)
        if convert:
            budget.shown(shown)
            shown = convert(shown)
        return formatted(budget, shown, spec(frame) if spec else "")

    return run


def _joined(node, scope, expression):
    parts, budget = [expression(value, scope) for value in node.values], scope.program.budget
    return lambda frame: budget.made("".join([part(frame) for part in parts]))


DISPLAYS = {
    ast.Dict: _dict,
    ast.FormattedValue: _formatted,
    ast.JoinedStr: _joined,
    ast.List: _list,
    ast.Set: _set,
    ast.Tuple: _tuple,
}
