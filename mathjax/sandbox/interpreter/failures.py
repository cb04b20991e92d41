"""`try`, `raise`, `assert` and `del` of a program as closures.

`block`, the first argument of each, is the compiler of statements, handed in because these hold statements.
"""

import ast
from collections.abc import Callable

from mathjax.sandbox.interpreter.bindings import plain
from mathjax.sandbox.interpreter.budget import Opaque, Outside, vet
from mathjax.sandbox.interpreter.expressions import expression
from mathjax.sandbox.interpreter.pure import Builtin
from mathjax.sandbox.interpreter.scope import Scope


def _try(block: Callable, node: ast.Try, scope: Scope) -> Callable:
    if any(handler.type is None for handler in node.handlers[:-1]):
        raise Outside("bare except before another")
    body, orelse = block(node.body, scope), block(node.orelse, scope)
    handlers = [_handler(block, handler, scope) for handler in node.handlers]

    def attempt(frame):
        try:
            signal = body(frame)
        except Exception as error:
            vet(error)
            for matches, handle in handlers:
                if matches(frame, error):
                    return handle(frame, error)
            raise
        return orelse(frame) if signal is None else signal

    return _finally(attempt, block(node.finalbody, scope)) if node.finalbody else attempt


def _finally(attempt, final):
    def run(frame):
        try:
            signal = attempt(frame)
        except Exception as error:
            vet(error)
            ended = final(frame)
            if ended is None:
                raise
            return ended
        ended = final(frame)
        return signal if ended is None else ended

    return run


def _handler(block, node, scope):
    """Two functions: whether an exception is one for `node`, and what is then done."""
    kind = node.type and expression(node.type, scope)
    name = node.name and plain(node.name)
    scope.handlers += 1
    body = block(node.body, scope)
    scope.handlers -= 1

    def matches(frame, error):
        return kind is None or isinstance(error, _errors(kind(frame)))

    def handle(frame, error):
        if name:
            frame[name] = error
        try:
            return body(frame)
        finally:
            if name:
                frame.pop(name, None)

    return matches, handle


def _errors(value):
    """The exception types that a handler names."""
    kinds = value if type(value) is tuple else (value,)
    if not all(_is_kind(kind) for kind in kinds):
        raise Outside("handler of something else")
    return tuple(kind.kind for kind in kinds)


def _is_kind(value):
    return type(value) is Builtin and value.kind is not None and issubclass(value.kind, Exception)


def _raise(block: Callable, node: ast.Raise, scope: Scope) -> Callable:
    if node.exc is None or node.cause is not None:
        raise Outside("raise of what is handled, or from another")
    raised = expression(node.exc, scope)

    def run(frame):
        error = raised(frame)
        if _is_kind(error):
            raise error.kind()
        if isinstance(error, Exception):
            raise error
        raise Outside("raise of something else")

    return run


def _assert(block: Callable, node: ast.Assert, scope: Scope) -> Callable:
    test, text = expression(node.test, scope), node.msg and expression(node.msg, scope)

    def run(frame):
        if not test(frame):
            raise AssertionError(text(frame)) if text else AssertionError

    return run


def _delete(block: Callable, node: ast.Delete, scope: Scope) -> Callable:
    steps = [_deleted(target, scope) for target in node.targets]

    def run(frame):
        for step in steps:
            step(frame)

    return run


def _deleted(node, scope):
    if type(node) is ast.Name:
        name = plain(node.id)

        def forget(frame):
            if name not in frame:
                raise Outside("del of a name without a value")
            del frame[name]

        return forget
    if type(node) is not ast.Subscript:
        raise Outside("del")
    owner, index, budget = expression(node.value, scope), expression(node.slice, scope), scope.program.budget

    def remove(frame):
        items, place = owner(frame), index(frame)
        if isinstance(items, Opaque):
            raise Outside("item of an object")
        budget.weigh(place)
        del items[place]

    return remove


STATEMENTS = {ast.Assert: _assert, ast.Delete: _delete, ast.Raise: _raise, ast.Try: _try}
