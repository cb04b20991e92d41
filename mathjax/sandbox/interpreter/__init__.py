"""A restricted interpreter: the programs that need no sandbox, carried out in this process.

The syntax tree of a program is turned into Python closures, which are then called; nothing of the program is compiled
or evaluated by Python itself. What is printed, and the exception that ends it, are those of CPython, because values are
Python's own and operators, builtins and methods are applied to them.

Why a program cannot reach anything:

* Its values are of the exact types int, float, complex, bool, str, None, list, tuple, dict, set, slice, range, dict
  views, builtin iterators and exceptions of the table `pure.ERRORS`, or opaque objects of this package. Every value
  comes from a constant, from an operator on such values, or from a function or method of the tables in `pure` and
  `members`, all of which make only such values.
* An attribute is looked up by exact type and name in `members`, never by `getattr` of a name that is not in its tables.
  Opaque objects have no attributes there, show no text, and have no items. `str.format` takes no attributes and no
  items. So no class, frame, code object, module or function of Python's own is within reach.
* The only effect of a program is its printed text, which is kept here.
* Every loop, call and node counts steps, and work inside C functions counts in proportion to the sizes that go in or
  come out, before it is done where the result may be far larger than what goes in. Depth of recursion, of containers,
  of iterators over iterators and of blocks is bounded, so that no C function overflows its stack.

Whatever is outside all this, and whatever could differ between two runs of CPython (the order of a set of strings, the
address in the text of an object), is answered with None: the sandbox decides.
"""

import ast
import dataclasses

from mathjax.sandbox import syntax
from mathjax.sandbox.interpreter.budget import Budget, Outside, message
from mathjax.sandbox.interpreter.scope import Program, Scope, assigned
from mathjax.sandbox.interpreter.statements import block

STEPS = 1_000_000  # nodes; about 0.2 s
SIZE_BITS = 32_768
OUTPUT_BYTES = 65_536


@dataclasses.dataclass(frozen=True, slots=True)
class Interpretation:
    """What a program printed, and the type and text of the exception that ended it, if one did."""

    printed: str
    error: str | None = None


def interpret(
    source: str, *, steps: int = STEPS, size_bits: int = SIZE_BITS, output_bytes: int = OUTPUT_BYTES
) -> Interpretation | None:
    """What CPython does with `source` as a script; None where that is not for this interpreter to say.

    `steps` bounds the work in nodes of the syntax tree, `size_bits` every integer, `output_bytes` what is printed.
    """
    if not syntax.is_safe(source) or syntax.warns(source):
        return None
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return Interpretation("", f"{type(error).__name__}: {error.msg}")
    except (ValueError, MemoryError, RecursionError):
        return None
    budget = Budget(steps, size_bits, output_bytes)
    try:
        error = _carried_out(tree, budget)
        printed = "".join(budget.pieces)
        if len(printed.encode()) > output_bytes:
            return None
    except (Outside, RecursionError, MemoryError, UnicodeEncodeError):
        return None
    return Interpretation(printed, error)


def _carried_out(tree, budget):
    program = Program(budget, assigned(tree.body))
    run = block(tree.body, Scope(program))
    try:
        run(program.values)
    except Exception as error:
        return message(error)
    finally:
        program.values.clear()  # which functions refer to, so that nothing waits for the garbage collector
    return None
