"""Statements of a program as closures: `block(nodes, scope)(frame)` carries them out.

It gives None at its end, or what ends the blocks around it too: BREAK, CONTINUE, or a tuple of what is returned.
"""

import ast
from collections.abc import Callable
from functools import partial

from mathjax.sandbox.interpreter import failures, members, operators
from mathjax.sandbox.interpreter.bindings import plain, target
from mathjax.sandbox.interpreter.budget import Opaque, Outside
from mathjax.sandbox.interpreter.expressions import expression, function
from mathjax.sandbox.interpreter.pure import Builtin, Known
from mathjax.sandbox.interpreter.scope import Scope, assigned

BREAK, CONTINUE = "break", "continue"
DEEPEST_BLOCK = 15  # CPython allows 20 of those it counts
_GENERIC = (dict, list, set, tuple)


def block(nodes: list[ast.stmt], scope: Scope) -> Callable:
    """The function of a frame that carries out `nodes` in turn; Outside where one is not of the subset."""
    scope.blocks += 1
    if scope.blocks > DEEPEST_BLOCK:
        raise Outside("deep blocks")
    run = _sequence([_statement(node, scope) for node in nodes if not _says_nothing(node)])
    scope.blocks -= 1
    return run


def _sequence(statements):
    if len(statements) == 1:
        return statements[0]

    def run(frame):
        for statement in statements:
            signal = statement(frame)
            if signal is not None:
                return signal
        return None

    return run


def _says_nothing(node):
    return type(node) is ast.Pass or type(node) is ast.Expr and type(node.value) is ast.Constant


def _statement(node, scope):
    scope.program.nodes += 1
    compiled = _STATEMENTS.get(type(node))
    if compiled is None:
        raise Outside(type(node).__name__)
    return compiled(node, scope)


def _expr(node, scope):
    value = expression(node.value, scope)

    def run(frame):
        value(frame)

    return run


def _assign(node, scope):
    value = expression(node.value, scope)
    if len(node.targets) == 1 and type(node.targets[0]) is ast.Name:
        name = plain(node.targets[0].id)

        def run(frame):
            frame[name] = value(frame)

        return run
    binds = [target(one, scope, expression) for one in node.targets]

    def run_all(frame):
        held = value(frame)
        for bind in binds:
            bind(frame, held)

    return run_all


def _annotated(node, scope):
    if type(node.target) is not ast.Name:
        raise Outside("annotated item")
    bind, value = target(node.target, scope, expression), node.value and expression(node.value, scope)
    notes = [] if scope.function else [_annotation(node.annotation, scope)]

    def run(frame):
        if value:
            bind(frame, value(frame))
        for note in notes:
            note(frame)

    return run


def _annotation(node, scope):
    """The function of a frame that goes through an annotation for its errors; Outside for unusual ones."""
    if type(node) is ast.Constant and (node.value is None or type(node.value) is str):
        return lambda frame: None
    if type(node) is ast.Tuple:
        parts = [_annotation(part, scope) for part in node.elts]
        return lambda frame: [part(frame) for part in parts]
    if type(node) is ast.Subscript:
        generic, inside = expression(node.value, scope), _annotation(node.slice, scope)

        def run(frame):
            kind = generic(frame)
            if type(kind) is not Known and (type(kind) is not Builtin or kind.kind not in _GENERIC):
                raise Outside("annotation")
            inside(frame)

        return run
    if type(node) is not ast.Name:
        raise Outside("annotation")
    return expression(node, scope)


def _augmented(node, scope):
    operate = operators.binary(node.op, scope.program.budget, in_place=True)
    if type(node.target) is ast.Subscript:
        return _augmented_item(node, scope, operate)
    if type(node.target) is not ast.Name:
        raise Outside("augmented attribute")
    name = plain(node.target.id)
    load, value = expression(ast.Name(name, ast.Load()), scope), expression(node.value, scope)

    def run(frame):
        frame[name] = operate(load(frame), value(frame))

    return run


