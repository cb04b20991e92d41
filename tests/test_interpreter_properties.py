"""Programs that hypothesis makes up: the interpreter does as CPython does, or leaves them to the sandbox."""

import contextlib
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mathjax.sandbox.interpreter import Interpretation, interpret


def cpython(source: str) -> Interpretation:
    """What this process's own Python does with a harmless `source`."""
    printed, error = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(source, "<program>", "exec"), {"__name__": "__main__"})
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}" if str(raised) else type(raised).__name__
    return Interpretation(printed.getvalue(), error)


@given(st.text(max_size=200))
def test_any_text_is_answered(text):
    found = interpret(text)
    assert found is None or isinstance(found, Interpretation)


NAMES = ("a", "b", "c")
NUMBERS = st.integers(-9, 9).map(lambda n: f"({n})") | st.sampled_from(
    ["0.5", "2.25", "1e3", "10**20", "True", "a", "a"]
)
TEXTS = st.sampled_from(["'x'", "'ab,c'", "''", "' 12 '", "c", "c"])
LISTS = st.sampled_from(["[3, 1, 2]", "b", "b", "range(5)", "(1, 2)"])
ATOMS = st.one_of(NUMBERS, TEXTS, LISTS, st.just("None"), st.just("1j"))
CALLS = """abs min max sum round int float str len sorted list tuple set bool repr any all reversed dict enumerate range
    divmod pow""".split()
METHODS = """upper() split(',') count(1) index(2) strip() copy() pop() keys() isdigit() append(1)""".split()


def _number(inner):
    return st.one_of(
        st.builds(lambda sign, x, y: f"({x} {sign} {y})", st.sampled_from("+ - * / // % < ==".split()), inner, inner),
        st.builds(lambda x, n: f"({x} ** {n})", inner, st.integers(-1, 3)),
        st.builds(lambda name, x: f"{name}({x})", st.sampled_from("abs int float round -".split()), inner),
        st.builds(lambda name, x, y: f"{name}({x}, {y})", st.sampled_from(["min", "max", "divmod"]), inner, inner),
        st.builds(lambda name, x, xs: f"{name}({x} * k for k in {xs})", st.sampled_from(["sum", "max"]), inner, LISTS),
        st.builds(lambda x, y, z: f"({x} if {y} else {z})", inner, inner, inner),
        st.builds(lambda x, y: f"[{x}, {y}][len(c) % 2]", inner, inner),
        st.builds(lambda x, spec: f"len(f'{{{x}:{spec}}}')", NUMBERS, st.sampled_from([">7", ".3f", "+", "10.2e"])),
    )


def _larger(inner):
    pair = st.tuples(inner, inner)
    signs = [*"+ - * / // % == != < <= > >= and or in & | ^ <<".split(), "not in"]
    return st.one_of(
        st.builds(lambda sign, sides: f"({sides[0]} {sign} {sides[1]})", st.sampled_from(signs), pair),
        st.builds(lambda x, n: f"({x} ** {n})", inner, st.integers(-2, 3)),
        st.builds(lambda sign, x: f"({sign} {x})", st.sampled_from(["-", "+", "not"]), inner),
        st.builds(lambda x, y, z: f"({x} if {y} else {z})", inner, inner, inner),
        st.builds(
            lambda name, values: f"{name}({', '.join(values)})", st.sampled_from(CALLS), st.lists(inner, max_size=2)
        ),
        st.builds(lambda x, name: f"{x}.{name}", inner, st.sampled_from(METHODS)),
        st.builds(lambda x, y: f"{x}[{y}]", inner, inner),
        st.builds(lambda x, y: f"{x}[{y}:]", inner, inner),
        st.builds(lambda values: f"[{', '.join(values)}]", st.lists(inner, max_size=3)),
        st.builds(lambda values: f"{{{', '.join(['0', *values])}}}", st.lists(inner, max_size=4)),
        st.builds(lambda x, y: f"{{{x}: {y}, 'k': 1}}", inner, inner),
        st.builds(lambda x, y, z: f"[{x} for a in {y} if {z}]", inner, inner, inner),
        st.builds(lambda x, y: f"list(({x}, b) for b in {y})", inner, inner),
        st.builds(
            lambda x, spec: f"f'<{{{x.replace(chr(39), chr(34))}:{spec}}}>'",
            inner,
            st.sampled_from(["", ".2f", ">6", "d"]),
        ),
        st.builds(lambda x, y: f"(lambda a, b={x}: {y})(1)", inner, inner),
    )


TYPED = st.recursive(NUMBERS, _number, max_leaves=8)  # that seldom fail
EXPRESSIONS = TYPED | TYPED | st.recursive(ATOMS, _larger, max_leaves=6)  # of which most fail


def _indented(lines):
    return ["    " + line for line in lines]


def _blocks(inner):
    body = st.lists(inner, min_size=1, max_size=3).map(lambda parts: [line for part in parts for line in part])
    loops = st.builds(
        lambda name, x, lines, end: [f"for {name} in {x}:", *_indented([*lines, *end])],
        st.sampled_from(NAMES), EXPRESSIONS, body, st.sampled_from([[], ["break"], ["if a: continue"]]),
    )  # fmt: skip
    return st.one_of(
        loops,
        st.builds(lambda x, one, two: [f"if {x}:", *_indented(one), "else:", *_indented(two)], EXPRESSIONS, body, body),
        st.builds(
            lambda one, two: ["try:", *_indented(one), "except Exception as e: print(e)", "finally:", *_indented(two)],
            body, body,
        ),
        st.builds(
            lambda lines, x, y: ["def f(a, c=2):", *_indented([*lines, f"return {x}"]), f"print(f({y}))"],
            body, EXPRESSIONS, EXPRESSIONS,
        ),
        st.builds(
            lambda lines, x: ["n = 0", f"while n < 4 and {x}:", *_indented(["n += 1", *lines])], body, EXPRESSIONS
        ),
    )  # fmt: skip


STATEMENTS = st.recursive(
    st.one_of(
        st.builds(lambda name, x: [f"{name} = {x}"], st.sampled_from([*NAMES, "a, b", "a = c"]), EXPRESSIONS),
        st.builds(
            lambda name, sign, x: [f"{name} {sign}= {x}"],
            st.sampled_from([*NAMES, "a[0]"]), st.sampled_from("+ - * / // %".split()), EXPRESSIONS,
        ),
        st.builds(lambda x: [f"print({x})"], EXPRESSIONS),
        st.builds(lambda x: [f"assert {x}, 'no'"], EXPRESSIONS),
    ),
    _blocks,
    max_leaves=6,
)  # fmt: skip
PROGRAMS = st.lists(STATEMENTS, min_size=1, max_size=6).map(
    lambda parts: "\n".join(["a = 5", "b = [1, 2, 2.5]", "c = 'word'", *(line for part in parts for line in part)])
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(PROGRAMS)
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_any_accepted_program_does_what_cpython_does(source):
    found = interpret(source)
    if found is not None and not (found.error or "").startswith("SyntaxError"):
        assert found == cpython(source)


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS)
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_any_accepted_expression_has_the_value_that_cpython_gives_it(text):
    source = f"a = 5\nb = [1, 2, 2.5]\nc = 'word'\nprint(repr({text}))"
    found = interpret(source)
    if found is not None and not (found.error or "").startswith("SyntaxError"):
        assert found == cpython(source)
