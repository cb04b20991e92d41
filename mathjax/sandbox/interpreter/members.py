"""What may follow a dot: the methods of exact builtin types, and the names of modules."""

import math
import string
from functools import partial

from mathjax.sandbox.interpreter.budget import LONGEST_STRING, Budget, Outside
from mathjax.sandbox.interpreter.pure import Builtin, Known, Module, consumes, narrow, scalars

_TYPING = frozenset(("Any", "Callable", "Dict", "Iterable", "List", "Optional", "Set", "Tuple", "Union"))
UNKNOWN = frozenset(("numpy",))  # modules that programs import out of habit, and that the sandbox always has


def _method(budget, owner, name, /, *values, **named):
    """Any method that takes time in proportion to its object and its arguments."""
    budget.weigh(owner)
    if type(owner) is not set:
        for value in values:
            budget.consumed(value)
    return budget.made(getattr(owner, name)(*map(budget.compared, values), **named))


def _quick(budget, owner, name, /, *values, **named):
    """A method that takes no longer for a large object; arguments may be hashed."""
    for value in values:
        budget.weigh(value)
    return getattr(owner, name)(*values, **named)


def _append(budget, owner, name, /, *values, **named):
    return owner.append(*values, **named)


def _pop_of_set(budget, owner, name, /, *values, **named):
    return _method(budget, budget.ordered(owner), name, *values, **named)


def _padded(budget, owner, name, /, *values, **named):
    if not values or type(values[0]) is not int or values[0] > LONGEST_STRING:
        raise Outside("wide string")
    return _method(budget, owner, name, *values, **named)


def _replace(budget, owner, name, /, *values, **named):
    if len(values) > 1 and type(values[1]) is str and (len(owner) + 1) * (len(values[1]) + 1) > LONGEST_STRING:
        raise Outside("long string")
    return _method(budget, owner, name, *values, **named)


def _join(budget, owner, name, /, *values, **named):
    if len(values) != 1 or named:
        raise Outside("arguments")
    (values,) = values
    if hasattr(values, "__iter__"):
        values = list(budget.consumed(values))
        budget.weigh(values)
        if sum(len(owner) + len(text) for text in values if type(text) is str) > LONGEST_STRING:
            raise Outside("long string")
    return budget.made(owner.join(values))


def _format(budget, owner, name, /, *values, **named):
    """str.format with fields that are a number or a name, without attributes, items or formats within formats."""
    try:
        fields = list(string.Formatter().parse(owner))
    except ValueError:
        raise Outside("format") from None
    for _, field, spec, _ in fields:
        if field and not (field.isdecimal() or field.isidentifier()) or spec and "{" in spec:
            raise Outside("format")
        narrow(spec or "")
    for value in (*values, *named.values()):
        budget.shown(value)
    return budget.made(owner.format(*values, **named))


_STRING = """capitalize count endswith find index isalnum isalpha isdecimal isdigit islower isnumeric isspace istitle
    isupper lower lstrip partition removeprefix removesuffix rfind rindex rpartition rsplit rstrip split splitlines
    startswith strip swapcase title upper""".split()
_METHODS = {
    str: dict.fromkeys(_STRING, _method)
    | dict.fromkeys(("center", "ljust", "rjust", "zfill"), _padded)
    | {"replace": _replace, "join": _join, "format": _format},
    list: dict.fromkeys("clear copy count extend index remove reverse sort".split(), _method)
    | {"append": _append, "insert": _quick, "pop": _quick},
    tuple: dict.fromkeys(("count", "index"), _method),
    dict: dict.fromkeys(("copy", "update"), _method)
    | dict.fromkeys("clear get items keys pop popitem setdefault values".split(), _quick),
    set: dict.fromkeys(
        """clear copy difference difference_update intersection intersection_update isdisjoint issubset issuperset
        symmetric_difference symmetric_difference_update union update""".split(),
        _method,
    )
    | dict.fromkeys(("add", "discard", "remove"), _quick)
    | {"pop": _pop_of_set},
    int: dict.fromkeys(("as_integer_ratio", "bit_count", "bit_length", "conjugate"), _quick),
    float: dict.fromkeys(("as_integer_ratio", "conjugate", "is_integer"), _quick),
    complex: {"conjugate": _quick},
}
_FIELDS = {
    int: ("real", "imag", "numerator", "denominator"),
    float: ("real", "imag"),
    complex: ("real", "imag"),
}


