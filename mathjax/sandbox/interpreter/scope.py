"""Which name means what, at each place of a program, as CPython resolves it; and functions that the program defines."""

import ast
import builtins
import dataclasses
from collections.abc import Callable
from functools import partial

from mathjax.sandbox.interpreter import pure
from mathjax.sandbox.interpreter.budget import Budget, Opaque, Outside
from mathjax.sandbox.interpreter.pure import Builtin

OUTER = 0  # where a frame keeps the frame around it
DEEPEST_CALL = 100
_SITE = frozenset(("copyright", "credits", "exit", "help", "license", "quit"))


@dataclasses.dataclass(slots=True)
class Program:
    """What all parts of one program share: its budget, its global names, and how many nodes are compiled."""

    budget: Budget
    names: frozenset[str]  # that are assigned at the top level
    values: dict = dataclasses.field(default_factory=dict)
    builtins: dict[str, Builtin] = dataclasses.field(default_factory=dict)
    nodes: int = 0

    def builtin(self, name: str) -> Builtin:
        """The builtin `name`, the same object each time; NameError where Python has none, Outside where it has."""
        if name in self.builtins:
            return self.builtins[name]
        if name in pure.FUNCTIONS:
            found = Builtin(partial(pure.FUNCTIONS[name], self.budget), pure.KINDS.get(name))
        elif name in pure.ERRORS:
            found = Builtin(pure.ERRORS[name], pure.ERRORS[name])
        elif hasattr(builtins, name) or name in _SITE:
            raise Outside(name)
        else:
            raise NameError(f"name {name!r} is not defined")
        self.builtins[name] = found
        return found


@dataclasses.dataclass(slots=True)
class Scope:
    """The names of a function or of a comprehension, and where it stands; of the module, where `parent` is None."""

    program: Program
    names: frozenset[str] = frozenset()
    parent: "Scope | None" = None
    comprehension: bool = False
    function: bool = False  # or a part of one: `return` may stand here
    loops: int = 0  # around the statement that is compiled
    blocks: int = 0  # of all kinds around it
    handlers: int = 0  # of exceptions around it


class Function(Opaque):
    """A function or lambda of the program; `body` of a frame gives None or a tuple of what is returned."""

    __slots__ = ("body", "budget", "defaults", "names", "outer", "weight")

    def __init__(self, budget, names, defaults, body, weight, outer):
        self.budget = budget
        self.names = names
        self.defaults = defaults  # of names, by name
        self.body = body
        self.weight = weight
        self.outer = outer

    def call(self, /, *values, **named):
        """What the function returns; Outside for arguments that do not fit, and for a deep recursion."""
        if named or len(values) != len(self.names):
            frame = self._bound(values, named)
        else:
            frame = dict(zip(self.names, values, strict=True))
        frame[OUTER] = self.outer
        budget = self.budget
        budget.charge(self.weight)
        budget.calls += 1
        if budget.calls > DEEPEST_CALL:
            raise Outside("recursion")
        try:
            returned = self.body(frame)
        finally:
            budget.calls -= 1
        return returned and returned[0]

    __call__ = call

    def _bound(self, values, named):
        given = dict(zip(self.names, values, strict=False))
        frame = self.defaults | given | named
        if len(values) > len(self.names) or given.keys() & named.keys() or frame.keys() != set(self.names):
            raise Outside("arguments")
        return frame


Function.__name__ = Opaque.__name__


_BINDING = {  # where statements, and targets, hold what binds names
    ast.AnnAssign: ("target",),
    ast.Assign: ("targets",),
    ast.AugAssign: ("target",),
    ast.Delete: ("targets",),
    ast.ExceptHandler: ("body",),
    ast.For: ("target", "body", "orelse"),
    ast.If: ("body", "orelse"),
    ast.Import: ("names",),
    ast.ImportFrom: ("names",),
    ast.List: ("elts",),
    ast.Try: ("body", "handlers", "orelse", "finalbody"),
    ast.Tuple: ("elts",),
    ast.While: ("body", "orelse"),
}
_NAMES = {ast.ExceptHandler: "name", ast.FunctionDef: "name", ast.Name: "id"}


def assigned(nodes: list[ast.stmt] | list[ast.expr]) -> frozenset[str]:
    """The names that statements or targets bind, in statements inside them too but not in functions inside them."""
    names, waiting = set(), list(nodes)
    while waiting:
        node = waiting.pop()
        kind = type(node)
        if kind in _NAMES:
            names.add(getattr(node, _NAMES[kind]))
        elif kind is ast.alias:
            names.add(node.asname or node.name)
        for field in _BINDING.get(kind, ()):
            held = getattr(node, field)
            if type(held) is list:
                waiting += held
            else:
                waiting.append(held)
    return frozenset(names)


def lookup(name: str, scope: Scope) -> Callable:
    """The function of a frame that gives what `name` means in `scope`."""
    if name.startswith("__"):
        if name != "__name__" or name in scope.program.names:
            raise Outside(name)
        return lambda frame: "__main__"
    depth = 0
    while scope.parent is not None:
        if name in scope.names:
            return _outer(name, depth) if depth or scope.comprehension else _local(name)
        scope, depth = scope.parent, depth + 1
    return _global(name, scope.program)


def _local(name):
    def load(frame):
        try:
            return frame[name]
        except KeyError:
            raise UnboundLocalError(
                f"cannot access local variable {name!r} where it is not associated with a value"
            ) from None

    return load


def _outer(name, depth):
    def load(frame):
        for _ in range(depth):
            frame = frame[OUTER]
        if name not in frame:
            raise Outside("a name of an outer function without a value")
        return frame[name]

    return load


def _global(name, program):
    values = program.values
    if name not in program.names and (name in pure.FUNCTIONS or name in pure.ERRORS):
        found = program.builtin(name)
        return lambda frame: found

    def load(frame):
        try:
            return values[name]
        except KeyError:
            return program.builtin(name)

    return load
