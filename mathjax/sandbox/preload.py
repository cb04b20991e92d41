"""What a worker has imported, and has used once, before it forks: sympy fills its caches when it is first used."""

import contextlib
import importlib
import random
import re

_PLAIN = """math cmath fractions decimal itertools functools collections random re datetime statistics string heapq
bisect operator typing dataclasses enum numbers copy time traceback textwrap json calendar"""
_SYMBOLIC = f"{_PLAIN} numpy numpy.linalg numpy.random mpmath sympy sympy.abc sympy.stats"
KINDS = {
    "light": _PLAIN,
    "symbolic": _SYMBOLIC,
    "scientific": f"{_SYMBOLIC} scipy.stats scipy.optimize scipy.integrate scipy.special scipy.linalg",
}
PACKAGES = ("numpy", "sympy", "mpmath", "scipy")  # what programs may import beside the standard library
_NAMES = re.compile(r"\b(?:(scipy)|sympy|numpy|mpmath)\b")

_SYMPY = r"""
from sympy import *
x, y, n = symbols("x y n")
k = symbols("k", integer=True, positive=True)
str(solve(x**2 - 5 * x + 6, x)); solve([x + y - 3, x - y - 1], [x, y]); solve(Eq(2 * x + 3, 7), x)
solve(x**3 - 2 * x + 1, x); solve([x**2 + y**2 - 5, x - y - 1], [x, y]); solveset(x**2 - 2, x); solve(x**2 > 4, x)
solve(2**x - 8, x); solve(sqrt(x + 1) - 3, x); solve(Abs(x - 1) - 2, x); solve(1 / x + 1 / (x + 1) - 1, x)
simplify((x**2 - 1) / (x - 1)); simplify(sin(x)**2 + cos(x)**2); expand((x + y)**5); factor(x**4 - 1)
apart(1 / (x**2 - 1)); together(1 / x + 1 / y); cancel((x**2 - 1) / (x - 1)); trigsimp(2 * sin(x) * cos(x))
diff(x**2 * sin(x) * exp(x), x); integrate(x**2, x); integrate(sin(x) * exp(x), (x, 0, pi)); limit(sin(x) / x, x, 0)
limit((1 + 1 / x)**x, x, oo); series(exp(x), x, 0, 4); summation(k**2, (k, 1, n)); Sum(1 / k**2, (k, 1, oo)).doit()
Matrix([[1, 2], [3, 4]]).inv().det(); Matrix([[2, 1], [1, 2]]).eigenvals(); Matrix([[1, 2], [3, 4]]).rref()
str(latex(Rational(1, 3) * sqrt(x) + pi)); str(N(pi, 30)); sqrt(50).evalf(); Rational("1/3") + Integer(2)
factorint(360); isprime(97); primerange(1, 50); gcd(12, 18); lcm(4, 6); binomial(10, 3); factorial(10); divisors(36)
nsimplify(0.75); Poly(x**2 + 1, x).all_coeffs(); roots(x**2 - 3 * x + 2, x); nsolve(cos(x) - x, x, 1)
sympify("x + 1"); lambdify(x, x**2)(3); floor(Rational(7, 2)); Mod(17, 5); Interval(0, 1).contains(Rational(1, 2))
Piecewise((x, x > 0), (0, True)).subs(x, 2); reduce_inequalities([x > 1, x < 3], x); log(8, 2); simplify(log(x**2))
geometry_of = Triangle(Point(0, 0), Point(3, 0), Point(0, 4)); geometry_of.area; Circle(Point(0, 0), 2).area
"""
_NUMPY = r"""
import numpy as np
a = np.array([[3.0, 1.0], [1.0, 2.0]])
np.linalg.solve(a, np.array([9.0, 8.0])); np.linalg.eig(a); np.linalg.det(a); np.linalg.inv(a); np.roots([1, -3, 2])
str(a); str(np.float64(1.5)); np.arange(10).sum(); np.linspace(0, 1, 5).mean(); np.random.rand(3); (a @ a).std()
"""


def kind(text: str, heavy: bool | None) -> str:
    """The kind of worker that has ready what a program names; heavy: rather more (True) or nothing of it (False)."""
    named = _NAMES.findall(text)
    if heavy is False or not (named or heavy):
        return "light"
    return "scientific" if any(named) else "symbolic"


def warm(kind: str):
    """Import what this kind of worker has ready, and run what typical programs run."""
    for name in KINDS[kind].split():
        with contextlib.suppress(ModuleNotFoundError):  # as it will be for the programs
            importlib.import_module(name)
    if kind != "light":
        names = {}
        for line in (_NUMPY + _SYMPY).splitlines():
            with contextlib.suppress(Exception):  # some version of sympy may not know it: then it stays cold
                exec(line, names)
        importlib.import_module("numpy").random.seed(0)
        importlib.import_module("sympy").core.random.seed(0)
    random.seed(0)  # every program goes on from here: the same one prints the same