def _factorial(budget, /, *values, **named):
    if values and type(values[0]) is int and values[0] > 1:
        budget.fits(values[0] * (values[0].bit_length() - 2))
    return budget.made(math.factorial(*values, **named))


def _choices(run):
    def call(budget, /, *values, **named):
        if len(values) == 2 and all(type(value) is int and value >= 0 for value in values):
            n, k = values
            budget.fits(n.bit_length() * (min(k, n - k) if run is math.comb else min(k, n)))
        elif run is math.perm:
            raise Outside("perm")
        return budget.made(run(*values, **named))

    return call


def _multiple(budget, /, *values, **named):
    budget.fits(sum(value.bit_length() for value in values if type(value) is int))
    return budget.made(math.lcm(*values, **named))


def _product(budget, /, *values, **named):
    if len(values) != 1 or named:
        raise Outside("prod")
    items = list(budget.consumed(values[0]))
    budget.weigh(items)
    if any(type(item) not in (int, float, bool, complex) for item in items):
        raise Outside("prod")
    budget.fits(sum(item.bit_length() for item in items if type(item) is int))
    return budget.made(math.prod(items))


_REAL = """acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh degrees erf erfc exp exp2 expm1 fabs floor
    fmod frexp gamma gcd hypot isclose isfinite isinf isnan isqrt ldexp lgamma log log10 log1p log2 modf nextafter
    pow radians remainder sin sinh sqrt tan tanh trunc ulp""".split()
_MATH = (
    {name: scalars(getattr(math, name)) for name in _REAL}
    | {name: consumes(getattr(math, name)) for name in ("dist", "fsum")}
    | {
        "comb": _choices(math.comb),
        "perm": _choices(math.perm),
        "factorial": _factorial,
        "lcm": _multiple,
        "prod": _product,
    }
)
_CONSTANTS = {name: getattr(math, name) for name in ("e", "inf", "nan", "pi", "tau")}


def module(name: str) -> Module | Known | None:
    """The module `name`; None for one that programs may not import here."""
    if name == "math":
        return Module(name)
    return Known() if name in UNKNOWN else None


def imported(budget: Budget, module: str, name: str):
    """What `from module import name` gives; Outside where it is not here."""
    if module == "math":
        return _of_math(budget, name)
    if module == "typing" and name in _TYPING:
        return Known()
    raise Outside(f"from {module} import {name}")


def member(budget: Budget, owner, name: str):
    """`owner.name` as a value; Outside where it is not one of the tables above."""
    kind = type(owner)
    if kind is Module:
        return _of_math(budget, name)
    if name in _FIELDS.get(kind, ()):
        return getattr(owner, name)
    return Builtin(method(budget, owner, name))


def method(budget: Budget, owner, name: str):
    """`owner.name` as a function to be called at once; Outside where it is not one of the tables above."""
    kind = type(owner)
    if kind is Module:
        found = _of_math(budget, name)
        if type(found) is not Builtin:
            raise Outside("a constant is called")
        return found.call
    guard = _METHODS.get(kind, {}).get(name)
    if guard is None:
        raise Outside(f"{kind.__name__}.{name}")
    return partial(guard, budget, owner, name)


def _of_math(budget, name):
    if name in _CONSTANTS:
        return _CONSTANTS[name]
    if name not in _MATH:
        raise Outside(f"math.{name}")
    return Builtin(partial(_MATH[name], budget))