def _augmented_item(node, scope, operate):
    owner, index = expression(node.target.value, scope), expression(node.target.slice, scope)
    value, budget = expression(node.value, scope), scope.program.budget

    def run(frame):
        items, place = owner(frame), index(frame)
        if isinstance(items, Opaque) or type(place) is slice:
            raise Outside("augmented slice")
        budget.weigh(place)
        items[place] = operate(items[place], value(frame))

    return run


def _if(node, scope):
    test, body = expression(node.test, scope), block(node.body, scope)
    orelse = block(node.orelse, scope) if node.orelse else None

    def run(frame):
        if test(frame):
            return body(frame)
        return orelse(frame) if orelse else None

    return run


def _looped(node, scope):
    """The body of a loop, what follows it, and the weight of a turn."""
    before = scope.program.nodes
    scope.loops += 1
    body = block(node.body, scope)
    scope.loops -= 1
    weight = 2 + scope.program.nodes - before
    return body, block(node.orelse, scope), weight


def _while(node, scope):
    before = scope.program.nodes
    test = expression(node.test, scope)
    body, orelse, weight = _looped(node, scope)
    weight += scope.program.nodes - before
    charge = scope.program.budget.charge

    def run(frame):
        while test(frame):
            charge(weight)
            signal = body(frame)
            if signal is not None:
                if signal is BREAK:
                    return None
                if signal is not CONTINUE:
                    return signal
        return orelse(frame)

    return run


def _for(node, scope):
    if type(node.iter) is ast.Set:
        raise Outside("loop over a set of constants")
    source, bind = expression(node.iter, scope), target(node.target, scope, expression)
    body, orelse, weight = _looped(node, scope)
    budget = scope.program.budget

    def run(frame):
        for value in budget.ordered(source(frame)):
            budget.charge(weight)
            bind(frame, value)
            signal = body(frame)
            if signal is not None:
                if signal is BREAK:
                    return None
                if signal is not CONTINUE:
                    return signal
        return orelse(frame)

    return run


def _jump(signal):
    def compiled(node, scope):
        if not scope.loops:
            raise Outside(f"{signal} outside a loop")
        return lambda frame: signal

    return compiled


def _return(node, scope):
    if not scope.function:
        raise Outside("return outside a function")
    if node.value is None:
        return lambda frame: (None,)
    value = expression(node.value, scope)
    return lambda frame: (value(frame),)


def _def(node, scope):
    if node.decorator_list or getattr(node, "type_params", None):
        raise Outside("decorator")
    name = plain(node.name)

    def body(names):
        inner = Scope(scope.program, names | assigned(node.body), scope, function=True)
        return block(node.body, inner)

    make = function(node.args, body, scope)
    notes = [argument.annotation for argument in node.args.args] + [node.returns]
    notes = [_annotation(note, scope) for note in notes if note]

    def run(frame):
        made = make(frame)
        for note in notes:
            note(frame)
        frame[name] = made

    return run


def _import(node, scope):
    bound = []
    for alias in node.names:
        found = members.module(alias.name)
        if found is None:
            raise Outside(f"import {alias.name}")
        bound.append((plain(alias.asname or alias.name), found))

    def run(frame):
        frame.update(bound)

    return run


def _import_from(node, scope):
    if node.level:
        raise Outside("relative import")
    budget = scope.program.budget
    bound = [
        (plain(alias.asname or alias.name), members.imported(budget, node.module, alias.name)) for alias in node.names
    ]

    def run(frame):
        frame.update(bound)

    return run


_STATEMENTS = {
    ast.AnnAssign: _annotated,
    ast.Assign: _assign,
    ast.AugAssign: _augmented,
    ast.Break: _jump(BREAK),
    ast.Continue: _jump(CONTINUE),
    ast.Expr: _expr,
    ast.For: _for,
    ast.FunctionDef: _def,
    ast.If: _if,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Return: _return,
    ast.While: _while,
} | {kind: partial(compiled, block) for kind, compiled in failures.STATEMENTS.items()}
